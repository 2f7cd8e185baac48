"""The regulation and the calendar that a platform or a case runs by."""

from datetime import date
from time import monotonic

from django.conf import settings

from huying.base import clock
from huying.base.clock import local_date
from huying.cases.models import Case
from huying.core.calendar import Calendar
from huying.people.models import Platform
from huying.policy.load import find_versions, load_notices, load_regulation
from huying.policy.model import Regulation

_extra_days: dict[int, Calendar] = {}
_calendars: dict[str, tuple[float, Calendar]] = {}
_regulations: dict[tuple[str, date | None], Regulation] = {}
_versions: dict[str, tuple[float, tuple[date, ...]]] = {}
LOOK_AGAIN = 30.0
"""Seconds after which a process looks whether another year's calendar, or another version, was loaded."""


def regulation(regulation_id: str, version: date | None = None) -> Regulation:
    """The regulation with that id as it stood since `version` (None: in its first version), read once in this process.

    Raises: UnclearRegulation when its data cannot be taken.
    """
    key = (regulation_id, version)
    if key not in _regulations:
        _regulations[key] = load_regulation(settings.HUYING_REGULATIONS / regulation_id, version)
    return _regulations[key]


def version_on(regulation_id: str, day: date) -> date | None:
    """Which version of the regulation holds on `day`: the day from which it does, None for the first one."""
    looked_at, found = _versions.get(regulation_id, (0.0, ()))
    if not looked_at or monotonic() - looked_at > LOOK_AGAIN:
        found = find_versions(settings.HUYING_REGULATIONS / regulation_id)
        _versions[regulation_id] = (monotonic(), found)
    return max((since for since in found if since <= day), default=None)


def policy_of(platform: Platform, on: date | None = None) -> Regulation:
    """The rules that `platform` runs by on that day (today)."""
    return regulation(platform.regulation, version_on(platform.regulation, on or local_date(clock.now())))


def rules_of(case: Case) -> Regulation:
    """The rules that `case` keeps: those in force when it came in (decision A-18)."""
    return regulation(case.regulation, case.rules_since)


def forget_regulations() -> None:
    """Read everything anew when it is asked for next (after data were loaded)."""
    _regulations.clear()
    _versions.clear()
    _calendars.clear()


def calendar_of(platform: Platform) -> Calendar:
    """The national calendar, read once in this process; with the platform's own days where a story set some."""
    if platform.pk in _extra_days:
        return _extra_days[platform.pk]
    country = regulation(platform.regulation).info.parent
    looked_at, calendar = _calendars.get(country, (0.0, None))
    if calendar is None or monotonic() - looked_at > LOOK_AGAIN:
        notices = load_notices(settings.HUYING_REGULATIONS / country)
        if calendar is None or {notice.year for notice in notices} != calendar.years:
            calendar = Calendar(notices)
        _calendars[country] = (monotonic(), calendar)
    return calendar


def use_calendar(platform: Platform, calendar: Calendar | None) -> None:
    """Let `platform` count by `calendar` in this process (a story's own holidays); None: by the national one again."""
    _extra_days.pop(platform.pk, None)
    if calendar is not None:
        _extra_days[platform.pk] = calendar
