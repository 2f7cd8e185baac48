"""The first page: what waits, what was told."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from huying.base.clock import local_date
from huying.cases.commands.inbox import mark_read
from huying.cases.queries.notices import notices_of
from huying.cases.queries.queues import CAP, count_of, page_of, queues_of
from huying.cases.queries.rows import rows_of
from huying.cases.queries.tasks import reads_tasks, waiting_tasks
from huying.desk.actor import DeskRequest, staff
from huying.desk.page import show


@require_GET
@staff
def home(request: DeskRequest) -> HttpResponse:
    """The work lists with their counts, the unit's notices, and the first list that holds something."""
    actor, now = request.actor, request.now
    counted = _counts(request)
    first = next((one["queue"] for one in counted if one["count"]), next(iter(queues_of(actor)), None))
    told = notices_of(actor)
    page = page_of(first, actor, now=now, size=10) if first else None
    context = {
        "counts": counted,
        **_tasks(request),
        "notices": told,
        "unread": any(one.read_at is None for one in told),
        "queue": first,
        "rows": rows_of(page.cases, actor, now=now) if page else [],
        "more": bool(page and page.next_cursor),
        "here": "home",
    }
    return show(request, "desk/home/page.html", context)


@require_GET
@staff
def counts(request: DeskRequest) -> HttpResponse:
    """The work lists with their counts alone, for the side of other pages."""
    context = {"counts": _counts(request), "here": request.GET.get("here", "")} | _tasks(request)
    return show(request, "desk/home/queues.html", context)


@require_POST
@staff
def notices_read(request: DeskRequest) -> HttpResponse:
    """Mark one notice read, or all that the page showed."""
    named = request.POST.getlist("shown" if "all" in request.POST else "notice")
    ids = [int(one) for one in named if one.isdecimal() and len(one) < 19]
    mark_read(request.actor, ids, now=request.now)
    return redirect("desk_home")


def _tasks(request: DeskRequest) -> dict[str, Any]:
    """What waits for a report of the unit, beside its cases."""
    if not reads_tasks(request.actor):
        return {}
    return {"waiting": waiting_tasks(request.actor, local_date(request.now))}


def _counts(request: DeskRequest) -> list[dict[str, Any]]:
    """Each list with its count; the list of everything is not counted."""
    counted = []
    for queue in queues_of(request.actor):
        count = None if queue.key == "all" else count_of(queue, request.actor, now=request.now)
        counted.append({"queue": queue, "count": count, "capped": count is not None and count > CAP, "cap": CAP})
    return counted
