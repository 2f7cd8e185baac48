"""Tasks of the actor's unit, and material for those who inspect: lists, pages, forms."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from huying.base.clock import local_date
from huying.cases.commands import ACTIONS, perform
from huying.cases.commands.tasks import mark_material_read
from huying.cases.policies import policy_of
from huying.cases.queries import tasks as queries
from huying.cases.queries.indicators import figures, reads_figures
from huying.core.tasks import kind_of
from huying.core.verdict import Refused
from huying.desk.actor import DeskRequest, staff
from huying.desk.forms import FIND_A_UNIT, LISTED, proposals
from huying.desk.page import not_found, show
from huying.desk.views.figures import asked_of
from huying.policy.model import TaskKind
from huying.ui.forms import Options, form_for, show_refusal, to_data

PAGES = 40
BY_NUMBER = "每行填写一个诉求编号，可以不填。"
STATES: Mapping[str, Mapping[str, str]] = {
    "mine": {"open": "待办", "reported": "已报告", "closed": "已办结"},
    "given": {"draft": "拟交办", "open": "办理中", "reported": "已报告", "closed": "已办结"},
}
"""The lists of each box, in the order in which a task goes through them."""


@require_GET
@staff
def page(request: DeskRequest) -> HttpResponse:
    """One list: what the unit got or what it gave, in one state."""
    actor = request.actor
    if not queries.reads_tasks(actor):
        return not_found(request)
    boxes = _boxes(request)
    box = request.GET.get("box") if request.GET.get("box") in boxes else next(iter(boxes))
    states = STATES[str(box)]
    state = request.GET.get("state", "")
    state = state if state in states else "open"
    number = _page_number(request)
    rows, more = queries.page_of_tasks(actor, box, state, today=local_date(request.now), page=number)  # type: ignore[arg-type]
    context = {
        "here": "tasks", "boxes": boxes, "box": box, "states": states, "state": state, "rows": rows,
        "next": number + 1 if more and number < PAGES else 0, "kinds": _kinds_to_begin(request),
    }  # fmt: skip
    return show(request, "desk/tasks/page.html", context)


@require_http_methods(["GET", "POST"])
@staff
def new(request: DeskRequest) -> HttpResponse:
    """The form of a new task, of one for a clue, or of one that the platform drafted."""
    given = request.GET if request.method == "GET" else request.POST
    kind = next((one for one in queries.gives(request.actor) if one.key == given.get("kind")), None)
    clue, draft = _whole(given.get("clue", "")), _draft(request, given.get("draft", ""))
    if kind is None or (kind.on_clue and not clue) or (given.get("draft") and draft is None):
        return not_found(request)
    make = _assign_form(request, kind)
    if request.method == "GET":
        return _new_shown(request, kind, make(initial=_initial(request, draft)), clue, draft)
    model = ACTIONS["task.assign"].input
    data, _files = to_data(model, request.POST)
    outcome = perform("task.assign", actor=request.actor, now=request.now, data=data)
    if not isinstance(outcome, Refused):
        messages.success(request, _("“%(label)s”已交办。") % {"label": kind.label})
        return redirect(f"{reverse('desk_tasks')}?box=given")
    form = make(request.POST)
    at_field = show_refusal(form, outcome, model=model, data=data)
    return _new_shown(request, kind, form, clue, draft, None if at_field else outcome, status=422)


@require_GET
@staff
def task(request: DeskRequest, key: int) -> HttpResponse:
    """One task, with the form of what the actor does next about it."""
    return _task_shown(request, key)


@require_POST
@staff
def act(request: DeskRequest, key: int, action_id: str) -> HttpResponse:
    """Report on a task, or close it."""
    found = queries.find_task(request.actor, key) if key < 2**63 else None
    if found is None or action_id not in _open_to(request, *found):
        return not_found(request)
    model = ACTIONS[action_id].input
    data, _files = to_data(model, request.POST)
    outcome = perform(action_id, actor=request.actor, now=request.now, data=data | {"task": key})
    if not isinstance(outcome, Refused):
        messages.success(request, _("已报告。") if action_id == "task.report" else _("任务已办结。"))
        return redirect("desk_task", key)
    form = _action_form(action_id, found[0], request)(request.POST)
    at_field = show_refusal(form, outcome, model=model, data=data)
    return _task_shown(request, key, form, None if at_field else outcome, status=422)


def _task_shown(
    request: DeskRequest, key: int, form: forms.Form | None = None, refused: Refused | None = None, *, status: int = 200
) -> HttpResponse:
    found = queries.find_task(request.actor, key) if key < 2**63 else None
    if found is None:
        return not_found(request)
    one, box = found
    action_id = next(iter(_open_to(request, one, box)), "")
    if form is None and action_id:
        form = _action_form(action_id, one, request)()
    context = {
        "here": "tasks", "task": one, "box": box, "kind": kind_of(one.kind, policy_of(request.actor.platform)),
        "late": queries.task_is_late(one, local_date(request.now)), "cases": queries.cases_shown(one, request.actor),
        "clue": queries.clue_shown(one, request.actor), "action_id": action_id, "form": form, "refused": refused,
        "state_word": STATES["mine" if box == "mine" else "given"].get(one.state, one.state),
    }  # fmt: skip
    return show(request, "desk/tasks/task.html", context, status=status)


def _open_to(request: DeskRequest, one: Any, box: str) -> tuple[str, ...]:
    """What the actor may do about the task as it stands."""
    policy, role = policy_of(request.actor.platform), request.actor.role
    wanted = "task.report" if box == "mine" else "task.close"
    rule = policy.action_rules.get(wanted)
    if rule is None or role not in (rule.roles or ACTIONS[wanted].parties):
        return ()
    return (wanted,) if one.state == "open" or (box == "given" and one.state != "closed") else ()


def _action_form(action_id: str, one: Any, request: DeskRequest) -> type[forms.Form]:
    """The report asks what its kind asks; who closes says why, where there is no report yet."""
    leave_out = {"task"}
    kind = kind_of(one.kind, policy_of(request.actor.platform))
    asks = kind.asks if kind else ()
    if action_id == "task.report":
        leave_out |= {"cause", "measures", "completed_on"} - set(asks)
    labels = {"conclusion": "撤回原因"} if action_id == "task.close" and one.state != "reported" else {}
    form = form_for(ACTIONS[action_id].input, action_id=action_id, leave_out=leave_out, labels=labels)
    needed = set(asks) if action_id == "task.report" else set(labels)
    for name in needed:
        form.base_fields[name].is_needed = True  # type: ignore[attr-defined]  # read by ui/_field.html
    return form


# ---- giving a task -----------------------------------------------------------------


def _assign_form(request: DeskRequest, kind: TaskKind) -> type[forms.Form]:
    units = queries.receivers_of(request.actor, kind)
    look: Any = "checks" if kind.to == "line" or len(units) <= LISTED else "several"
    pairs = [(unit.path, _named(unit)) for unit in units]
    if look == "several":
        pairs = proposals(((unit.path, unit.name) for unit in units), look)
    source = f"{reverse('desk_units')}?field=units" if len(units) >= queries.UNITS else ""
    hints = {"cases": BY_NUMBER + "收件单位看不到的诉求，不会因为任务而看到。"}
    if kind.to == "line":
        hints["units"] = "只发给本条线的县区对口部门；一个也不选的，发给全部对口部门。"
    elif look == "several":
        hints["units"] = FIND_A_UNIT
    form = form_for(
        ACTIONS["task.assign"].input, action_id="task.assign", choices={"units": Options(pairs, look, source=source)},
        hints=hints, leave_out={"kind", "clue", "draft"},
    )  # fmt: skip
    form.base_fields["units"].is_needed = kind.to != "line"  # type: ignore[attr-defined]
    form.base_fields["due"].is_needed = kind.due_required  # type: ignore[attr-defined]
    return form


def _named(unit: Any) -> str:
    above = unit.path.rpartition("/")[0]
    return f"{above.replace('/', ' ')} {unit.name}" if above else unit.name


def _new_shown(
    request: DeskRequest, kind: TaskKind, form: forms.Form, clue: int, draft: Any,
    refused: Refused | None = None, *, status: int = 200,
) -> HttpResponse:  # fmt: skip
    context = {
        "here": "tasks", "kind": kind, "form": form, "clue": clue, "draft": draft, "refused": refused,
        "label": policy_of(request.actor.platform).action_rules["task.assign"].label,
    }  # fmt: skip
    return show(request, "desk/tasks/new.html", context, status=status)


def _initial(request: DeskRequest, draft: Any) -> dict[str, Any]:
    """What the platform drafted, to be edited."""
    if draft is None:
        return {}
    cases = [one.number for one in queries.cases_shown(draft, request.actor)]
    return {
        "title": draft.title, "content": draft.content, "units": [draft.unit.path], "due": draft.due_on, "cases": cases
    }  # fmt: skip


def _draft(request: DeskRequest, text: str) -> Any:
    found = queries.find_task(request.actor, _whole(text)) if _whole(text) else None
    return found[0] if found and found[0].state == "draft" else None


def _whole(text: str) -> int:
    """The id in an address; 0 for anything else."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 19 else 0


