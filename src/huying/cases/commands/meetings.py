"""会议督办、专报与批示: meetings that bind lead and co-units, reports to executives and their instructions."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from pydantic import Field

from huying.base.clock import local_date
from huying.cases.access import visible_cases
from huying.cases.commands import time_limits
from huying.cases.commands.assignments import assign, choose_units, give
from huying.cases.commands.documents import next_document_no
from huying.cases.commands.endings import end_assignment
from huying.cases.commands.intake import Line, Text
from huying.cases.commands.notices import tell_unit
from huying.cases.commands.proposals import open_lead_of, tell_supervised
from huying.cases.commands.registry import Input, Take, action
from huying.cases.models import Case, Link, Meeting, Report, Supervision, TimeLimit
from huying.cases.policies import rules_of
from huying.core.lifecycle import OPEN
from huying.core.routing import is_forbidden
from huying.core.verdict import Refused
from huying.people.models import Unit
from huying.people.units import find_unit


class MeetingInput(Input):
    kind: Line = Field(title="会议类型")
    cases: tuple[str, ...] = Field(default=(), title="涉及工单")
    attendees: tuple[str, ...] = Field(title="参加单位")
    minutes: Text = Field(title="会议纪要")
    lead: str = Field(default="", max_length=200, title="牵头单位")
    co: tuple[str, ...] = Field(default=(), title="协办单位")
    tasks: tuple[str, ...] = Field(default=(), title="任务")


@action(
    "meeting.hold", "会议督办", parties="supervisor dispatcher", takes=MeetingInput, held_by="centre",
    case_states=OPEN, unit_fields=("lead", "co"),
)  # fmt: skip
def hold(take: Take, given: MeetingInput) -> Refused | Mapping[str, Any]:
    """A meeting of the units concerned; a lead and co-units that it names are binding."""
    wanted = set(given.cases) - {take.case.number}
    if visible_cases(take.actor).filter(number__in=wanted).count() < len(wanted):
        return Refused("invalid:cases", "涉及的工单中有查不到的编号，请核对。", take.rule)
    meeting = Meeting.objects.create(
        case=take.case, kind=given.kind, attendees=list(given.attendees), minutes=given.minutes,
        tasks=list(given.tasks), at=take.now, by=take.actor.id,
    )  # fmt: skip
    if given.lead:
        units = choose_units(take, given.lead, given.co)
        if isinstance(units, Refused):
            return units
        if take.case.state not in ("received", "handling"):
            return Refused("wrong_state", "已经答复的诉求不能由会议改派单位。", take.rule)
        _bind(take, units, given.minutes)
    for path in given.attendees:
        try:
            unit = find_unit(take.platform, path)
        except LookupError:
            continue
        if is_forbidden(unit.left, take.forbidden):
            continue  # the unit complained about does not learn of the case, whoever is invited
        tell_unit(take.case, unit, "supervision", at=take.now, method="meeting")
    take.made = meeting
    return {"meeting": meeting.pk}


def _bind(take: Take, units: tuple[Unit, list[Unit]], minutes: str) -> None:
    """Lead and co-units as the meeting named them. A lead that stays keeps its clock, unless the procedure changes."""
    lead, co = units
    open_ones = list(take.case.assignments.filter(state__in=("dispatched", "handling")).select_related("unit"))
    now = next((one for one in open_ones if one.role == "lead"), None)
    before = now.procedure if now is not None else ""
    known = {rule.key: rule for rule in take.policy.procedures}
    joint = bool(co) and "joint" in known and known["joint"].when.holds(take.facts()) and before != "submit"
    procedure = "joint" if joint else before
    stays = now is not None and now.unit_id == lead.pk and procedure == before
    for one in open_ones:
        if one is not now or not stays:
            end_assignment(take, one, "cancelled")
    if not stays:
        assign(take, lead, co, cause="first", procedure=procedure, note=minutes)
        return
    for unit in co:
        give(take, unit, "co", cause="first", procedure=procedure, note=minutes)
    time_limits.refresh(take.case, at=take.now)


class ReportInput(Input):
    kind: Literal["special", "flash"] = Field(title="报告类型")
    cases: tuple[str, ...] = Field(default=(), title="涉及工单")
    content: Text = Field(title="报告内容")


@action("report.submit", "专报", parties="supervisor analyst", takes=ReportInput, held_by="centre")
def submit_report(take: Take, given: ReportInput) -> Refused | Mapping[str, Any]:
    """A special report to the leaders, one matter each (一事一报), or a flash report on one or several cases."""
    others = list(visible_cases(take.actor).filter(number__in=set(given.cases) - {take.case.number}))
    if len(others) < len(set(given.cases) - {take.case.number}):
        return Refused("invalid:cases", "涉及的工单中有查不到的编号，请核对。", take.rule)
    if given.kind == "special" and any(not _same_matter(take.case, other) for other in others):
        return Refused("invalid:cases", "专报一事一报，只能写入已并单的同一事项的工单。", take.rule)
    report = Report.objects.create(
        platform=take.platform, kind=given.kind, content=given.content, at=take.now, by=take.actor.id
    )
    report.cases.add(take.case, *others)
    for case in (take.case, *others):
        _suspend(case)
    take.made = report
    return {"report": report.pk, "kind": given.kind}


def _same_matter(one: Case, other: Case) -> bool:
    """Whether two cases were merged, one into the other or both into a third."""
    mains = {Link.objects.filter(case=case, type="merged").values_list("other_id", flat=True).first() or case.pk
             for case in (one, other)}  # fmt: skip
    return len(mains) == 1


class InstructInput(Input):
    content: Text = Field(title="批示内容")
    unit: str = Field(default="", max_length=200, title="承办单位")
    due: date | None = Field(default=None, title="办结期限")


@action(
    "report.instruct", "领导批示", parties="executive", takes=InstructInput, on="report",
    target_states=("submitted",), unit_fields=("unit",),
)  # fmt: skip
def instruct(take: Take, given: InstructInput) -> Refused | Mapping[str, Any]:
    """The leader's instruction, which becomes a supervision of the unit named or of the lead."""
    report = take.target
    assert isinstance(report, Report)
    unit = take.unit(given.unit, "unit") if given.unit else open_lead_of(take.case)
    if isinstance(unit, Refused):
        return unit
    report.state, report.instruction, report.to_unit = "instructed", given.content, unit
    report.save(update_fields=["state", "instruction", "to_unit"])
    standing = Supervision.objects.filter(case=take.case, method="instruction", state="proposed").first()
    row = standing or Supervision(case=take.case, method="instruction", ground="long_unresolved", at=take.now)
    follows = take.policy.instruction.supervised_by if take.policy.instruction else ""
    row.unit, row.by, row.state = unit, take.actor.id, "open"
    row.issued_by = find_unit(take.platform, follows) if follows else take.actor.unit
    row.request, row.due_on, row.opened_at = given.content, given.due, take.now
    row.rule, row.article = row.rule or take.rule.key, row.article or take.policy.methods["instruction"].cite
    row.document_no = next_document_no(take, "instruction")
    row.save()
    time_limits.start_for_supervision(row, at=take.now)
    tell_supervised(row, at=take.now, copy_to=(follows,) if follows else ())
    _resume(take, report, given.due)
    return {"report": report.pk, "supervision": row.pk}


