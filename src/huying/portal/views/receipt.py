"""The receipt: number and query code, shown to whoever holds the key of the submission."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from huying.base import clock
from huying.cases.commands.submission import read_receipt
from huying.cases.follow import citizen_of
from huying.cases.policies import rules_of
from huying.cases.queries.record import case_record
from huying.people.models import Platform
from huying.portal.next_steps import next_steps
from huying.portal.pages import page, platform_of

COOKIE = "receipt"
SALT = "huying portal receipt"
SECONDS = 30 * 60


def hand_receipt(response: HttpResponse, platform: Platform, key: str) -> HttpResponse:
    """Let this browser read the receipt of `key` for half an hour. The key travels in no address."""
    response.set_signed_cookie(
        COOKIE,
        key,
        salt=f"{SALT} {platform.pk}",
        max_age=SECONDS,
        path=f"/p/{platform.slug}/receipt/",
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )
    return response


@require_safe
def receipt(request: HttpRequest, slug: str) -> HttpResponse:
    """Number, query code, and what happens next; again as often as it is reloaded."""
    platform = platform_of(slug)
    key = request.get_signed_cookie(COOKIE, default="", salt=f"{SALT} {platform.pk}", max_age=SECONDS)
    found = read_receipt(platform, key) if key else None
    if found is None:
        return redirect("portal:follow", slug=slug)
    policy = rules_of(found.case)
    context = {
        "receipt": found, "case": found.case, "policy": policy, "steps": list(next_steps(found.case, policy)),
        "record": case_record(found.case, citizen_of(found.case), now=clock.now()),
    }  # fmt: skip
    return page(request, platform, "receipt/receipt.html", context)
