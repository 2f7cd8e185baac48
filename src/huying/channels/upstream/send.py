"""Sending: claim, compose, POST, record. One message is one request; its key lets the other side drop a second copy.

Killed between the request and the record, it is sent again with the same key. Nothing is kept of what the other side
answers but its status: an error page may hold anything.
"""

import json
import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from django.conf import settings

from huying.cases.commands import exchange, nested
from huying.cases.commands.exchange import Claimed
from huying.cases.commands.nested import BadBinding
from huying.cases.queries.exchange import Told, compose
from huying.core.exchange import is_refusal
from huying.people.models import Platform

BATCH = 20
TIMEOUT = 10.0
WITHIN = "platform:"

Carry = Callable[[Claimed], bool]
"""Carries one message and records what came of it; whether the other side answers at all."""

log = logging.getLogger(__name__)


class _NoRedirect(HTTPRedirectHandler):
    """The message goes to the address that was set, with its secret, and nowhere else."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


_opener = build_opener(_NoRedirect)


def send_due(now: Callable[[], datetime], *, should_stop: Callable[[], bool] = lambda: False) -> int:
    """Send what is due to every platform above that has an address; gives how many messages were dealt with.

    Without an address messages wait. While the other side does not answer, one message a round tries it.
    """
    handled = 0
    for name, address in settings.HUYING_UPSTREAMS.items():
        slug, _, upstream = name.partition("/")
        platform = Platform.objects.filter(slug=slug).first()
        if platform is None:
            log.error("there is no platform %s to send messages of", slug)
            continue
        secret = settings.HUYING_UPSTREAM_SECRETS.get(name, "")
        if address.startswith(WITHIN):
            carry = _within(platform, upstream, address.removeprefix(WITHIN), now)
        else:
            carry = partial(_post_message, address=address, secret=secret, now=now)
        handled += _send_all(platform, upstream, carry, now, should_stop)
    return handled


def _send_all(
    platform: Platform, upstream: str, carry: Carry, now: Callable[[], datetime], should_stop: Callable[[], bool]
) -> int:
    handled = 0
    while not should_stop():
        batch = exchange.claim_due(platform, upstream, now=now(), limit=BATCH)
        answers = True
        for claimed in batch:
            if should_stop() or not answers:
                exchange.release(claimed, now=now())
                continue
            if now() >= claimed.leased_until:
                continue  # somebody else may have it by now
            handled += 1
            answers = carry(claimed)
        if len(batch) < BATCH or not answers:
            break
    return handled


def _within(lower: Platform, upstream: str, target: str, now: Callable[[], datetime]) -> Carry:
    """To another platform of this installation; before, what that one handed down is submitted here."""
    try:
        binding = nested.bind(lower, upstream, target)
    except BadBinding as bad:
        problem = str(bad)
        log.error("the settings of %s do not fit: %s", f"{lower.slug}/{upstream}", problem)
        return lambda claimed: _fail(claimed, problem, 400, now)
    for number, why in nested.hand_down(binding, now=now()).left.items():
        log.warning("case %s is left to a person to hand down: %s", number, why)

    def carry(claimed: Claimed) -> bool:
        problem = nested.deliver_up(binding, claimed, now=now())
        return not problem or _fail(claimed, problem, 400, now)

    return carry


def _post_message(claimed: Claimed, *, address: str, secret: str, now: Callable[[], datetime]) -> bool:
    """One message; whether the other side answers at all."""
    told = compose(claimed.id, now=now())
    if told is None:
        return True
    status, problem = _post(told, address, secret)
    if problem:
        return _fail(claimed, problem, status, now)
    exchange.record_sent(claimed, revision=told.revision, now=now())
    return True


def _fail(claimed: Claimed, problem: str, status: int, now: Callable[[], datetime]) -> bool:
    """Record a failure; whether the other side answers at all, and the next message may be tried."""
    exchange.record_failure(claimed, now=now(), problem=problem, is_refused=is_refusal(status))
    return is_refusal(status)


def _post(told: Told, address: str, secret: str) -> tuple[int, str]:
    """The status (0: no answer) and what was wrong, if anything."""
    headers = {"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": told.key}
    if secret:
        headers["Authorization"] = f"Bearer {secret}"
    body = json.dumps(told.body, ensure_ascii=False).encode()
    try:
        with _opener.open(Request(address, data=body, headers=headers, method="POST"), timeout=TIMEOUT) as answer:
            return answer.status, ""
    except HTTPError as error:
        error.close()
        return error.code, f"对方拒收（{error.code}）" if is_refusal(error.code) else f"对方出错（{error.code}）"
    except TimeoutError:
        return 0, "对方没有及时应答"
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        problem = "对方没有及时应答" if isinstance(reason, TimeoutError) else f"连接不上（{type(reason).__name__}）"
        return 0, problem
