"""考核: the periods, one period's table with the forms of who runs it, and the file for who uses the results."""

from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from huying.base.clock import local_date
from huying.cases.commands import perform
from huying.cases.commands.assessments import ApproveInput, ScoreInput
from huying.cases.policies import policy_of
from huying.cases.queries.assessments import (
    Sheet,
    assessments_of,
    find_assessment,
    period,
    reads_assessments,
    rules_on,
    runs_assessments,
    sheet_csv,
    sheet_of,
)
from huying.core.periods import Period, ended
from huying.core.verdict import Refused
from huying.desk.actor import DeskRequest, staff
from huying.desk.page import not_found, show
from huying.ui.forms import Options, form_for, show_refusal, to_data

SIZE = 50
"""Units on a page."""


@require_GET
@staff
def periods(request: DeskRequest) -> HttpResponse:
    """The periods that were assessed, the latest first."""
    if not reads_assessments(request.actor):
        return not_found(request)
    return _periods(request)


def _periods(request: DeskRequest, refused: Refused | None = None) -> HttpResponse:
    actor = request.actor
    listed, rule = assessments_of(actor), policy_of(actor.platform).assessment
    last = ended(rule.every, local_date(request.now)) if rule and rule.every else None
    drafted = any(last is not None and one.first == last.first for one in listed)
    context = {
        "here": "assessments", "assessments": listed, "rule": rule, "refused": refused,
        "due": last if runs_assessments(actor) and not drafted else None,
    }  # fmt: skip
    return show(request, "desk/assessment/periods.html", context, status=422 if refused else 200)


@require_POST
@staff
def draft(request: DeskRequest) -> HttpResponse:
    """Draw a period's scores up, or up again."""
    if not runs_assessments(request.actor) or not reads_assessments(request.actor):
        return not_found(request)
    data = {"first": request.POST.get("first", "")[:10]}
    done = perform("assessment.draft", actor=request.actor, now=request.now, data=data)
    if isinstance(done, Refused):
        return _periods(request, done)
    made: Any = done.made
    messages.success(request, f"{made.label}的考核稿已按现有数据计算。")
    return redirect("desk_assessment", key=made.pk)


@require_GET
@staff
def page(request: DeskRequest, key: int) -> HttpResponse:
    """One period: each class with its units, their items, totals and places."""
    found = find_assessment(request.actor, key) if key < 2**62 else None
    return not_found(request) if found is None else _shown(request, found)


@require_POST
@staff
def score(request: DeskRequest, key: int) -> HttpResponse:
    """Give a unit its points for an item that people judge."""
    found = find_assessment(request.actor, key) if key < 2**62 and runs_assessments(request.actor) else None
    if found is None:
        return not_found(request)
    data, _files = to_data(ScoreInput, request.POST)
    data["assessment"] = found.pk
    done = perform("assessment.score", actor=request.actor, now=request.now, data=data)
    if not isinstance(done, Refused):
        messages.success(request, "评分已记录。")
        return redirect(f"{reverse('desk_assessment', args=[key])}#score")
    form = _form(request, sheet_of(request.actor, found))(request.POST)
    at_field = show_refusal(form, done, model=ScoreInput, data=data)
    return _shown(request, found, form=form, refused=None if at_field else done, status=422)


@require_POST
@staff
def approve(request: DeskRequest, key: int) -> HttpResponse:
    """Let the results stand."""
    found = find_assessment(request.actor, key) if key < 2**62 and runs_assessments(request.actor) else None
    if found is None:
        return not_found(request)
    data, _files = to_data(ApproveInput, request.POST)
    done = perform("assessment.approve", actor=request.actor, now=request.now, data=data | {"assessment": found.pk})
    if isinstance(done, Refused):
        return _shown(request, found, refused=done, status=422)
    messages.success(request, f"{found.label}考核结果已审定，不再变动。")
    return redirect("desk_assessment", key=key)


@require_GET
@staff
def export(request: DeskRequest, key: int) -> HttpResponse:
    """The table as a file."""
    found = find_assessment(request.actor, key) if key < 2**62 else None
    if found is None:
        return not_found(request)
    sheet = sheet_of(request.actor, found)
    response = HttpResponse(sheet_csv(sheet), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(f'考核结果-{found.label}')}.csv"
    return response


def _shown(
    request: DeskRequest, found: Any, *, form: Any = None, refused: Refused | None = None, status: int = 200
) -> HttpResponse:
    sheet = sheet_of(request.actor, found)
    runs = runs_assessments(request.actor) and found.state == "draft"
    classes = []
    for number, (label, rows) in enumerate(sheet.classes):
        listed = Paginator(rows, SIZE).get_page(request.GET.get(f"p{number}"))
        classes.append({"label": label, "rows": listed, "param": f"p{number}", "count": len(rows)})
    of: Period = period(found)
    own = [row for _, rows in sheet.classes for row in rows] if not _is_table(sheet) else []
    context = {
        "here": "assessments", "assessment": found, "sheet": sheet, "classes": classes, "period": of, "runs": runs,
        "form": form or (_form(request, sheet)() if runs else None), "refused": refused, "own": own,
        "rule": rules_on(found).assessment,
    }  # fmt: skip
    return show(request, "desk/assessment/page.html", context, status=status)


def _is_table(sheet: Sheet) -> bool:
    """More than the line of one unit."""
    return sum(len(rows) for _, rows in sheet.classes) > 1


def _form(request: DeskRequest, sheet: Sheet) -> Any:
    people = [item for item in sheet.items if item.by == "person"]
    units = [(row.unit.path, row.unit.name) for _, rows in sheet.classes for row in rows]
    judged = [(one.key, f"{one.label}（满分{one.weight}分）") for one in people]
    choices = {"unit": Options(units), "item": Options(judged, "radio")}
    return form_for(ScoreInput, action_id="assessment.score", choices=choices, leave_out=("assessment",))
