"""集中反映: whether matters of one category, from one place or at one unit, lie as close together as a rule asks."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from huying.policy.model import Concentration


@dataclass(frozen=True)
class Member:
    """One case: who asked, by a mark that tells persons apart without naming them (None: unknown), and on which day."""

    case: int
    person: str | None
    on: date


@dataclass(frozen=True)
class Gathering:
    """The cases that lie in a stretch of days that meets the rule, the earliest first."""

    members: tuple[Member, ...]
    count: int
    """Persons where the rule counts persons, else cases."""

    @property
    def since(self) -> date:
        return self.members[0].on


def count_of(rule: Concentration, members: Iterable[Member]) -> int:
    """What the rule counts among `members`.

    Who is unknown counts as no person: ten letters without a name may be one person's, and an alert says that so many
    people complain.
    """
    if rule.persons:
        return len({one.person for one in members if one.person is not None})
    return len({one.case for one in members})


def gathering_of(rule: Concentration, members: Iterable[Member]) -> Gathering | None:
    """All members that lie in some `within_days` calendar days with `at_least` of them or more; None when none does.

    Of two days, the first and the next one count whole, as of every limit that is set in days.
    """
    known = sorted(set(members), key=lambda one: (one.on, one.case))
    found: set[Member] = set()
    for first in sorted({one.on for one in known}):
        end = first + timedelta(days=rule.within_days)
        near = [one for one in known if first <= one.on < end]
        if count_of(rule, near) >= rule.at_least:
            found.update(near)
    if not found:
        return None
    together = tuple(one for one in known if one in found)
    return Gathering(together, count_of(rule, together))


def still_stands(rule: Concentration, last_on: date, today: date) -> bool:
    """Whether one that was last seen to grow on `last_on` may grow further; after its days the next is a new one."""
    return today < last_on + timedelta(days=rule.within_days)
