"""平台设置: what the actor may change, with the value that holds, since when, by whom, and the article."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from huying.cases.commands import perform
from huying.cases.queries.settings import changes_settings, settings_of
from huying.core.verdict import Refused
from huying.desk.actor import DeskRequest, staff
from huying.desk.page import not_found, show


@require_http_methods(["GET", "POST"])
@staff
def page(request: DeskRequest) -> HttpResponse:
    """The settings, a form for each; a change says what it was before."""
    if not changes_settings(request.actor):
        return not_found(request)
    if request.method == "GET":
        return _shown(request)
    key, value = request.POST.get("key", "")[:100], request.POST.get("value", "")[:20]
    done = perform("setting.change", actor=request.actor, now=request.now, data={"key": key, "value": value})
    if isinstance(done, Refused):
        return _shown(request, key=key, value=value, refused=done)
    label = next((one.rule.label for one in settings_of(request.actor) if one.rule.key == key), key)
    messages.success(request, f"“{label}”已修改，即时生效。")
    return redirect("desk_settings")


def _shown(request: DeskRequest, *, key: str = "", value: str = "", refused: Refused | None = None) -> HttpResponse:
    shown: list[dict[str, Any]] = [
        {"one": one, "typed": value if one.rule.key == key else one.value,
         "refused": refused if one.rule.key == key else None}
        for one in settings_of(request.actor)
    ]  # fmt: skip
    known = any(one["refused"] for one in shown)
    context = {"here": "settings", "settings": shown, "refused": None if known else refused}
    return show(request, "desk/settings/page.html", context, status=422 if refused else 200)
