"""Who may be given a case: units that handle, and never the unit complained about or one below it."""

from collections.abc import Iterable
from dataclasses import dataclass

from huying.core.verdict import Refused
from huying.policy.model import Regulation


@dataclass(frozen=True)
class Span:
    """A subtree of units as a range of the tree's numbering."""

    left: int
    right: int

    def holds(self, left: int) -> bool:
        return self.left <= left <= self.right


def is_forbidden(unit_left: int, forbidden: Iterable[Span]) -> bool:
    """Whether a unit is one complained about, or lies below one (decision A-21)."""
    return any(span.holds(unit_left) for span in forbidden)


def judge_recusal(unit_left: int, name: str, forbidden: Iterable[Span], policy: Regulation) -> Refused | None:
    """Refuse a unit that must keep out of the case."""
    if is_forbidden(unit_left, forbidden):
        return Refused("recusal", f"“{name}”是被反映单位或其下属单位，应当回避，请改派其他单位。", policy.recusal)
    return None
