"""Who knew of a case before a given moment: who read the requester's identity, and who acted on the case."""

from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Q

from huying.cases.models import Case, IdentityAccess, JournalEntry
from huying.cases.queries.record import stamp
from huying.people.models import Account


@dataclass(frozen=True)
class Seen:
    """One reading of an identity or one action: when, by whom in which role and unit, and what."""

    at: datetime
    actor_id: str
    role: str
    unit_path: str
    what: str


def who_saw(case: Case, *, before: datetime) -> list[Seen]:
    """Readings and actions before `before` (that instant excluded), oldest first.

    Readings are complete: the vault gives nothing without logging. Opening a page that shows no identity is not
    logged; who acted on the case has seen it.
    """
    readings = [
        Seen(row.at, row.actor_id, row.role, row.unit_path, _reading(row))
        for row in IdentityAccess.objects.filter(case=case, at__lt=before).order_by("at", "pk")
    ]
    actions = [
        Seen(row.at, row.actor_id, row.role, row.unit_path, row.action)
        for row in JournalEntry.objects.filter(case=case, at__lt=before).order_by("seq")
    ]
    return sorted(readings + actions, key=lambda seen: seen.at)


def _reading(row: IdentityAccess) -> str:
    return f"读取身份信息（{'、'.join(row.kinds)}；用途 {row.purpose}；{'脱敏' if row.masked else '明文'}）"


def named(found: list[Seen]) -> list[Seen]:
    """The same with the sign-in names of staff in place of their ids; citizens and services keep theirs."""
    names = _names({seen.actor_id for seen in found})
    return [replace(seen, actor_id=names.get(seen.actor_id, seen.actor_id)) for seen in found]


def lines_for(number: str, *, before: datetime) -> list[str] | None:
    """The list as lines of text, None when there is no such case. For the command line."""
    case = Case.objects.filter(Q(number=number) | Q(external_no=number)).first()
    if case is None:
        return None
    found = who_saw(case, before=before)
    names = _names({seen.actor_id for seen in found})
    lines = [f"{case.number}  {stamp(before)} 之前：{len(found)}条"]
    for seen in found:
        who = names.get(seen.actor_id, seen.actor_id)
        lines.append(f"{stamp(seen.at)}  {who}  {seen.role}  {seen.unit_path or '-'}  {seen.what}")
    return lines


def _names(actor_ids: set[str]) -> dict[str, str]:
    """The sign-in names of staff; citizens keep their id."""
    keys = {actor_id: actor_id.removeprefix("account:") for actor_id in actor_ids if actor_id.startswith("account:")}
    accounts = Account.objects.in_bulk([int(key) for key in keys.values() if key.isdigit()])
    return {
        actor_id: accounts[int(key)].username
        for actor_id, key in keys.items()
        if key.isdigit() and int(key) in accounts
    }
