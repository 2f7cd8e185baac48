"""What the actor's unit was told in the product."""

from huying.cases.access import visible_cases
from huying.cases.models import Notice
from huying.people.actors import Actor

SIZE = 20
CLUE_ROLES = ("supervisor", "inspector", "auditor")


def notices_of(actor: Actor) -> list[Notice]:
    """The unit's notices of cases that the actor may see, unread first, newest first; at most `SIZE`."""
    if actor.unit is None:
        return []
    found = Notice.objects.filter(unit=actor.unit, case__in=visible_cases(actor))
    if actor.role not in CLUE_ROLES:
        found = found.exclude(template="clue")
    unread = list(found.filter(read_at__isnull=True).select_related("case").order_by("-at", "-pk")[:SIZE])
    if len(unread) == SIZE:
        return unread
    read = found.filter(read_at__isnull=False).select_related("case").order_by("-at", "-pk")
    return unread + list(read[: SIZE - len(unread)])
