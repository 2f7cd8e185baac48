"""第三方调查: the list that is handed out, with as little in it as a survey needs, and the results read back.

A list names nobody and says nothing of the matter but its category. Whoever surveys knows a case by a number of the
list's own, so that what comes back can only ever be a result for a case of that list.
"""

import csv
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO, StringIO
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook
from xlsxwriter import Workbook

MOST_BYTES = 2_000_000
"""So large a file of results may be."""
MOST_UNPACKED = 50_000_000
MOST_LINES = 3000
EXACT = 10**15
"""Whole numbers above this are not exact in a spreadsheet's number cell."""

NUMBER, PHONE, UNIT, MATTER = "调查编号", "电话", "承办单位", "事项"
RESULT, RATING, SOLVED, CONTACTED, TRUST, COMMENT = (
    "调查结果", "满意度", "是否解决", "承办单位是否联系", "信任度", "备注",
)  # fmt: skip
GIVEN = (NUMBER, PHONE, UNIT, MATTER)
ANSWERS: Mapping[str, str] = {
    RESULT: "result", RATING: "rating", SOLVED: "solved", CONTACTED: "contacted", TRUST: "trust", COMMENT: "comment",
}  # fmt: skip
"""Columns that whoever surveys fills in, and what they are to a callback."""
RESULTS: Mapping[str, str] = {
    "已接通": "reached", "接通": "reached", "成功": "reached", "未接通": "unreachable", "无人接听": "unreachable",
    "不愿受访": "declined", "拒访": "declined",
}  # fmt: skip
RATINGS: Mapping[str, int] = {"非常满意": 5, "满意": 4, "基本满意": 3, "不满意": 2, "非常不满意": 1}
TRUSTS: Mapping[str, int] = {"非常信任": 5, "信任": 4, "基本信任": 3, "不信任": 2, "非常不信任": 1}
SOLUTIONS: Mapping[str, str] = {"已解决": "yes", "部分解决": "partly", "未解决": "no", "是": "yes", "否": "no"}
YES_NO: Mapping[str, bool] = {"是": True, "否": False, "已联系": True, "未联系": False}
WORDS: Mapping[str, Mapping[str, Any]] = {
    RESULT: RESULTS, RATING: RATINGS, SOLVED: SOLUTIONS, CONTACTED: YES_NO, TRUST: TRUSTS,
}  # fmt: skip
OFFERED: Mapping[str, tuple[str, ...]] = {
    RESULT: ("已接通", "未接通", "不愿受访"), RATING: tuple(RATINGS), SOLVED: ("已解决", "部分解决", "未解决"),
    CONTACTED: ("是", "否"), TRUST: tuple(TRUSTS),
}  # fmt: skip
"""What the list lets choose from."""
SERIAL = re.compile(r"S(\d{1,9})-(\d{1,6})", re.ASCII)
LONGEST_COMMENT = 2000


@dataclass(frozen=True)
class Asked:
    """One line of a list: a number that means something to this list alone, and what a survey cannot do without."""

    serial: str
    phone: str
    unit: str
    matter: str


@dataclass(frozen=True)
class Answer:
    """One line of results; `data` is what a callback takes, empty where nothing was filled in."""

    line: int
    serial: str
    data: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    """What is wrong with the line, and what to do."""


@dataclass(frozen=True)
class Answers:
    """What a file of results holds; `unread` are columns that are none of ours, of which nothing is kept."""

    rows: Sequence[Answer]
    unread: Sequence[str] = ()


class BadResults(Exception):
    """The file as a whole cannot be read: what, and what to do."""


def serial_of(batch: int, place: int) -> str:
    """The number of the case at `place` (from 1) of a list. It begins with a letter, or spreadsheets read a date."""
    return f"S{batch}-{place:04d}"


def place_of(serial: str, batch: int) -> int | None:
    """The place on the list `batch` that a number means; None for one that is not of this list."""
    found = SERIAL.fullmatch(serial.strip().upper())
    return int(found[2]) if found and int(found[1]) == batch else None


# ---- the list ------------------------------------------------------------------------------------------------------


def list_book(rows: Iterable[Asked], items: Sequence[str], note: str) -> bytes:
    """The list as a spreadsheet: one line a case, empty columns for the answers with what may be chosen there.

    `items` are what the regulation wants asked (`rating`, `solved` …). Everything is written as text: a phone keeps
    its leading zero, and nothing is taken for a formula.
    """
    out = BytesIO()
    rows, asked = list(rows), [name for name, key in ANSWERS.items() if name in (RESULT, COMMENT) or key in items]
    with Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet, bold = book.add_worksheet("调查名单"), book.add_format({"bold": True})
        for column, name in enumerate((*GIVEN, *asked)):
            sheet.write_string(0, column, name, bold)
            sheet.set_column(column, column, {UNIT: 32, COMMENT: 32}.get(name, 16))
            if name in OFFERED and rows:
                sheet.data_validation(
                    1, column, len(rows), column,
                    {"validate": "list", "source": list(OFFERED[name]), "error_title": name,
                     "error_message": "请从列表中选择。"},
                )  # fmt: skip
        for line, row in enumerate(rows, 1):
            for column, text in enumerate((row.serial, row.phone, row.unit, row.matter)):
                sheet.write_string(line, column, text)
        sheet.freeze_panes(1, 1)
        book.add_worksheet("填写说明").write_string(0, 0, note)
    return out.getvalue()


