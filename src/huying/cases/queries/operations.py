"""运行监控: the ages of what waits, measured by indexes; and how the platform is used. No person and no case in it."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from huying.base.clock import local_date, start_of_day
from huying.cases.models import Case, Delivery, OperationsAlert, TimeLimit, UpstreamMessage
from huying.cases.models.case import OPEN_STATES
from huying.cases.policies import policy_of
from huying.core.operations import KINDS, Running
from huying.people.actors import Actor
from huying.people.models import Platform, SignIn

OPERATING = ("admin", "auditor")
"""Who reads the page; only the first also lets messages be tried again."""
CAP = 1000
"""Nothing is counted beyond: more is told as so many or more."""
LAST_MAILS = 500
PAST = 20


@dataclass(frozen=True)
class Exchange:
    """How one platform above is doing: what waits for it, since when, and what was last wrong."""

    key: str
    label: str
    has_address: bool
    waiting: int
    failing: int
    oldest: datetime | None
    error: str
    last_sent: datetime | None


@dataclass(frozen=True)
class Usage:
    """How much the platform is used today, and what it has in hand. A number of `CAP` means so many or more."""

    received: int
    closed: int
    staff: int
    in_hand: Sequence[tuple[str, int]]


def measure(now: datetime) -> Running:
    """What the monitor judges, of the whole installation."""
    worker_seen, due_job, failed = _jobs(now)
    tried, failed_mails = _mails(now)
    messages = _with_address()
    waiting = [row for rows in messages for row in rows[:CAP]]
    errors = [row for row in waiting if row.error]
    return Running(
        now=now,
        due_limit=_oldest(TimeLimit.objects.filter(next_at__lte=now), now),
        due_job=due_job,
        worker_seen=worker_seen,
        failed_jobs=failed,
        due_mail=_oldest(Delivery.objects.filter(next_at__lte=now), now),
        mail_tried=tried,
        mail_failed=failed_mails,
        due_message=min((row.at for row in waiting), default=None),
        message_error=max(errors, key=lambda row: row.pk).error if errors else "",
        disk_percent=_disk(settings.HUYING_FILES),
    )


def standing_alerts() -> QuerySet[OperationsAlert]:
    """What is wrong now, the longest standing first."""
    return OperationsAlert.objects.filter(ended_at=None).order_by("began_at", "pk")


def past_alerts() -> QuerySet[OperationsAlert]:
    """What was wrong lately, the latest first."""
    return OperationsAlert.objects.filter(ended_at__isnull=False).order_by("-began_at", "-pk")[:PAST]


def label_of(kind: str) -> str:
    return KINDS[kind][0] if kind in KINDS else kind


def advice_for(kind: str) -> str:
    return KINDS[kind][1] if kind in KINDS else ""


def reads_operations(actor: Actor) -> bool:
    """Whether the actor may see how the platform runs."""
    return actor.role in OPERATING


def exchanges(platform: Platform) -> list[Exchange]:
    """Every platform above that the regulation knows."""
    return [_exchange(platform, rule.key, rule.label) for rule in policy_of(platform).upstreams]


def usage(platform: Platform, now: datetime) -> Usage:
    """Counted by indexes and up to `CAP`, so that it costs the same however many cases there are."""
    today = start_of_day(local_date(now))
    cases = Case.objects.filter(platform=platform)
    return Usage(
        received=cases.filter(submitted_at__gte=today)[:CAP].count(),
        closed=cases.filter(closed_at__gte=today)[:CAP].count(),
        staff=SignIn.objects.filter(on=local_date(now), account__platform=platform).count(),
        in_hand=[(state, cases.filter(state=state)[:CAP].count()) for state in OPEN_STATES],
    )


# ---- inside ------------------------------------------------------------------------


def _oldest(due: QuerySet[TimeLimit] | QuerySet[Delivery], now: datetime) -> datetime | None:
    return due.order_by("next_at", "pk").values_list("next_at", flat=True).first()


def _jobs(now: datetime) -> tuple[datetime | None, datetime | None, int]:
    """When a worker was last alive, since when the oldest job waits, and how many jobs failed in the last hour."""
    with connection.cursor() as cursor:
        cursor.execute(_WORKERS)
        heartbeat, tick = cursor.fetchone()
        cursor.execute(_WAITING_JOB, {"now": now})
        waiting = cursor.fetchone()
        cursor.execute(_FAILED_JOBS, {"since": now - timedelta(hours=1)})
        failed = int(cursor.fetchone()[0])
    ticked = datetime.fromtimestamp(tick, UTC) if tick is not None else None
    seen = max((one for one in (heartbeat, ticked) if one is not None), default=None)
    return seen, waiting[0] if waiting else None, failed


def _mails(now: datetime) -> tuple[int, int]:
    """Of the last deliveries: how many were tried within a day, and how many of these were given up."""
    since = now - timedelta(days=1)
    rows = Delivery.objects.order_by("-pk").values_list("delivered_at", "failed_at")[:LAST_MAILS]
    sent = sum(delivered is not None and delivered >= since for delivered, _ in rows)
    failed = sum(at is not None and at >= since for _, at in rows)
    return sent + failed, failed


def _with_address() -> list[QuerySet[UpstreamMessage]]:
    """What waits for each platform above that the settings give an address."""
    pairs = [name.partition("/")[::2] for name in settings.HUYING_UPSTREAMS]
    return [_waiting(slug, upstream) for slug, upstream in pairs]


def _waiting(slug: str, upstream: str) -> QuerySet[UpstreamMessage]:
    rows = UpstreamMessage.objects.filter(platform__slug=slug, upstream=upstream, next_at__isnull=False)
    return rows.order_by("next_at", "pk").only("at", "error")


def _exchange(platform: Platform, key: str, label: str) -> Exchange:
    waiting = list(_waiting(platform.slug, key)[:CAP])
    errors = [row for row in waiting if row.error]
    sent = UpstreamMessage.objects.filter(platform=platform).order_by("-at", "-pk").only("upstream", "sent_at")[:CAP]
    return Exchange(
        key=key, label=label, has_address=f"{platform.slug}/{key}" in settings.HUYING_UPSTREAMS,
        waiting=len(waiting), failing=len(errors), oldest=min((row.at for row in waiting), default=None),
        error=max(errors, key=lambda row: row.pk).error if errors else "",
        last_sent=max((row.sent_at for row in sent if row.upstream == key and row.sent_at), default=None),
    )  # fmt: skip


def _disk(folder: Path) -> int:
    """How full the disk of the files is; of the nearest folder that there is."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    disk = shutil.disk_usage(folder)
    return round(disk.used * 100 / (disk.used + disk.free)) if disk.used + disk.free else 0


_WORKERS = """
SELECT (SELECT max(last_heartbeat) FROM procrastinate_workers),
       (SELECT max(defer_timestamp) FROM procrastinate_periodic_defers)
"""
_WAITING_JOB = """
SELECT coalesce(job.scheduled_at, (SELECT min(event.at) FROM procrastinate_events event WHERE event.job_id = job.id))
  FROM procrastinate_jobs job
 WHERE job.status = 'todo' AND coalesce(job.scheduled_at <= %(now)s, true)
 ORDER BY job.priority DESC, job.id
 LIMIT 1
"""
_FAILED_JOBS = """
SELECT count(*) FROM procrastinate_jobs job
  JOIN procrastinate_events event ON event.job_id = job.id AND event.type = 'failed' AND event.at >= %(since)s
 WHERE job.status = 'failed'
"""
