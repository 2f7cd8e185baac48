"""The limits of a case that a viewer is shown, each with how it was counted and whether it was met."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from huying.cases.models import Case
from huying.cases.queries.explain import Explained, explain
from huying.cases.queries.record import CENTRE_ROLES, PUBLIC_LIMITS, is_overdue
from huying.people.actors import Actor

ALL_LIMITS = (*CENTRE_ROLES, "inspector")


@dataclass(frozen=True)
class ShownLimit:
    """One limit: `state` is met, missed, overdue, past (a right or a target that has run out), open, suspended or gone
    (ended without being judged)."""

    explained: Explained
    state: str

    @property
    def is_running(self) -> bool:
        """Whether something is still to be done, or was not done in time."""
        return self.state not in ("met", "gone", "past")


def shown_limits(case: Case, viewer: Actor, *, now: datetime) -> Iterator[ShownLimit]:
    """Each limit that `viewer` may know of: the case's own, and for a unit those of its own tasks."""
    for one in explain(case):
        limit = one.limit
        if limit.name not in (*PUBLIC_LIMITS, "supervision"):
            continue
        if viewer.role not in ALL_LIMITS and not _concerns(one, viewer):
            continue
        yield ShownLimit(one, _state(one, now))


def _concerns(one: Explained, viewer: Actor) -> bool:
    assignment = one.limit.assignment
    if viewer.unit is None:
        return False
    delegate = assignment.delegate_left if assignment is not None else None
    if delegate is not None and viewer.unit.left <= delegate <= viewer.unit.right:
        return True
    if assignment is not None:
        return viewer.unit.left <= assignment.unit_left <= viewer.unit.right
    return one.limit.supervision_id is None or one.limit.supervision.unit_id == viewer.unit.pk


def _state(one: Explained, now: datetime) -> str:
    limit = one.limit
    if limit.met is not None:
        return "met" if limit.met else "missed"
    if limit.ended_at is not None:
        return "missed" if limit.missed_at is not None and not limit.soft else "gone"
    if limit.suspended:
        return "suspended"
    if limit.due_at <= now:
        return "overdue" if is_overdue(limit, now) else "past"
    return "open"
