"""The limits of a case as they stand: the facts their rules ask about, and the date promised to the citizen."""

from collections.abc import Mapping
from datetime import date

from huying.base.clock import local_date
from huying.cases.models import Assignment, Case, TimeLimit
from huying.cases.models.handling import ACTIVE_ASSIGNMENT
from huying.cases.policies import calendar_of, rules_of
from huying.core import time_limits as core
from huying.policy.model import SourceLimit

PROMISING = (*ACTIVE_ASSIGNMENT, "done")
"""The states of a lead's assignment whose handling limit is the date promised to the citizen."""


def facts_of(case: Case, assignment: Assignment | None = None) -> dict[str, str]:
    """What the conditions of a rule may ask about."""
    return {
        "channel": case.channel,
        "kind": case.kind,
        "category": case.category,
        "complexity": case.complexity,
        "urgency": case.urgency,
        "mode": case.mode,
        "flag": " ".join(name for name, on in case.flags.items() if on),
        "level": assignment.unit.kind if assignment else "",
        "procedure": assignment.procedure if assignment else "",
        "cause": assignment.cause if assignment else "first",
    }


def lead_assignment(case: Case) -> Assignment | None:
    """The assignment that leads now, or led last."""
    leads = case.assignments.filter(role="lead").select_related("unit").order_by("-pk")
    return leads.filter(state__in=PROMISING).first() or leads.first()


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


def promise_of(case: Case, lead: Assignment | None, limits: Mapping[str, TimeLimit]) -> core.Due | None:
    """The handling limit as known now; if the unit's clock has not started, as if it started as late as it may.

    `lead` is the last assignment of a lead in one of the states `PROMISING`, None while nobody has the case; `limits`
    are its limits by name.
    """
    row = limits.get("handle")
    if row is not None:
        return core.Due(row.day_zero, row.days, row.unit, row.promised_on or row.due_on, row.provisional)
    facts = facts_of(case, lead)
    if lead is None:
        facts["level"] = case.holder.kind
    rule = core.choose(rules_of(case).time_limits, "handle", "lead", facts)
    if rule is None:
        return None
    if lead is None and rule.starts == "acceptance" and case.accepted_at is not None and case.state == "received":
        return core.count(rule, local_date(case.accepted_at), calendar_of(case.platform))
    if rule.starts == "submission":
        due = core.count(rule, local_date(case.submitted_at), calendar_of(case.platform))
        return from_source(case, due) or due
    claim = limits.get("claim")
    return core.count(rule, claim.due_on, calendar_of(case.platform)) if claim is not None else None


def from_source(case: Case, own: core.Due) -> core.Due | None:
    """The date of the source channel where it governs instead of the own one."""
    rule = source_rule(case)
    if rule is None or case.source_due_on is None:
        return None
    if rule.mode == "earlier" and own.due_on <= case.source_due_on:
        return None
    zero = local_date(case.submitted_at)
    return core.Due(zero, (case.source_due_on - zero).days, "calendar", case.source_due_on, False)


def source_rule(case: Case) -> SourceLimit | None:
    """The rule by which matters of the case's channel keep the date of their source, if there is one."""
    return next((rule for rule in rules_of(case).source_limits if case.channel in rule.channels), None)


def beside_source(case: Case) -> SourceLimit | None:
    """The rule by which the source's date holds beside the own one; in the first round only, as dates are heeded."""
    rule = source_rule(case)
    holds = rule is not None and rule.mode == "earlier" and case.source_due_on is not None and case.round == 1
    return rule if holds else None


def total_from(case: Case, limit: TimeLimit) -> date:
    """Day zero of the whole handling period: the claim, or what counts as it."""
    if limit.assignment is not None and limit.assignment.claimed_at and limit.start_event == "assignment":
        return local_date(limit.assignment.claimed_at)
    return limit.day_zero
