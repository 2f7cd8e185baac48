"""Citizens and the apps that they use: submitting, following, and what the requester may do about their case.

Nothing here reads a cookie: the number and the query code, in the body, are the whole of it.
"""

from typing import Any

from django.http import HttpRequest
from ninja import Status

from huying.api.actors import citizen_case, platform_of, staff_actor
from huying.api.answers import NotDone
from huying.api.body import SentFiles, read_body, take_whole
from huying.api.views.cases import done
from huying.base import clock
from huying.base.text import is_storable
from huying.cases.commands import perform, submission
from huying.cases.commands.api_keys import number_of_external
from huying.cases.commands.registry import Action
from huying.cases.queries.record import case_record
from huying.core.verdict import Refused
from huying.people.actors import Actor

PORTAL = "portal"


def submit(request: HttpRequest, actor: Actor) -> Any:
    """Submit as the holder of a key. A number of the holder's own that was sent before gives the same case again."""
    sent = read_body(request)
    before = _again(actor, sent)
    if before:
        return before
    outcome = perform("case.submit", actor=actor, now=clock.now(), data=sent, files=SentFiles(request))
    if isinstance(outcome, Refused) and outcome.code == "already_done":
        before = _again(actor, sent)  # two of the same arrived together, and the other one was first
        if before:
            return before
    return Status(201, done(outcome, actor))


def _again(actor: Actor, sent: dict[str, Any]) -> Any:
    external_no = sent.get("external_no")
    if not isinstance(external_no, str) or not is_storable(external_no):
        return None
    number = number_of_external(actor, external_no.strip())
    return Status(200, {"number": number}) if number else None


def submit_as_citizen(request: HttpRequest, platform: str, key: str) -> Any:
    """Submit as a citizen, by the portal's channel. The same idempotency key gives the same receipt again."""
    actor = Actor("citizen:api", "citizen", platform_of(platform), channel=PORTAL)
    sent = {"channel": PORTAL, **read_body(request)}
    if sent.get("external_no"):
        raise NotDone(Refused("invalid:external_no", "来源编号只由接入的平台填写。"))
    for name in ("source", "due"):
        if sent.get(name):
            raise NotDone(Refused(f"invalid:{name}", "来源热线和来源期限只由接入的平台填写。"))
    files = SentFiles(request)
    if not key:
        outcome = perform("case.submit", actor=actor, now=clock.now(), data=sent, files=files)
        return Status(201, done(outcome, actor))
    return Status(201, done(submission.submit_once(key, actor=actor, now=clock.now(), data=sent, files=files), actor))


def submit_as_staff(request: HttpRequest, role: str, unit: str) -> Any:
    """Take in a request as an operator or a grid worker."""
    actor = staff_actor(request, role, unit)
    outcome = perform("case.submit", actor=actor, now=clock.now(), data=read_body(request), files=SentFiles(request))
    return Status(201, done(outcome, actor))


def follow(request: HttpRequest, platform: str) -> Any:
    """The citizen's own record of a case."""
    sent = read_body(request)
    case, actor = citizen_case(request, platform, sent.get("number"), sent.get("query_code"))
    return case_record(case, actor, now=clock.now())


def act_as_citizen(request: HttpRequest, action: Action, platform: str) -> Any:
    """Take an action as the requester."""
    sent = read_body(request)
    number, code = sent.pop("number", None), sent.pop("query_code", None)
    version = take_whole(sent, "version")
    case, actor = citizen_case(request, platform, number, code)
    outcome = perform(
        action.id, actor=actor, now=clock.now(), case=case, data=sent, version=version, files=SentFiles(request)
    )
    return done(outcome, actor)
