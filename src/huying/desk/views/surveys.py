"""第三方调查: drawing lists, handing them out, and bringing the results in."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from huying.base.clock import local_date
from huying.cases.commands import perform
from huying.cases.commands.surveys import DrawInput, hand_out
from huying.cases.policies import policy_of
from huying.cases.queries import surveys
from huying.core.surveys import MOST_BYTES, list_book
from huying.core.verdict import Refused
from huying.desk.actor import DeskRequest, staff
from huying.desk.forms import action_form
from huying.desk.page import not_found, show
from huying.ui.forms import Uploads, show_refusal, to_data
from huying.ui.words import WORDS

SHOWN = 30
NOTE = (
    "调查编号只用于本次调查，请勿改动；电话只能用于本次调查，调查结束后请删除。"
    "只填写“调查结果”“满意度”等空白各列，没有访问的留空，填好后把本文件发回。请勿增加姓名等个人信息。"
)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_http_methods(["GET", "POST"])
@staff
def page(request: DeskRequest) -> HttpResponse:
    """The lists with what came back, and the form by which another is drawn."""
    if not surveys.reads_surveys(request.actor):
        return not_found(request)
    if request.method == "GET":
        return _page(request, _form(request)(initial=_usual(request)) if surveys.draws_surveys(request.actor) else None)
    if not surveys.draws_surveys(request.actor):
        return not_found(request)
    data, _files = to_data(DrawInput, request.POST)
    outcome = perform("survey.draw", actor=request.actor, now=request.now, data=data)
    if isinstance(outcome, Refused):
        form = _form(request)(request.POST)
        at_field = show_refusal(form, outcome, model=DrawInput, data=data)
        return _page(request, form, None if at_field else outcome, status=422)
    made: Any = outcome.made
    messages.success(request, _("名单已经抽取，共 %(count)d 件。") % {"count": made.cases.count()})
    return redirect("desk_survey", made.pk)


def _usual(request: DeskRequest) -> dict[str, str]:
    """What the form begins with: last month."""
    before = local_date(request.now).replace(day=1) - timedelta(days=1)
    return {"first": before.replace(day=1).isoformat(), "last": before.isoformat()}


def _form(request: DeskRequest) -> Any:
    return action_form("survey.draw", request.actor.platform)


def _page(request: DeskRequest, form: Any, refused: Refused | None = None, *, status: int = 200) -> HttpResponse:
    found = list(surveys.batches_of(request.actor)[:SHOWN])
    context = {
        "here": "surveys", "batches": surveys.counted(request.actor, found), "form": form, "refused": refused,
        "longest": surveys.LONGEST, "most": SHOWN,
    }  # fmt: skip
    return show(request, "desk/surveys/page.html", context, status=status)


@require_GET
@staff
def one(request: DeskRequest, key: int) -> HttpResponse:
    """One list: its cases with their numbers and results, and the two files that go out and come in."""
    batch = surveys.find_batch(request.actor, key)
    return not_found(request) if batch is None else _one(request, batch)


def _one(request: DeskRequest, batch: Any, *, status: int = 200, **more: Any) -> HttpResponse:
    asked = request.GET.get("page", "1")
    number = max(1, int(asked)) if asked.isascii() and asked.isdecimal() and len(asked) < 5 else 1
    lines, has_more = surveys.lines_of(request.actor, batch, number)
    own = surveys.draws_surveys(request.actor) and request.actor.unit == batch.unit
    context = {
        "here": "surveys", "batch": batch, "count": surveys.counted(request.actor, [batch])[0], "lines": lines,
        "page_number": number, "has_more": has_more, "own": own, "ratings": WORDS["rating"],
    }  # fmt: skip
    return show(request, "desk/surveys/one.html", context | more, status=status)


@require_POST
@staff
def export(request: DeskRequest, key: int) -> HttpResponse:
    """The list as a file for who surveys. By POST: phones leave the platform, which is logged one by one."""
    batch = surveys.find_batch(request.actor, key)
    if batch is None:
        return not_found(request)
    rows = hand_out(request.actor, batch, now=request.now)
    if isinstance(rows, Refused):
        return _one(request, batch, refused=rows, status=422)
    if not rows:
        messages.warning(request, _("名单里没有还要调查的诉求：都已经有结果，或者正在重新办理。"))
        return redirect("desk_survey", key)
    items = dict.fromkeys(item for rule in policy_of(batch.platform).callbacks for item in _asked(rule))
    response = HttpResponse(list_book(rows, list(items), NOTE), content_type=XLSX)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(batch.label, safe='')}.xlsx"
    response["Cache-Control"] = "no-store"
    return response


def _asked(rule: Any) -> tuple[str, ...]:
    return rule.items if "survey" in rule.methods else ()


@require_POST
@staff
def take_in(request: DeskRequest, key: int) -> HttpResponse:
    """Read a file of results; the page tells what became of each line. The same file again changes nothing."""
    batch = surveys.find_batch(request.actor, key)
    if batch is None:
        return not_found(request)
    files, given = Uploads(), request.FILES.get("file")
    data: dict[str, Any] = {"survey": key}
    if given is None:
        return _one(request, batch, refused=NO_FILE, status=422)
    if given.size is not None and given.size > MOST_BYTES:
        return _one(request, batch, refused=TOO_LARGE, status=422)
    given.name = "results"  # what the file is called is of no use, and may be longer than a name may be
    data["file"] = files.add(given)
    outcome = perform("survey.import", actor=request.actor, now=request.now, data=data, files=files)
    if isinstance(outcome, Refused):
        return _one(request, batch, refused=outcome, status=422)
    batch.refresh_from_db()
    return _one(request, batch, report=outcome.extra["report"])


NO_FILE = Refused("missing:file", "没有收到文件，请选择填好结果的名单再上传。")
TOO_LARGE = Refused("invalid:file", f"文件超过{MOST_BYTES // 1_000_000} MB。请只留调查名单的各列，另存后再上传。")
