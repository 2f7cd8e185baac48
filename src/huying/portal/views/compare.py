"""Two regulations side by side, for citizens, for staff, and for a city that thinks of coming."""

import tomllib
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from huying.base import clock
from huying.base.clock import local_date
from huying.cases.commands import ACTIONS
from huying.cases.policies import regulation, version_on
from huying.people.models import Platform
from huying.policy.check import find_regulations
from huying.policy.compare import Topic
from huying.policy.compare import compare as side_by_side
from huying.policy.load import UnclearRegulation
from huying.policy.model import Regulation


@dataclass(frozen=True)
class OnOffer:
    """A regulation that may be compared."""

    id: str
    title: str


@lru_cache(maxsize=1)
def on_offer() -> tuple[OnOffer, ...]:
    """Every regulation whose data lie in this installation, whether a platform runs by it or not."""
    heads = [
        tomllib.loads((folder / "regulation.toml").read_text(encoding="utf-8")).get("info", {})
        for folder in find_regulations(settings.HUYING_REGULATIONS)
    ]
    return tuple(OnOffer(head["id"], head["title"]) for head in heads if "id" in head and "title" in head)


@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """Two regulations topic by topic. The two that are named, else the first two there are."""
    offered = on_offer()
    ids = [one.id for one in offered]
    one = request.GET.get("one", "")
    one = one if one in ids else ids[0]
    other = request.GET.get("other", "")
    other = other if other in ids else next((each for each in ids if each != one), one)
    only = request.GET.get("only") == "1"
    context = {"offered": offered, "ids": (one, other), "only": only, "topics": None}
    try:
        sides = _in_force(one), _in_force(other)
    except UnclearRegulation:
        return render(request, "portal/compare/compare.html", context, status=503)
    topics = _compared(*sides)
    context |= {
        "sides": [
            {"policy": side, "platform": Platform.objects.filter(regulation=side.info.id).first()} for side in sides
        ],
        "topics": topics,
        "differing": sum(topic.differing for topic in topics),
        "points": sum(len(topic.points) for topic in topics),
    }
    return render(request, "portal/compare/compare.html", context)


def _in_force(regulation_id: str) -> Regulation:
    return regulation(regulation_id, version_on(regulation_id, local_date(clock.now())))


_comparisons: dict[tuple[str, str], tuple[Regulation, Regulation, tuple[Topic, ...]]] = {}


def _compared(one: Regulation, other: Regulation) -> tuple[Topic, ...]:
    """The comparison, made once in a process while both regulations stay as they are."""
    key = (one.info.id, other.info.id)
    kept = _comparisons.get(key)
    if kept is None or kept[0] is not one or kept[1] is not other:
        parties = {action.id: action.parties for action in ACTIONS.values()}
        kept = _comparisons[key] = (one, other, side_by_side(one, other, parties))
    return kept[2]
