"""督办、催办: phone, letter, meeting, instruction, on site; proposed by a trigger or opened by a person."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import Field

from huying.cases.access import visible_cases
from huying.cases.commands import time_limits
from huying.cases.commands.documents import next_document_no
from huying.cases.commands.intake import Line, Text
from huying.cases.commands.notices import tell_unit
from huying.cases.commands.proposals import open_lead_of, tell_supervised
from huying.cases.commands.registry import Input, Take, action
from huying.cases.models import Case, Nudge, Supervision, Supplement
from huying.cases.models.handling import VISIBLE_ASSIGNMENT
from huying.core.lifecycle import OPEN
from huying.core.verdict import Refused


class OpenInput(Input):
    method: Line = Field(title="督办方式")
    ground: Line = Field(title="督办事由")
    request: Text = Field(title="督办要求")
    due: date | None = Field(default=None, title="办结期限")
    cases: tuple[str, ...] = Field(default=(), title="涉及工单")
    attendees: tuple[str, ...] = Field(default=(), title="参加单位")
    place: str = Field(default="", max_length=200, title="地点")


@action("supervision.open", "督办", parties="supervisor inspector system", takes=OpenInput, held_by="overseer")
def open_supervision(take: Take, given: OpenInput) -> Refused | Mapping[str, Any]:
    """A supervision with its document; one that was proposed on the same ground is taken up."""
    method = take.policy.methods.get(given.method)
    if method is None:
        return Refused("invalid:method", "本平台没有这种督办方式。", take.rule)
    if given.ground not in {ground.key for ground in take.policy.supervision_grounds}:
        return Refused("invalid:ground", "请选择规定的督办事由。", take.rule)
    if method.due_required and given.due is None:
        return Refused("missing:due", "书面督办须限时办结，请填写办结期限。", method)
    if given.due is not None and given.due < take.today:
        return Refused("invalid:due", "办结期限不能早于今天。", method)
    others = _other_cases(take, given.cases)
    if isinstance(others, Refused):
        return others
    number = next_document_no(take, given.method)
    for case in (take.case, *others):
        refused = _open_one(take, case, given, number, method.cite)
        if refused:
            return refused
    assert isinstance(take.made, Supervision)
    return {"supervision": take.made.pk, "method": given.method, "ground": given.ground}


def _other_cases(take: Take, numbers: tuple[str, ...]) -> list[Case] | Refused:
    wanted = set(numbers) - {take.case.number}
    found = list(visible_cases(take.actor).filter(number__in=wanted).select_for_update(of=("self",)).order_by("pk"))
    if len(found) < len(wanted):
        return Refused("invalid:cases", "涉及的工单中有查不到的编号，请核对。", take.rule)
    return found


def _open_one(take: Take, case: Case, given: OpenInput, number: str, cite: str) -> Refused | None:
    standing = (
        Supervision.objects.filter(case=case, ground=given.ground, method=given.method).exclude(state="closed").first()
    )
    if standing is not None and standing.state != "proposed":
        return Refused("already_done", "同一事由、同一方式的督办正在进行。", take.rule)
    row = standing or Supervision(case=case, ground=given.ground, method=given.method, at=take.now)
    row.unit, row.issued_by, row.by = open_lead_of(case), take.actor.unit, take.actor.id
    row.state, row.opened_at, row.request, row.due_on = "open", take.now, given.request, given.due
    row.attendees, row.place, row.document_no = list(given.attendees), given.place, number
    row.rule = row.rule or take.rule.key
    row.article = row.article or cite
    row.save()
    time_limits.start_for_supervision(row, at=take.now)
    tell_supervised(row, at=take.now)
    take.made = take.made or row
    return None


class RespondInput(Input):
    content: Text = Field(title="反馈内容")


@action(
    "supervision.respond", "督办反馈", parties="handler leader", takes=RespondInput, on="supervision",
    held_by="target", target_states=("open",),
)  # fmt: skip
def respond(take: Take, given: RespondInput) -> Mapping[str, Any]:
    """The unit answers the supervision."""
    row = take.target
    assert isinstance(row, Supervision)
    row.state, row.response = "answered", given.content
    row.save(update_fields=["state", "response"])
    time_limits.end(row.limits.all(), at=take.now)
    return {"supervision": row.pk}


class CloseInput(Input):
    conclusion: Text = Field(title="销号结论")
    attendees: tuple[str, ...] | None = Field(default=None, title="参加单位")
    place: str = Field(default="", max_length=200, title="地点")


@action(
    "supervision.close", "督办销号", parties="supervisor inspector", takes=CloseInput, on="supervision",
    target_states=("proposed", "open", "answered"),
)  # fmt: skip
def close_supervision(take: Take, given: CloseInput) -> Refused | Mapping[str, Any]:
    """The supervision ends with its conclusion; on site, with who took part."""
    row = take.target
    assert isinstance(row, Supervision)
    method = take.policy.methods.get(row.method)
    if given.attendees is not None:
        row.attendees = list(given.attendees)
    elif not row.attendees:
        row.attendees = _departments_concerned(row)
    if method is not None and method.attendees_required and row.state != "proposed" and not row.attendees:
        return Refused("missing:attendees", "现场督办须写明参加的部门。", method)
    row.state, row.conclusion, row.closed_at = "closed", given.conclusion, take.now
    row.place = given.place or row.place
    row.save(update_fields=["state", "conclusion", "closed_at", "attendees", "place"])
    time_limits.end(row.limits.all(), at=take.now)
    return {"supervision": row.pk}


def _departments_concerned(row: Supervision) -> list[str]:
    """Who takes part when nobody is named: the body that supervises and the units that have the case."""
    units = [row.issued_by, row.unit, *(one.unit for one in row.case.assignments.filter(state__in=VISIBLE_ASSIGNMENT))]
    return list(dict.fromkeys(unit.path for unit in units if unit is not None))


class NudgeInput(Input):
    note: str = Field(default="", max_length=2000, title="催办意见")


@action(
    "case.nudge",
    "催办单",
    parties="supervisor system",
    takes=NudgeInput,
    held_by="overseer",
    case_states=("handling", "checking"),
)
def nudge(take: Take, given: NudgeInput) -> Refused | Mapping[str, Any]:
    """A nudge notice to the unit that leads."""
    unit = open_lead_of(take.case)
    if unit is None:
        return Refused("wrong_state", "这件诉求还没有可以催办的承办单位。", take.rule)
    row = Nudge.objects.create(case=take.case, unit=unit, note=given.note, at=take.now, by=take.actor.id)
    tell_unit(take.case, unit, "nudge", at=take.now)
    return {"nudge": row.pk}


class GuideInput(Input):
    content: Text = Field(title="指导意见")


@action(
    "case.guide", "指导意见", parties="supervisor dispatcher leader monitor", takes=GuideInput, case_states=OPEN
)  # fmt: skip
def guide(take: Take, given: GuideInput) -> Mapping[str, Any]:
    """A word of guidance to the unit that leads, by who may see the case; its notice tells when it was read."""
    row = Supplement.objects.create(case=take.case, kind="guidance", content=given.content, at=take.now)
    unit = open_lead_of(take.case) or take.case.holder
    tell_unit(take.case, unit, "supervision", at=take.now, method="guidance")
    return {"supplement": row.pk}
