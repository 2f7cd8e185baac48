"""What a line of a work list shows beside the case itself: who leads, when it is due, how late it is."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from huying.base.clock import local_date
from huying.cases.models import Assignment, Case, TimeLimit
from huying.cases.models.handling import ACTIVE_ASSIGNMENT, VISIBLE_ASSIGNMENT
from huying.cases.policies import calendar_of
from huying.cases.queries.record import is_overdue
from huying.people.actors import Actor


@dataclass(frozen=True)
class Row:
    """One line: `days_left` are working days after today up to the due day, negative when it has passed."""

    case: Case
    lead: str
    assignment_state: str
    due_on: date | None
    days_left: int | None
    overdue: tuple[str, ...]
    provisional: bool = False
    """Whether the due day may move: the days off of its year are not published yet."""

    @property
    def days_overdue(self) -> int:
        """Working days that have passed since the due day."""
        return max(-(self.days_left or 0), 0)


def rows_of(cases: Iterable[Case], actor: Actor, *, now: datetime) -> list[Row]:
    """The lines of `cases`, in their order; two queries, however many there are.

    How a due date that has ended is met stands on the case page; here only what is still open has days left.
    """
    cases = list(cases)
    leads = _leads(cases)
    late = _late(cases, now)
    calendar, today = calendar_of(actor.platform), local_date(now)
    rows = []
    for case in cases:
        lead = leads.get(case.pk)
        due_on = local_date(case.due_at - timedelta(microseconds=1)) if case.due_at else None
        running = lead is not None and lead.state in ACTIVE_ASSIGNMENT and not case.ledger
        left = None
        if due_on is not None and running:
            after = calendar.working_days_between(today, due_on)
            left = after if due_on >= today else -calendar.working_days_between(due_on, today)
        provisional = running and due_on is not None and due_on.year not in calendar.years
        rows.append(
            Row(
                case, lead.unit.name if lead else "", lead.state if lead else "", due_on, left, late.get(case.pk, ()),
                provisional,
            )
        )  # fmt: skip
    return rows


def _leads(cases: list[Case]) -> dict[int, Assignment]:
    """The last visible lead of each case."""
    found = (
        Assignment.objects.filter(case__in=[case.pk for case in cases], role="lead", state__in=VISIBLE_ASSIGNMENT)
        .select_related("unit")
        .order_by("pk")
    )
    return {row.case_id: row for row in found}


def _late(cases: list[Case], now: datetime) -> dict[int, tuple[str, ...]]:
    """The names of the limits of each case that are missed and still open."""
    found: dict[int, dict[str, None]] = defaultdict(dict)
    limits = TimeLimit.objects.filter(
        case__in=[case.pk for case in cases], ended_at__isnull=True, soft=False, suspended=False, due_at__lte=now
    )
    for limit in limits.order_by("pk"):
        if is_overdue(limit, now):
            found[limit.case_id][limit.name] = None
    return {pk: tuple(names) for pk, names in found.items()}
