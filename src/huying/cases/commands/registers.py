"""登记: changes of staff, accountability, interviews. Entries of a register and no actions on a case."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from django.db import transaction
from django.db.models import Model
from pydantic import Field

from huying.base.clock import local_date
from huying.cases import journal
from huying.cases.access import visible_cases
from huying.cases.commands.intake import Line, Text
from huying.cases.commands.perform import parse
from huying.cases.commands.registry import Input
from huying.cases.models import Case
from huying.cases.models.assessment import KnowledgeUpdate
from huying.cases.models.registers import AccountabilityEntry, Interview
from huying.cases.policies import policy_of
from huying.cases.queries.registers import oversees_unit
from huying.core.assessment_items import KNOWLEDGE
from huying.core.registers import reported_late
from huying.core.verdict import Refused
from huying.people.actors import Actor
from huying.people.models import Unit
from huying.people.registers import StaffChange
from huying.people.units import UnknownUnit, find_unit
from huying.policy.model import Rule

MEASURES: Mapping[str, str] = {
    "criticism": "通报批评", "accountability": "问责", "rectification": "责任主体整改",
    "special_supervision": "专项督办", "handed_over": "移交监察机关",
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One kind of entry: its register, who makes it, with what."""

    id: str
    label: str
    roles: tuple[str, ...]
    input: type[Input]
    run: "Callable[[Actor, Any, datetime], Model | Refused]"


def enter(entry_id: str, data: Mapping[str, Any], *, actor: Actor, now: datetime) -> Model | Refused:
    """Make an entry of that kind and journal it. Refused in the words and codes of an action, changing nothing."""
    entry = ENTRIES.get(entry_id)
    if entry is None:
        return Refused("not_enabled", "没有这种登记。")
    if actor.role not in entry.roles or actor.unit is None:
        return Refused("not_permitted", f"您的身份不能登记“{entry.label}”。")
    given = parse(entry, data)  # type: ignore[arg-type]  # of an action it reads the input alone
    if isinstance(given, Refused):
        return given
    with transaction.atomic():
        made = entry.run(actor, given, now)
        if isinstance(made, Refused):
            return made
        journal.record_for_platform(actor.platform, entry.id, actor=actor, at=now, entry=made.pk)
        return made


class StaffChangeInput(Input):
    unit: Line = Field(title="单位")
    post: Literal["leader", "unit_admin"] = Field(title="变更的岗位")
    changed_on: date = Field(title="变更日期")
    before: str = Field(default="", max_length=60, title="原任")
    after: str = Field(max_length=60, title="现任")
    note: str = Field(default="", max_length=200, title="说明")


def report_staff_change(actor: Actor, given: StaffChangeInput, now: datetime) -> StaffChange | Refused:
    """A unit reports who took over; late after the day that the regulation gives."""
    rule = policy_of(actor.platform).staff_change
    if rule is None:
        return Refused("not_enabled", "本平台的规定没有变更报备。")
    unit = _unit(actor, given.unit, rule)
    if isinstance(unit, Refused):
        return unit
    if given.changed_on > local_date(now):
        return Refused("invalid:changed_on", "变更日期不能晚于今天，变更以后再报备。", rule)
    return StaffChange.objects.create(
        unit=unit, post=given.post, changed_on=given.changed_on, before=given.before, after=given.after,
        note=given.note, reported_at=now, by=actor.id, late=reported_late(given.changed_on, now, rule),
    )  # fmt: skip


class AccountabilityInput(Input):
    unit: Line = Field(title="单位")
    situation: str = Field(max_length=30, title="情形")
    measure: Literal["criticism", "accountability", "rectification", "special_supervision", "handed_over"] = Field(
        title="措施"
    )
    person: str = Field(default="", max_length=60, title="责任人")
    text: Text = Field(title="事实和处理")
    case: str = Field(default="", max_length=80, title="涉及工单")


