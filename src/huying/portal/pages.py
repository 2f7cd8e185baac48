"""What every page of the portal knows: its platform, the regulation, which tab is current."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from huying.cases.policies import policy_of
from huying.people.models import Platform


def platform_of(slug: str) -> Platform:
    """The platform at `/p/<slug>/`; no such page when there is none."""
    platform = Platform.objects.filter(slug=slug).first()
    if platform is None:
        raise Http404
    return platform


def page(
    request: HttpRequest, platform: Platform, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """A page of the portal of `platform`."""
    shared = {
        "platform": platform,
        "policy": policy_of(platform),
        "page": template.partition("/")[0],
        "several": Platform.objects.exclude(pk=platform.pk).exists(),
    }
    return render(request, f"portal/{template}", {**shared, **(context or {})}, status=status)
