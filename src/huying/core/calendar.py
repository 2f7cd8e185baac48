"""Working days: which days count, and the day on which a number of them is full.

A working day is Monday to Friday, less the holidays of the year's official notice, plus its make-up days (调休). In a
year whose notice is not out yet Monday to Friday are taken and the result is marked provisional.
Source: the State Council's yearly notices; decisions A-01 to A-03.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from huying.policy.model import YearNotice

ONE_DAY = timedelta(days=1)
WEEKDAYS = "一二三四五六日"


@dataclass(frozen=True)
class CountedDay:
    """One day on the way: whether it counted, as which working day, and why."""

    day: date
    number: int | None
    """1 for the first working day counted; None for a day that did not count."""
    reason: str


@dataclass(frozen=True)
class Count:
    """The last day of a number of working days, every day passed on the way, and whether a notice was missing."""

    day: date
    days: tuple[CountedDay, ...]
    provisional: bool


class Calendar:
    """Official days off and make-up days of the years whose notices are loaded."""

    def __init__(self, notices: Iterable[YearNotice]) -> None:
        self.years: frozenset[int] = frozenset()
        self._off: dict[date, str] = {}
        self._makeup: dict[date, str] = {}
        for notice in notices:
            self.years |= {notice.year}
            for first, last, name in notice.holidays:
                for offset in range((last - first).days + 1):
                    self._off[first + offset * ONE_DAY] = name
            self._makeup.update(notice.makeup_days)

    def with_days(self, off: dict[date, str], makeup: dict[date, str]) -> "Calendar":
        """A calendar with further days off and make-up days (a story's or a city's own)."""
        other = Calendar(())
        other.years = self.years
        other._off = {**self._off, **off}
        other._makeup = {**self._makeup, **makeup}
        for day in off:
            other._makeup.pop(day, None)
        for day in makeup:
            other._off.pop(day, None)
        return other

    def is_working_day(self, day: date) -> bool:
        return self._why(day)[0]

    def _why(self, day: date) -> tuple[bool, str]:
        if day in self._makeup:
            return True, f"{self._makeup[day]}调休上班"
        if day in self._off:
            return False, f"{self._off[day]}放假"
        weekday = f"星期{WEEKDAYS[day.weekday()]}"
        return (False, f"{weekday}，休息日") if day.weekday() >= 5 else (True, weekday)

    def add_working_days(self, start: date, working_days: int) -> date:
        """The day on which `working_days` after `start` (day zero, never counted) are full; backwards if negative."""
        return self.count(start, working_days).day

    def count(self, start: date, working_days: int) -> Count:
        """As `add_working_days`, with every day passed. Zero working days end on day zero itself."""
        step = ONE_DAY if working_days >= 0 else -ONE_DAY
        day, number, passed = start, 0, []
        while number < abs(working_days):
            day += step
            counts, reason = self._why(day)
            number += counts
            passed.append(CountedDay(day, number if counts else None, reason))
        provisional = any(one.day.year not in self.years for one in passed)
        return Count(day, tuple(passed), provisional)

    def working_days_between(self, start: date, end: date) -> int:
        """How many working days lie after `start` up to and including `end`; 0 when `end` is not later."""
        days = (end - start).days
        return sum(self.is_working_day(start + n * ONE_DAY) for n in range(1, days + 1))
