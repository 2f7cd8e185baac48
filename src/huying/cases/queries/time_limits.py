"""The limits of a case as they stand: the facts their rules ask about, and the date promised to the citizen."""

from collections.abc import Mapping
from datetime import date

from huying.base.clock import local_date
from huying.cases.models import Assignment, Case, TimeLimit
from huying.cases.models.handling import ACTIVE_ASSIGNMENT
from huying.cases.policies import calendar_of, policy_of
from huying.core import time_limits as core

PROMISING = (*ACTIVE_ASSIGNMENT, "done")
"""The states of a lead's assignment whose handling limit is the date promised to the citizen."""


def facts_of(case: Case, assignment: Assignment | None = None) -> dict[str, str]:
    """What the conditions of a limit's rule may ask about."""
    return {
        "channel": case.channel,
        "kind": case.kind,
        "complexity": case.complexity,
        "urgency": case.urgency,
        "level": assignment.unit.kind if assignment else "",
        "procedure": assignment.procedure if assignment else "",
        "cause": assignment.cause if assignment else "first",
    }


def handle_limit(case: Case) -> TimeLimit | None:
    """The lead's handling limit of the present round, once its clock has started."""
    return (
        TimeLimit.objects.filter(
            case=case,
            name="handle",
            assignment__role="lead",
            assignment__state__in=(*ACTIVE_ASSIGNMENT, "done"),
        )
        .order_by("-assignment_id")
        .first()
    )


def promise_of(case: Case, lead: Assignment, limits: Mapping[str, TimeLimit]) -> core.Due | None:
    """The handling limit as known now; if the unit's clock has not started, as if it started as late as it may.

    `lead` is the last assignment of a lead in one of the states `PROMISING`; `limits` are its limits by name.
    """
    row = limits.get("handle")
    if row is not None:
        return core.Due(row.day_zero, row.days, row.unit, row.due_on, row.provisional)
    rule = core.choose(policy_of(case.platform).time_limits, "handle", "lead", facts_of(case, lead))
    claim = limits.get("claim")
    if rule is None or claim is None:
        return None
    return core.count(rule, claim.due_on, calendar_of(case.platform))


def total_from(case: Case, limit: TimeLimit) -> date:
    """Day zero of the whole handling period: the claim, or what counts as it."""
    if limit.assignment is not None and limit.assignment.claimed_at and limit.start_event == "assignment":
        return local_date(limit.assignment.claimed_at)
    return limit.day_zero
