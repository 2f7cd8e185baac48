"""值守与报备: on which days somebody has to sign in, which were missed, what was reported late, who is talked to."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from huying.base.clock import local_date
from huying.core.calendar import ONE_DAY, Calendar
from huying.policy.model import SignInRule, StaffChangeRule


def duty_days(first: date, last: date, rule: SignInRule, calendar: Calendar) -> list[date]:
    """The days from `first` to `last`, both counted, on which a unit's administrators have to look at the platform."""
    days = [first + n * ONE_DAY for n in range((last - first).days + 1)]
    return [day for day in days if rule.every == "day" or calendar.is_working_day(day)]


def missed_days(due: Iterable[date], signed: Collection[date], *, now: datetime) -> list[date]:
    """The days of duty on which nobody signed in. A day is missed when it is over: today never is."""
    today = local_date(now)
    return [day for day in due if day < today and day not in signed]


def reported_late(changed_on: date, reported_at: datetime, rule: StaffChangeRule) -> bool:
    """Whether a change was reported after the last day for it, which counts to its last minute."""
    return local_date(reported_at) > changed_on + timedelta(days=rule.days)


@dataclass(frozen=True)
class Figures:
    """What a quarter says of one unit: orders that fell due, those of them late, ratings that count, good ones."""

    unit: str
    due: int
    late: int
    rated: int
    good: int

    @property
    def late_share(self) -> float:
        return self.late / self.due if self.due else 0.0

    @property
    def good_share(self) -> float | None:
        return self.good / self.rated if self.rated else None


def to_be_interviewed(figures: Sequence[Figures], *, worst: float = 0.05, late: float = 0.10) -> list[Figures]:
    """季度约谈: units with more than `late` of their orders overdue, or among the `worst` share by satisfaction.

    At least one unit is the worst where any was rated, with all that are as bad. A proposal: a person decides
    (decision Z-11).
    """
    shares = sorted(one.good_share for one in figures if one.good_share is not None)
    limit = shares[max(int(len(shares) * worst), 1) - 1] if shares else None
    return [
        one
        for one in figures
        if one.late_share > late or (limit is not None and one.good_share is not None and one.good_share <= limit)
    ]


def quarter_of(day: date) -> tuple[date, date]:
    """The first and the last day of the quarter that `day` lies in."""
    month = 3 * ((day.month - 1) // 3) + 1
    after = date(day.year + month // 10, (month + 2) % 12 + 1, 1)
    return date(day.year, month, 1), after - ONE_DAY
