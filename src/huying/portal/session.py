"""Which case a visitor opened by number and code. The server keeps it, for half an hour since the last look."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from huying.cases.access import visible_cases
from huying.cases.follow import citizen_of
from huying.people.actors import Actor
from huying.people.models import Platform

KEY = "portal_case"
SECONDS = 30 * 60


@dataclass(frozen=True)
class Opened:
    """The case that was opened, and the citizen who opened it."""

    case: Any
    actor: Actor


def remember(request: HttpRequest, case: Any, now: datetime) -> None:
    """Keep that this visitor opened `case`; under a new session key, so that nobody planted it."""
    request.session.cycle_key()
    request.session[KEY] = {
        "platform": case.platform_id,
        "case": case.pk,
        "until": now.timestamp() + SECONDS,
    }


def opened(request: HttpRequest, platform: Platform, now: datetime) -> Opened | None:
    """The case that this visitor opened on `platform` and may still see; None when none or too long ago."""
    held = request.session.get(KEY)
    if not held or held["platform"] != platform.pk or held["until"] <= now.timestamp():
        return None
    citizen = Actor(
        id=f"citizen:case-{held['case']}", role="citizen", platform=platform, case_ids=frozenset({held["case"]})
    )
    case = visible_cases(citizen).select_related("platform", "holder", "place_unit").filter(pk=held["case"]).first()
    if case is None:
        return None
    # Prolonged at most once a minute, so that looking does not write each time.
    if held["until"] < now.timestamp() + SECONDS - 60:
        request.session[KEY] = {**held, "until": now.timestamp() + SECONDS}
    return Opened(case, citizen_of(case))


def forget(request: HttpRequest) -> None:
    """Close the case in this browser."""
    request.session.pop(KEY, None)
