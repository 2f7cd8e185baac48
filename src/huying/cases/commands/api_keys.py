"""Keys of apps and other platforms. The key itself is shown once and kept by nobody but its holder."""

import hashlib
import secrets
from datetime import datetime

from django.db import transaction

from huying.cases import journal
from huying.cases.models import ApiKey, Case
from huying.cases.policies import policy_of
from huying.people.actors import Actor, system
from huying.people.models import Platform


class UnknownChannel(ValueError):
    """The platform's regulation has no such channel."""


@transaction.atomic
def create_api_key(platform: Platform, channel: str, label: str, *, now: datetime) -> tuple[int, str]:
    """A new key, with its id, that submits by `channel` and does nothing else.

    Raises: UnknownChannel, with the channels that there are.
    """
    channels = [one.key for one in policy_of(platform).channels]
    if channel not in channels:
        raise UnknownChannel(f"没有渠道“{channel}”，可选：{'、'.join(channels)}。")
    key = secrets.token_urlsafe(32)
    row = ApiKey.objects.create(
        platform=platform, channel=channel, label=label[:60], digest=_digest(key), created_at=now
    )
    journal.record_for_platform(
        platform, "api_key.created", actor=system(platform), at=now, api_key=row.pk, channel=channel
    )
    return row.pk, key


@transaction.atomic
def revoke_api_key(platform: Platform, key_id: int, *, now: datetime) -> bool:
    """The key counts no more from now on; False when there is no such key in force."""
    revoked = ApiKey.objects.filter(platform=platform, pk=key_id, revoked_at=None).update(revoked_at=now)
    if revoked:
        journal.record_for_platform(platform, "api_key.revoked", actor=system(platform), at=now, api_key=key_id)
    return bool(revoked)


def actor_of_key(key: str) -> Actor | None:
    """Who holds `key`: an actor that may submit by its channel. None for a key unknown or revoked."""
    row = ApiKey.objects.filter(digest=_digest(key), revoked_at=None).select_related("platform").first()
    return Actor(f"api_key:{row.pk}", "channel", row.platform, channel=row.channel) if row else None


def number_of_external(actor: Actor, external_no: str) -> str:
    """The number of the case that the holder of a key submitted under its own number; empty when there is none."""
    cases = Case.objects.filter(platform=actor.platform, channel=actor.channel, external_no=external_no)
    return (cases.values_list("number", flat=True).first() or "") if actor.channel and external_no else ""


def _digest(key: str) -> str:
    # The key is 256 random bits, so a plain hash is enough: there is nothing to guess.
    return hashlib.sha256(key.encode()).hexdigest()
