"""Who asks: whether the viewer may have it in clear, and the one way for a page to read it so."""

from datetime import datetime

from django.db import transaction

from huying.cases import vault
from huying.cases.access import identity_view
from huying.cases.models import Case, Party
from huying.people.actors import Actor

CLEAR_PURPOSES = {"operator": "intake", "caller": "callback"}
"""What a role reads a name for; every other role that may, reads it to handle the case."""


def may_reveal(case: Case, viewer: Actor) -> bool:
    """Whether `viewer` may read name and phone in clear. Asking this reads nothing."""
    party = Party.objects.filter(case=case, part="requester", subject__isnull=False).first()
    return party is not None and identity_view(viewer, case, party) == "clear"


def reveal(case: Case, viewer: Actor, *, now: datetime) -> dict[str, str] | None:
    """Name, phone and the like in clear, with the reading logged; None when `viewer` may not have them."""
    if not may_reveal(case, viewer):
        return None
    purpose = CLEAR_PURPOSES.get(viewer.role, "handle")
    wanted = ["name", "phone", "email", "address"] + (["organisation"] if case.requester_kind == "enterprise" else [])
    with transaction.atomic():
        return vault.read(case, wanted, actor=viewer, purpose=purpose, now=now)
