"""Counting a limit anew from what its steps say, when the official calendar of a year has come out.

A limit keeps how its date came about: a first count and every move of it. Told again with the new calendar they give
the date that the limit should have had. A move to a day that somebody named stays on that day.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from huying.base.clock import local_date
from huying.core.calendar import Calendar
from huying.core.time_limits import Due, count, count_working_days
from huying.policy.model import Rule, TimeLimitRule

NO_MOVE = ("calendar", "previous", "source", "within")
"""Steps that count no days: an earlier calendar, the round before, and bounds that are looked at anew."""


@dataclass(frozen=True)
class Recount:
    """Where a limit ends by the new calendar, and the years that its count runs through."""

    due: Due
    """The last count that led there."""
    promised_on: date | None
    """What the citizen stays promised where the unit's clock rested meanwhile."""
    provisional: bool
    years: range


Bound = Callable[[Due], Due]
"""Keeps a first count within the source's date or an outer limit."""


def recount(
    steps: Sequence[Mapping[str, Any]],
    rules: Mapping[str, Rule],
    calendar: Calendar,
    *,
    day_zero: date,
    bound: Bound = lambda due: due,
) -> Recount:
    """The end of the limit whose `steps` are given, counted from `day_zero` by `calendar`.

    `rules` are those that the case keeps, by `topic.key`; `bound` is applied to the first count.
    """
    first = steps[0]
    due = bound(_first(first, day_zero, calendar))
    promised: date | None = None
    days = [day_zero, due.due_on]
    provisional = due.provisional
    for step in steps[1:]:
        match step["event"]:
            case "source" if "no_later_than" in step:  # an extension that the platform above did not agree to in full
                due = replace(due, due_on=min(due.due_on, date.fromisoformat(step["no_later_than"])))
            case event if event in NO_MOVE:
                continue
            case "reclassified":
                due = _reclassified(step, rules, calendar, due)
                provisional = due.provisional
            case event if step.get("days") is not None:
                if event == "check":
                    promised = promised or due.due_on
                due = count_working_days(due.due_on, int(step["days"]), calendar)
                provisional = provisional or due.provisional
            case _:
                due = Due(due.due_on, 0, "calendar", date.fromisoformat(step["due_on"]), False)
                provisional = False
        days.append(due.due_on)
    return Recount(due, promised, provisional, range(min(days).year, max(days).year + 1))


def not_shorter(due_on: date, before: date, today: date, calendar: Calendar) -> date:
    """A date that gets earlier never does so by more than leaves the next working day (decision A-16)."""
    return due_on if due_on >= before else max(due_on, min(before, calendar.add_working_days(today, 1)))


def _first(step: Mapping[str, Any], day_zero: date, calendar: Calendar) -> Due:
    days = step.get("days")
    if days is None:
        return Due(day_zero, 0, "calendar", date.fromisoformat(step["due_on"]), False)
    if step.get("unit") == "calendar":
        due = count_working_days(day_zero, 0, calendar)
        due_on = date.fromordinal(day_zero.toordinal() + int(days))
        return replace(due, days=int(days), unit="calendar", due_on=due_on, provisional=False)
    return count_working_days(day_zero, int(days), calendar)


def _reclassified(step: Mapping[str, Any], rules: Mapping[str, Rule], calendar: Calendar, before: Due) -> Due:
    """Another rule held from then on: counted from the same day zero, not shortened below the next working day."""
    rule, zero = rules.get(str(step.get("rule"))), date.fromisoformat(step["day_zero"])
    if isinstance(rule, TimeLimitRule):
        due = count(rule, zero, calendar)
    else:
        due = count_working_days(zero, int(step["days"]), calendar)
    today = local_date(datetime.fromisoformat(step["at"]))
    return replace(due, due_on=not_shorter(due.due_on, before.due_on, today, calendar))
