"""派单、签收、退单、改派: how a case reaches the unit whose duty it is."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from huying.cases.access import top_of
from huying.cases.commands.applications import apply_for
from huying.cases.commands.assignments import assign, choose_units, judge_days, judge_reach, take_up
from huying.cases.commands.endings import end_assignment
from huying.cases.commands.intake import OUTCOMES, Line, Text
from huying.cases.commands.notices import tell_unit
from huying.cases.commands.registry import Input, NoInput, Take, action
from huying.cases.models import Assignment
from huying.cases.queries.duties import judge_choice
from huying.core.verdict import Refused
from huying.people.models import Unit
from huying.people.units import superior_of
from huying.policy.model import DecidedRule

BY_SUPERIOR = {
    "key": "superior", "label": "由上一级单位决定", "origin": "default", "decision": "A-14", "decider": "superior",
}  # fmt: skip


def _held(take: Take) -> Assignment | None:
    """The lead's assignment that the dispatcher's own unit may hand on; None for a case in the queue."""
    held = take.case.assignments.filter(role="lead", state__in=("dispatched", "handling"), unit=take.actor.unit)
    return held.first() if take.case.state == "handling" else None


def _own(take: Take) -> tuple[str, ...]:
    """What the own unit leads its dispatcher may hand on."""
    return ("handling",) if _held(take) else ()


class DispatchInput(Input):
    lead: Line = Field(title="主办单位")
    co: tuple[str, ...] = Field(default=(), title="协办单位")
    limit_workdays: int | None = Field(default=None, ge=1, le=366, title="交办时限（工作日）")
    procedure: Literal["", "refer", "joint", "submit"] = Field(default="", title="办理方式")
    note: str = Field(default="", max_length=2000, title="交办意见")
    statutory_days: int | None = Field(default=None, ge=1, le=366, title="法定时限（自然日）")
    legal_basis: str = Field(default="", max_length=200, title="法定时限的依据")


@action(
    "case.dispatch", "派单", parties="dispatcher", takes=DispatchInput, held_by="dispatcher",
    case_states=("received",), also_in=_own,
    unit_fields=("lead", "co"),
)  # fmt: skip
def dispatch(take: Take, given: DispatchInput) -> Refused | Mapping[str, Any]:
    """Given to a lead unit, with co-units where several are concerned; from received it also accepts."""
    held = _held(take)
    if given.statutory_days and not given.legal_basis:
        return Refused("missing:legal_basis", "法律法规另有时限的，请写明依据。", take.rule)
    units = choose_units(take, given.lead, given.co)
    if isinstance(units, Refused):
        return units
    refused = (
        judge_reach(take, units, "lead")
        or _judge_procedure(take, given.procedure)
        or judge_days(take, given.limit_workdays, "limit_workdays")
    )
    if refused:
        return refused
    lead, co = units
    case = take.case
    case.accepted_at = case.accepted_at or take.now
    if take.policy.flow.direction == "bottom_up" and not case.flow:
        case.flow = "top_down"
        case.save(update_fields=["flow"])
    cause = _cause(take)
    if held is not None:
        if held.unit_id == lead.pk:
            return Refused("invalid:lead", f"“{lead.name}”已经在办理这件诉求。", take.rule)
        cause = held.cause if held.cause != "check_failed" else "first"
        end_assignment(take, held, "cancelled")
        # A unit that helped may now lead, and the other way round.
        for other in case.assignments.filter(unit__in=(lead, *co), state__in=("dispatched", "handling")):
            end_assignment(take, other, "cancelled")
    assign(
        take, lead, co, cause=cause, limit_workdays=given.limit_workdays, procedure=given.procedure, note=given.note,
        statutory=(given.statutory_days, given.legal_basis) if given.statutory_days else None,
    )  # fmt: skip
    return {"lead": lead.path, "co": [unit.path for unit in co], **_by_duty(take, lead)}


def _by_duty(take: Take, lead: Unit) -> Mapping[str, Any]:
    """What the duty list proposed, and whether another unit was chosen, for the journal."""
    found = judge_choice(take.case, lead, take.forbidden)
    return {"proposed": found.lead.path, "duty": found.rule.key, "differs": found.differs} if found else {}


def _judge_procedure(take: Take, procedure: str) -> Refused | None:
    """A regulation that knows procedures says for which channels."""
    known = {rule.key: rule for rule in take.policy.procedures}
    if not procedure or not known:
        return None
    rule = known.get(procedure)
    if rule is None or not rule.when.holds(take.facts()):
        return Refused("invalid:procedure", "这个渠道的诉求没有这种办理方式。", rule or take.rule)
    return None


def _cause(take: Take) -> str:
    """A case that came back to the queue in a later round goes on as that round began."""
    last = take.case.assignments.filter(round=take.case.round, role="lead").order_by("-pk").first()
    return last.cause if last and last.cause in ("dissatisfied", "rework") else "first"


class ReassignInput(Input):
    unit: Line = Field(title="改派单位")
    reason: Text = Field(title="改派原因")


@action(
    "case.reassign", "改派", parties="dispatcher", takes=ReassignInput, held_by="dispatcher", case_states=("handling",),
    unit_fields=("unit",),
)  # fmt: skip
def reassign(take: Take, given: ReassignInput) -> Refused | Mapping[str, Any]:
    """Another lead with clocks of its own; the old assignment is cancelled."""
    unit = take.unit(given.unit, "unit", handles=True)
    if isinstance(unit, Refused):
        return unit
    refused = judge_reach(take, (unit, []), "unit")
    if refused:
        return refused
    open_ones = take.case.assignments.filter(state__in=("dispatched", "handling", "submitted"))
    lead = open_ones.filter(role="lead").first()
    if open_ones.filter(unit=unit).exists():
        return Refused("invalid:unit", f"“{unit.name}”已经在办理这件诉求。", take.rule)
    cause = lead.cause if lead and lead.cause != "check_failed" else "first"
    if lead is not None:
        end_assignment(take, lead, "cancelled")
    assign(take, unit, cause=cause, note=given.reason)
    return {"unit": unit.path}


@action(
    "case.claim", "签收", parties="handler", takes=NoInput, held_by="assignee", case_states=("handling",),
    assignment_states=("dispatched",),
)  # fmt: skip
def claim(take: Take, given: NoInput) -> Mapping[str, Any]:
    """The unit takes the order; its handling clock starts, unless it runs already."""
    take_up(take)
    assert take.assignment is not None
    return {"assignment": take.assignment.pk}


class DelegateInput(Input):
    unit: Line = Field(title="具体承办单位")
    note: str = Field(default="", max_length=2000, title="交办意见")


@action(
    "case.delegate", "转下级具体承办", parties="dispatcher", takes=DelegateInput, held_by="lead",
    case_states=("handling",), assignment_states=("dispatched", "handling"), unit_fields=("unit",),
)  # fmt: skip
def delegate(take: Take, given: DelegateInput) -> Refused | Mapping[str, Any]:
    """A unit below carries out; the unit stays responsible and its clock goes on."""
    rule, assignment = take.policy.delegate, take.assignment
    assert rule is not None and assignment is not None
    unit = take.unit(given.unit, "unit", handles=True)
    if isinstance(unit, Refused):
        return unit
    top = top_of(assignment.unit)  # a centre hands down within the level that it stands for
    own = f"{top.path}/" if top.path else ""
    if unit.pk == assignment.unit_id or not top.holds(unit) or unit.path[len(own) :].count("/") >= rule.depth:
        return Refused("invalid:unit", f"“{unit.name}”不是本单位下属的具体承办单位。", rule)
    assignment.delegate, assignment.delegate_left = unit, unit.left
    assignment.save(update_fields=["delegate", "delegate_left"])
    tell_unit(take.case, unit, "dispatched", at=take.now, role="delegate", round=take.case.round)
    return {"assignment": assignment.pk, "unit": unit.path}


class ReturnInput(Input):
    reason: Text = Field(title="书面退单说明")
    suggested_unit: str = Field(default="", max_length=200, title="建议承办单位")
    attachments: tuple[str, ...] = Field(default=(), title="附件")


@action(
    "case.return", "退单", parties="handler", takes=ReturnInput, held_by="assignee", case_states=("handling",),
    assignment_states=("dispatched", "handling"),
)  # fmt: skip
def return_(take: Take, given: ReturnInput) -> Refused | Mapping[str, Any]:
    """Not the unit's duty: a written statement, which the centre decides on."""
    assert take.assignment is not None and take.policy.returns is not None
    limit = take.assignment.limits.filter(name="return").first()
    if limit is not None and take.now >= limit.due_at:
        days = f"{limit.days}个工作日"
        return Refused("too_late", f"已过退单期限，应自交办之日起{days}内退单。", take.policy.returns)
    if given.suggested_unit:
        suggested = take.unit(given.suggested_unit, "suggested_unit")
        if isinstance(suggested, Refused):
            return suggested
    refused = take.store(given.attachments, "statement")
    if refused:
        return refused
    return apply_for(
        take, "return", reason=given.reason, rule=take.policy.returns, suggested_unit=given.suggested_unit
    )  # fmt: skip


