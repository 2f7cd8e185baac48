"""派单、签收、退单、改派: how a case reaches the unit whose duty it is."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from huying.cases.commands import time_limits
from huying.cases.commands.applications import apply_for
from huying.cases.commands.assignments import assign, choose_units, judge_days
from huying.cases.commands.endings import end_assignment
from huying.cases.commands.intake import Line, Text
from huying.cases.commands.registry import Input, NoInput, Take, action
from huying.core.verdict import Refused


class DispatchInput(Input):
    lead: Line = Field(title="主办单位")
    co: tuple[str, ...] = Field(default=(), title="协办单位")
    limit_workdays: int | None = Field(default=None, ge=1, le=366, title="交办时限（工作日）")
    procedure: Literal["", "refer", "joint", "submit"] = Field(default="", title="办理方式")
    note: str = Field(default="", max_length=2000, title="交办意见")


@action(
    "case.dispatch", "派单", parties="dispatcher", takes=DispatchInput, held_by="centre", case_states=("received",),
    unit_fields=("lead", "co"),
)  # fmt: skip
def dispatch(take: Take, given: DispatchInput) -> Refused | Mapping[str, Any]:
    """Given to a lead unit, with co-units where several are concerned; from received it also accepts."""
    units = choose_units(take, given.lead, given.co)
    if isinstance(units, Refused):
        return units
    refused = judge_days(take, given.limit_workdays, "limit_workdays")
    if refused:
        return refused
    lead, co = units
    take.case.accepted_at = take.case.accepted_at or take.now
    assign(
        take, lead, co, cause=_cause(take), limit_workdays=given.limit_workdays, procedure=given.procedure,
        note=given.note,
    )  # fmt: skip
    return {"lead": lead.path, "co": [unit.path for unit in co]}


def _cause(take: Take) -> str:
    """A case that came back to the queue in a later round goes on as that round began."""
    last = take.case.assignments.filter(round=take.case.round, role="lead").order_by("-pk").first()
    return last.cause if last and last.cause in ("dissatisfied", "rework") else "first"


class ReassignInput(Input):
    unit: Line = Field(title="改派单位")
    reason: Text = Field(title="改派原因")


@action(
    "case.reassign", "改派", parties="dispatcher", takes=ReassignInput, held_by="centre", case_states=("handling",),
    unit_fields=("unit",),
)  # fmt: skip
def reassign(take: Take, given: ReassignInput) -> Refused | Mapping[str, Any]:
    """Another lead with clocks of its own; the old assignment is cancelled."""
    unit = take.unit(given.unit, "unit", handles=True)
    if isinstance(unit, Refused):
        return unit
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
    assignment = take.assignment
    assert assignment is not None
    assignment.state, assignment.claimed_at = "handling", take.now
    assignment.save(update_fields=["state", "claimed_at"])
    time_limits.end_named(assignment, "claim", at=take.now)
    time_limits.start_for_claim(take.case, assignment, at=take.now)
    return {"assignment": assignment.pk}


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
        return Refused("too_late", "已过退单期限，应自交办之日起两个工作日内退单。", take.policy.returns)
    if given.suggested_unit:
        suggested = take.unit(given.suggested_unit, "suggested_unit")
        if isinstance(suggested, Refused):
            return suggested
    refused = take.store(given.attachments, "statement")
    if refused:
        return refused
    return apply_for(
        take, "return", reason=given.reason, decider=take.policy.returns.decider,
        suggested_unit=given.suggested_unit,
    )  # fmt: skip