def _is_suspended(limit: TimeLimit) -> bool:
    assignment = limit.assignment
    known = {rule.key: rule for rule in rules_of(limit.case).procedures}
    rule = known.get(assignment.procedure) if assignment else None
    return rule is not None and rule.suspended_by_report


def _suspend(case: Case) -> None:
    """呈办: the limit rests until the leader's instruction (decision H-16)."""
    limit = time_limits.handle_limit(case)
    if limit is not None and limit.ended_at is None and _is_suspended(limit):
        limit.suspended, limit.next_at = True, None
        limit.save(update_fields=["suspended", "next_at"])


def _resume(take: Take, report: Report, due: date | None) -> None:
    """The date that the instruction sets; without one, as many working days later as the report waited."""
    limit = time_limits.handle_limit(take.case)
    if limit is None or limit.ended_at is not None or not limit.suspended or not _is_suspended(limit):
        return
    limit.suspended = False
    limit.save(update_fields=["suspended"])
    rested = take.calendar.working_days_between(local_date(report.at), take.today)
    counted = take.calendar.count(limit.due_on, rested)
    rule = take.policy.instruction
    step: dict[str, Any] = {"event": "instruction", "rule": f"instruction.{rule.key}" if rule else take.rule.key}
    if due is None:
        step["days"] = rested
    time_limits.move(limit, due or counted.day, at=take.now, step=step, provisional=counted.provisional and due is None)
    time_limits.refresh(take.case, at=take.now)
