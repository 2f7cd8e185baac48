"""Who took a case in, by the name that stands on paper."""

from dataclasses import dataclass

from huying.cases.models import Case, JournalEntry
from huying.people.models import Account, Unit


@dataclass(frozen=True)
class Receiver:
    """The person's name, "" when nobody of the staff took the case in, and the unit they sat in."""

    name: str
    unit: str


def receiver_of(case: Case) -> Receiver:
    """The member of the staff who registered the case, and where."""
    kind, _colon, key = case.submitted_by.partition(":")
    account = Account.objects.filter(pk=int(key)).first() if kind == "account" and key.isdigit() else None
    entry = JournalEntry.objects.filter(case=case, action="case.submit").order_by("seq").first()
    unit = Unit.objects.filter(platform=case.platform_id, path=entry.unit_path).first() if entry and account else None
    return Receiver(str(account) if account else "", unit.name if unit else "")
