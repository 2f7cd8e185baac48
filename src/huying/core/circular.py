"""通报: the draft of a bulletin, made of figures alone. A person reads, changes and publishes it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from huying.core.indicators import INDICATORS, ROUNDING, is_few, percent, rate, told
from huying.core.periods import Period

SECTIONS: Mapping[str, str] = {
    "sign_late": "超时签收", "late": "办理超期", "again": "办理不到位重新交办", "bad": "不满意评价",
}  # fmt: skip
"""What is named unit by unit with the numbers of its cases."""
SHOWN = ("on_time_rate", "closing_rate", "signing_rate", "at_once_rate", "satisfaction_rate", "second_satisfaction")
NUMBERS = (20, 5, 0)
"""So many numbers of a unit are written out, fewer where the whole would be longer than a bulletin may be."""
LONGEST = 20_000


@dataclass(frozen=True)
class Line:
    """What one unit comes to."""

    unit: str
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Stated:
    """A case that stands against a unit; without a number where naming it could show who complained."""

    unit: str
    number: str


def draft(
    title: str, period: Period, *, lines: Sequence[Line], total: Mapping[str, int], before: Mapping[str, int],
    stated: Mapping[str, Sequence[Stated]],
) -> str:  # fmt: skip
    """The text: the whole, unit by unit, what has to be put right, how the rates are worked out.

    The same figures always make the same text. Complaints about a unit so few that they could be recognised are left
    out.
    """
    text = ""
    for most in NUMBERS:
        text = "\n".join(
            [
                f"{title}{period.label}", "", "一、总体情况", _whole(period, total, before), "", "二、各单位办理情况",
                *([_unit(line) for line in lines if line.counts] or ["本期没有到期或者收到的诉求。"]), "",
                "三、需要整改的事项", *_sections(lines, stated, most), "",
                "四、计算口径", *formulas(SHOWN), f"{ROUNDING}。",
            ]
        )  # fmt: skip
        if len(text) <= LONGEST:
            break
    return text


def formulas(keys: Sequence[str]) -> list[str]:
    """How each of the rates is worked out, a line each."""
    return [f"{INDICATORS[key].formula}。" for key in keys]


def _whole(period: Period, total: Mapping[str, int], before: Mapping[str, int]) -> str:
    received, earlier = total.get("received", 0), before.get("received", 0)
    text = f"{period.first.isoformat()}至{period.last.isoformat()}共收到诉求{received}件，{_change(received, earlier)}"
    text += f"其中咨询{total.get('consult', 0)}件，投诉举报{total.get('complaints', 0)}件。"
    text += f"到期主办任务{total.get('due', 0)}件，超期{total.get('late', 0)}件。"
    shares = "，".join(f"{INDICATORS[key].label}{told(rate(INDICATORS[key], total))}" for key in SHOWN)
    uncounted = f"核减前满意率{told(rate(INDICATORS['satisfaction_before'], total))}"
    return f"{text}{shares}，{uncounted}。"


def _change(now: int, before: int) -> str:
    if now == before:
        return "与上期持平。"
    share = percent(abs(now - before), before)
    more = "增加" if now > before else "减少"
    return f"比上期{more}{abs(now - before)}件{f'（{share}%）' if share is not None else ''}。"


def _unit(line: Line) -> str:
    counts = line.counts
    parts = [f"收到{counts.get('received', 0)}件", f"到期{counts.get('due', 0)}件", f"超期{counts.get('late', 0)}件"]
    for key in SHOWN:
        value = rate(INDICATORS[key], counts)
        if value is not None:
            parts.append(f"{INDICATORS[key].label}{value}%")
    complained = counts.get("complained", 0)
    if complained and not is_few(complained):
        parts.append(f"被反映{complained}件，被投诉率{told(rate(INDICATORS['complained_rate'], counts))}")
    return f"{line.unit}：{'，'.join(parts)}。"


def _sections(lines: Sequence[Line], stated: Mapping[str, Sequence[Stated]], most: int) -> list[str]:
    found: list[str] = []
    for name, label in SECTIONS.items():
        numbers: dict[str, list[str]] = defaultdict(list)
        for one in stated.get(name, ()):
            if one.number:
                numbers[one.unit].append(one.number)
        held = [(line.unit, line.counts[name]) for line in lines if line.counts.get(name)]
        if held:
            named = "".join(_named(unit, count, sorted(numbers[unit])[:most]) for unit, count in held)
            found.append(f"（{'一二三四'[len(found)]}）{label}{sum(count for _, count in held)}件。{named}")
    return found or ["本期没有需要整改的事项。"]


def _named(unit: str, count: int, numbers: Sequence[str]) -> str:
    more = count - len(numbers)
    listed = "、".join(numbers) + (f"{'，另' if numbers else ''}{more}件不列编号" if more else "")
    return f"{unit}{count}件（{listed}）。"