def _boxes(request: DeskRequest) -> dict[str, str]:
    actor = request.actor
    found = {"mine": "收到的任务"} if actor.role in queries.REPORTING else {}
    return found | ({"given": "交办的任务"} if queries.gives(actor) else {})


def _kinds_to_begin(request: DeskRequest) -> list[TaskKind]:
    """The kinds that are given from this page; one for a clue is begun at the clue."""
    actor = request.actor
    kinds = [kind for kind in queries.gives(actor) if not kind.on_clue]
    return [kind for kind in kinds if kind.to != "line" or queries.counterparts_of(actor)]


def _page_number(request: DeskRequest) -> int:
    return min(max(_whole(request.GET.get("page", "")), 1), PAGES)


# ---- material ----------------------------------------------------------------------


@require_GET
@staff
def materials(request: DeskRequest) -> HttpResponse:
    """Material that the unit sent, or was sent."""
    if not queries.reads_material(request.actor):
        return not_found(request)
    number = _page_number(request)
    rows, more = queries.materials_of(request.actor, page=number)
    context = {
        "here": "tasks", "rows": rows, "next": number + 1 if more and number < PAGES else 0,
        "sends": queries.sends_material(request.actor), "boxes": _boxes(request),
    }  # fmt: skip
    return show(request, "desk/tasks/materials.html", context)


