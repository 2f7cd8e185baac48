"""集中反映: alerts of many matters alike, with the cases that the reader may open and the tasks that came of them."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from huying.base.clock import local_date
from huying.cases.commands import ACTIONS, perform
from huying.cases.policies import policy_of
from huying.cases.queries import concentrations as queries
from huying.cases.queries.indicators import OWN_UNIT, label_of, reads_figures
from huying.cases.queries.rows import rows_of
from huying.cases.queries.tasks import find_task
from huying.cases.queries.trends import coming_month, forecast
from huying.core.verdict import Refused
from huying.desk.actor import DeskRequest, staff
from huying.desk.forms import action_form
from huying.desk.page import not_found, show
from huying.ui.forms import show_refusal, to_data

DRAFT = "task.draft"


@require_GET
@staff
def page(request: DeskRequest) -> HttpResponse:
    """The alerts of the reader's tree, newest first."""
    if not queries.reads_concentrations(request.actor):
        return not_found(request)
    listed = queries.concentrations_of(request.actor, cursor=request.GET.get("cursor", ""))
    context = {
        "here": "concentrations", "alerts": [shown(one, request) for one in listed.rows], "next": listed.next_cursor,
        "later": bool(request.GET.get("cursor")), "rules": policy_of(request.actor.platform).concentrations,
        "drafts": drafts(request),
    }  # fmt: skip
    return show(request, "desk/concentrations/page.html", context)


@require_GET
@staff
def one(request: DeskRequest, key: int) -> HttpResponse:
    """One alert with those of its cases that the reader may open."""
    row = queries.find_concentration(request.actor, key)
    if row is None:
        return not_found(request)
    cases = queries.cases_of(request.actor, row)
    context = {
        "here": "concentrations", "alert": shown(row, request), "rows": rows_of(cases, request.actor, now=request.now),
        "most": queries.CASES,
    }  # fmt: skip
    return show(request, "desk/concentrations/one.html", context)


def shown(row: Any, request: DeskRequest) -> dict[str, Any]:
    """An alert as lists show it, with its rule, if the regulation still has it."""
    policy = policy_of(request.actor.platform)
    rule = next((one for one in policy.concentrations if one.key == row.rule), None)
    return {
        "row": row, "label": label_of(policy, "category", row.category), "rule": rule, "tasks": list(row.tasks.all()),
        "counted": f"{row.count} {'人' if rule is not None and rule.persons else '件'}",
    }  # fmt: skip


# ---- what may come in the coming month ---------------------------------------------------------------


def drafts(request: DeskRequest) -> bool:
    """Whether the actor may draft a task from a forecast."""
    actor = request.actor
    rule, action = policy_of(actor.platform).action_rules.get(DRAFT), ACTIONS[DRAFT]
    allowed = rule is not None and actor.role in (rule.roles or action.parties)
    return allowed and actor.unit is not None and actor.unit.kind == "centre"


@require_http_methods(["GET", "POST"])
@staff
def season(request: DeskRequest) -> HttpResponse:
    """What stood out in the same month of last year, and the form by which a task is drafted from it."""
    actor = request.actor
    reads = reads_figures(actor) and actor.role not in OWN_UNIT
    if not (reads or drafts(request)) or DRAFT not in policy_of(actor.platform).action_rules:
        return not_found(request)
    if request.method == "GET":
        return _season(request)
    if not drafts(request):
        return not_found(request)
    model = ACTIONS[DRAFT].input
    data, _files = to_data(model, request.POST)
    outcome = perform(DRAFT, actor=actor, now=request.now, data=data)
    if isinstance(outcome, Refused):
        form = _form(request)(request.POST)
        at_field = show_refusal(form, outcome, model=model, data=data)
        return _season(request, form, None if at_field else outcome, status=422)
    made: Any = outcome.made
    messages.success(request, _("任务已经拟好，由分办员或者督办员交办。"))
    return redirect("desk_task", made.pk) if find_task(actor, made.pk) else redirect("desk_season")


def _form(request: DeskRequest) -> Any:
    return action_form(DRAFT, request.actor.platform, leave_out=("kind",))


def _season(
    request: DeskRequest, form: Any = None, refused: Refused | None = None, *, status: int = 200
) -> HttpResponse:
    actor, month = request.actor, coming_month(local_date(request.now))
    policy = policy_of(actor.platform)
    expected = [
        {"peak": one.peak, "unit": one.unit, "label": label_of(policy, "category", one.peak.topic)}
        for one in (forecast(actor, month) if reads_figures(actor) or drafts(request) else ())
    ]
    if form is None and drafts(request):
        form = _form(request)(initial=_proposed(request, expected, month))
    context = {
        "here": "hot_topics", "month": month, "expected": expected, "form": form, "refused": refused,
        "chosen": bool(request.GET.get("topic")) or request.method == "POST",
    }  # fmt: skip
    return show(request, "desk/concentrations/season.html", context, status=status)


def _proposed(request: DeskRequest, expected: list[dict[str, Any]], month: Any) -> dict[str, str]:
    """What the form begins with for the topic that the address names."""
    chosen = next((one for one in expected if one["peak"].topic == request.GET.get("topic")), None)
    if chosen is None:
        return {}
    peak, label = chosen["peak"], chosen["label"]
    return {
        "unit": chosen["unit"].path if chosen["unit"] is not None else "",
        "title": _("%(month)d月“%(topic)s”问题主动治理") % {"month": month.month, "topic": label},
        "content": _(
            "去年%(month)d月“%(topic)s”的诉求有%(count)d件，全年平均每月%(mean)s件。"
            "请在%(month)d月到来前排查隐患，主动治理，减少同类问题发生。"
        ) % {"month": month.month, "topic": label, "count": peak.count, "mean": peak.mean},
    }  # fmt: skip
