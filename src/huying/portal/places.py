"""Where a matter is: what the form offers of a territory, which may have a dozen places or twelve thousand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from huying.base.text import is_storable
from huying.people.models import Platform, Unit
from huying.people.units import UnknownUnit, find_unit
from huying.policy.model import Regulation

TOWNS = ("zone", "town", "street", "farm")
VILLAGES = ("village", "community")
TERRITORY = ("district", *TOWNS, *VILLAGES)
LISTED = 400
"""More places than that are looked for first; the form then offers those of one town."""
FOUND = 30
LONGEST = 30
"""Characters of a name that may be looked for."""

Pairs = list[tuple[str, Any]]


@dataclass(frozen=True)
class Places:
    """What the form offers; `within` is the town that was chosen first, where there are too many for one list."""

    pairs: Pairs
    within: Unit | None = None
    has_villages: bool = False

    @property
    def town(self) -> str:
        return in_full(self.within) if self.within is not None else ""


def places_of(platform: Platform, policy: Regulation, chosen: str = "") -> Places | None:
    """The places that the form lists; None when one has to look for a town first and `chosen` names none."""
    has_villages = bool(set(VILLAGES) & set(policy.flow.levels))
    units = _units(platform, (*TOWNS, *VILLAGES) if has_villages else TOWNS)
    if units[: LISTED + 1].count() <= LISTED:
        return Places(_grouped(platform, list(units)), has_villages=has_villages)
    town = _town(platform, chosen)
    if town is None:
        return None
    below = list(_units(platform, VILLAGES).filter(parent=town)) if has_villages else []
    own = [(town.path, f"{town.name}（不清楚是哪个村、社区）" if below else town.name)]
    return Places(own + [(one.path, one.name) for one in below], town, bool(below))


def search(platform: Platform, text: str) -> Sequence[Unit]:
    """The towns that are named so, then the villages; of each the fullest name counts. Every word must be in it."""
    words = text.split()
    if not words or not is_storable(text):
        return []
    wanted = Q()
    for word in words:
        wanted &= Q(path__contains=word) | Q(name__contains=word)
    towns = list(_units(platform, TOWNS).filter(wanted)[:FOUND])
    villages = list(_units(platform, VILLAGES).filter(Q(name__contains=words[-1]) & wanted)[: FOUND - len(towns)])
    return towns + villages


def in_full(unit: Unit) -> str:
    """A place with what it lies in: `某区 某街道 某社区`."""
    return unit.path.replace("/", " ")


def _units(platform: Platform, kinds: Sequence[str]) -> Any:
    return Unit.objects.filter(platform=platform, kind__in=kinds).order_by("left")


def _town(platform: Platform, path: str) -> Unit | None:
    """The town at `path`, or the one that the village at `path` lies in."""
    try:
        unit = find_unit(platform, path) if path else None
    except UnknownUnit:
        return None
    while unit is not None and unit.kind in VILLAGES:
        unit = unit.parent
    return unit if unit is not None and unit.kind in TOWNS else None


def _grouped(platform: Platform, units: Sequence[Unit]) -> Pairs:
    """A list under the name of what the places lie in; one below the root stands alone."""
    names = {one.pk: one.name for one in Unit.objects.filter(pk__in={unit.parent_id for unit in units})}
    roots = set(Unit.objects.filter(platform=platform, parent=None).values_list("pk", flat=True))
    inside = {unit.parent_id for unit in units}
    pairs: Pairs = []
    groups: dict[int, list[tuple[str, str]]] = {}
    for unit in units:
        above = unit.pk if unit.pk in inside else unit.parent_id
        if above in roots or above is None:
            pairs.append((unit.path, unit.name))
            continue
        if above not in groups:
            groups[above] = []
            pairs.append((unit.name if above == unit.pk else names[above], groups[above]))
        label = f"{unit.name}（不清楚是哪个村、社区）" if above == unit.pk else unit.name
        groups[above].append((unit.path, label))
    return pairs
