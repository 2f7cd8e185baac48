"""Repeats: one person often, or several persons, with the same problem within a month."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from dateutil.relativedelta import relativedelta

from huying.policy.model import Trigger


@dataclass(frozen=True)
class ReportOf:
    """One submission of the merged cases: by whom (None when unknown) and when."""

    person: str | None
    at: datetime


def fires(trigger: Trigger, reports: Iterable[ReportOf]) -> bool:
    """Whether submissions merged together reach the trigger.

    Within a month: the last lies before the first plus one month, whichever submissions are taken (decision D-12).
    Who is unknown (anonymous) counts neither as the same person nor as another.
    """
    known = sorted((report for report in reports if report.person is not None), key=lambda report: report.at)
    if trigger.when == "same_person":
        people = {report.person for report in known}
        return any(_dense([one.at for one in known if one.person == person], trigger) for person in people)
    if trigger.when == "several_persons":
        return any(
            len({one.person for one in known[start:] if _within(known[start].at, one.at, trigger)}) >= trigger.at_least
            for start in range(len(known))
        )
    return False


def _dense(times: Sequence[datetime], trigger: Trigger) -> bool:
    size = trigger.at_least
    return any(_within(times[i], times[i + size - 1], trigger) for i in range(len(times) - size + 1))


def _within(first: datetime, last: datetime, trigger: Trigger) -> bool:
    return trigger.within_months is None or last < first + relativedelta(months=trigger.within_months)
