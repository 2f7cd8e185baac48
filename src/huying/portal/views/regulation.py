"""The regulation in its own words, and beside each article what the platform does about it."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from huying.cases.policies import policy_of
from huying.portal.pages import page, platform_of
from huying.portal.rulebook import book_of
from huying.portal.views.compare import on_offer

LONGEST = 50
"""Characters that may be looked for."""


@require_safe
def regulation(request: HttpRequest, slug: str) -> HttpResponse:
    """Every article to the letter with the rules that rest on it, and what no article says; `q` looks for words."""
    platform = platform_of(slug)
    book, q = book_of(policy_of(platform)), request.GET.get("q", "").strip()[:LONGEST]
    context = {"book": book, "shown": book.search(q) if q else book, "q": q, "others": len(on_offer()) > 1}
    return page(request, platform, "regulation/regulation.html", context)
