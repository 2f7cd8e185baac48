"""The only place that reads the time, and the legal zone in which days begin and end."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LEGAL_ZONE = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    """The present instant, aware. Views and jobs call this; everything below them is told the time."""
    return datetime.now(UTC)


def local_date(instant: datetime) -> date:
    """The calendar day in the legal zone on which `instant` falls."""
    return instant.astimezone(LEGAL_ZONE).date()


def start_of_day(day: date) -> datetime:
    """00:00 of `day` in the legal zone."""
    return datetime.combine(day, time.min, LEGAL_ZONE)


def end_of_day(day: date) -> datetime:
    """24:00 of `day`, which is 00:00 of the day after: the first instant that is too late."""
    return start_of_day(day + timedelta(days=1))
