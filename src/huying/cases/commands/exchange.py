"""上级平台报送: what the platform above is to be told waits in a table until a carrier takes it there.

Queued in the transaction of the change, so that neither is there without the other. A message says only that there is
something to tell; what is told is composed when it is sent (`cases.queries.exchange`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from huying.cases import journal
from huying.cases.models import Case, UpstreamMessage
from huying.cases.policies import rules_of
from huying.cases.queries.exchange import revision_of
from huying.core.exchange import has_ended, next_try
from huying.people.actors import Actor
from huying.people.models import Platform

LEASE = timedelta(minutes=5)

Row = tuple[int, int, str, str, int | None]


def queue_upstream(cases: Iterable[Case], *, at: datetime, before: str | None = None) -> None:
    """Queue what the platforms above are to learn of the change of each locked case; at most one statement.

    The only way in: every writer of a case calls it after its journal entry. `before` is the state in which the change
    found the case, where it may have ended it. A change that finds the last one still unsent adds nothing: that one
    will tell of both.
    """
    rows = [row for case in cases for row in _messages(case, before)]
    if rows:
        _insert(rows, at)


def _messages(case: Case, before: str | None) -> Iterator[Row]:
    ended = before is not None and has_ended(case.state) and not has_ended(before)
    for rule in rules_of(case).upstreams:
        concerned = not rule.channels or case.channel in rule.channels
        if rule.sends == "every_change":
            if concerned:
                yield case.platform_id, case.pk, rule.key, "change", None
        elif ended:
            if concerned and case.external_no:
                yield case.platform_id, case.pk, rule.key, "result", case.round
            for other in _merged_into(case):  # what was merged ends with its main case
                if not rule.channels or other.channel in rule.channels:
                    yield other.platform_id, other.pk, rule.key, "result", max(case.round, other.round)


def _merged_into(case: Case) -> Iterator[Case]:
    """The cases with a number of the platform above that ended up in `case`, directly or by way of others."""
    reached, todo = {case.pk}, [case.pk]
    while todo:
        found = Case.objects.filter(links_out__other__in=todo, links_out__type="merged").exclude(pk__in=reached)
        todo = []
        for other in found.order_by("pk"):
            reached.add(other.pk)
            todo.append(other.pk)
            if other.external_no:
                yield other


def _insert(rows: Iterable[Row], at: datetime) -> None:
    platforms, cases, upstreams, events, marks = zip(*rows, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            _QUEUE,
            {
                "platforms": list(platforms), "cases": list(cases), "upstreams": list(upstreams),
                "events": list(events), "marks": list(marks), "at": at,
            },
        )  # fmt: skip


# ---- carrying ----------------------------------------------------------------------


@dataclass(frozen=True)
class Claimed:
    """One message in the hands of a carrier until `leased_until`, which also tells it from a later claim."""

    id: int
    case_id: int
    upstream: str
    event: str
    attempts: int
    leased_until: datetime


def claim_due(
    platform: Platform, upstream: str, *, now: datetime, limit: int, lease: timedelta = LEASE
) -> list[Claimed]:
    """Take up to `limit` due messages for one upstream; nobody else gets them before the lease is over."""
    until = now + lease
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM, {"until": until, "platform": platform.pk, "upstream": upstream, "now": now, "limit": limit}
        )
        found = sorted(cursor.fetchall())
    return [Claimed(pk, case, upstream, event, attempts, until) for pk, case, event, attempts in found]


def record_sent(claimed: Claimed, *, revision: int, now: datetime) -> None:
    """It arrived as the case was at journal entry `revision`. Changed meanwhile, the case is to be told of again.

    The case is locked first, so that a change under way is either seen here, or finds the message sent.
    """
    with transaction.atomic():
        case = Case.objects.select_for_update(of=("self",)).get(pk=claimed.case_id)
        waiting = UpstreamMessage.objects.filter(pk=claimed.id, sent_at=None)
        sent = waiting.update(sent_at=now, next_at=None, error="")
        if sent and claimed.event == "change" and revision_of(case) > revision:
            _insert([(case.platform_id, case.pk, claimed.upstream, "change", None)], now)


def record_failure(claimed: Claimed, *, now: datetime, problem: str, is_refused: bool = False) -> None:
    """Try again later, for ever: what was refused rarely, the rest with growing waits."""
    _held(claimed, next_at=next_try(now, claimed.attempts, is_refused=is_refused), error=problem[:200])


def release(claimed: Claimed, *, now: datetime) -> None:
    """Give a claimed message back untried."""
    _held(claimed, next_at=now, attempts=claimed.attempts - 1)


@transaction.atomic
def retry_now(actor: Actor, *, now: datetime) -> int:
    """Let everything of the platform that failed be tried at once; gives how many."""
    failed = UpstreamMessage.objects.filter(platform=actor.platform, next_at__gt=now, sent_at=None).exclude(error="")
    count = failed.update(next_at=now)
    if count:
        journal.record_for_platform(actor.platform, "upstream.retried", actor=actor, at=now, count=count)
    return count


def _held(claimed: Claimed, **values: object) -> None:
    UpstreamMessage.objects.filter(pk=claimed.id, sent_at=None, next_at=claimed.leased_until).update(**values)


_QUEUE = """
INSERT INTO cases_upstreammessage (platform_id, case_id, upstream, event, mark, at, next_at, attempts, error)
SELECT new.platform, new.case_id, new.upstream, new.event,
       coalesce(new.mark, (SELECT max(seq) FROM cases_journalentry entry WHERE entry.case_id = new.case_id), 0),
       %(at)s, %(at)s, 0, ''
  FROM unnest(%(platforms)s::bigint[], %(cases)s::bigint[], %(upstreams)s::text[], %(events)s::text[],
              %(marks)s::integer[]) AS new (platform, case_id, upstream, event, mark)
 WHERE new.event <> 'change' OR NOT EXISTS (
       SELECT 1 FROM cases_upstreammessage waiting
        WHERE waiting.case_id = new.case_id AND waiting.upstream = new.upstream AND waiting.event = 'change'
          AND waiting.sent_at IS NULL)
    ON CONFLICT DO NOTHING
"""

_CLAIM = """
UPDATE cases_upstreammessage
   SET attempts = attempts + 1, next_at = %(until)s
 WHERE id IN (
        SELECT id FROM cases_upstreammessage
         WHERE platform_id = %(platform)s AND upstream = %(upstream)s AND next_at <= %(now)s
         ORDER BY next_at, id
         LIMIT %(limit)s
           FOR UPDATE SKIP LOCKED)
RETURNING id, case_id, event, attempts
"""
