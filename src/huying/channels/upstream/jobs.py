"""When messages to the platforms above are sent: every minute, and whenever a worker starts."""

import threading

from procrastinate.contrib.django import app

from huying.base import clock
from huying.channels.upstream.send import send_due

stopping = threading.Event()
"""Set when this process is to end: the message under way is finished, the rest is left to the next worker."""


def send_now() -> int:
    """Send what is due; gives how many messages were dealt with."""
    return send_due(clock.now, should_stop=stopping.is_set)


@app.periodic(cron="* * * * *")
@app.task(name="channels.upstream.send", queueing_lock="channels.upstream.send", queue="upstream")
def send_upstream(timestamp: int) -> None:
    """Every minute. What is due stands in the table; the tick only says to look."""
    send_now()
