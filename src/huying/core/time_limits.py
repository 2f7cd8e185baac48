"""Time limits: which rule holds, when it ends, and when the clock has to look at it again.

A day limit counts working days after day zero and ends at 24:00 of its last day (decisions A-02, A-03).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from huying.base.clock import end_of_day, start_of_day
from huying.core.calendar import Calendar
from huying.policy.model import Escalation, TimeLimitRule


@dataclass(frozen=True)
class Due:
    """When a limit ends: its last day, the first instant that is too late, and whether a calendar was missing."""

    day_zero: date
    days: int
    unit: str
    due_on: date
    provisional: bool

    @property
    def due_at(self) -> datetime:
        return end_of_day(self.due_on)


def choose(rules: Iterable[TimeLimitRule], limit: str, role: str, facts: Mapping[str, str]) -> TimeLimitRule | None:
    """The most specific rule of `limit` for `role` that holds for `facts`; None when the regulation has none.

    Loading refuses ties, so the most specific is one.
    """
    holding = [rule for rule in rules if rule.limit == limit and rule.role in (role, "any") and rule.when.holds(facts)]
    return max(holding, key=lambda rule: len(rule.when.conditions), default=None)


def count(rule: TimeLimitRule, day_zero: date, calendar: Calendar) -> Due:
    """The end of a limit that starts on `day_zero`, which itself never counts. Source: rule.cite."""
    if rule.working_days is not None:
        return count_working_days(day_zero, rule.working_days, calendar)
    days = rule.calendar_days or 0
    return Due(day_zero, days, "calendar", day_zero + timedelta(days=days), False)


def count_working_days(day_zero: date, working_days: int, calendar: Calendar) -> Due:
    """The end of `working_days` after `day_zero`; backwards when negative."""
    counted = calendar.count(day_zero, working_days)
    return Due(day_zero, working_days, "working", counted.day, counted.provisional)


def count_before(other: date, working_days: int, calendar: Calendar, *, not_before: date) -> Due:
    """A limit that ends `working_days` before the day `other`, but never before `not_before` (decision C-9)."""
    counted = calendar.count(other, -working_days)
    return Due(other, -working_days, "working", max(counted.day, not_before), counted.provisional)


def moment_of(escalation: Escalation, due_on: date, calendar: Calendar) -> datetime:
    """When a rung of the ladder is reached for a limit whose last day is `due_on`."""
    days = escalation.after_working_days
    if days == 0:
        return end_of_day(due_on)
    return start_of_day(calendar.add_working_days(due_on, days))


def next_moment(ladder: Sequence[Escalation], due_on: date, calendar: Calendar, *, after: datetime) -> datetime | None:
    """The first moment later than `after` at which the clock has something to do; None when there is none."""
    moments = {moment_of(rung, due_on, calendar) for rung in ladder}
    return min((moment for moment in moments if moment > after), default=None)


def rungs_at(ladder: Sequence[Escalation], due_on: date, calendar: Calendar, *, at: datetime) -> list[Escalation]:
    """The rungs reached exactly at `at`, in the order of the data."""
    return [rung for rung in ladder if moment_of(rung, due_on, calendar) == at]
