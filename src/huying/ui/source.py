"""Where a request comes from, for counting tries: one answer for pages, API and sign-in."""

from django.conf import settings
from django.http import HttpRequest


def source_of(request: HttpRequest) -> str:
    """The address of the source. Behind a proxy the setting names the header that it sets; its last entry counts."""
    return str(request.META.get(settings.HUYING_ADDRESS_FROM, "")).rsplit(",", 1)[-1].strip()
