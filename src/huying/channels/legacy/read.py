"""Reading a table: CSV (UTF-8 or GB18030, also gzipped) or a spreadsheet, row by row."""

import codecs
import csv
import gzip
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import IO

from python_calamine import CalamineError, CalamineWorkbook

Cell = str | datetime
SPREADSHEETS = (".xlsx", ".xlsm", ".xls", ".ods")
ENCODINGS = {"auto", "utf-8", "gb18030", "utf-16"}
LONGEST_CELL = 10_000_000
EXACT = 10**15
"""Whole numbers above this are not exact in a spreadsheet's number cell."""

csv.field_size_limit(LONGEST_CELL)


class BadFile(Exception):
    """The file cannot be read: what, where, what to do."""


@dataclass(frozen=True)
class Row:
    """One row as it stands in the file. `number` counts as a spreadsheet does: the header is row 1."""

    number: int
    cells: tuple[Cell, ...]
    problem: str = ""

    @property
    def is_blank(self) -> bool:
        return not any(cell for cell in self.cells)


@dataclass(frozen=True)
class Table:
    """A file that can be read again and again; `total` is the number of rows below the header."""

    path: Path
    header: tuple[str, ...]
    total: int
    _rows: Callable[[], Iterator[Row]]

    def rows(self) -> Iterator[Row]:
        return self._rows()


def open_table(path: Path, *, encoding: str = "auto", delimiter: str = ",", sheet: str = "") -> Table:
    """The table in `path`.

    Raises: BadFile when it is not a table, its encoding is wrong, or its header has no or equal names.
    """
    if not path.is_file():
        raise BadFile(f"{path}：没有这个文件，请检查路径。")
    lines = _spreadsheet(path, sheet) if path.suffix.lower() in SPREADSHEETS else _csv(path, encoding, delimiter)
    return _table(path, lines)


def _table(path: Path, lines: Callable[[], Iterator[list[Cell]]]) -> Table:
    first = next(lines(), None)
    if first is None:
        raise BadFile(f"{path}：文件是空的。")
    header = tuple(str(name).strip().lstrip("\ufeff") for name in first)
    while header and not header[-1]:
        header = header[:-1]
    for place, name in enumerate(header, 1):
        if not name:
            raise BadFile(f"{path}：第1行第{place}列没有列名，请补上列名或删去这一列。")
        if name in header[: place - 1]:
            raise BadFile(f"{path}：列名“{name}”出现了不止一次，请改成不同的列名。")

    def rows() -> Iterator[Row]:
        several = lines()
        next(several)
        for number, cells in enumerate(several, 2):
            yield _row(number, cells, len(header))

    return Table(path, header, sum(1 for _ in rows()), rows)


def _row(number: int, cells: list[Cell], width: int) -> Row:
    while len(cells) > width and not cells[-1]:
        cells.pop()
    problem = ""
    if len(cells) != width and any(cells):
        problem = f"这一行有{len(cells)}格，表头有{width}列，请检查分隔符和引号"
    return Row(number, tuple(cells), problem)


# ---- CSV ---------------------------------------------------------------------------


def _csv(path: Path, encoding: str, delimiter: str) -> Callable[[], Iterator[list[Cell]]]:
    found = _encoding(path) if encoding == "auto" else encoding

    def lines() -> Iterator[list[Cell]]:
        try:
            with _bytes(path) as raw, io.TextIOWrapper(raw, encoding=_codec(found), newline="") as text:
                for cells in csv.reader((line.replace("\0", "") for line in text), delimiter=delimiter):
                    yield list(cells)
        except UnicodeDecodeError as error:
            raise BadFile(
                f"{path}：不是 {found} 编码（{error.reason}），请改映射的 file.encoding 或另存为 UTF-8。"
            ) from None
        except (csv.Error, gzip.BadGzipFile, EOFError) as error:
            raise BadFile(f"{path}：不是完整的 CSV（{error}），请重新导出。") from None

    return lines


def _bytes(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")  # type: ignore[return-value]


def _codec(name: str) -> str:
    return "utf-8-sig" if name == "utf-8" else name


def _encoding(path: Path) -> str:
    """UTF-8 if the whole file is, else GB18030 if the whole file is."""
    for name in ("utf-8", "gb18030"):
        decoder = codecs.getincrementaldecoder(name)()
        try:
            with _bytes(path) as raw:
                while chunk := raw.read(1 << 20):
                    decoder.decode(chunk)
                decoder.decode(b"", final=True)
            return name
        except UnicodeDecodeError:
            continue
        except (gzip.BadGzipFile, EOFError, OSError) as error:
            raise BadFile(f"{path}：压缩文件不完整（{error}），请重新传送。") from None
    raise BadFile(f"{path}：既不是 UTF-8 也不是 GB18030 编码，请另存为 UTF-8 后再试。")


# ---- spreadsheets --------------------------------------------------------------------


def _spreadsheet(path: Path, sheet: str) -> Callable[[], Iterator[list[Cell]]]:
    try:
        book = CalamineWorkbook.from_path(str(path))
        if sheet and sheet not in book.sheet_names:
            raise BadFile(f"{path}：没有工作表“{sheet}”，有：{'、'.join(book.sheet_names)}。请改映射的 file.sheet。")
        grid = book.get_sheet_by_name(sheet) if sheet else book.get_sheet_by_index(0)
        values = grid.to_python(skip_empty_area=False)
    except CalamineError as error:
        raise BadFile(f"{path}：不是可以读的电子表格（{error}），请另存为 XLSX。") from None

    def lines() -> Iterator[list[Cell]]:
        for row in values:
            yield [_cell(value) for value in row]

    return lines


def _cell(value: object) -> Cell:
    match value:
        case datetime():
            return value
        case date():
            return datetime.combine(value, time.min)
        case bool():
            return "是" if value else "否"
        case float() if value.is_integer() and abs(value) < EXACT:
            return str(int(value))
        case time() | timedelta():
            return str(value)
        case None:
            return ""
        case _:
            return str(value).replace("\0", "")
