"""各环节用时: how a case's working days fell to those who held it one after the other, and whose hop made it late.

A working day counts for whoever held the case when it began, as limits count it: the day on which a case arrives is
day zero. So the hops add up to the whole time. A hop is judged by its own limit; the unit that leads at the end has
what the citizen's date leaves it when the others keep theirs, so that it does not answer for what others used up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

from huying.core.calendar import Calendar

Key = TypeVar("Key")


@dataclass(frozen=True)
class Stretch(Generic[Key]):
    """From `since` on, somebody holds the case, until the next stretch begins."""

    key: Key
    """Who, in which part; several stretches of one key are one hop."""
    since: date
    limit: int | None = None
    """The working days that the hop has of its own; None where no rule gives it any."""


@dataclass(frozen=True)
class Hop(Generic[Key]):
    """One hop: from the first day to the last that it had the case, days used, and days more than its share."""

    key: Key
    since: date
    until: date
    used: int
    share: int | None
    over: int


@dataclass(frozen=True)
class Judged(Generic[Key]):
    """All hops in order; `late` is by how many working days the citizen's date was missed."""

    hops: tuple[Hop[Key], ...]
    used: int
    late: int

    def caused(self) -> tuple[Hop[Key], ...]:
        """The hops by which it became late."""
        return tuple(hop for hop in self.hops if hop.over) if self.late else ()


def judge_hops(
    stretches: Sequence[Stretch[Key]], *, end: date, due_on: date | None, leads: Key, calendar: Calendar
) -> Judged[Key]:
    """Divide the days from the first stretch to `end`. `leads` is the key of the unit that leads at the end.

    Raises: ValueError without any stretch.
    """
    if not stretches:
        raise ValueError("没有环节。")
    used: dict[Key, int] = {}
    since: dict[Key, date] = {}
    until: dict[Key, date] = {}
    limits: dict[Key, int | None] = {}
    for place, one in enumerate(stretches):
        next_day = stretches[place + 1].since if place + 1 < len(stretches) else end
        used[one.key] = used.get(one.key, 0) + calendar.working_days_between(one.since, next_day)
        since.setdefault(one.key, one.since)
        until[one.key] = max(next_day, one.since)
        limits[one.key] = one.limit
    begin = stretches[0].since
    if leads in limits:
        allowed = sum(_kept(used[key], limit) for key, limit in limits.items() if key != leads)
        whole = calendar.working_days_between(begin, due_on) if due_on is not None else None
        limits[leads] = max(0, whole - allowed) if whole is not None else None
    hops = tuple(
        Hop(key, since[key], until[key], days, limits[key], max(0, days - _kept(days, limits[key])))
        for key, days in used.items()
    )
    late = calendar.working_days_between(due_on, end) if due_on is not None else 0
    return Judged(hops, sum(used.values()), late)


def _kept(used: int, limit: int | None) -> int:
    """The days used within the limit; all of them where there is none."""
    return used if limit is None else min(used, limit)
