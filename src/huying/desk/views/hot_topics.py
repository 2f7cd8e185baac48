"""热点: topics that suddenly come more often, complaints that pile up, matters that come again, cases by day."""

from datetime import date, timedelta
from typing import Any

from django.http import HttpResponse, QueryDict
from django.views.decorators.http import require_GET

from huying.base.clock import local_date
from huying.cases.policies import policy_of
from huying.cases.queries.concentrations import concentrations_of, reads_concentrations
from huying.cases.queries.indicators import OWN_UNIT, label_of, reads_figures
from huying.cases.queries.settings import TOPIC_CASES, TOPIC_DAYS, values_of
from huying.cases.queries.trends import by_day, coming_month, concentrated, recurring, surges
from huying.core.periods import between
from huying.core.trends import Surge
from huying.desk.actor import DeskRequest, staff
from huying.desk.page import not_found, show
from huying.desk.views.concentrations import DRAFT, shown

BOUNDS: dict[str, tuple[float, float]] = {"days": (1, 14), "before": (7, 90), "factor": (1, 20), "least": (3, 1000)}

ALERTS = 5
"""So many of the newest alerts; the others stand on their own page."""


@require_GET
@staff
def page(request: DeskRequest) -> HttpResponse:
    """What moves up to a day, with the thresholds that the viewer sets."""
    actor = request.actor
    if not reads_figures(actor) or actor.role in OWN_UNIT:
        return not_found(request)
    day, surge = _day(request.GET, local_date(request.now)), _surge(request.GET)
    policy = policy_of(actor.platform)
    least, within = values_of(actor.platform, TOPIC_CASES, TOPIC_DAYS)
    days = by_day(actor, between(day - timedelta(days=surge.all_days - 1), day))
    context = {
        "alerting": reads_concentrations(actor),
        "alerts": [shown(one, request) for one in concentrations_of(actor, size=ALERTS).rows],
        "month": coming_month(local_date(request.now)) if DRAFT in policy.action_rules else None,
        "here": "hot_topics", "day": day, "surge": surge,
        "warnings": [_shown(one, policy) for one in surges(actor, day, surge)],
        "clusters": concentrated(actor, day, least=least, days=within), "least": least, "within": within,
        "recurring": recurring(actor, day), "days": days,
        "most": max((count for _, count in days), default=0) or 1, "total": sum(count for _, count in days),
    }  # fmt: skip
    return show(request, "desk/hot_topics/page.html", context)


def _shown(warning: Any, policy: Any) -> dict[str, Any]:
    topic = warning.topic
    label = label_of(policy, "category", topic.word) if topic.is_category else topic.word
    return {"topic": topic, "label": label, "area": warning.area.name if warning.area else "地点不明"}


def _day(given: QueryDict, today: date) -> date:
    try:
        day = date.fromisoformat(given.get("on", "")[:10])
    except ValueError:
        return today
    return day if 2001 <= day.year <= 2999 else today


def _surge(given: QueryDict) -> Surge:
    """The thresholds of the address; those that make no sense are the usual ones."""
    found: dict[str, float] = {}
    for name, (low, high) in BOUNDS.items():
        try:
            value = float(given.get(name, "")[:8])
        except ValueError:
            continue
        if low <= value <= high:
            found[name] = value if name == "factor" else int(value)
    return Surge(**found)  # type: ignore[arg-type]
