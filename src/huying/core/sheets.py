"""Tables for other systems as CSV: above the table what it is and how each rate is worked out."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import StringIO

from huying.core.assessment import THIRDS, Score, score_formula
from huying.core.indicators import ASPECTS, COUNTERS, INDICATORS, ROUNDING, Aspect, rate
from huying.core.periods import Period

BOM = "\ufeff"
"""By it spreadsheets know the letters."""
FIGURES = ("received", "closed", "due", "on_time", "late", "rated", "good", "bad", "again", "redone")


@dataclass(frozen=True)
class Line:
    """A row of figures; `score` where it is scored, `numbers` of the cases that it rests on by counter."""

    label: str
    counts: Mapping[str, int]
    score: Score | None = None


def figures_sheet(title: str, period: Period, by: str, lines: Iterable[Line], *, without: Sequence[str] = ()) -> str:
    """Counts and rates, a row each. Indicators named in `without` are not told to this reader."""
    shown = [one for one in INDICATORS.values() if one.key not in without]
    counters = [name for name in FIGURES if name not in without]
    head = [by, *(COUNTERS[name] for name in counters), *(f"{one.label}（%）" for one in shown)]
    rows = [
        [
            line.label,
            *(line.counts.get(name, 0) for name in counters),
            *(_cell(rate(one, line.counts)) for one in shown),
        ]
        for line in lines
    ]
    return _written(_top(title, period, [one.formula for one in shown]), head, rows)


def scores_sheet(
    title: str, period: Period, lines: Iterable[Line], *, weights: Mapping[Aspect, Decimal] = THIRDS
) -> str:
    """Scores for an assessment: the sub-scores, points, the total, and the figures that they rest on."""
    used = [one for one in INDICATORS.values() if one.aspect]
    head = ["单位", *ASPECTS.values(), "加扣分", "得分", *(f"{one.label}（%）" for one in used)]
    head += [COUNTERS["late"], COUNTERS["again"]]
    rows = []
    for line in lines:
        assert line.score is not None
        aspects = [_cell(line.score.aspects[aspect]) for aspect in ASPECTS]
        rates = [_cell(rate(one, line.counts)) for one in used]
        late, again = line.counts.get("late", 0), line.counts.get("again", 0)
        rows.append([line.label, *aspects, line.score.points, _cell(line.score.total), *rates, late, again])
    return _written(_top(title, period, [score_formula(weights), *(one.formula for one in used)]), head, rows)


def items_sheet(title: str, period: Period, items: Iterable[tuple[str, str, Sequence[str]]]) -> str:
    """What an assessment deducts for: unit, matter, how many, the numbers of the cases that may be named."""
    rows = [[unit, matter, len(numbers), "、".join(one for one in numbers if one)] for unit, matter, numbers in items]
    note = "反映其他单位的和保密的诉求计入件数，不列编号"
    return _written(_top(title, period, [note]), ["单位", "事项", "件数", "工单编号"], rows)


def plain_sheet(
    title: str, period: Period, notes: Sequence[str], head: Sequence[str], rows: Iterable[Sequence[object]]
) -> str:
    """Any table with what it is and how it came about above it."""
    return _written(_top(title, period, notes), head, rows)


def _top(title: str, period: Period, notes: Sequence[str]) -> list[str]:
    days = f"{period.first.isoformat()}至{period.last.isoformat()}"
    return [title, f"统计时段：{period.label}（{days}）", *(f"{note}。" for note in notes), f"{ROUNDING}。"]


def _cell(value: Decimal | None) -> Decimal | str:
    return "—" if value is None else value


def _written(top: Sequence[str], head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows([_safe(line)] for line in top)
    writer.writerow([])
    writer.writerow([_safe(cell) for cell in head])
    writer.writerows([[_safe(cell) for cell in row] for row in rows])
    return BOM + out.getvalue()


def _safe(cell: object) -> object:
    """A text that a spreadsheet would take for a formula is made plain."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
