"""Taking a case in while the caller talks."""

import secrets
from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from huying.cases.commands import ACTIONS
from huying.cases.commands.submission import submit_once
from huying.cases.offers import offers
from huying.core.verdict import Refused
from huying.desk.actor import DeskRequest, staff
from huying.desk.case_page import Button, about
from huying.desk.choices import places
from huying.desk.forms import action_form
from huying.desk.page import not_found, show
from huying.ui.forms import Options, show_refusal, to_data

SUBMIT = "case.submit"
LEFT_OUT = ("external_no", "mode", "attachments", "requester__id_number", "requester__email")
"""What a caller is not asked on the telephone."""


@require_http_methods(["GET", "POST"])
@staff
def intake(request: DeskRequest) -> HttpResponse:
    """The screen of who answers the telephone; the receipt shows the query code once."""
    if request.actor.role not in ACTIONS[SUBMIT].parties:
        return not_found(request)
    make = action_form(
        SUBMIT, request.actor.platform, leave_out=LEFT_OUT, hints={"place": "可以从列表中选，也可以填写地址。"},
        more={"place": Options([(path, "") for path in places(request.actor.platform)], "suggest")},
    )  # fmt: skip
    if request.method == "GET":
        first = {"channel": request.GET.get("channel", "hotline_12345"), "kind": request.GET.get("kind", "")}
        return _ask(request, make(initial=first))
    data, files = to_data(ACTIONS[SUBMIT].input, request.POST, request.FILES)
    key = request.POST.get("key", "")
    outcome = submit_once(key, actor=request.actor, now=request.now, data=data, files=files)
    if not isinstance(outcome, Refused):
        return _receipt(request, outcome)
    form = make(request.POST, request.FILES)
    return _ask(request, form, None if show_refusal(form, outcome) else outcome, status=422)


def _ask(request: DeskRequest, form: Any, refused: Refused | None = None, *, status: int = 200) -> HttpResponse:
    key = request.POST.get("key") or secrets.token_urlsafe(24)
    context = {"form": form, "refused": refused, "key": key, "here": "intake"}
    return show(request, "desk/intake/page.html", context, status=status)


def _receipt(request: DeskRequest, done: Any) -> HttpResponse:
    """Number and query code, to be read out, and what may be done with the case at once."""
    next_steps = [Button(one, about(one)) for one in offers(done.case, request.actor, now=request.now) if one.enabled]
    context = {"case": done.case, "receipt": done.extra, "buttons": next_steps, "here": "intake"}
    return show(request, "desk/intake/receipt.html", context)
