"""One work list, page by page."""

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from huying.cases.policies import policy_of
from huying.cases.queries.queues import find_queue, page_of
from huying.cases.queries.rows import rows_of
from huying.core.lifecycle import CASE_STATES
from huying.desk.actor import DeskRequest, staff
from huying.desk.page import not_found, show


@require_GET
@staff
def queue(request: DeskRequest, key: str) -> HttpResponse:
    """A page of the list, searched and filtered; htmx gets the table alone."""
    found = find_queue(request.actor, key)
    if found is None:
        return not_found(request)
    asked = {name: request.GET.get(name, "").strip()[:100] for name in ("q", "state", "kind", "cursor")}
    where = {name: asked[name] for name in ("state", "kind")}
    page = page_of(
        found, request.actor, now=request.now, cursor=asked["cursor"], search=asked["q"], **where
    )  # fmt: skip
    context = {
        "queue": found, "rows": rows_of(page.cases, request.actor, now=request.now), "next": page.next_cursor,
        "asked": asked, "states": CASE_STATES.items(), "kinds": policy_of(request.actor.platform).kinds, "here": key,
    }  # fmt: skip
    part = "table" if request.htmx and not request.htmx.boosted else "page"
    return show(request, f"desk/queue/{part}.html", context)
