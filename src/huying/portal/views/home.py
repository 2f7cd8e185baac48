"""The front of the installation and the start page of a platform."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from huying.people.models import Platform
from huying.portal.pages import page, platform_of


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """The only platform's start page, or the list of platforms."""
    platforms = list(Platform.objects.order_by("name"))
    if len(platforms) == 1:
        return page(request, platforms[0], "home/start.html")
    return render(request, "portal/home/platforms.html", {"platforms": platforms})


@require_safe
def start(request: HttpRequest, slug: str) -> HttpResponse:
    """What this is, and where to go."""
    return page(request, platform_of(slug), "home/start.html")
