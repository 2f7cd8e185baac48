"""Taking a case in: while the caller talks, or on the spot by who walks the grid."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from huying.base.clock import local_date
from huying.cases.commands import ACTIONS
from huying.cases.commands.submission import submit_once
from huying.cases.policies import calendar_of, policy_of
from huying.cases.queries.sessions import held_on, holds_sessions
from huying.core.verdict import Refused
from huying.desk.actor import DeskRequest, staff
from huying.desk.case_page import next_steps
from huying.desk.choices import PLACES, places
from huying.desk.forms import SEARCHED, action_form
from huying.desk.page import not_found, show
from huying.policy.model import Channel
from huying.ui.form_fields import closed_now, judge_asked, judge_category, judge_hours
from huying.ui.forms import Options, show_refusal, to_data

SUBMIT = "case.submit"
LEFT_OUT = ("attachments", "retaliation_over", "requester__id_number", "requester__email")
"""What a caller is not asked on the telephone."""
ON_THE_SPOT = (
    "external_no", "mode", "source", "due", "retaliation_over", "channel", "category", "subject_unit", "anonymous",
    "confidential", "requester__id_number", "requester__email", "requester__address", "requester__kind",
    "requester__organisation", "outside_hours", "session",
)  # fmt: skip
"""What who walks the grid does not fill in: the operators complete it."""

HINTS = {
    "place": "可以从列表中选，也可以填写地址。",
    "session": "领导正在接听的来电才选。",
    "external_no": "来源渠道的编号，可用于查找。", "due": "来源渠道规定了期限的填写。",
}  # fmt: skip
SPOT_HINTS = {
    "place": "乡镇、街道或者村、社区，空一格再写详细地址。", "attachments": "在手机上可以直接拍照。",
    "requester__phone": "有群众托您反映时填写；自己巡查发现的不用填。",
}  # fmt: skip
SPOT_LABELS = {
    "title": "一句话说明", "content": "现场情况", "requester__name": "托您反映的群众", "requester__phone": "群众电话",
    "attachments": "照片",
}  # fmt: skip


@require_http_methods(["GET", "POST"])
@staff
def intake(request: DeskRequest) -> HttpResponse:
    """The screen of who answers the telephone; the receipt shows the query code once."""
    if request.actor.role not in ACTIONS[SUBMIT].parties:
        return not_found(request)
    spot = request.actor.role == "grid_worker"
    closed = (
        [] if spot else closed_now(policy_of(request.actor.platform), request.now, calendar_of(request.actor.platform))
    )
    hidden = ON_THE_SPOT if spot else LEFT_OUT if closed else (*LEFT_OUT, "outside_hours")
    sessions = _sessions(request)
    hidden = hidden if sessions else (*hidden, "session")
    make = action_form(
        SUBMIT, request.actor.platform, leave_out=hidden,
        hints=SPOT_HINTS if spot else HINTS | _hours(closed), labels=SPOT_LABELS if spot else {},
        more={"place": _places(request)} | sessions,
    )  # fmt: skip
    if request.method == "GET":
        first = {"channel": request.GET.get("channel", _usual(request)), "kind": request.GET.get("kind", ""),
                 "requester__kind": "individual"}  # fmt: skip
        return _ask(request, make(initial=_at_home(request, first) if spot else first))
    data, files = to_data(ACTIONS[SUBMIT].input, request.POST, request.FILES)
    if spot:
        data["channel"] = "grid"
    lacking = [] if spot else _lacking(request, closed, data)
    key = request.POST.get("key", "")
    outcome = lacking[0] if lacking else submit_once(key, actor=request.actor, now=request.now, data=data, files=files)
    if not isinstance(outcome, Refused):
        return _receipt(request, outcome)
    form = make(request.POST, request.FILES)
    at_field = show_refusal(form, outcome, model=ACTIONS[SUBMIT].input, data=data)
    for one in lacking[1:]:
        show_refusal(form, one)
    return _ask(request, form, None if at_field else outcome, status=422)


def _sessions(request: DeskRequest) -> dict[str, Options]:
    """The sessions in which leaders answer calls today, for who takes the calls; nothing on other days."""
    actor = request.actor
    if actor.role != "operator" or not holds_sessions(actor.platform):
        return {}
    today = held_on(actor.platform, local_date(request.now))
    pairs = [(str(one.pk), f"{one.unit.name} {one.leader}") for one in today]
    return {"session": Options(pairs)} if pairs else {}


def _lacking(request: DeskRequest, closed: Sequence[Channel], data: Mapping[str, Any]) -> list[Refused]:
    """What the form asks for beyond the action, all at once."""
    policy = policy_of(request.actor.platform)
    facts = {name: str(data.get(name, "")) for name in ("channel", "kind", "category", "mode")}
    return [
        *judge_asked(SUBMIT, policy, facts, data), *judge_category(SUBMIT, policy, data), *judge_hours(closed, data)
    ]  # fmt: skip


def _hours(closed: Sequence[Channel]) -> dict[str, str]:
    """Which desks are closed now, beside the box to be ticked."""
    told = "；".join(f"“{one.label}”工作日{one.opens}至{one.open_until}开放" for one in closed)
    return {"outside_hours": f"{told}，现在不在开放时间。从这里登记的，请确认。"}


def _usual(request: DeskRequest) -> str:
    """The channel that one takes in by: the hotline where there is one."""
    keys = [one.key for one in policy_of(request.actor.platform).channels]
    return "hotline_12345" if "hotline_12345" in keys else keys[0]


def _places(request: DeskRequest) -> Options:
    """Every place in one list; where they are too many, a search while one types."""
    known = places(request.actor.platform)
    if len(known) > SEARCHED:
        return Options([], "suggest", source=f"{reverse('desk_units')}?field=place")
    return Options([(path, "") for path in known], "suggest")


def _at_home(request: DeskRequest, first: dict[str, str]) -> dict[str, str]:
    """The place begins with the worker's own town, where that is a place."""
    unit = request.actor.unit
    while unit is not None and unit.kind not in PLACES:
        unit = unit.parent
    own = unit.path if unit is not None else ""
    usual = "help" if "help" in policy_of(request.actor.platform).kind_rules else ""
    return {"kind": first["kind"] or usual, "place": f"{own} " if own else ""}


def _ask(request: DeskRequest, form: Any, refused: Refused | None = None, *, status: int = 200) -> HttpResponse:
    key = request.POST.get("key") or secrets.token_urlsafe(24)
    context = {
        "form": form, "refused": refused, "key": key, "here": "intake", "spot": request.actor.role == "grid_worker",
        "had_files": bool(request.FILES),
    }  # fmt: skip
    return show(request, "desk/intake/page.html", context, status=status)


def _receipt(request: DeskRequest, done: Any) -> HttpResponse:
    """Number and query code, to be read out, and what may be done with the case at once."""
    context = {"case": done.case, "receipt": done.extra, "here": "intake"} | next_steps(request, done.case)
    return show(request, "desk/intake/receipt.html", context)
