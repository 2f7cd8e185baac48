"""Who acts: a person (or the clock) in one role at one unit. Every command and query is told its actor."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from huying.people.models import Account, Grant, Platform, Unit


@dataclass(frozen=True)
class Actor:
    """One person in one role. `id` names the person, whatever the role: nobody decides on their own application.

    A citizen has no unit: they are known by the `subject` of the vault that holds their phone, and by the cases whose
    number and query code they gave (`case_ids`).
    """

    id: str
    role: str
    platform: Platform
    unit: Unit | None = None
    subject_id: UUID | None = None
    case_ids: frozenset[int] = field(default_factory=frozenset)
    channel: str = ""
    """The only channel that a channel's key may submit by; empty for people."""

    homes: frozenset[int] = field(default_factory=frozenset)
    """`left` of every unit in which the person holds a role now: another role does not open what one must not see."""

    @property
    def unit_path(self) -> str:
        return self.unit.path if self.unit else ""

    @property
    def is_citizen(self) -> bool:
        return self.role == "citizen"


def system(platform: Platform) -> Actor:
    """The clock as an actor."""
    return Actor(id="system", role="system", platform=platform)


def actors_of(account: Account, now: Any) -> list[Actor]:
    """One actor for each role that `account` holds at `now`, in a stable order."""
    grants = list(
        Grant.objects.filter(account=account, since__lte=now)
        .exclude(until__lte=now)
        .select_related("unit__platform", "unit__parent")
        .order_by("unit__left", "role")
    )
    grants = [grant for grant in grants if grant.unit.platform_id == account.platform_id]
    homes = frozenset(grant.unit.left for grant in grants)
    return [
        Actor(id=f"account:{account.pk}", role=grant.role, platform=grant.unit.platform, unit=grant.unit, homes=homes)
        for grant in grants
    ]
