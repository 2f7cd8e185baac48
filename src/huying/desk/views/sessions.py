"""领导接听: whose head the figures propose, the schedule, and what was taken in during a session."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from huying.base.clock import local_date
from huying.cases.commands import ACTIONS, perform
from huying.cases.queries import sessions as queries
from huying.cases.queries.rows import rows_of
from huying.core.assessment import Thresholds
from huying.core.periods import Period, period_of
from huying.core.verdict import Refused
from huying.desk.actor import DeskRequest, staff
from huying.desk.forms import action_form
from huying.desk.page import not_found, show
from huying.ui.forms import show_refusal, to_data

HIGHEST: dict[str, Decimal] = {"complaints": Decimal(9999), "satisfaction": Decimal(100), "late": Decimal(100)}
"""The largest value of each threshold."""


@require_http_methods(["GET", "POST"])
@staff
def page(request: DeskRequest) -> HttpResponse:
    """The sessions, and for who schedules them the units that the figures of a month propose."""
    if not queries.reads_sessions(request.actor):
        return not_found(request)
    if request.method == "GET":
        return _page(request)
    if request.actor.role not in queries.SCHEDULING:
        return not_found(request)
    model = ACTIONS[queries.SCHEDULE].input
    data, _files = to_data(model, request.POST)
    outcome = perform(queries.SCHEDULE, actor=request.actor, now=request.now, data=data)
    if isinstance(outcome, Refused):
        form = _form(request)(request.POST)
        at_field = show_refusal(form, outcome, model=model, data=data)
        return _page(request, form, None if at_field else outcome, status=422)
    made: Any = outcome.made
    messages.success(request, _("已安排%(unit)s的%(leader)s接听。") % {"unit": made.unit.name, "leader": made.leader})
    return redirect("desk_sessions")


@require_GET
@staff
def one(request: DeskRequest, key: int) -> HttpResponse:
    """One session with the cases taken in during it, as far as the reader may open them."""
    session = queries.find_session(request.actor, key)
    if session is None:
        return not_found(request)
    cases = queries.cases_in(request.actor, session)
    context = {"here": "sessions", "session": session, "rows": rows_of(cases, request.actor, now=request.now)}
    return show(request, "desk/sessions/one.html", context)


def _page(request: DeskRequest, form: Any = None, refused: Refused | None = None, *, status: int = 200) -> HttpResponse:
    actor, today = request.actor, local_date(request.now)
    schedules = actor.role in queries.SCHEDULING
    period, thresholds = _month(request.GET.get("month", ""), today), _thresholds(request.GET)
    proposed = queries.session_candidates(actor, period, now=request.now, thresholds=thresholds)
    if form is None and schedules:
        form = _form(request)(initial=_proposed(request, proposed))
    context = {
        "here": "sessions", "sessions": queries.sessions_of(actor), "today": today, "schedules": schedules,
        "months": _months(today, period.first), "period": period, "thresholds": thresholds, "proposed": proposed,
        "form": form, "refused": refused, "chosen": bool(request.GET.get("unit")) or request.method == "POST",
    }  # fmt: skip
    return show(request, "desk/sessions/page.html", context, status=status)


def _form(request: DeskRequest) -> Any:
    return action_form(queries.SCHEDULE, request.actor.platform)


def _proposed(request: DeskRequest, proposed: Sequence[Any]) -> dict[str, str]:
    """What the form begins with for the unit that the address names."""
    for row, why in proposed:
        if row.unit is not None and row.unit.path == request.GET.get("unit"):
            return {"unit": row.unit.path, "reason": "；".join(why)}
    return {}


def _month(text: str, today: date) -> Period:
    """The month that `text` names, else the last one that is over."""
    try:
        day = date.fromisoformat(f"{text[:7]}-01")
    except ValueError:
        return period_of("month", today).before
    return period_of("month", day) if 2001 <= day.year <= 2999 else period_of("month", today).before


def _months(today: date, chosen: date) -> list[date]:
    """The first days of the present month, of the eleven before it and of the one chosen, the latest first."""
    found = [period_of("month", today)]
    while len(found) < 12:
        found.append(found[-1].before)
    return sorted({chosen, *(one.first for one in found)}, reverse=True)


def _thresholds(given: QueryDict) -> Thresholds:
    """The thresholds of the address; those that make no sense are the usual ones."""
    found = Thresholds()
    for name, highest in HIGHEST.items():
        try:
            value = Decimal(given.get(name, "")[:8])
        except InvalidOperation:
            continue
        if value.is_finite() and 0 <= value <= highest:
            found = replace(found, **{name: int(value) if name == "complaints" else value})
    return found
