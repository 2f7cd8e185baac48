"""考核内容: the points of each item, the total of a unit, its rank among its like, and which periods are due."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from huying.core.indicators import COUNTERS, INDICATORS, rate
from huying.core.periods import Period, ended
from huying.policy.load import Problem
from huying.policy.model import AssessmentItem, AssessmentRule, Regulation

CENT = Decimal("0.01")
KNOWLEDGE = "knowledge"
"""A count that is no counter of the figures: changes of the knowledge base."""
COUNTED: Mapping[str, str] = {**COUNTERS, KNOWLEDGE: "期内登记的知识库更新"}
WORK = ("received", "assigned", "due", "sign_due", "rated")
"""A unit that has none of these had no work in the period, and is not assessed for it."""
MOST_LATE = 8
"""Periods that are drafted after the event, at most."""


@dataclass(frozen=True)
class Worked:
    """What an item came to: the rate in per cent or the count, and the points; None where nothing was to be judged."""

    value: Decimal | None
    points: Decimal | None


def had_work(counts: Mapping[str, int]) -> bool:
    """Whether a unit with these counts had anything to do."""
    return any(counts.get(name) for name in WORK)


def work_out(item: AssessmentItem, counts: Mapping[str, int], alike: Collection[Mapping[str, int]]) -> Worked:
    """The points of an item that the data give. `alike`: the counts of all units of the class, its own among them.

    A rate brings that share of the weight; a count its share of what brings all of it, and never more than all.
    """
    if item.by == "indicator":
        found = rate(INDICATORS[item.indicator], counts)
        return Worked(found, None if found is None else _cents(found * item.weight / 100))
    count = Decimal(counts.get(item.indicator, 0))
    full = Decimal(item.full_at)
    if not item.full_at:
        full = Decimal(sum(one.get(item.indicator, 0) for one in alike)) / max(len(alike), 1)
    share = min(count / full, Decimal(1)) if full else Decimal(1)
    return Worked(count, _cents(share * item.weight))


@dataclass(frozen=True)
class Total:
    """Points by the items, of a hundred, and with those given and taken; None while an item is not scored."""

    base: Decimal | None
    extra: Decimal
    total: Decimal | None


def total_of(items: Sequence[AssessmentItem], points: Mapping[str, Decimal | None]) -> Total:
    """What the items come to. One of the data of which nothing was to be judged shares its weight among the others.

    One that a person has not scored yet leaves the total open.
    """
    extra = sum((points.get(one.key) or Decimal(0) for one in items if one.by == "adjustments"), Decimal(0))
    weighed = [one for one in items if one.by != "adjustments"]
    if any(one.by == "person" and points.get(one.key) is None for one in weighed):
        return Total(None, extra, None)
    known = [(one.weight, value) for one in weighed if (value := points.get(one.key)) is not None]
    weight, whole = sum(weight for weight, _ in known), sum(one.weight for one in weighed)
    if not weight:
        return Total(None, extra, None)
    base = _cents(sum((value for _, value in known), Decimal(0)) * whole / weight)
    return Total(base, extra, base + extra)


def ranks(totals: Sequence[Decimal | None]) -> list[int | None]:
    """The place of each total, the highest first: equal ones share a place, an open one has none."""
    return [None if one is None else 1 + sum(other is not None and other > one for other in totals) for one in totals]


def due_periods(rule: AssessmentRule, today: date, last: date | None) -> list[Period]:
    """The whole periods before `today` that come after the one that ended on `last`, the oldest first.

    Without any before it, only the one that ended last. Long after, only the latest ones.
    """
    if not rule.every:
        return []
    found = [ended(rule.every, today)]
    while last is not None and found[0].first > last and len(found) <= MOST_LATE:
        found.insert(0, found[0].before)
    return [one for one in found if last is None or one.first > last][-MOST_LATE:]


def formula(item: AssessmentItem) -> str:
    """How the points of an item come about, in words."""
    match item.by:
        case "indicator":
            return f"{INDICATORS[item.indicator].formula}，得分＝满分×{INDICATORS[item.indicator].label}"
        case "count":
            full = f"{item.full_at}" if item.full_at else "同类单位的平均数"
            return f"{COUNTED[item.indicator]}件数；达到{full}得满分，不足的按比例"
        case "person":
            return "由人评分，写明理由"
        case _:
            return "期内的加分和扣分，附所依据的工单"


def assessment_problems(policy: Regulation) -> Iterator[Problem]:
    """What is wrong with the items of the assessment and with the settings. `file` is the table of the rule."""
    weight = sum(item.weight for item in policy.assessment_items)
    if policy.assessment_items and policy.assessment is None:
        yield Problem("assessment_item", "-", "有考核内容，没有 [assessment]", "写上 [assessment]")
    if policy.assessment_items and weight != 100:
        yield Problem("assessment_item", "weight", f"满分合计{weight}", "各项满分合计应为100")
    for item in policy.assessment_items:
        known = {"indicator": INDICATORS, "count": COUNTED}.get(item.by, {"": ""})
        if item.indicator not in known:
            yield Problem("assessment_item", item.key, f"没有指标“{item.indicator}”", "用 core/indicators.py 里的名称")
    yield from _setting_problems(policy)


def _setting_problems(policy: Regulation) -> Iterator[Problem]:
    keys, units = {rule.key for rule in policy.settings}, {""}
    for unit in policy.tree.units:
        units |= {unit.path, *unit.aliases}
    switch = policy.assessment.district_switch if policy.assessment else ""
    if switch and switch not in keys:
        yield Problem("assessment", "district_switch", f"没有设置“{switch}”", "写上 [[setting]]")
    for rule in policy.settings:
        if not rule.least <= rule.default <= rule.most:
            yield Problem("setting", rule.key, "默认值不在范围内", "改 default、least 或 most")
        for path in rule.units:
            if path != "{district}" and path not in units:
                yield Problem("setting", rule.key, f"没有单位“{path}”", "用 units.toml 里的路径")


def _cents(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)
