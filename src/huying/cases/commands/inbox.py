"""A unit's notices are marked read. Not an action on the case: nothing about it changes."""

from collections.abc import Iterable
from datetime import datetime

from huying.cases.models import Notice
from huying.people.actors import Actor


def mark_read(actor: Actor, ids: Iterable[int], *, now: datetime) -> int:
    """Mark notices of the actor's own unit read; others, and those read before, stay as they are. Gives how many."""
    if actor.unit is None:
        return 0
    unread = Notice.objects.filter(unit=actor.unit, pk__in=list(ids), read_at__isnull=True)
    return unread.update(read_at=now)
