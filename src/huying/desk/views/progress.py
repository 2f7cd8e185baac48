"""每日进度: the page that a unit opens every day. That somebody was there stands in the register of sign-ins."""

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from huying.cases.queries.progress import TRACKING, progress_of
from huying.desk.actor import DeskRequest, staff
from huying.desk.page import not_found, show


@require_GET
@staff
def page(request: DeskRequest) -> HttpResponse:
    """Every open task of the unit: the days left, and what was done last."""
    if request.actor.role not in TRACKING:
        return not_found(request)
    steps = progress_of(request.actor, now=request.now)
    context = {
        "here": "progress", "steps": steps, "late": sum(bool(one.row.overdue) for one in steps),
        "soon": sum(one.row.days_left is not None and 0 <= one.row.days_left <= 1 for one in steps),
    }  # fmt: skip
    return show(request, "desk/progress/page.html", context)
