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
    rows = found.order_by("left").values_list("path", "name")[:MOST] if words and is_storable(text) else []
    return render(request, "desk/units.html", {"pairs": proposals(rows)})
