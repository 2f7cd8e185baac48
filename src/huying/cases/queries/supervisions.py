"""The lists of supervisions and clues, over the cases that the actor may see."""

from collections.abc import Sequence

from huying.cases.access import visible_cases
from huying.cases.models import Clue, Supervision
from huying.people.actors import Actor

SUPERVISING = ("supervisor", "inspector", "auditor")
SIZE = 100


def supervisions_of(actor: Actor, states: Sequence[str]) -> list[Supervision]:
    """Supervisions in those states, the ones with the earliest date first; at most `SIZE`."""
    if actor.role not in SUPERVISING:
        return []
    found = Supervision.objects.filter(state__in=states, case__in=visible_cases(actor))
    return list(found.select_related("case", "unit", "issued_by").order_by("due_on", "-at", "-pk")[:SIZE])


def clues_of(actor: Actor, states: Sequence[str]) -> list[Clue]:
    """Clues in those states, newest first; an inspector is not shown what nobody has sent yet."""
    if actor.role not in SUPERVISING:
        return []
    states = [state for state in states if actor.role != "inspector" or state != "proposed"]
    found = Clue.objects.filter(state__in=states, case__in=visible_cases(actor))
    return list(found.select_related("case", "to_unit").order_by("-at", "-pk")[:SIZE])
