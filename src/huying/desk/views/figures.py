"""Figures of a period, the cases behind them, scores, drafts of bulletins, and all of it as files."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote, urlencode

from django.http import HttpResponse, QueryDict
from django.views.decorators.http import require_GET

from huying.base.clock import local_date
from huying.base.text import is_storable
from huying.cases.policies import policy_of
from huying.cases.queries.circular import (
    CLASSES,
    WRITING,
    draft_of,
    due_periods,
    figures_csv,
    items_csv,
    scores_csv,
)
from huying.cases.queries.indicators import DIMENSIONS, LISTED, OWN_UNIT, cases_behind, figures, reads_figures
from huying.cases.queries.queues import keyset
from huying.cases.queries.rows import rows_of
from huying.cases.queries.scorecard import candidates, scorecard
from huying.cases.queries.settings import assessed_areas
from huying.cases.queries.tasks import sends_material
from huying.core.assessment import THIRDS, BadWeights, check_weights, score_formula
from huying.core.assessment_items import had_work
from huying.core.indicators import ASPECTS, COUNTERS, INDICATORS, ROUNDING, Aspect
from huying.core.periods import KINDS, Period, PeriodKind, between, period_of
from huying.desk.actor import DeskRequest, staff
from huying.desk.page import not_found, show
from huying.ui import words

COUNTED = ("received", "due", "late", "again", "bad")
RATED = ("on_time_rate", "closing_rate", "satisfaction_rate")
BARS = ("on_time_rate", "satisfaction_rate")
SHORT = {"received": "收到", "due": "到期", "late": "超期", "again": "重新交办", "bad": "不满意"}
LISTS = {
    "open": "未办结", "late": "超期", "sign_late": "超时签收", "same_day_missed": "当日未办结", "again": "重新交办",
    "bad": "不满意", "returned": "退单", "extended": "延期",
}  # fmt: skip
"""What may be listed of the whole, where there is any."""
DRAFTED: tuple[PeriodKind, ...] = ("day", "week", "month", "quarter")


@dataclass(frozen=True)
class Asked:
    """What the address asks for: the period, by what, and what was wrong with it."""

    period: Period
    by: str
    given: Mapping[str, str]
    problem: str = ""

    @property
    def query(self) -> str:
        """The same again in another address."""
        return urlencode({name: value for name, value in self.given.items() if value})


def asked_of(given: QueryDict, today: date, *, by: str) -> Asked:
    """Read the address; whatever is wrong falls back to the present month, and is said."""
    texts = {name: given.get(name, "").strip()[:20] for name in ("period", "on", "first", "last")}
    texts["by"] = given.get("by", by) if given.get("by") in DIMENSIONS else by
    problem = ""
    try:
        period = _period(texts, today)
    except (ValueError, OverflowError) as wrong:
        period, problem = (
            period_of("month", today),
            str(wrong) if str(wrong).endswith("。") else "日期填写有误，请检查。",
        )
    texts["period"] = period.kind
    if period.kind == "range":
        texts |= {"first": period.first.isoformat(), "last": period.last.isoformat(), "on": ""}
    else:
        texts |= {"first": "", "last": "", "on": texts["on"] if not problem and texts["on"] else today.isoformat()}
    return Asked(period, texts["by"], texts, problem)


def _period(texts: Mapping[str, str], today: date) -> Period:
    kind = next((one for one in KINDS if one == texts["period"]), "month")
    if kind == "range":
        return between(date.fromisoformat(texts["first"]), date.fromisoformat(texts["last"]))
    day = date.fromisoformat(texts["on"]) if texts["on"] else today
    if not 2001 <= day.year <= 2999:
        raise ValueError("日期填写有误，请检查。")
    return period_of(kind, day)


def _asked(request: DeskRequest) -> Asked:
    by = "unit" if request.actor.role in OWN_UNIT else "below"
    return asked_of(request.GET, local_date(request.now), by=by)


# ---- figures ---------------------------------------------------------------------------------------


@require_GET
@staff
def page(request: DeskRequest) -> HttpResponse:
    """The figures of a period by units, kinds, places …, each with its share and the way to its cases."""
    if not reads_figures(request.actor):
        return not_found(request)
    asked = _asked(request)
    table = figures(request.actor, asked.period, asked.by, now=request.now)
    hidden = ("complained_rate",) if request.actor.role in OWN_UNIT else ()
    context = {
        "here": "figures", "asked": asked, "table": table, "rows": [_shown(row, asked.by) for row in table.rows],
        "total": _shown(table.total, ""), "columns": [SHORT[name] for name in COUNTED],
        "rates": [INDICATORS[key].label for key in RATED], "periods": KINDS, "dimensions": DIMENSIONS,
        "indicators": [
            {"rule": one, "value": table.total.rates[one.key], "of": table.total.counts.get(one.of, 0),
             "out_of": table.total.counts.get(one.out_of, 0)}
            for one in INDICATORS.values() if one.key not in hidden
        ],
        "lists": [
            {"counter": name, "label": label, "count": table.total.counts[name]}
            for name, label in LISTS.items() if table.total.counts.get(name)
        ],
        "rounding": ROUNDING, "writes": request.actor.role in WRITING,
        "sends_material": sends_material(request.actor),
    }  # fmt: skip
    return show(request, "desk/figures/page.html", context)


def _shown(row: Any, by: str) -> dict[str, Any]:
    rates = row.rates
    return {
        "label": words.word(row.key, "outcome") if by == "outcome" and row.key else row.label, "key": row.key,
        "counts": [
            {"counter": name, "count": row.counts.get(name, 0), "listed": name in LISTED and row.counts.get(name, 0)}
            for name in COUNTED
        ],
        "rates": [{"value": rates[key], "bar": key in BARS, "label": INDICATORS[key].label} for key in RATED],
    }  # fmt: skip


@require_GET
@staff
def cases(request: DeskRequest) -> HttpResponse:
    """The cases that a figure counts, of those that one may open."""
    if not reads_figures(request.actor):
        return not_found(request)
    asked = _asked(request)
    counter, key = request.GET.get("counter", ""), request.GET.get("key", "")[:120]
    by = asked.by if "key" in request.GET else ""
    if counter not in LISTED or not is_storable(key):
        return not_found(request)
    try:
        found = cases_behind(request.actor, counter, asked.period, now=request.now, by=by, key=key)
    except ValueError:
        return not_found(request)
    listed = keyset(found, "-submitted_at", request.GET.get("cursor", "")[:80])
    more = {"counter": counter, **({"key": key} if by else {})}
    context = {
        "here": "figures", "asked": asked, "title": COUNTERS[counter],
        "rows": rows_of(listed.cases, request.actor, now=request.now), "next": listed.next_cursor,
        "query": f"{asked.query}&{urlencode(more)}",
    }  # fmt: skip
    return show(request, "desk/figures/cases.html", context)


# ---- scores ----------------------------------------------------------------------------------------


@require_GET
@staff
def scores(request: DeskRequest) -> HttpResponse:
    """The scorecards of all units of the viewer's tree, with the weights that the viewer gives."""
    if not reads_figures(request.actor):
        return not_found(request)
    asked, (weights, problem) = _asked(request), _weights(request.GET)
    areas = assessed_areas(request.actor.platform)
    cards = [
        card
        for card in scorecard(request.actor, asked.period, now=request.now, weights=weights, areas=areas)
        if had_work(card.row.counts) or card.score.points
    ]
    own = request.actor.role in OWN_UNIT
    context = {
        "here": "figures", "asked": asked, "periods": KINDS, "aspects": ASPECTS, "problem": problem or asked.problem,
        "weights": [(aspect, label, weights[aspect]) for aspect, label in ASPECTS.items()],
        "cards": [
            {"card": card, "aspects": [card.score.aspects[aspect] for aspect in ASPECTS]} for card in cards
        ],
        "candidates": [] if own else candidates(request.actor, asked.period, now=request.now),
        "by_districts": areas is not None, "formula": score_formula(weights), "classes": {} if own else CLASSES,
        "query": f"{asked.query}&{urlencode({f'w_{aspect}': weight for aspect, weight in weights.items()})}",
    }  # fmt: skip
    return show(request, "desk/figures/scores.html", context, status=422 if problem else 200)


