"""Telling somebody: a notice in the product, and its deliveries outside, in the transaction of the cause."""

from collections.abc import Sequence
from datetime import date, datetime

from huying.cases.models import Case, Delivery, Link, Notice
from huying.people.models import Unit

TEMPLATES = (
    "receipt", "refused", "redirected", "dispatched", "progress", "extension_granted", "ledger", "replied", "rework",
    "formal_assignment", "closed", "merged", "due_soon", "overdue", "nudge", "supervision", "clue", "decided",
    "published", "date_moved", "concentration",
)  # fmt: skip
SHARED = ("extension_granted", "ledger", "replied", "closed")
"""What the requesters of cases merged into one are told as well, without what it says of the others."""


def tell_citizen(case: Case, template: str, *, at: datetime, **data: str | int | date) -> Notice:
    """Tell the requester. Without anybody to tell (anonymous) it still shows under number and query code."""
    notice = Notice.objects.create(case=case, to_citizen=True, template=template, data=_plain(data), at=at)
    if not case.anonymous:
        Delivery.objects.create(notice=notice, channel="email", next_at=at)
    if template in SHARED:
        for link in Link.objects.filter(other=case, type="merged").select_related("case"):
            tell_citizen(link.case, template, at=at)
    return notice


def tell_unit(case: Case, unit: Unit, template: str, *, at: datetime, **data: str | int | date) -> Notice:
    """Tell a unit, in its list of notices and by e-mail to those of its staff who have an address."""
    notice = notice_to(case, unit, template, at=at, **data)
    send([notice])
    return notice


def notice_to(case: Case, unit: Unit, template: str, *, at: datetime, **data: str | int | date) -> Notice:
    """A notice as `tell_unit` sends it, not yet sent: for `send`."""
    return Notice(case=case, unit=unit, template=template, data=_plain(data), at=at)


def send(notices: Sequence[Notice]) -> None:
    """Send notices to units: all of them by two statements."""
    Notice.objects.bulk_create(notices)
    Delivery.objects.bulk_create([Delivery(notice=one, channel="email", next_at=one.at) for one in notices])


def _plain(data: dict[str, str | int | date]) -> dict[str, str | int]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in data.items()}