# ---- the results ---------------------------------------------------------------------------------------------------


def read_results(content: bytes) -> Answers:
    """The lines of a file of results, a spreadsheet or CSV; a line that cannot be read says so and stops no other.

    Raises: BadResults where nothing can be read: an empty or foreign file, a wrong encoding, no such columns.
    """
    if len(content) > MOST_BYTES:
        raise BadResults(f"文件超过{MOST_BYTES // 1_000_000} MB。请只留调查名单的各列，另存后再上传。")
    if not content.strip():
        raise BadResults("文件是空的。请上传填好结果的调查名单。")
    lines = _book_lines(content) if content[:2] == b"PK" else _csv_lines(content)
    header = [cell.strip() for cell in next(lines, [])]
    columns = _columns(header)
    rows: list[Answer] = []
    first: dict[str, int] = {}
    for line, cells in enumerate(lines, 2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(rows) >= MOST_LINES:
            raise BadResults(f"文件超过{MOST_LINES}行。请分成几个文件上传。")
        row = _answer(line, {name: cells[at].strip() for name, at in columns.items() if at < len(cells)})
        if row.serial and row.serial in first and (row.data or row.problem):
            row = Answer(
                line, row.serial, problem=f"与第{first[row.serial]}行编号相同，这一行没有读取。请核对后只留一行"
            )
        elif row.serial and (row.data or row.problem):
            first[row.serial] = line
        rows.append(row)
    if not rows:
        raise BadResults("只有表头，没有结果。请填写后再上传。")
    known = {*GIVEN, *ANSWERS}
    return Answers(rows, [name[:40] for name in header if name and name not in known])


def _columns(header: Sequence[str]) -> dict[str, int]:
    """Where the columns that are read stand."""
    wanted = (NUMBER, *ANSWERS)
    for name in (NUMBER, RATING):
        if name not in header:
            raise BadResults(f"没有“{name}”一列。请用下载的调查名单填写，不要改动第一行的列名。")
    for name in wanted:
        if header.count(name) > 1:
            raise BadResults(f"“{name}”一列出现了不止一次。请删去多余的一列。")
    return {name: header.index(name) for name in wanted if name in header}


def _answer(line: int, cells: Mapping[str, str]) -> Answer:
    serial = cells.get(NUMBER, "").upper()[:40]
    data: dict[str, Any] = {}
    for name, key in ANSWERS.items():
        text = cells.get(name, "")
        if not text:
            continue
        value = _value(name, text)
        if value is None:
            problem = f"“{name}”填的是“{text[:20]}”，请改为{'、'.join(OFFERED[name])}之一"
            return Answer(line, serial, problem=problem)
        data[key] = value
    if not data:
        return Answer(line, serial)
    if not serial:
        return Answer(line, serial, problem=f"没有填写“{NUMBER}”，请按名单补上")
    if len(data.get("comment", "")) > LONGEST_COMMENT:
        return Answer(line, serial, problem=f"“{COMMENT}”超过{LONGEST_COMMENT}个字，请缩短")
    if "result" not in data:
        if "rating" not in data:
            return Answer(line, serial, problem=f"没有填写“{RESULT}”和“{RATING}”，请补上")
        data["result"] = "reached"
    return Answer(line, serial, data)


def _value(name: str, text: str) -> Any:
    """What a cell means; None for a word that is none of those offered."""
    if name == COMMENT:
        return text
    if name in (RATING, TRUST) and text in ("1", "2", "3", "4", "5"):
        return int(text)
    return WORDS[name].get(text)


def _csv_lines(content: bytes) -> Iterator[list[str]]:
    if content[:4] == b"\xd0\xcf\x11\xe0":
        raise BadResults("这是旧版 Excel（.xls）或者加密的文件。请另存为 .xlsx 后再上传。")
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise BadResults("文件是 UTF-16 编码。请另存为 .xlsx，或者 UTF-8 编码的 CSV。")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise BadResults("文件的编码无法识别。请另存为 .xlsx，或者 UTF-8 编码的 CSV。")
    if "\0" in text:
        raise BadResults("这不是表格文件。请上传 .xlsx 或者 CSV。")
    head = text.split("\n", 1)[0]
    delimiter = max(",\t;", key=head.count)
    try:
        yield from csv.reader(StringIO(text, newline=""), delimiter=delimiter)
    except csv.Error:
        raise BadResults("CSV 文件不完整，可能缺少引号。请另存为 .xlsx 后再上传。") from None


def _book_lines(content: bytes) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(BytesIO(content)) as packed:
            if sum(one.file_size for one in packed.infolist()) > MOST_UNPACKED:
                raise BadResults("表格展开后过大。请只留调查名单的各列，另存后再上传。")
        grid = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0)
        lines = grid.to_python(skip_empty_area=False, nrows=MOST_LINES + 2)
    except (CalamineError, zipfile.BadZipFile, IndexError):
        raise BadResults("不是可以读的表格，或者文件不完整。请另存为 .xlsx 后再上传。") from None
    for line in lines:
        yield [_cell(value) for value in line]


def _cell(value: object) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return str(int(value))
    return "" if value is None else str(value).replace("\0", "")
