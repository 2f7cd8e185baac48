"""When mail is sent: every minute, and whenever a worker starts."""

import threading

from procrastinate.contrib.django import app

from huying.base import clock
from huying.channels.email.send import deliver_due

stopping = threading.Event()
"""Set when this process is to end: the message under way is finished, the rest is left to the next worker."""


def deliver_now() -> int:
    """Send what is due; gives how many deliveries were dealt with."""
    return deliver_due(clock.now, should_stop=stopping.is_set)


@app.periodic(cron="* * * * *")
@app.task(name="channels.email.deliver", queueing_lock="channels.email.deliver", queue="mail")
def deliver_mail(timestamp: int) -> None:
    """Every minute. What is due stands in the table; the tick only says to look."""
    deliver_now()
