"""Units by a part of their name, for fields of platforms with too many to list."""

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from huying.base.text import is_storable
from huying.desk.actor import DeskRequest, staff
from huying.desk.choices import PLACES
from huying.desk.forms import proposals
from huying.people.models import Unit

MOST = 30
LOOKED_AT = 300
LONGEST = 50


@require_GET
@staff
def units(request: DeskRequest) -> HttpResponse:
    """The proposals for what was typed into `field`: places where a place is asked for, else units that take cases."""
    field = request.GET.get("field", "")
    text = request.GET.get(field, "").strip()[:LONGEST]
    words = text.replace("/", " ").split()
    found = Unit.objects.filter(platform=request.actor.platform).exclude(path="")
    found = found.filter(kind__in=PLACES) if field == "place" else found.filter(handles=True)
    for word in words:
        found = found.filter(Q(path__contains=word) | Q(name__contains=word))
    rows = list(found.order_by("left").values_list("path", "name")[:LOOKED_AT]) if words and is_storable(text) else []
    rows.sort(key=lambda row: _distance(row[0], request.actor.unit_path))
    return render(request, "desk/units.html", {"pairs": _findable(proposals(rows[:MOST]), text)})


def _distance(path: str, own: str) -> tuple[bool, int]:
    """What lies in the actor's own part of the tree first, then the higher before the lower."""
    return (path.partition("/")[0] != own.partition("/")[0], path.count("/"))


def _findable(pairs: list[tuple[str, str]], text: str) -> list[tuple[str, str]]:
    """A browser hides proposals that do not hold what was typed: several words are repeated in the label."""
    return [(path, label if text in path else f"{path}（{text}）") for path, label in pairs]
