"""How assignments and cases end: what is cancelled, lapses and is told with it."""

from huying.cases.commands import time_limits
from huying.cases.commands.notices import tell_citizen
from huying.cases.commands.registry import Take
from huying.cases.models import Assignment, Reply


def end_assignment(take: Take, assignment: Assignment, state: str) -> None:
    """End one assignment; its limits lose their subject and its pending applications lapse."""
    assignment.state, assignment.ended_at = state, take.now
    assignment.save(update_fields=["state", "ended_at"])
    time_limits.drop(assignment.limits.all(), at=take.now)
    assignment.applications.filter(state="pending").update(state="lapsed", decided_at=take.now)


def end_case(take: Take, state: str) -> None:
    """The case ends in `state`: open assignments are cancelled, pending applications lapse, limits go."""
    take.case.state = state
    take.case.save(update_fields=["state"])
    cancel_assignments(take)
    pending = take.case.applications.filter(state="pending")
    if state == "closed":  # what the requester wants looked at again is not over when the case is closed
        pending = pending.exclude(type__in=("review", "re_review"))
    pending.update(state="lapsed", decided_at=take.now)
    going_on = take.case.limits.exclude(name="supervision").exclude(application__state="pending")
    time_limits.drop(going_on, at=take.now)


def cancel_assignments(take: Take, state: str = "cancelled") -> list[int]:
    """End every open assignment of the case; gives their ids."""
    open_ones = take.case.assignments.filter(state__in=("dispatched", "handling", "submitted"))
    ids = list(open_ones.values_list("pk", flat=True))
    time_limits.drop(take.case.limits.filter(assignment_id__in=ids), at=take.now)
    take.case.assignments.filter(pk__in=ids).update(state=state, ended_at=take.now)
    return ids


def close_case(take: Take) -> None:
    """The case ends well: limits, assignments and what waits end with it."""
    take.case.closed_at = take.now
    take.case.awaits_panel = False
    take.case.ledger = False
    take.case.save(update_fields=["closed_at", "awaits_panel", "ledger"])
    end_case(take, "closed")
    time_limits.start_named(take.case, "evaluation", at=take.now, event="closure")
    tell_citizen(take.case, "closed", at=take.now)


def give_feedback(take: Take, row: Reply) -> None:
    """The reply reaches the citizen; the unit's task is done and the watch over the case ends."""
    take.case.state = "feedback"
    take.case.save(update_fields=["state"])
    take.case.assignments.filter(state="submitted").update(state="done", ended_at=take.now)
    time_limits.end(take.case.limits.filter(name="long_unresolved"), at=take.now)
    if take.case.ledger:
        take.case.ledger = False
        take.case.save(update_fields=["ledger"])
        time_limits.drop(take.case.limits.filter(name="review"), at=take.now)
    tell_citizen(take.case, "replied", at=take.now, reply=row.pk)
