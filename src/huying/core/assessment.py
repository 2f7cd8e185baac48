"""考核: the sub-scores of a unit, its total by weights, points for and against it, and who stands out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from huying.core.indicators import ASPECTS, INDICATORS, Aspect, percent, rate

CENT = Decimal("0.01")
THIRDS: Mapping[Aspect, Decimal] = {
    "capability": Decimal("33.33"), "efficiency": Decimal("33.34"), "satisfaction": Decimal("33.33")
}  # fmt: skip
"""Equal weights, of a hundred."""


class BadWeights(ValueError):
    """The weights do not name the three aspects, or do not add up to a hundred."""


@dataclass(frozen=True)
class Score:
    """`aspects` in points of a hundred, None where nothing of it was to be judged; `total` with `points` added."""

    aspects: Mapping[Aspect, Decimal | None]
    base: Decimal | None
    points: Decimal
    total: Decimal | None


def score(
    counts: Mapping[str, int], *, weights: Mapping[Aspect, Decimal] = THIRDS, points: Decimal = Decimal(0)
) -> Score:
    """Each aspect is the mean of its indicators that can be worked out; the total is their mean by weight.

    An aspect of which nothing can be worked out is left out, and the others share its weight: who had no ratings is
    neither praised nor blamed for it. Raises: BadWeights.
    """
    check_weights(weights)
    aspects = {aspect: _mean(counts, aspect) for aspect in ASPECTS}
    known = {aspect: value for aspect, value in aspects.items() if value is not None}
    weight = sum((weights[aspect] for aspect in known), Decimal(0))
    if not known or weight == 0:
        return Score(aspects, None, points, None)
    base = _cents(sum((value * weights[aspect] for aspect, value in known.items()), Decimal(0)) / weight)
    return Score(aspects, base, points, base + points)


def check_weights(weights: Mapping[Aspect, Decimal]) -> None:
    """Raises: BadWeights unless each aspect has a weight of nothing or more and all add up to a hundred."""
    if set(weights) != set(ASPECTS) or any(not weight.is_finite() or weight < 0 for weight in weights.values()):
        raise BadWeights("三个方面都要有权重，且不得小于0。")
    if sum(weights.values()) != 100:
        raise BadWeights(f"权重之和应为100，现在是{sum(weights.values())}。")


def _mean(counts: Mapping[str, int], aspect: Aspect) -> Decimal | None:
    found = [rate(one, counts) for one in INDICATORS.values() if one.aspect == aspect]
    known = [value for value in found if value is not None]
    return _cents(sum(known, Decimal(0)) / len(known)) if known else None


def _cents(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)


def score_formula(weights: Mapping[Aspect, Decimal] = THIRDS) -> str:
    """How the total is worked out, in words."""
    parts = "；".join(
        f"{label}（权重{weights[aspect]}）＝{'、'.join(_labels(aspect))}的平均值" for aspect, label in ASPECTS.items()
    )
    return f"得分＝各方面按权重的平均值＋加分－扣分。{parts}。无法计算的方面不计入，其权重由其他方面按比例分担"


def _labels(aspect: Aspect) -> list[str]:
    return [one.label for one in INDICATORS.values() if one.aspect == aspect]


# ---- who stands out --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Thresholds:
    """Above or below what a unit is proposed: for an interview, or for its head to answer calls."""

    complaints: int = 10
    """That many complaints and reports that the unit had to handle, or more."""
    satisfaction: Decimal = Decimal(80)
    """Below this rate of satisfaction, in per cent."""
    late: Decimal = Decimal(10)
    """More than this share overdue, in per cent."""


def reasons(counts: Mapping[str, int], thresholds: Thresholds) -> Sequence[str]:
    """Why a unit with these counts is proposed, in words; none when it is not. A person decides."""
    found = []
    complaints = counts.get("complaints", 0)
    if complaints >= thresholds.complaints:
        found.append(f"投诉举报{complaints}件，较为集中")
    satisfied = rate(INDICATORS["satisfaction_rate"], counts)
    if satisfied is not None and satisfied < thresholds.satisfaction:
        found.append(f"满意率{satisfied}%，低于{thresholds.satisfaction}%")
    late = percent(counts.get("late", 0), counts.get("due", 0))
    if late is not None and late > thresholds.late:
        found.append(f"超期占{late}%，高于{thresholds.late}%")
    return found
