"""上级平台报送: when a case has come to an end for the platform above, and when a message is tried again."""

from datetime import datetime, timedelta

ENDED = ("closed", "refused", "redirected", "withdrawn")
"""However a case ended, the platform above must learn of it. What was merged ends with its main case."""
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
RARELY = timedelta(hours=12)
PASSING = (408, 425, 429)
"""Refusals that say: later."""


def has_ended(state: str) -> bool:
    return state in ENDED


def is_refusal(status: int) -> bool:
    """Whether the other side refused for good what another attempt would send again: it is tried rarely."""
    return 300 <= status < 500 and status not in PASSING


def next_try(now: datetime, attempts: int, *, is_refused: bool) -> datetime:
    """When to try again after `attempts` failures. Nothing is ever given up: a person sees it and mends the cause."""
    return now + (RARELY if is_refused else WAITS[min(attempts, len(WAITS)) - 1])
