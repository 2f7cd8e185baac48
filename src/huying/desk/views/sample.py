"""Drawing a sample of closed cases for spot checks."""

import secrets
from datetime import date, timedelta
from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from huying.base.clock import local_date
from huying.cases.policies import policy_of
from huying.cases.queries.rows import rows_of
from huying.cases.queries.sample import SAMPLING, Draw, draw_sample
from huying.desk.actor import DeskRequest, staff
from huying.desk.page import not_found, show

USUAL_RATE = "5"


@require_GET
@staff
def sample(request: DeskRequest) -> HttpResponse:
    """The form with a fresh seed; with all of it given, the draw. The address is the draw, to be kept and shared."""
    if request.actor.role not in SAMPLING:
        return not_found(request)
    asked = _asked(request)
    context: dict[str, Any] = {
        "asked": asked, "here": "sample", "channels": policy_of(request.actor.platform).channels,
        "fresh": secrets.token_hex(4),
    }  # fmt: skip
    if "seed" in request.GET:
        context |= _drawn(request, asked)
    return show(request, "desk/sample/page.html", context, status=422 if context.get("problem") else 200)


def _asked(request: DeskRequest) -> dict[str, str]:
    """What the form says; last month where it says nothing."""
    month = local_date(request.now).replace(day=1)
    before = month - timedelta(days=1)
    usual = {
        "first": before.replace(day=1).isoformat(), "last": before.isoformat(), "rate": USUAL_RATE, "seed": "",
        "channel": "",
    }  # fmt: skip
    return {name: request.GET.get(name, value).strip()[:100] for name, value in usual.items()}


def _drawn(request: DeskRequest, asked: dict[str, str]) -> dict[str, Any]:
    try:
        first, last = date.fromisoformat(asked["first"]), date.fromisoformat(asked["last"])
        draw = Draw(first, last, int(asked["rate"]), asked["seed"], asked["channel"])
    except ValueError:
        return {"problem": "日期或者比例填写有误，请检查。"}
    if draw.problem:
        return {"problem": draw.problem}
    found = draw_sample(request.actor, draw)
    return {"sample": found, "rows": rows_of(found.cases, request.actor, now=request.now), "draw": draw}
