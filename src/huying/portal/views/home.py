"""The front of the installation, where a citizen finds their platform, and the start page of a platform."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from huying.base.text import is_storable
from huying.cases.policies import policy_of
from huying.people.models import Platform, Unit
from huying.policy.model import Regulation
from huying.portal.next_steps import promises
from huying.portal.pages import page, platform_of
from huying.portal.places import LONGEST, TERRITORY

MOST = 12
"""Places shown for one platform."""


@dataclass(frozen=True)
class Found:
    """A platform on the front page, with the places of it that were looked for, innermost name last."""

    platform: Platform
    policy: Regulation
    places: Sequence[str] = ()

    @property
    def kinds(self) -> str:
        return "、".join(kind.label for kind in self.policy.kinds)


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """The only platform's start page; of several, the list, found by the platform's name or by a place."""
    platforms = list(Platform.objects.order_by("name"))
    if len(platforms) == 1:
        return _start(request, platforms[0])
    q = request.GET.get("q", "").strip()[:LONGEST]
    found = _find(platforms, q) if q and is_storable(q) else [Found(one, policy_of(one)) for one in platforms]
    context = {"found": found, "q": q, "any": bool(platforms)}
    return render(request, "portal/home/platforms.html", context)


@require_safe
def start(request: HttpRequest, slug: str) -> HttpResponse:
    """What this is, and where to go."""
    return _start(request, platform_of(slug))


def _start(request: HttpRequest, platform: Platform) -> HttpResponse:
    return page(request, platform, "home/start.html", {"promises": promises(policy_of(platform))})


def _find(platforms: Sequence[Platform], text: str) -> list[Found]:
    """The platforms whose own name holds `text`, and those with a place of that name."""
    found = []
    for one in platforms:
        policy = policy_of(one)
        units = Unit.objects.filter(platform=one, name__contains=text, kind__in=TERRITORY).order_by("left")
        places = [path.replace("/", " ") for path in units.values_list("path", flat=True)[:MOST]]
        if places or any(text in name for name in (one.name, policy.info.title, policy.tree.root)):
            found.append(Found(one, policy, places))
    return found
