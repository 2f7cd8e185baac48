"""运行监控: whether the platform runs, and how much it is used. Opening the page looks anew."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from huying.cases.commands.exchange import retry_now
from huying.cases.commands.operations import watch
from huying.cases.queries.operations import (
    CAP,
    advice_for,
    exchanges,
    label_of,
    measure,
    past_alerts,
    reads_operations,
    usage,
)
from huying.desk.actor import DeskRequest, staff
from huying.desk.page import not_found, show

RETRYING = "admin"


@require_GET
@staff
def page(request: DeskRequest) -> HttpResponse:
    """Alerts that stand and those that ended, the ages of what waits, the platforms above, the use of today."""
    if not reads_operations(request.actor):
        return not_found(request)
    context = {
        "here": "operations", "may_retry": request.actor.role == RETRYING, "cap": CAP,
        "standing": [(label_of(one.kind), advice_for(one.kind), one) for one in watch(request.now)],
        "past": [(label_of(one.kind), one) for one in past_alerts()],
        "running": measure(request.now), "exchanges": exchanges(request.actor.platform),
        "usage": usage(request.actor.platform, request.now),
    }  # fmt: skip
    return show(request, "desk/operations/page.html", context)


@require_POST
@staff
def retry(request: DeskRequest) -> HttpResponse:
    """Let what failed to reach a platform above be tried at once."""
    if request.actor.role != RETRYING:
        return not_found(request)
    count = retry_now(request.actor, now=request.now)
    messages.success(request, f"已安排重新报送{count}条，一分钟内发出。" if count else "没有报送失败的消息。")
    return redirect("desk_operations")
