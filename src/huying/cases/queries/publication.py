"""What everybody may read: published texts and nothing of the case behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from huying.cases.models.publication import Publication
from huying.core.publication import SENSITIVE_FLAGS
from huying.people.models import Platform

PAGE = 20


@dataclass(frozen=True)
class Published:
    """One publication as the public gets it: no number, no names, no dates of the case itself."""

    key: int
    title: str
    content: str
    reply: str
    public_at: datetime


@dataclass(frozen=True)
class PublishedPage:
    """One page, newest first, and the cursor of the next one (empty at the end)."""

    rows: Sequence[Published]
    next_cursor: str


def page_of_published(platform: Platform, *, now: datetime, cursor: str = "") -> PublishedPage:
    """One page of what is public now, by its own index: neither cases nor earlier pages make it slower."""
    rows = _public(platform, now)
    if cursor:
        value, _, pk = cursor.rpartition("|")
        try:
            at, last = datetime.fromisoformat(value), int(pk)
        except ValueError:
            return PublishedPage([], "")
        if at.tzinfo is None or last >= 2**63:
            return PublishedPage([], "")
        rows = rows.filter(Q(public_at__lt=at) | Q(public_at=at, pk__lt=last), public_at__lte=at)
    found = list(rows.order_by("-public_at", "-pk")[: PAGE + 1])
    last_row = found[PAGE - 1] if len(found) > PAGE else None
    return PublishedPage(
        [_shown(row) for row in found[:PAGE]],
        f"{last_row.public_at.isoformat()}|{last_row.pk}" if last_row else "",
    )


def find_published(platform: Platform, key: int, *, now: datetime) -> Published | None:
    """One publication, if it is public now."""
    row = _public(platform, now).filter(pk=key).first()
    return _shown(row) if row else None


def _public(platform: Platform, now: datetime) -> QuerySet[Publication]:
    """Standing, its day come, and of a case that has not become one to be kept quiet since."""
    rows = Publication.objects.filter(platform=platform, withdrawn_at__isnull=True, public_at__lte=now)
    for flag in SENSITIVE_FLAGS:
        rows = rows.exclude(case__flags__contains={flag: True})
    return rows.filter(case__confidential=False).only("title", "content", "reply", "public_at")


def _shown(row: Publication) -> Published:
    return Published(row.pk, row.title, row.content, row.reply, row.public_at)
