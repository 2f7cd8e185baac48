"""查询进度: number and query code in the body of a request, and the way out."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from huying.base import clock
from huying.cases.follow import open_by_code
from huying.core.verdict import Refused
from huying.portal import session
from huying.portal.pages import page, platform_of
from huying.ui.source import source_of


@sensitive_post_parameters("number", "code")
@require_http_methods(["GET", "HEAD", "POST"])
def follow(request: HttpRequest, slug: str) -> HttpResponse:
    """The form; with number and code the case is open in this browser for half an hour."""
    platform, now = platform_of(slug), clock.now()
    if request.method != "POST":
        return page(request, platform, "follow/form.html", {"has_open": session.opened(request, platform, now)})
    found = open_by_code(
        platform,
        number=request.POST.get("number", ""),
        code=request.POST.get("code", ""),
        source=source_of(request),
        now=now,
    )
    if isinstance(found, Refused):
        status = 429 if found.code == "too_many_tries" else 422
        return page(request, platform, "follow/form.html", {"refused": found}, status=status)
    session.remember(request, found, now)
    return redirect("portal:case", slug=slug)


@require_POST
def leave(request: HttpRequest, slug: str) -> HttpResponse:
    """Close the case in this browser."""
    session.forget(request)
    return redirect("portal:start", slug=platform_of(slug).slug)
