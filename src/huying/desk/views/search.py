"""Search over everything that the actor may see."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from huying.cases.queries.queues import Queue, page_of
from huying.cases.queries.record import find_case
from huying.cases.queries.rows import rows_of
from huying.desk.actor import DeskRequest, staff
from huying.desk.page import show

EVERYTHING = Queue("search", "搜索结果", (), lambda cases, actor, now: cases)


@require_GET
@staff
def search(request: DeskRequest) -> HttpResponse:
    """Cases by number or by words; a whole number leads straight to its case."""
    text, cursor = request.GET.get("q", "").strip()[:100], request.GET.get("cursor", "")[:100]
    case = find_case(request.actor, text)
    if case is not None:
        return redirect("desk_case", case.number)
    page = page_of(EVERYTHING, request.actor, now=request.now, search=text, cursor=cursor) if text else None
    rows = rows_of(page.cases, request.actor, now=request.now) if page else []
    context = {
        "q": text,
        "rows": rows,
        "next": page.next_cursor if page else "",
        "here": "search",
        "asked": {"q": text, "cursor": cursor},
    }
    return show(request, "desk/search/page.html", context)
