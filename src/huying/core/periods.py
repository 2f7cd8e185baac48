"""统计时段: a day, a week from Monday to Sunday, a month, a quarter, a year (decision D-16), or any days."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from huying.base.clock import start_of_day
from huying.core.registers import quarter_of

PeriodKind = Literal["day", "week", "month", "quarter", "year", "range"]
KINDS: dict[PeriodKind, str] = {
    "day": "日", "week": "周", "month": "月", "quarter": "季度", "year": "年", "range": "自选时段"
}  # fmt: skip
LONGEST = 366
ONE = timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """Days from `first` to `last`, both counted."""

    kind: PeriodKind
    first: date
    last: date

    @property
    def begins(self) -> datetime:
        return start_of_day(self.first)

    @property
    def ends(self) -> datetime:
        """The first instant after it."""
        return start_of_day(self.last + ONE)

    @property
    def name(self) -> str:
        """The days in words."""
        first, last = self.first, self.last
        match self.kind:
            case "day":
                return _said(first)
            case "month":
                return f"{first.year}年{first.month}月"
            case "quarter":
                return f"{first.year}年第{(first.month + 2) // 3}季度"
            case "year":
                return f"{first.year}年度"
            case _:
                return f"{_said(first)}至{_said(last)}"

    @property
    def label(self) -> str:
        """As a bulletin names it: the same days always have the same name."""
        return self.name + {"day": "日报", "week": "周报", "month": "月报"}.get(self.kind, "")

    @property
    def before(self) -> "Period":
        """The one just before it, of the same kind."""
        if self.kind == "range":
            return Period("range", self.first - (self.last - self.first) - ONE, self.first - ONE)
        return period_of(self.kind, self.first - ONE)


def period_of(kind: PeriodKind, day: date) -> Period:
    """The period of that kind in which `day` lies."""
    match kind:
        case "week":
            first = day - timedelta(days=day.weekday())
            return Period(kind, first, first + timedelta(days=6))
        case "month":
            first = day.replace(day=1)
            return Period(kind, first, (first + timedelta(days=31)).replace(day=1) - ONE)
        case "quarter":
            return Period(kind, *quarter_of(day))
        case "year":
            return Period(kind, date(day.year, 1, 1), date(day.year, 12, 31))
        case _:
            return Period(kind, day, day)


def between(first: date, last: date) -> Period:
    """Any days. Raises: ValueError in words for days that are no period, or too many."""
    if not (2000 <= first.year <= 2999 and 2000 <= last.year <= 2999):
        raise ValueError("日期填写有误，请检查。")
    if first > last:
        raise ValueError("起始日期不能晚于截止日期。")
    if (last - first).days >= LONGEST:
        raise ValueError(f"时段最长{LONGEST}日，请分段统计。")
    return Period("range", first, last)


def ended(kind: PeriodKind, today: date) -> Period:
    """The last whole period of that kind before `today`."""
    return period_of(kind, today).before


def _said(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
