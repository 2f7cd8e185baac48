"""The registers: sign-in duty, changes of staff, accountability, interviews, bulletins, points."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from huying.base.clock import local_date
from huying.cases.commands import ACTIONS, perform
from huying.cases.commands.registers import ENTRIES, MEASURES, enter, situations_of
from huying.cases.policies import policy_of
from huying.cases.queries import registers
from huying.cases.queries.settings import BONUS, rule_of, setting_of
from huying.core.assessment_items import KNOWLEDGE
from huying.core.verdict import Refused
from huying.desk.actor import DeskRequest, staff
from huying.desk.page import not_found, show
from huying.policy.model import Regulation
from huying.ui.forms import Options, form_for, show_refusal, to_data

ON_THE_PLATFORM = ("bulletin.publish", "score.adjust")
"""Actions of the catalogue that are taken here and on no case."""
POSTS = {"leader": "分管领导", "unit_admin": "平台管理员"}
KINDS = {"quarterly": "季度约谈", "special": "专项约谈"}
CHANGES = {"added": "新增", "revised": "修订", "withdrawn": "停用"}
GROUNDS = {"typical_case": "典型案例奖励"}


@dataclass
class Form:
    """What may be entered on the page, with what was typed when it was refused."""

    id: str
    label: str
    form: Any
    refused: Refused | None = None


@require_GET
@staff
def page(request: DeskRequest) -> HttpResponse:
    """Every register that the actor reads, and a form for each that they keep."""
    if not any(registers.reads(request.actor, name) for name in registers.READERS):
        return not_found(request)
    return _shown(request)


@require_POST
@staff
def enter_one(request: DeskRequest, entry_id: str) -> HttpResponse:
    """Make one entry, or take one of the actions that need no case."""
    known = _enterable(request)
    if entry_id not in known:
        return not_found(request)
    model = _input_of(entry_id)
    data, _files = to_data(model, request.POST)
    if entry_id in ON_THE_PLATFORM:
        outcome: Any = perform(entry_id, actor=request.actor, now=request.now, data=data)
    else:
        outcome = enter(entry_id, data, actor=request.actor, now=request.now)
    if not isinstance(outcome, Refused):
        messages.success(request, f"“{known[entry_id]}”已登记。")
        return redirect(reverse("desk_registers"))
    form = _form(request, entry_id)(request.POST, auto_id=f"{entry_id.replace('.', '-')}-%s")
    refused = None if show_refusal(form, outcome, model=model, data=data) else outcome
    return _shown(request, Form(entry_id, known[entry_id], form, refused), status=422)


def _shown(request: DeskRequest, opened: Form | None = None, *, status: int = 200) -> HttpResponse:
    actor, today = request.actor, local_date(request.now)
    first, last = _month(request.GET.get("month", ""), today)
    policy = policy_of(actor.platform)
    context = {
        "here": "registers", "month": first, "months": _months(today),
        "duty": policy.sign_in, "attendance": registers.attendance(actor, first, last, now=request.now),
        "reporting": policy.staff_change, "reads": {name: registers.reads(actor, name) for name in registers.READERS},
        "changes": registers.staff_changes_of(actor), "accountability": registers.accountability_of(actor),
        "interviews": registers.interviews_of(actor), "candidates": registers.interview_candidates(actor, today),
        "counts_knowledge": _counts_knowledge(policy), "knowledge": registers.knowledge_of(actor),
        "changes_of_knowledge": CHANGES, "scores": registers.scores_of(actor),
        "bulletins": registers.bulletins_of(actor),
        "situations": dict(situations_of(actor)), "measures": MEASURES, "posts": POSTS, "kinds": KINDS,
        "forms": _forms(request, opened),
    }  # fmt: skip
    return show(request, "desk/registers/page.html", context, status=status)


def _month(text: str, today: date) -> tuple[date, date]:
    """The first and the last day of the month that `text` names, else of the present one."""
    try:
        first = date.fromisoformat(f"{text[:7]}-01")
        after = (first + timedelta(days=31)).replace(day=1)
    except (ValueError, OverflowError):
        return _month(f"{today:%Y-%m}", today)
    if not 2000 <= first.year <= 2999:
        return _month(f"{today:%Y-%m}", today)
    return first, after - timedelta(days=1)


def _months(today: date) -> list[date]:
    """The first days of the present month and of the eleven before it."""
    found = [today.replace(day=1)]
    while len(found) < 12:
        found.append((found[-1] - timedelta(days=1)).replace(day=1))
    return found


def _enterable(request: DeskRequest) -> dict[str, str]:
    """What the actor may enter, by id with its label in the regulation's words."""
    actor, policy = request.actor, policy_of(request.actor.platform)
    found = {entry.id: entry.label for entry in ENTRIES.values() if actor.role in entry.roles}
    if policy.staff_change is None:
        found.pop("staff_change.reported", None)
    if not _counts_knowledge(policy):
        found.pop("knowledge.updated", None)
    for action_id in ON_THE_PLATFORM:
        action, rule = ACTIONS.get(action_id), policy.action_rules.get(action_id)
        if action and rule and actor.role in (rule.roles or action.parties):
            found[action_id] = rule.label
    return found


def _counts_knowledge(policy: Regulation) -> bool:
    """Whether the assessment counts changes of the knowledge base."""
    return any(item.indicator == KNOWLEDGE for item in policy.assessment_items)


def _forms(request: DeskRequest, opened: Form | None) -> dict[str, Form]:
    """By the id with a low line, as templates name them."""
    found = {}
    for entry_id, label in _enterable(request).items():
        form = _form(request, entry_id)
        one = Form(entry_id, label, form(initial=_initial(request), auto_id=f"{entry_id.replace('.', '-')}-%s"))
        found[entry_id.replace(".", "_")] = opened if opened and opened.id == entry_id else one
    return found


def _input_of(entry_id: str) -> Any:
    return ACTIONS[entry_id].input if entry_id in ON_THE_PLATFORM else ENTRIES[entry_id].input


def _initial(request: DeskRequest) -> dict[str, str]:
    """A unit reports of itself first of all."""
    unit = request.actor.unit
    return {"unit": unit.path} if unit is not None and request.actor.role in ("unit_admin", "leader") else {}


def _form(request: DeskRequest, entry_id: str) -> Any:
    choices = {
        "unit": Options(registers.units_of(request.actor), "suggest"),
        "points": Options([], "suggest"),
        "post": Options(list(POSTS.items()), "radio"),
        "kind": Options(list(KINDS.items()), "radio"),
        "change": Options(list(CHANGES.items()), "radio"),
        "ground": Options(list(GROUNDS.items())),
        "measure": Options(list(MEASURES.items())),
        "situation": Options(situations_of(request.actor)),
    }
    hints = {
        "points": "加分填正数，扣分填负数。", "case": "有依据的工单的，填写编号。",
        "title": "写明条目名称，每条登记一次。",
        "ground": f"典型案例奖励加{setting_of(request.actor.platform, BONUS)}分，须填写案例的工单编号。",
    }  # fmt: skip
    model = _input_of(entry_id)
    return form_for(
        model, action_id=entry_id, choices={name: one for name, one in choices.items() if name in model.model_fields},
        hints=hints, leave_out=() if rule_of(request.actor.platform, BONUS) else ("ground",),
    )  # fmt: skip
