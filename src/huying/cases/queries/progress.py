"""每日进度: what a unit has in hand, soonest due first, with the days left and what was done last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Q

from huying.cases.access import visible_cases
from huying.cases.models import Assignment, JournalEntry
from huying.cases.models.handling import ACTIVE_ASSIGNMENT
from huying.cases.queries.rows import Row, rows_of
from huying.people.actors import Actor

TRACKING = ("handler", "leader", "unit_admin", "dispatcher", "supervisor")
"""Who looks at it every day."""
MOST = 300


@dataclass(frozen=True)
class Step:
    """One open task with the last action on its case; `idle` are whole days since then."""

    row: Row
    action: str
    at: datetime | None
    idle: int


def progress_of(actor: Actor, *, now: datetime) -> Sequence[Step]:
    """The open tasks of the actor's unit and of the units below it, at most `MOST`."""
    unit = actor.unit
    if unit is None or actor.role not in TRACKING:
        return []
    inside = (unit.left, unit.right)
    tasks = Assignment.objects.filter(
        Q(unit_left__range=inside) | Q(delegate_left__range=inside), unit__platform=actor.platform,
        state__in=ACTIVE_ASSIGNMENT,
    )  # fmt: skip
    cases = list(
        visible_cases(actor).filter(pk__in=tasks.values("case_id")).select_related("place_unit")
        .order_by(F("due_at").asc(nulls_last=True), "pk")[:MOST]
    )  # fmt: skip
    last = _last_actions([case.pk for case in cases])
    steps = []
    for row in rows_of(cases, actor, now=now):
        action, at = last.get(row.case.pk, ("", None))
        steps.append(Step(row, action, at, (now - at).days if at else 0))
    return steps


def _last_actions(case_ids: Sequence[int]) -> dict[int, tuple[str, Any]]:
    """The last thing that somebody did on each case: what the clock noted is no progress."""
    entries = JournalEntry.objects.filter(case__in=case_ids).exclude(actor_id="system")
    rows = entries.order_by("case_id", "-seq").distinct("case_id").values_list("case_id", "action", "at")
    return {case_id: (action, at) for case_id, action, at in rows}