def _preliminary_check(take: Take) -> tuple[str, ...]:
    """A village adds what it found."""
    rule, unit = take.policy.transfer, take.actor.unit
    needs = rule is not None and unit is not None and unit.kind in rule.preliminary_check_levels
    return ("preliminary_check",) if needs else ()


class TransferInput(Input):
    reason: Text = Field(title="转请理由")
    ground: Literal["beyond_power", "out_of_scope", "recusal"] = Field(title="转请事由")
    preliminary_check: str = Field(default="", max_length=5000, title="初步核查情况")


@action(
    "case.transfer_up", "转请上级处理", parties="handler", takes=TransferInput, held_by="assignee",
    also_requires=_preliminary_check,
    case_states=("handling",), assignment_states=("dispatched", "handling"),
)  # fmt: skip
def transfer_up(take: Take, given: TransferInput) -> Refused | Mapping[str, Any]:
    """Beyond the unit's power, out of scope, or to be recused: to the level above, one level at a time."""
    rule, unit = take.policy.transfer, take.actor.unit
    assert rule is not None and unit is not None
    if given.ground not in rule.grounds:
        return Refused("invalid:ground", "请选择规定的转请事由。", rule)
    if superior_of(unit).pk == unit.pk:
        return Refused("wrong_state", "本级已是最高一级，没有上级可以转请。", rule)
    return apply_for(
        take, "transfer_up", reason=given.reason, rule=DecidedRule(**BY_SUPERIOR), late=_is_late(take),
        ground=given.ground, preliminary_check=given.preliminary_check,
    )  # fmt: skip


