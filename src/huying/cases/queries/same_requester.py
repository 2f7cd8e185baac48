"""Whether the person who asks has another case open: asked without reading anybody's name or phone."""

from collections.abc import Sequence

from huying.cases.access import identity_view, visible_cases
from huying.cases.models import Case, Party
from huying.cases.models.case import OPEN_STATES
from huying.people.actors import Actor

MOST = 5


def open_cases_of_requester(case: Case, viewer: Actor) -> Sequence[Case]:
    """Other open cases of the same requester, newest first, at most `MOST`.

    Only for who may read the requester in clear in both: else the list itself would tell who is behind a case.
    """
    party = Party.objects.filter(case=case, part="requester", subject__isnull=False).first()
    if party is None or identity_view(viewer, case, party) != "clear":
        return []
    theirs = Party.objects.filter(subject=party.subject_id, part="requester").exclude(case=case)
    theirs = theirs.filter(case__in=visible_cases(viewer), case__state__in=OPEN_STATES)
    found = theirs.select_related("case").order_by("-case__submitted_at", "-pk")
    seen = [one.case for one in found[: 4 * MOST] if identity_view(viewer, one.case, one) == "clear"]
    return seen[:MOST]
