"""The regulation and the calendar that a platform or a case runs by."""

from django.conf import settings

from huying.core.calendar import Calendar
from huying.people.models import Platform
from huying.policy.load import load_notices, load_regulation
from huying.policy.model import Regulation

_extra_days: dict[int, Calendar] = {}
_calendars: dict[str, Calendar] = {}
_regulations: dict[str, Regulation] = {}


def regulation(regulation_id: str) -> Regulation:
    """The regulation with that id, read once in this process.

    Raises: UnclearRegulation when its data cannot be taken.
    """
    if regulation_id not in _regulations:
        _regulations[regulation_id] = load_regulation(settings.HUYING_REGULATIONS / regulation_id)
    return _regulations[regulation_id]


def policy_of(platform: Platform) -> Regulation:
    """The regulation that `platform` runs by."""
    return regulation(platform.regulation)


def calendar_of(platform: Platform) -> Calendar:
    """The national calendar, read once in this process; with the platform's own days where a story set some."""
    if platform.pk in _extra_days:
        return _extra_days[platform.pk]
    country = policy_of(platform).info.parent
    if country not in _calendars:
        _calendars[country] = Calendar(load_notices(settings.HUYING_REGULATIONS / country))
    return _calendars[country]


def use_calendar(platform: Platform, calendar: Calendar | None) -> None:
    """Let `platform` count by `calendar` in this process (a story's own holidays); None: by the national one again."""
    _extra_days.pop(platform.pk, None)
    if calendar is not None:
        _extra_days[platform.pk] = calendar
