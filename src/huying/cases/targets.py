"""What an action is taken on beside the case, found by the id that a page or the API gives."""

from django.db.models import Model

from huying.cases.commands.registry import Action
from huying.cases.models import Application, Attachment, Case, Clue, Report, Supervision
from huying.people.actors import Actor

TARGETS: dict[str, type[Model]] = {"application": Application, "supervision": Supervision, "clue": Clue}


def find_target(action: Action, case: Case, pk: int) -> Model | None:
    """The application, supervision, clue or report of `case` with that id; None when it is not the case's."""
    if action.on == "report":
        return Report.objects.filter(cases=case, pk=pk).first()
    model = TARGETS.get(action.on)
    return model._default_manager.filter(case=case, pk=pk).first() if model else None


def find_attachment(case: Case, key: str, viewer: Actor) -> Attachment | None:
    """The file of `case` with that key, if the record lists it for `viewer`."""
    found = Attachment.objects.filter(case=case, key=key)
    if viewer.role in ("citizen", "grid_worker"):
        found = found.filter(action__in=("case.submit", "case.supplement"))
    return found.first()
