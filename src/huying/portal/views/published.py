"""公示公开: typical cases with their answers, redacted, for everybody to read."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from huying.base import clock
from huying.cases.queries.publication import find_published, page_of_published
from huying.portal.pages import page, platform_of


@require_safe
def published(request: HttpRequest, slug: str) -> HttpResponse:
    """What was published, newest first, page by page."""
    platform, cursor = platform_of(slug), request.GET.get("cursor", "")[:100]
    found = page_of_published(platform, now=clock.now(), cursor=cursor)
    return page(request, platform, "published/list.html", {"found": found, "cursor": cursor})


@require_safe
def one(request: HttpRequest, slug: str, key: int) -> HttpResponse:
    """One published case: what was asked and what was answered."""
    platform = platform_of(slug)
    found = find_published(platform, key, now=clock.now()) if key < 2**63 else None
    if found is None:
        raise Http404
    return page(request, platform, "published/one.html", {"one": found})