def _is_late(take: Take) -> bool:
    """Whether the days for handing the case up are over."""
    assert take.assignment is not None
    limit = take.assignment.limits.filter(name="transfer_up").first()
    return limit is not None and take.now >= limit.due_at


class RefusalInput(Input):
    ground: Line = Field(title="不予受理事由")
    reason: Text = Field(title="理由")


@action(
    "case.request_refusal", "申请不予受理", parties="handler", takes=RefusalInput, held_by="lead",
    case_states=("handling",), assignment_states=("dispatched", "handling"),
)  # fmt: skip
def request_refusal(take: Take, given: RefusalInput) -> Refused | Mapping[str, Any]:
    """Out of the platform's scope, as the unit below sees it; the level above decides."""
    if given.ground not in {ground.key for ground in take.policy.refusal_grounds}:
        return Refused("invalid:ground", "请选择规定的不予受理事由。", take.policy.refusal_request)
    return apply_for(
        take, "refusal", reason=given.reason, rule=DecidedRule(**BY_SUPERIOR), late=_is_late(take), ground=given.ground
    )  # fmt: skip


class ClosureInput(Input):
    content: Text = Field(title="办理情况和答复内容")
    outcome: OUTCOMES = Field(title="办理结果")


@action(
    "case.request_closure", "申请办结", parties="handler", takes=ClosureInput, held_by="lead",
    case_states=("handling",), assignment_states=("handling",),
)  # fmt: skip
def request_closure(take: Take, given: ClosureInput) -> Refused | Mapping[str, Any]:
    """Done, as the unit below sees it: the level above judges it, and only then the citizen is answered."""
    return apply_for(
        take, "closure", reason=given.content, rule=DecidedRule(**BY_SUPERIOR), outcome=given.outcome
    )  # fmt: skip
