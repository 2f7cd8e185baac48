"""Opening a case by its number and query code, and how often that may be tried.

“No such number” and “wrong code” get the same answer after the same work. Every try is counted before the code is
looked at, so that many at once do not get ahead of the count. The limits stand in PostgreSQL and hold for all
processes: for one number from one source, for one source, for one number, and for everybody.
"""

import hashlib
import hmac
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from huying.base.crypto import verify_query_code
from huying.base.ids import clean_case_number, clean_query_code
from huying.cases.models import Case, Throttle
from huying.core.verdict import Refused
from huying.people.actors import Actor
from huying.people.models import Platform


@dataclass(frozen=True)
class Allowance:
    """`free` failures in a row, then a wait that doubles from `first` seconds up to `longest`."""

    free: int
    first: int
    longest: int

    def wait_after(self, failures: int) -> timedelta | None:
        over = failures - self.free
        if over < 0:
            return None
        return timedelta(seconds=min(self.longest, self.first * 2 ** min(over, 20)))


# The longest wait for a number stays short when tries come from several sources, so that nobody can lock an owner out.
ALLOWANCES = {
    "pair": Allowance(5, 15, 1800),
    "source": Allowance(20, 15, 1800),
    "number": Allowance(30, 5, 60),
    "all": Allowance(2000, 1, 30),
}
FORGOTTEN_AFTER = timedelta(hours=2)
NO_MATCH = Refused("not_found", "编号或查询码不正确，请核对后再试。")


def citizen_of(case: Case) -> Actor:
    """Who holds number and code of `case`: a citizen who may see this case and no other."""
    return Actor(id=f"citizen:case-{case.pk}", role="citizen", platform=case.platform, case_ids=frozenset({case.pk}))


def open_by_code(platform: Platform, *, number: str, code: str, source: str, now: datetime) -> Case | Refused:
    """The case of `platform` that number and query code open, or why not. `source` is where the try comes from."""
    cleaned_number, cleaned_code = clean_case_number(number), clean_query_code(code)
    keys = _keys(platform, cleaned_number or number[:80], source)
    wait = _count_try(keys, now)
    if wait:
        minutes, seconds = divmod(math.ceil(wait.total_seconds()), 60)
        words = f"{minutes}分{seconds}秒" if minutes else f"{seconds}秒"
        return Refused("too_many_tries", f"尝试次数过多，请在{words}后再试。")
    # The same look-up and the same hashing whatever was typed; the case itself is read only once it is opened.
    found = Case.objects.filter(platform=platform, number=cleaned_number or "").values_list("pk", "query_code_hash")
    pk, stored = found.first() or (None, None)
    matches = verify_query_code(cleaned_code or "", stored if cleaned_code else None, settings.HUYING_KEYS.pepper)
    if pk is None or not matches:
        return NO_MATCH
    _forgive(keys)
    return Case.objects.select_related("platform").get(pk=pk)


def forget_old_tries(now: datetime) -> int:
    """Delete counts that no longer matter; for the clock worker."""
    return Throttle.objects.filter(last_at__lt=now - FORGOTTEN_AFTER).delete()[0]


def _keys(platform: Platform, number: str, source: str) -> list[tuple[str, str]]:
    def digest(*parts: str) -> str:
        text = "\0".join((str(platform.pk), *parts))
        return hmac.new(settings.HUYING_KEYS.pepper, b"follow\0" + text.encode(), hashlib.sha256).hexdigest()

    # Always in this order, so that two tries never wait for each other.
    return [
        ("pair", digest("pair", number, source)),
        ("source", digest("source", source)),
        ("number", digest("number", number)),
        ("all", digest("all")),
    ]


def _count_try(keys: list[tuple[str, str]], now: datetime) -> timedelta | None:
    """Count one try at each place; the longest wait instead, when one is blocked. Then nothing is counted."""
    with transaction.atomic():
        rows = []
        for scope, key in keys:
            Throttle.objects.bulk_create([Throttle(scope=scope, key=key, last_at=now)], ignore_conflicts=True)
            rows.append(Throttle.objects.select_for_update().get(scope=scope, key=key))
        waits = [row.blocked_until - now for row in rows if row.blocked_until and row.blocked_until > now]
        if waits:
            return max(waits)
        for row in rows:
            row.failures = 1 if now - row.last_at > FORGOTTEN_AFTER else row.failures + 1
            wait = ALLOWANCES[row.scope].wait_after(row.failures)
            row.last_at, row.blocked_until = now, now + wait if wait else None
            row.save(update_fields=["failures", "last_at", "blocked_until"])
    return None


def _forgive(keys: list[tuple[str, str]]) -> None:
    """A try that succeeded was none of the failures."""
    with transaction.atomic():
        for scope, key in keys:
            row = Throttle.objects.select_for_update().filter(scope=scope, key=key).first()
            if row is None:
                continue
            row.failures = 0 if scope == "pair" else max(row.failures - 1, 0)
            row.blocked_until = None if ALLOWANCES[scope].wait_after(row.failures) is None else row.blocked_until
            row.save(update_fields=["failures", "blocked_until"])
