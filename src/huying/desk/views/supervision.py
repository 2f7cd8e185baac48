"""What is supervised, and what went to the inspectors."""

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from huying.cases.queries.supervisions import SUPERVISING, clues_of, supervisions_of
from huying.cases.queries.tasks import gives
from huying.desk.actor import DeskRequest, staff
from huying.desk.page import not_found, show


@require_GET
@staff
def supervision(request: DeskRequest) -> HttpResponse:
    """Supervisions proposed and open, and clues, for who supervises."""
    if request.actor.role not in SUPERVISING:
        return not_found(request)
    context = {
        "proposed": supervisions_of(request.actor, ["proposed"]),
        "running": supervisions_of(request.actor, ["open", "answered"]),
        "clues": clues_of(request.actor, ["proposed", "transferred"]),
        "verifying": next((kind for kind in gives(request.actor) if kind.on_clue), None),
        "here": "supervision",
    }
    return show(request, "desk/supervision/page.html", context)
