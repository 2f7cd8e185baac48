"""评分: the sub-scores and the total of every unit that answers for its work, with the points given and taken."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Q, Sum

from huying.cases.access import visible_cases
from huying.cases.models.bulletin import ScoreAdjustment
from huying.cases.queries.indicators import Row, figures, reach_of
from huying.cases.queries.settings import thresholds_of
from huying.core.assessment import THIRDS, Score, Thresholds, check_weights, reasons, score
from huying.core.indicators import Aspect
from huying.core.periods import Period
from huying.people.actors import Actor
from huying.people.models import Unit

CENTRAL = ("centre", "oversight", "government", "discipline")
"""Who runs or watches the platform is not scored by it."""


@dataclass(frozen=True)
class Card:
    """One unit's scorecard: its figures, and what they and the points come to."""

    unit: Unit
    row: Row
    score: Score


def scorecard(
    actor: Actor, period: Period, *, now: datetime, weights: Mapping[Aspect, Decimal] = THIRDS,
    areas: Collection[str] | None = None,
) -> Sequence[Card]:  # fmt: skip
    """The card of each unit below the viewer's top, in the order of the tree.

    `areas`: paths of the districts whose own units are scored too, where that is for each district to decide; None:
    all. Raises: BadWeights.
    """
    check_weights(weights)
    rows = figures(actor, period, "unit", now=now, all_units=True).rows
    points = points_of(actor, period)
    cards = []
    for row in rows:
        unit = row.unit
        if unit is None or unit.kind in CENTRAL or not is_scored(unit, areas):
            continue
        cards.append(Card(unit, row, score(row.counts, weights=weights, points=points.get(unit.pk, Decimal(0)))))
    return cards


def is_scored(unit: Unit, areas: Collection[str] | None) -> bool:
    """Whether a district's own unit is scored: where `areas` names its district, or nobody has to."""
    if areas is None or "/" not in unit.path:
        return True
    return any(unit.path.startswith(f"{area}/") for area in areas)


def points_of(actor: Actor, period: Period) -> dict[int, Decimal]:
    """The points given to and taken from each unit in the period; those for a case that one may not know of left out.

    Points of a village or section count for the unit that answers for it.
    """
    reach = reach_of(actor)
    rows = ScoreAdjustment.objects.filter(
        Q(case__isnull=True) | Q(case__in=visible_cases(actor)), platform=actor.platform, at__gte=period.begins,
        at__lt=period.ends, unit__left__range=reach.span,
    )  # fmt: skip
    found: dict[int, Decimal] = defaultdict(Decimal)
    for row in rows.values("unit").annotate(points=Sum("points")).order_by():
        group = reach.tree.group_of(row["unit"], "unit")
        if group is not None:
            found[group] += row["points"]
    return dict(found)


def candidates(
    actor: Actor, period: Period, *, now: datetime, thresholds: Thresholds | None = None
) -> list[tuple[Row, Sequence[str]]]:
    """Units whose figures stand out, with why: proposed to answer calls or for an interview; a person decides.

    Without `thresholds`, by those that the platform has set.
    """
    wanted = thresholds or thresholds_of(actor.platform)
    found = [
        (row, reasons(row.counts, wanted))
        for row in figures(actor, period, "unit", now=now).rows
        if row.unit is not None and row.unit.kind not in CENTRAL
    ]
    return [(row, why) for row, why in found if why]