def enter_accountability(actor: Actor, given: AccountabilityInput, now: datetime) -> AccountabilityEntry | Refused:
    """A unit, or somebody of it, is held to account: for what, and how."""
    unit, case = _unit(actor, given.unit), _case(actor, given.case)
    if isinstance(unit, Refused) or isinstance(case, Refused):
        return unit if isinstance(unit, Refused) else case
    if given.situation not in dict(situations_of(actor)):
        return Refused("invalid:situation", "请选择规定的情形。")
    return AccountabilityEntry.objects.create(
        platform=actor.platform, unit=unit, case=case, situation=given.situation, measure=given.measure,
        person=given.person, text=given.text, at=now, by=actor.id,
    )  # fmt: skip


class InterviewInput(Input):
    unit: Line = Field(title="被约谈单位")
    kind: Literal["quarterly", "special"] = Field(title="约谈类型")
    held_on: date = Field(title="约谈日期")
    attendees: str = Field(default="", max_length=500, title="参加人员")
    reason: Text = Field(title="约谈事由")
    demands: Text = Field(title="约谈要求")
    case: str = Field(default="", max_length=80, title="涉及工单")


def record_interview(actor: Actor, given: InterviewInput, now: datetime) -> Interview | Refused:
    """A unit was talked to; what was asked of it."""
    unit, case = _unit(actor, given.unit), _case(actor, given.case)
    if isinstance(unit, Refused) or isinstance(case, Refused):
        return unit if isinstance(unit, Refused) else case
    if given.held_on > local_date(now):
        return Refused("invalid:held_on", "约谈以后再登记，日期不能晚于今天。")
    return Interview.objects.create(
        platform=actor.platform, unit=unit, case=case, kind=given.kind, held_on=given.held_on,
        attendees=given.attendees, reason=given.reason, demands=given.demands, at=now, by=actor.id,
    )  # fmt: skip


class KnowledgeInput(Input):
    unit: Line = Field(title="单位")
    change: Literal["added", "revised", "withdrawn"] = Field(title="更新方式")
    title: str = Field(max_length=200, title="知识条目")


def update_knowledge(actor: Actor, given: KnowledgeInput, now: datetime) -> KnowledgeUpdate | Refused:
    """A unit enters what it changed in the knowledge base; counted where the assessment counts it."""
    rule = next((one for one in policy_of(actor.platform).assessment_items if one.indicator == KNOWLEDGE), None)
    if rule is None:
        return Refused("not_enabled", "本平台的规定不考核知识库更新，不用登记。")
    unit = _unit(actor, given.unit, rule)
    if isinstance(unit, Refused):
        return unit
    return KnowledgeUpdate.objects.create(
        platform=actor.platform, unit=unit, change=given.change, title=given.title, at=now, by=actor.id
    )


def situations_of(actor: Actor) -> list[tuple[str, str]]:
    """What units are held to account for: the grounds of the regulation with their words."""
    return [(ground.key, ground.label) for ground in policy_of(actor.platform).supervision_grounds]


ENTRIES: Mapping[str, Entry] = {
    entry.id: entry
    for entry in (
        Entry("staff_change.reported", "变更报备", ("unit_admin", "leader"), StaffChangeInput, report_staff_change),
        Entry("accountability.entered", "问责登记", ("supervisor",), AccountabilityInput, enter_accountability),
        Entry("knowledge.updated", "知识库更新", ("unit_admin", "leader"), KnowledgeInput, update_knowledge),
        Entry("interview.recorded", "约谈登记", ("supervisor",), InterviewInput, record_interview),
    )
}


def _unit(actor: Actor, path: str, rule: Rule | None = None) -> Unit | Refused:
    """The unit at `path`, if it lies in the tree that the actor looks after."""
    try:
        unit = find_unit(actor.platform, path)
    except UnknownUnit:
        return Refused("invalid:unit", f"没有“{path}”这个单位，请从单位列表中选择。", rule)
    if not oversees_unit(actor, unit):
        return Refused("not_permitted", f"“{unit.name}”不在您的职责范围内。", rule)
    return unit


def _case(actor: Actor, number: str) -> Case | Refused | None:
    """The case with that number, if the actor may know of it; None when none is named."""
    if not number:
        return None
    return visible_cases(actor).filter(number=number).first() or Refused(
        "invalid:case", "没有查到这个编号的工单，请核对。"
    )
