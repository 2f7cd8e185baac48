"""The list that is handed out and the results that come back: what is in the one, what is read from the other."""

from __future__ import annotations

import zipfile
from io import BytesIO

import pytest
from python_calamine import CalamineWorkbook
from xlsxwriter import Workbook

from huying.core.surveys import Asked, BadResults, list_book, place_of, read_results, serial_of

HEAD = "调查编号,电话,承办单位,事项,调查结果,满意度,备注"


def csv(*lines: str, head: str = HEAD, encoding: str = "utf-8") -> bytes:
    return "\r\n".join([head, *lines, ""]).encode(encoding)


def book(*lines: tuple[object, ...]) -> bytes:
    out = BytesIO()
    with Workbook(out, {"in_memory": True}) as made:
        sheet = made.add_worksheet()
        for place, line in enumerate(lines):
            sheet.write_row(place, 0, line)
    return out.getvalue()


def problem(content: bytes) -> str:
    with pytest.raises(BadResults) as bad:
        read_results(content)
    return str(bad.value)


# --- The list --------------------------------------------------------------------------------------


def test_a_list_holds_a_number_a_phone_the_unit_and_the_category_and_asks_what_the_rule_asks() -> None:
    made = list_book([Asked("S3-0001", "05722012345", "吴兴区 城管局", "路灯")], ["rating"], "说明")
    grid = CalamineWorkbook.from_filelike(BytesIO(made)).get_sheet_by_index(0).to_python()
    assert grid[0] == ["调查编号", "电话", "承办单位", "事项", "调查结果", "满意度", "备注"]
    assert grid[1][:4] == ["S3-0001", "05722012345", "吴兴区 城管局", "路灯"], "a leading zero stays"


def test_what_begins_like_a_formula_stays_a_text() -> None:
    made = list_book([Asked("S3-0001", "1", "=1+1", "@x")], ["rating"], "=1+1")
    with zipfile.ZipFile(BytesIO(made)) as parts:
        assert all(b"<f>" not in parts.read(name) for name in parts.namelist() if "sheet" in name)


def test_a_number_means_a_place_on_its_own_list_only() -> None:
    assert serial_of(12, 7) == "S12-0007"
    assert place_of(" s12-0007 ", 12) == 7
    for other in ("S12-0007", "12-0007", "S13-x", "", "S13-0007-1", "S１３-0007"):
        assert place_of(other, 13) is None, other


# --- The results -----------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk"])
def test_csv_in_the_encodings_that_spreadsheets_write(encoding: str) -> None:
    content = csv("S1-0001,139,某局,路灯,已接通,不满意,没修好", "S1-0002,139,某局,路灯,未接通,,", encoding=encoding)
    first, second = read_results(content).rows
    assert (first.line, first.serial, first.data) == (
        2, "S1-0001", {"result": "reached", "rating": 2, "comment": "没修好"},
    )  # fmt: skip
    assert (second.line, second.data) == (3, {"result": "unreachable"})


def test_a_filled_in_spreadsheet_with_numbers_for_ratings() -> None:
    content = book(("调查编号", "满意度", "是否解决"), ("S1-0001", 5, "是"), ("s1-0002", "4", ""), ("S1-0003", "", ""))
    first, second, third = read_results(content).rows
    assert first.data == {"result": "reached", "rating": 5, "solved": "yes"}
    assert (second.serial, second.data) == ("S1-0002", {"result": "reached", "rating": 4})
    assert (third.data, third.problem) == ({}, ""), "not asked yet"


def test_a_bad_line_says_what_and_what_to_do_and_stops_no_other() -> None:
    rows = read_results(
        csv(
            "S1-0001,,,,已接通,还行,", "S1-0002,,,,,,只有备注", ",,,,已接通,满意,", "S1-0004,,,,已接通,满意,",
            "S1-0004,,,,已接通,不满意,", "", "S1-0005,,,,已接通,满意," + "好" * 2001,
        )
    ).rows  # fmt: skip
    assert [(row.line, bool(row.problem)) for row in rows] == [
        (2, True), (3, True), (4, True), (5, False), (6, True), (8, True),
    ]  # fmt: skip
    said = [row.problem for row in rows]
    assert "“满意度”填的是“还行”，请改为非常满意" in said[0]
    assert "没有填写“调查结果”和“满意度”" in said[1] and "没有填写“调查编号”" in said[2]
    assert "与第5行编号相同" in said[4] and "2000个字" in said[5]


def test_foreign_columns_are_named_and_not_kept() -> None:
    answers = read_results(csv("S1-0001,王某,满意", head="调查编号,姓名,满意度"))
    assert answers.unread == ["姓名"] and "王某" not in str(answers.rows)


def test_a_list_of_the_surveyor_s_own_with_tabs() -> None:
    assert read_results("调查编号\t满意度\nS1-0001\t满意".encode()).rows[0].data["rating"] == 4


def test_files_that_cannot_be_read_say_what_to_do() -> None:
    assert "文件是空的" in problem(b"") and "文件是空的" in problem(b"\r\n \n")
    assert "只有表头" in problem(csv())
    assert "没有“调查编号”一列" in problem(csv("1,2", head="编号,满意度"))
    assert "没有“满意度”一列" in problem(csv("1,2", head="调查编号,分数"))
    assert "不止一次" in problem(csv("1,2,3", head="调查编号,满意度,满意度"))
    assert "UTF-16" in problem("调查编号,满意度".encode("utf-16"))
    assert "编码无法识别" in problem(csv("x") + b"\xff\xff\xfe")
    assert "旧版 Excel" in problem(b"\xd0\xcf\x11\xe0\xa1\xb1")
    assert "不是可以读的表格" in problem(b"PK\x03\x04broken") and "不是表格文件" in problem(b"%PDF\0 1.4")
    assert "超过2 MB" in problem(b"x" * 2_000_001)
    assert "超过3000行" in problem(csv(*(f"S1-{n:04d},,,,已接通,满意," for n in range(3001))))


def test_a_small_file_that_unpacks_to_a_very_large_one_is_not_unpacked() -> None:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b" " * 60_000_000)
    assert len(out.getvalue()) < 100_000 and "展开后过大" in problem(out.getvalue())