def _weights(given: QueryDict) -> tuple[Mapping[Aspect, Decimal], str]:
    """The weights of the address, or equal ones with what was wrong."""
    if not any(f"w_{aspect}" in given for aspect in ASPECTS):
        return THIRDS, ""
    try:
        weights = {aspect: Decimal(given.get(f"w_{aspect}", "")[:8]) for aspect in ASPECTS}
        check_weights(weights)
    except InvalidOperation:
        return THIRDS, "权重应为数字。"
    except BadWeights as wrong:
        return THIRDS, str(wrong)
    return weights, ""


# ---- bulletins and files ---------------------------------------------------------------------------


@require_GET
@staff
def circular(request: DeskRequest) -> HttpResponse:
    """The draft of a bulletin on a period, to be changed and published; and of which periods one is due."""
    if request.actor.role not in WRITING or not reads_figures(request.actor):
        return not_found(request)
    asked = _asked(request)
    draft = draft_of(request.actor, asked.period, now=request.now)
    context = {
        "here": "figures", "asked": asked, "periods": KINDS, "draft": draft,
        "publishes": "bulletin.publish" in policy_of(request.actor.platform).action_rules,
        "due": due_periods(request.actor, local_date(request.now), DRAFTED),
    }  # fmt: skip
    return show(request, "desk/figures/circular.html", context)


@require_GET
@staff
def export(request: DeskRequest, what: str) -> HttpResponse:
    """A table as a file: the figures as shown, or what goes to an assessment of districts, departments or towns."""
    actor, asked = request.actor, _asked(request)
    if not reads_figures(actor):
        return not_found(request)
    matter, _, of = what.partition("-")
    if what == "figures":
        all_units = asked.by == "unit" and actor.role not in OWN_UNIT
        text = figures_csv(actor, figures(actor, asked.period, asked.by, now=request.now, all_units=all_units))
        return _file(text, f"办理情况-{DIMENSIONS[asked.by]}-{asked.period.label}")
    if of not in CLASSES or actor.role in OWN_UNIT:
        return not_found(request)
    if matter == "scores" and of != "districts":
        weights, _ = _weights(request.GET)
        areas = assessed_areas(actor.platform)
        text = scores_csv(actor, asked.period, of, now=request.now, weights=weights, areas=areas)
        return _file(text, f"考核评分-{CLASSES[of]}-{asked.period.label}")
    if matter == "items":
        return _file(
            items_csv(actor, asked.period, of, now=request.now), f"考核事项-{CLASSES[of]}-{asked.period.label}"
        )
    return not_found(request)


def _file(text: str, name: str) -> HttpResponse:
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}.csv"
    return response
