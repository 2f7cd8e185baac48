"""Spot checks: drawing a sample of closed cases, and writing down what a look into each of them found."""

import secrets
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from huying.base.clock import local_date
from huying.cases.commands.sample import CheckInput, make_checks, record_check
from huying.cases.policies import policy_of
from huying.cases.queries.rows import rows_of
from huying.cases.queries.sample import CHECKING, SAMPLING, Draw, checks_of, draw_sample, find_check, methods_of
from huying.cases.queries.settings import SAMPLE, setting_of
from huying.core.verdict import Refused
from huying.desk.actor import DeskRequest, staff
from huying.desk.page import not_found, show
from huying.ui.forms import Options, form_for, show_refusal, to_data

METHODS = {"file": "调阅档案", "phone": "电话回访", "visit": "上门走访", "site": "实地察看", "survey": "问卷"}
FINDINGS = {"sound": "办理规范、情况属实", "faulty": "存在问题"}


@require_GET
@staff
def sample(request: DeskRequest) -> HttpResponse:
    """The form with a fresh seed; with all of it given, the draw. The address is the draw, to be kept and shared."""
    if request.actor.role not in SAMPLING:
        return not_found(request)
    asked = _asked(request)
    context: dict[str, Any] = {
        "asked": asked, "here": "sample", "channels": policy_of(request.actor.platform).channels,
        "fresh": secrets.token_hex(4), "may_check": request.actor.role in CHECKING,
    }  # fmt: skip
    if "seed" in request.GET:
        context |= _drawn(request, asked)
    return show(request, "desk/sample/page.html", context, status=422 if context.get("problem") else 200)


@require_POST
@staff
def start(request: DeskRequest) -> HttpResponse:
    """Make a check for each case of the draw."""
    if request.actor.role not in CHECKING:
        return not_found(request)
    draw = _draw_of({name: request.POST.get(name, "").strip()[:100] for name in usual(request)})
    made = Refused("invalid:seed", draw) if isinstance(draw, str) else make_checks(request.actor, draw, now=request.now)
    if isinstance(made, Refused) or isinstance(draw, str):
        messages.error(request, made.reason if isinstance(made, Refused) else str(draw))
        return redirect("desk_sample")
    messages.success(request, f"已建立抽查单{made}张。" if made else "这次抽取的抽查单已经建立过了。")
    return redirect(f"{reverse('desk_checks')}?{urlencode({'seed': draw.seed})}")


@require_GET
@staff
def checks(request: DeskRequest) -> HttpResponse:
    """What was drawn and what was found."""
    if request.actor.role not in SAMPLING:
        return not_found(request)
    seed = request.GET.get("seed", "")[:60]
    context = {
        "here": "sample", "seed": seed, "checks": checks_of(request.actor, seed=seed), "methods": METHODS,
        "findings": FINDINGS, "may_check": request.actor.role in CHECKING,
    }  # fmt: skip
    return show(request, "desk/sample/checks.html", context)


@require_http_methods(["GET", "POST"])
@staff
def check(request: DeskRequest, key: int) -> HttpResponse:
    """The form of one check, with the methods of its case's channel."""
    found = find_check(request.actor, key) if key < 2**63 else None
    if found is None:
        return not_found(request)
    make = _form_of(found)
    if request.method == "GET":
        return _check_shown(request, found, None if found.checked_at else make())
    data, _files = to_data(CheckInput, request.POST)
    outcome = record_check(request.actor, key, data, now=request.now)
    if not isinstance(outcome, Refused):
        messages.success(request, "已登记。")
        return redirect(f"{reverse('desk_checks')}?{urlencode({'seed': found.seed})}")
    form = make(request.POST)
    at_field = show_refusal(form, outcome, model=CheckInput, data=data)
    return _check_shown(request, found, form, None if at_field else outcome, status=422)


def _form_of(found: Any) -> Any:
    choices = {
        "method": Options([(one, METHODS[one]) for one in methods_of(found.case)], "radio"),
        "finding": Options(list(FINDINGS.items()), "radio"),
    }
    hints = {"satisfied": "问过诉求人的才填写。"}
    return form_for(CheckInput, choices=choices, hints=hints)


def _check_shown(
    request: DeskRequest, found: Any, form: Any, refused: Refused | None = None, *, status: int = 200
) -> HttpResponse:
    context = {
        "here": "sample", "check": found, "form": form, "refused": refused, "methods": METHODS, "findings": FINDINGS
    }  # fmt: skip
    return show(request, "desk/sample/check.html", context, status=status)


def usual(request: DeskRequest) -> dict[str, str]:
    """What the form begins with: last month."""
    month = local_date(request.now).replace(day=1)
    before, rate = month - timedelta(days=1), str(setting_of(request.actor.platform, SAMPLE))
    return {
        "first": before.replace(day=1).isoformat(), "last": before.isoformat(), "rate": rate, "seed": "",
        "channel": "",
    }  # fmt: skip


def _asked(request: DeskRequest) -> dict[str, str]:
    return {name: request.GET.get(name, value).strip()[:100] for name, value in usual(request).items()}


def _drawn(request: DeskRequest, asked: dict[str, str]) -> dict[str, Any]:
    draw = _draw_of(asked)
    if isinstance(draw, str):
        return {"problem": draw}
    found = draw_sample(request.actor, draw)
    return {"sample": found, "rows": rows_of(found.cases, request.actor, now=request.now), "draw": draw}


def _draw_of(asked: dict[str, str]) -> Draw | str:
    """The draw that was asked for, or what is wrong with it."""
    try:
        first, last = date.fromisoformat(asked["first"]), date.fromisoformat(asked["last"])
        draw = Draw(first, last, int(asked["rate"]), asked["seed"], asked["channel"])
    except ValueError:
        return "日期或者比例填写有误，请检查。"
    return draw.problem or draw
