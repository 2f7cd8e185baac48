"""What the actor's unit was told in the product."""

from django.db.models import Exists, OuterRef, Q

from huying.cases.access import keeps_out, visible_cases
from huying.cases.models import Notice
from huying.cases.queries.concentrations import reads_concentrations
from huying.people.actors import Actor

SIZE = 20
CLUE_ROLES = ("supervisor", "inspector", "auditor")


def notices_of(actor: Actor) -> list[Notice]:
    """The unit's notices of cases that the actor may see, unread first, newest first; at most `SIZE`.

    An alert of many cases is the unit's also where it has no part in the case that it hangs on.
    """
    if actor.unit is None:
        return []
    shown = Q(case__in=visible_cases(actor)) & ~Q(template="concentration")
    if reads_concentrations(actor):
        shown |= Q(template="concentration") & ~Exists(keeps_out(actor).filter(case=OuterRef("case_id")))
    found = Notice.objects.filter(shown, unit=actor.unit)
    if actor.role not in CLUE_ROLES:
        found = found.exclude(template="clue")
    unread = list(found.filter(read_at__isnull=True).select_related("case").order_by("-at", "-pk")[:SIZE])
    if len(unread) == SIZE:
        return unread
    read = found.filter(read_at__isnull=False).select_related("case").order_by("-at", "-pk")
    return unread + list(read[: SIZE - len(unread)])
