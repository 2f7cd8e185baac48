"""Deliveries: claimed with a lease and a fence by whoever carries them, recorded only while the fence holds."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from huying.cases import vault
from huying.cases.models import CaseSubject, Delivery, Notice
from huying.people.actors import system
from huying.people.models import Account, Grant

LEASE = timedelta(minutes=5)
DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 240))
ATTEMPTS = len(DELAYS) + 1
NO_CHANNEL = "没有外部渠道"


@dataclass(frozen=True)
class Claimed:
    """One delivery in the hands of a carrier until `leased_until`; `fence` tells it from an earlier or later one."""

    id: int
    fence: int
    attempts: int
    leased_until: datetime
    to_citizen: bool
    recipient: str
    template: str
    number: str
    platform_name: str
    case_id: int


def is_due(channel: str, *, now: datetime) -> bool:
    """Whether there is anything to carry to a person."""
    return _due(channel, now).filter(~Q(recipient="") | Q(notice__to_citizen=True)).exists()


def spread_due(channel: str, *, now: datetime, limit: int = 200) -> int:
    """Turn each due notice to a unit into one delivery for each of its staff who has an address.

    Done by state: run twice or killed in between, every person still has one delivery.
    """
    spread = 0
    while True:
        with transaction.atomic():
            rows = list(
                _due(channel, now)
                .filter(notice__unit__isnull=False, recipient="")
                .select_for_update(of=("self",), skip_locked=True)
                .select_related("notice")
                .order_by("next_at", "pk")[:limit]
            )
            staff = _staff_with_address({row.notice.unit_id for row in rows}, now)
            new = [
                Delivery(notice=row.notice, channel=channel, recipient=f"account:{account}", next_at=row.next_at)
                for row in rows
                for account in staff.get(row.notice.unit_id, ())
            ]
            Delivery.objects.bulk_create(new, ignore_conflicts=True)
            for row in rows:
                count = len(staff.get(row.notice.unit_id, ()))
                row.next_at, row.problem = None, f"已分送{count}人" if count else NO_CHANNEL
            Delivery.objects.bulk_update(rows, ["next_at", "problem"])
        spread += len(rows)
        if len(rows) < limit:
            return spread


def claim_due(channel: str, *, now: datetime, limit: int, lease: timedelta = LEASE) -> list[Claimed]:
    """Take up to `limit` due deliveries; nobody else gets them before the lease is over."""
    until = now + lease
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"until": until, "channel": channel, "now": now, "limit": limit})
        fences = {pk: (fence, attempts) for pk, fence, attempts in cursor.fetchall()}
    rows = Delivery.objects.filter(pk__in=fences).select_related("notice__case__platform").order_by("pk")
    return [
        Claimed(
            id=row.pk, fence=fences[row.pk][0], attempts=fences[row.pk][1], leased_until=until,
            to_citizen=row.notice.to_citizen, recipient=row.recipient, template=row.notice.template,
            number=row.notice.case.number, platform_name=row.notice.case.platform.name, case_id=row.notice.case_id,
        )
        for row in rows
    ]  # fmt: skip


def address_of(claimed: Claimed, *, now: datetime) -> str:
    """Where it goes now; empty when there is nobody to reach any more. Reading a citizen's address is logged."""
    if not claimed.to_citizen:
        return _address_of_staff(claimed, now)
    with transaction.atomic():
        notice = Notice.objects.select_related("case__platform").get(deliveries__pk=claimed.id)
        actor = system(notice.case.platform)
        return vault.read(notice.case, ["email"], actor=actor, purpose="notice", now=now).get("email", "")


def record_sent(claimed: Claimed, *, now: datetime) -> bool:
    """It is delivered. False: the lease was lost meanwhile, and what counts is what the later carrier records."""
    return _record(claimed, delivered_at=now, problem="")


def record_failure(claimed: Claimed, *, now: datetime, problem: str, is_permanent: bool = False) -> bool:
    """Try again later, or give up for a person to see: at once when permanent, else after `ATTEMPTS` attempts.

    `problem` must not hold an address.
    """
    if is_permanent or claimed.attempts >= ATTEMPTS:
        return _record(claimed, failed_at=now, problem=problem[:200])
    return _record(claimed, next_at=now + DELAYS[claimed.attempts - 1], problem=problem[:200])


def record_no_channel(claimed: Claimed, *, now: datetime) -> bool:
    """Nobody to reach by this channel: the notice stands in the product and no more is tried."""
    return _record(claimed, problem=NO_CHANNEL)


def release(claimed: Claimed, *, now: datetime) -> bool:
    """Give a claimed delivery back untried."""
    return _record(claimed, next_at=now, attempts=claimed.attempts - 1)


def skip_due(channel: str, *, now: datetime) -> int:
    """This channel is not set up: what is due is marked so, without attempts, and does not pile up."""
    return _due(channel, now).update(next_at=None, problem=NO_CHANNEL)


def _due(channel: str, now: datetime) -> QuerySet[Delivery]:
    return Delivery.objects.filter(channel=channel, next_at__lte=now)


def _record(claimed: Claimed, **values: object) -> bool:
    held = Delivery.objects.filter(pk=claimed.id, fence=claimed.fence, leased_until__isnull=False)
    return bool(held.update(**{"next_at": None, "leased_until": None, **values}))


def _staff_with_address(unit_ids: set[int], now: datetime) -> dict[int, list[int]]:
    found: dict[int, dict[int, None]] = {}
    for unit_id, account_id in (
        _open_grants(now)
        .filter(unit_id__in=unit_ids, account__is_active=True)
        .exclude(account__email="")
        .order_by("unit_id", "account_id")
        .values_list("unit_id", "account_id")
    ):
        found.setdefault(unit_id, {})[account_id] = None
    return {unit_id: list(accounts) for unit_id, accounts in found.items()}


def _address_of_staff(claimed: Claimed, now: datetime) -> str:
    """The address of a person who still has a role in the unit, unless the unit must keep out by now."""
    notice = Notice.objects.select_related("unit").get(deliveries__pk=claimed.id)
    unit = notice.unit
    assert unit is not None
    account_id = claimed.recipient.removeprefix("account:")
    held = _open_grants(now).filter(account=account_id, unit__platform=unit.platform_id)
    # Whoever also belongs to a unit complained about is told nothing, whichever of their units the notice is for.
    accused = CaseSubject.objects.filter(
        case_id=claimed.case_id, unit_left__lte=OuterRef("unit__left"), unit_right__gte=OuterRef("unit__left")
    )
    if not held.filter(unit=unit).exists() or held.filter(Exists(accused)).exists():
        return ""
    account = Account.objects.filter(pk=account_id, is_active=True).first()
    return account.email if account else ""


def _open_grants(now: datetime) -> QuerySet[Grant]:
    return Grant.objects.filter(Q(until=None) | Q(until__gt=now), since__lte=now)


_CLAIM = """
UPDATE cases_delivery
   SET fence = fence + 1, attempts = attempts + 1, leased_until = %(until)s, next_at = %(until)s
 WHERE id IN (
        SELECT id FROM cases_delivery delivery
         WHERE channel = %(channel)s AND next_at <= %(now)s
           AND (recipient <> '' OR EXISTS (
                   SELECT 1 FROM cases_notice notice WHERE notice.id = delivery.notice_id AND notice.to_citizen))
         ORDER BY next_at, id
         LIMIT %(limit)s
           FOR UPDATE SKIP LOCKED)
RETURNING id, fence, attempts
"""
