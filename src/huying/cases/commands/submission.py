"""Submitting exactly once: one key makes one case, however often and from however many windows it is pressed.

The row of the key, the case and its receipt come into being in one transaction: a process killed on the way leaves
nothing, and one killed after it leaves a case whose receipt the same key reads again. Of the key only a digest is
kept, and the receipt is sealed by the key itself: neither the database nor its backup gives the query code.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from huying.base import crypto
from huying.cases.commands.perform import Done, perform
from huying.cases.commands.registry import Files
from huying.cases.models import Case, Submission
from huying.core.verdict import Refused
from huying.people.actors import Actor
from huying.people.models import Platform

SHORTEST_KEY, LONGEST_KEY = 16, 200


@dataclass(frozen=True)
class Receipt:
    """What who submits is given: the number to say, and the query code that opens the case."""

    case: Case
    number: str
    query_code: str


def submit_once(
    key: str,
    *,
    actor: Actor,
    now: datetime,
    data: Mapping[str, Any],
    files: Files | None = None,
) -> Done | Refused:
    """Take `case.submit`, unless `key` already did: then the same number and query code come back, and nothing else.

    Two presses at the same moment: one makes the case, the other waits for it. What was refused uses no key up.
    """
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        return Refused("invalid:key", f"防重复提交的标识应为{SHORTEST_KEY}至{LONGEST_KEY}个字符，请重新打开提交页面。")
    with transaction.atomic():
        # Waits here while another transaction holds the same key, until that one has ended.
        row, is_new = Submission.objects.get_or_create(platform=actor.platform, key=_digest(key), defaults={"at": now})
        if not is_new:
            return _again(row, key)
        outcome = perform("case.submit", actor=actor, now=now, data=data, files=files)
        if isinstance(outcome, Refused):
            transaction.set_rollback(True)
            return outcome
        row.case = outcome.case
        row.receipt = _seal(row, key, outcome.extra)
        row.save(update_fields=["case", "receipt"])
        return outcome


def read_receipt(platform: Platform, key: str) -> Receipt | None:
    """The receipt that `key` made, or None when it made none."""
    row = Submission.objects.filter(platform=platform, key=_digest(key)).select_related("case__platform").first()
    if row is None or row.case is None:
        return None
    held = _open(row, key)
    return Receipt(row.case, held["number"], held["query_code"])


def _again(row: Submission, key: str) -> Done:
    assert row.case is not None
    held = _open(row, key)
    return Done(row.case, row.case, {**held, "again": True})


def _digest(key: str) -> str:
    return hashlib.sha256(b"huying submission key\0" + key.encode()).hexdigest()


def _sealing_key(key: str) -> bytes:
    return hmac.new(key.encode(), b"huying submission receipt", hashlib.sha256).digest()


def _aad(row: Submission) -> bytes:
    return f"receipt:{row.platform_id}:{row.key}".encode()


def _seal(row: Submission, key: str, extra: Mapping[str, Any]) -> bytes:
    held = {"number": extra["number"], "query_code": extra["query_code"]}
    return crypto.seal(_sealing_key(key), json.dumps(held).encode(), aad=_aad(row))


def _open(row: Submission, key: str) -> dict[str, str]:
    return dict(json.loads(crypto.open_sealed(_sealing_key(key), bytes(row.receipt), aad=_aad(row))))