@require_http_methods(["GET", "POST"])
@staff
def new_material(request: DeskRequest) -> HttpResponse:
    """The form of new material; from the figures it begins with what they say of the unit's own line of business."""
    if not queries.sends_material(request.actor):
        return not_found(request)
    make = _material_form(request)
    if request.method == "GET":
        return _material_form_shown(request, make(initial=_sector_report(request)))
    model = ACTIONS["material.submit"].input
    data, _files = to_data(model, request.POST)
    outcome = perform("material.submit", actor=request.actor, now=request.now, data=data)
    if not isinstance(outcome, Refused):
        messages.success(request, _("线索素材已报送。"))
        return redirect("desk_materials")
    form = make(request.POST)
    at_field = show_refusal(form, outcome, model=model, data=data)
    return _material_form_shown(request, form, None if at_field else outcome, status=422)


@require_http_methods(["GET", "POST"])
@staff
def material(request: DeskRequest, key: int) -> HttpResponse:
    """One piece of material; whoever was sent it marks it read."""
    found = queries.find_material(request.actor, key) if key < 2**63 else None
    if found is None:
        return not_found(request)
    if request.method == "POST":
        mark_material_read(request.actor, key, now=request.now)
        return redirect("desk_material", key)
    context = {
        "here": "tasks", "material": found, "cases": queries.cases_shown(found, request.actor),
        "received": request.actor.unit is not None and found.to_id == request.actor.unit.pk,
    }  # fmt: skip
    return show(request, "desk/tasks/material.html", context)


def _material_form(request: DeskRequest) -> type[forms.Form]:
    units = [(unit.path, unit.name) for unit in queries.inspecting_units(request.actor)]
    home = policy_of(request.actor.platform).tree.role_home.get("inspector", "")
    units.sort(key=lambda pair: pair[0] != home)
    return form_for(
        ACTIONS["material.submit"].input, action_id="material.submit", choices={"to": Options(units[:LISTED])},
        hints={"cases": BY_NUMBER, "to": f"不选的，报送{_home_name(units, home)}。", "period": "例如2024年第一季度。"},
    )  # fmt: skip


def _home_name(units: list[tuple[str, str]], home: str) -> str:
    return next((name for path, name in units if path == home), home)


def _sector_report(request: DeskRequest) -> dict[str, str]:
    """The figures of the unit's own line in the period that was looked at, in a sentence to go on from."""
    if "period" not in request.GET or not reads_figures(request.actor):
        return {}
    asked = asked_of(request.GET, local_date(request.now), by="unit")
    total = figures(request.actor, asked.period, "unit", now=request.now).total
    said = {
        "received": "收到诉求{}件",
        "due": "到期{}件",
        "late": "超期{}件",
        "again": "重新交办{}件",
        "bad": "不满意{}件",
    }
    counted = "，".join(text.format(total.counts.get(name, 0)) for name, text in said.items())
    return {"period": asked.period.label, "text": f"{asked.period.label}，本单位{counted}。"}


def _material_form_shown(
    request: DeskRequest, form: forms.Form, refused: Refused | None = None, *, status: int = 200
) -> HttpResponse:
    return show(
        request, "desk/tasks/material_new.html", {"here": "tasks", "form": form, "refused": refused}, status=status
    )
