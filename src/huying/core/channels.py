"""开放时间: whether a desk that keeps hours is open. Outside them a case is still taken in, once that is confirmed."""

from datetime import datetime

from huying.base.clock import LEGAL_ZONE
from huying.core.calendar import Calendar
from huying.policy.model import Channel


def is_open(channel: Channel, now: datetime, calendar: Calendar) -> bool:
    """Whether `now` lies in the channel's hours, from `opens` until before `open_until` on a working day.

    A channel that keeps no hours is always open.
    """
    if not channel.opens:
        return True
    local = now.astimezone(LEGAL_ZONE)
    return calendar.is_working_day(local.date()) and channel.opens <= local.strftime("%H:%M") < channel.open_until
