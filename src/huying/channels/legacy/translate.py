"""One row of the old system in the words of this platform, or everything that is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from huying.cases.commands.imports import LONGEST_CONTENT, LONGEST_TITLE, OldCase
from huying.channels.legacy.map import ANY_OTHER, CODED, JOINED, TIMES, Mapping_
from huying.channels.legacy.read import Cell, Row
from huying.channels.legacy.units import Units

TRUE, FALSE = ("是", "1", "true", "yes", "y"), ("否", "0", "false", "no", "n", "")
ARCHIVED = "archived"
"""As a state: closed, and filed already."""
KEPT_AS_THEY_WERE = ("kind", "state", "unit")
LONGEST_FACT = 120


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a row: in which column, which value, what to do."""

    column: str
    value: str
    reason: str
    is_code: bool = False
    """An unknown value of a code table: the same for many rows, told once with its count."""

    def __str__(self) -> str:
        return f"{self.column}“{self.value[:40]}”：{self.reason}" if self.column else self.reason


class Translator:
    """Reads rows by one mapping."""

    def __init__(self, mapping: Mapping_, header: tuple[str, ...], units: Units) -> None:
        self.mapping, self.units = mapping, units
        self._place = {name: number for number, name in enumerate(header)}
        self._zone = ZoneInfo(mapping.time_zone)

    def translate(self, row: Row, now: datetime) -> OldCase | list[Problem]:
        """The case in `row`, or all its problems. `now` is the submission of a case that is submitted anew."""
        if row.problem:
            return [Problem("", "", row.problem)]
        problems: list[Problem] = []
        times = {name: self._time(row, name, problems) for name in TIMES}
        if times["submitted_at"] is None and self.mapping.mode == "history" and not problems:
            problems.append(Problem(self._label("submitted_at"), "", "提交时间是空的，请补上"))
        codes = {name: self._code(row, name, problems) for name in CODED}
        unit = self._unit(row, problems)
        if problems:
            return problems
        facts: dict[str, str | bool] = {
            f"old_{name}": self._raw(row, name)[:LONGEST_FACT] for name in KEPT_AS_THEY_WERE if self._raw(row, name)
        }
        title, content = self._words(row, facts)
        state = codes.pop("state")
        place_unit = self.units.find(self._joined(row, "place_unit")) if self._joined(row, "place_unit") else None
        by = self._raw(row, "submitted_by")
        return OldCase(
            external_no=self._raw(row, "external_no"), title=title, content=content,
            category=self._joined(row, "category"), place=self._where(row), place_unit=place_unit,
            state="closed" if state == ARCHIVED else state, archived=state == ARCHIVED, unit=unit,
            note=self._joined(row, "note"), reply=self._joined(row, "reply"), requester=self._requester(row),
            anonymous=codes.pop("anonymous") == "true", submitted_by=f"legacy:{by}"[:80] if by else "", facts=facts,
            submitted_at=times.pop("submitted_at") or now, **times, **codes,
        )  # type: ignore[arg-type]  # fmt: skip

    # ---- cells -----------------------------------------------------------------------

    def _cell(self, row: Row, column: str) -> Cell:
        cell = row.cells[self._place[column]]
        return cell.strip() if isinstance(cell, str) else cell

    def _texts(self, row: Row, field: str) -> list[str]:
        cells = (self._cell(row, column) for column in getattr(self.mapping.columns, field))
        return [cell if isinstance(cell, str) else cell.strftime("%Y-%m-%d %H:%M:%S") for cell in cells]

    def _raw(self, row: Row, field: str) -> str:
        return " ".join(text for text in self._texts(row, field) if text)

    def _label(self, field: str) -> str:
        return "、".join(getattr(self.mapping.columns, field)) or field

    def _joined(self, row: Row, field: str) -> str:
        """The columns of `field` joined; a part that says nothing, or that another part says too, is left out."""
        dropped = self.mapping.drop.get(field, ())
        parts = [text for text in self._texts(row, field) if text and text not in dropped]
        if field in ("place", "note", "reply", "content"):
            parts = list(dict.fromkeys(parts))
            parts = [one for one in parts if not any(one in other for other in parts if other != one)]
        return JOINED[field].join(parts)

    # ---- kinds of fields -------------------------------------------------------------

    def _time(self, row: Row, field: str, problems: list[Problem]) -> datetime | None:
        columns = getattr(self.mapping.columns, field)
        cells = [self._cell(row, column) for column in columns]
        if len(cells) == 1 and isinstance(cells[0], datetime):
            return cells[0].replace(tzinfo=self._zone)
        text = self._raw(row, field)
        if not text:
            return None
        for form in self.mapping.time_formats:
            try:
                at = datetime.strptime(text, form)
            except ValueError:
                continue
            return at if at.tzinfo else at.replace(tzinfo=self._zone)
        wanted = "、".join(self.mapping.time_formats)
        problems.append(Problem(self._label(field), text, f"不是时间，应为 {wanted}；请改正，或改映射的 time_formats"))
        return None

    def _code(self, row: Row, field: str, problems: list[Problem]) -> str:
        default = str(getattr(self.mapping.defaults, field, ""))
        table: Mapping[str, object] = getattr(self.mapping.codes, field)
        text = self._raw(row, field)
        if not getattr(self.mapping.columns, field):
            return default
        if text in table:
            return _word(table[text])
        if not text:
            return default
        if ANY_OTHER in table:
            return _word(table[ANY_OTHER])
        if field == "anonymous" and not table and text.lower() in (*TRUE, *FALSE):
            return _word(text.lower() in TRUE)
        reason = f"代码表 codes.{field} 里没有这个值，请加进映射，或改正这一格"
        problems.append(Problem(self._label(field), text, reason, is_code=True))
        return default

    def _unit(self, row: Row, problems: list[Problem]) -> object:
        name = self._raw(row, "unit")
        if not name and "" not in self.mapping.codes.unit:
            name = self.mapping.defaults.unit
            if not name:
                return None
        unit = self.units.find(name)
        if unit is None:
            near = self.units.near(name)
            hint = f"（相近的有“{near}”）" if near else ""
            reason = f"单位表里没有这个单位{hint}，请在映射的 codes.unit 写明，或把单位加进单位表"
            problems.append(Problem(self._label("unit"), name, reason, is_code=True))
        return unit

    def _words(self, row: Row, facts: dict[str, str | bool]) -> tuple[str, str]:
        """Title and content. A title too long is cut, and then stands whole above the content."""
        title, content = self._joined(row, "title").replace("\n", " "), self._joined(row, "content")
        content = content or title
        title = title or content[:40].replace("\n", " ")
        if len(title) > LONGEST_TITLE and len(title) + len(content) < LONGEST_CONTENT:
            facts["title_cut"] = True
            content = content if title in content else f"{title}\n{content}"
            title = f"{title[: LONGEST_TITLE - 1]}…"
        return title, content

    def _where(self, row: Row) -> str:
        place = self._joined(row, "place") or self.mapping.defaults.place
        point = self._point(row)
        return f"{place}（坐标 {point}）" if point else place

    def _point(self, row: Row) -> str:
        bounds = self.mapping.coordinates
        if bounds is None:
            return ""
        try:
            east, north = float(self._raw(row, "longitude") or 0), float(self._raw(row, "latitude") or 0)
        except ValueError:
            return ""
        for one, other in ((east, north), (north, east)):
            if bounds.longitude[0] <= one <= bounds.longitude[1] and bounds.latitude[0] <= other <= bounds.latitude[1]:
                return f"{one:.6f}，{other:.6f}"
        return ""

    def _requester(self, row: Row) -> dict[str, str]:
        fields = {name: self._raw(row, name) for name in ("name", "phone", "email", "address")}
        return {name: value for name, value in fields.items() if value}


def _word(value: object) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
