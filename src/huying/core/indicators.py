"""指标: what each rate divides by what, in words and in figures. The words stand on every report (decision A-19)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

PLACES = Decimal("0.1")
FEW = 3
"""Fewer complaints about a unit than this are not told to others: they could be recognised."""

Aspect = Literal["capability", "efficiency", "satisfaction"]
ASPECTS: Mapping[Aspect, str] = {"capability": "服务能力", "efficiency": "办件质效", "satisfaction": "服务对象满意度"}

COUNTERS: Mapping[str, str] = {
    "received": "期内收到的诉求",
    "open": "期内收到、尚未办结的诉求",
    "accepted": "期内收到的诉求（不含不予受理、已转其他渠道、已撤回、已并入的）",
    "closed": "期内收到的诉求中已办结的",
    "consult": "期内收到的咨询",
    "at_once": "期内收到的咨询中未经交办、当场答复的",
    "complaints": "期内收到的投诉和举报",
    "due": "期内到期的主办任务（挂账、已改派未到期的除外）",
    "on_time": "期内到期的主办任务中按期办结的",
    "late": "期内到期的主办任务中超期的",
    "extended": "期内到期的主办任务中经批准延期的",
    "sign_due": "期内应当签收的任务",
    "signed": "期内应当签收的任务中按时签收的",
    "sign_late": "期内应当签收的任务中超时签收的",
    "same_day": "期内有当日办结目标的任务",
    "same_day_missed": "期内有当日办结目标的任务中当日未办结的",
    "rated": "期内的有效评价（核减和不计入的除外）",
    "good": "期内的有效评价中基本满意及以上的",
    "bad": "期内的有效评价中不满意的",
    "rated_before": "期内的全部评价（核减前）",
    "good_before": "期内的全部评价中基本满意及以上的",
    "rated_callback": "期内回访取得的有效评价",
    "good_callback": "期内回访取得的有效评价中基本满意及以上的",
    "rated_again": "期内二次及以上办理后的有效评价",
    "good_again": "期内二次及以上办理后的有效评价中基本满意及以上的",
    "ended": "期内办结的诉求（匿名的除外）",
    "called": "期内办结的诉求中已回访的",
    "closures": "期内办结的诉求",
    "redone": "期内办结的诉求中重新办理过的",
    "assigned": "期内交办的任务",
    "returned": "期内交办的任务中退单成立的",
    "again": "期内因办理不到位重新交办的任务",
    "complained": "期内收到的反映本单位的诉求",
}
"""What is counted, in words. Every rate is made of two of these."""


@dataclass(frozen=True)
class Indicator:
    """A rate: `of` divided by `out_of`, or one less that. `aspect` is the sub-score that it belongs to, if any."""

    key: str
    label: str
    of: str
    out_of: str
    less: bool = False
    aspect: Aspect | None = None
    more_is_better: bool = True

    @property
    def formula(self) -> str:
        """How it is worked out, in words."""
        share = f"{COUNTERS[self.of]}件数÷{COUNTERS[self.out_of]}件数"
        return f"{self.label}＝{f'（1－{share}）' if self.less else share}×100%"


INDICATORS: Mapping[str, Indicator] = {
    one.key: one
    for one in (
        Indicator("on_time_rate", "按期办结率", "on_time", "due", aspect="efficiency"),
        Indicator("closing_rate", "办结率", "closed", "accepted", aspect="efficiency"),
        Indicator("signing_rate", "按时签收率", "signed", "sign_due", aspect="capability"),
        Indicator("at_once_rate", "当场答复率", "at_once", "consult", aspect="capability"),
        Indicator("dispatch_accuracy", "分办准确率", "returned", "assigned", less=True, aspect="capability"),
        Indicator("satisfaction_rate", "满意率", "good", "rated", aspect="satisfaction"),
        Indicator("satisfaction_before", "核减前满意率", "good_before", "rated_before"),
        Indicator("callback_satisfaction", "回访满意率", "good_callback", "rated_callback"),
        Indicator("second_satisfaction", "二次办理满意率", "good_again", "rated_again", aspect="satisfaction"),
        Indicator("callback_rate", "回访率", "called", "ended"),
        Indicator("redo_rate", "重办率", "redone", "closures", more_is_better=False),
        Indicator("extension_rate", "延期率", "extended", "due", more_is_better=False),
        Indicator("complained_rate", "被投诉率", "complained", "received", more_is_better=False),
    )
}
"""In the order in which reports show them."""
ROUNDING = "百分比四舍五入，保留一位小数；分母为零的不计算，以“—”表示"


def rate(indicator: Indicator, counts: Mapping[str, int]) -> Decimal | None:
    """The rate in per cent to one place, halves rounded up; None where there is nothing to divide by."""
    return percent(counts.get(indicator.of, 0), counts.get(indicator.out_of, 0), less=indicator.less)


def percent(part: int, whole: int, *, less: bool = False) -> Decimal | None:
    """`part` of `whole` in per cent, or with `less` what remains; None of nothing."""
    if whole == 0:
        return None
    share = Decimal(whole - part if less else part) * 100 / Decimal(whole)
    return share.quantize(PLACES, ROUND_HALF_UP)


def rates(counts: Mapping[str, int]) -> dict[str, Decimal | None]:
    """Every indicator by its key."""
    return {key: rate(one, counts) for key, one in INDICATORS.items()}


def add(many: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """The sum of counts, each under its name."""
    total: dict[str, int] = {}
    for counts in many:
        for name, count in counts.items():
            total[name] = total.get(name, 0) + count
    return total


def told(value: Decimal | None) -> str:
    """A rate as a report writes it."""
    return "—" if value is None else f"{value}%"


def is_few(count: int) -> bool:
    """Whether so few complaints about a unit could be recognised by it; none at all tell nothing."""
    return 0 < count < FEW
