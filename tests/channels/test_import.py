"""Taking over the cases of an old system, from files of every kind, whole and broken, stopped and started again."""

import csv
import gzip
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from django.db import connection

from huying.base.clock import LEGAL_ZONE
from huying.cases import journal
from huying.cases.models import Assignment, Case, JournalEntry, Party, Reply, TimeLimit
from huying.cases.queries.queues import matching
from huying.cases.queries.record import case_record, find_case
from huying.channels.legacy.map import Mapping_, UnclearMapping, load_mapping
from huying.channels.legacy.read import BadFile, open_table
from huying.channels.legacy.run import Report, run
from huying.people.actors import Actor
from huying.people.models import Platform
from huying.people.units import find_unit, forget_units, open_platform
from huying.policy.model import UnitSpec, UnitTree
from huying.site.platforms import BadTree, load_tree, missing_units, open_with_units

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=LEGAL_ZONE)

HEADER = (
    "编号", "类型", "大类", "小类", "标题", "内容", "登记时间", "派单时间", "状态", "单位", "地点", "姓名", "电话",
    "处理", "答复",
)  # fmt: skip
ROW = {
    "编号": "A-001", "类型": "投诉", "大类": "城管", "小类": "路灯", "标题": "路灯不亮",
    "内容": "东街三号门前路灯坏了一周。",
    "登记时间": "2025/11/3 8:05:00", "派单时间": "2025/11/3 9:00:00", "状态": "办结", "单位": "甲局",
    "地点": "东街三号",
    "姓名": "章晓明", "电话": "13900000001", "处理": "已更换灯泡。", "答复": "灯已修好。",
}  # fmt: skip
MAP = """
platform = "old-town"
time_formats = ["%Y/%m/%d %H:%M:%S"]
[columns]
external_no = "编号"
kind = "类型"
category = ["大类", "小类"]
title = "标题"
content = "内容"
submitted_at = "登记时间"
dispatched_at = "派单时间"
state = "状态"
unit = "单位"
place = "地点"
name = "姓名"
phone = "电话"
note = "处理"
reply = "答复"
[codes.kind]
"投诉" = "complaint"
"求助" = "help"
[codes.state]
"办结" = "closed"
"归档" = "archived"
"在办" = "handling"
"待派" = "received"
[codes.unit]
"甲局（原乙局）" = "甲局"
[[unit_rewrites]]
pattern = "^某市"
"""
TREE = UnitTree(
    root="某市",
    units=(
        UnitSpec(path="center", name="热线中心", kind="centre", handles=True),
        UnitSpec(path="市纪委监委", kind="discipline"),
        UnitSpec(path="市政府", kind="government"),
        UnitSpec(path="甲局", kind="bureau", handles=True, aliases=("甲管理局",)),
        UnitSpec(path="丁街道", kind="street", handles=True),
    ),
)


@pytest.fixture
def town(db: None) -> Iterator[Platform]:
    yield open_platform("old-town", "某市热线", "daye-2023", TREE)
    forget_units()


@pytest.fixture
def mapping(tmp_path: Path) -> Mapping_:
    return mapping_of(tmp_path)


def mapping_of(folder: Path, text: str = MAP) -> Mapping_:
    place = folder / "map.toml"
    place.write_text(text, encoding="utf-8")
    return load_mapping(place)


def rows_of(*changes: dict[str, str]) -> list[dict[str, str]]:
    """One row for each given: the usual one, with these cells changed."""
    return [{**ROW, "编号": f"A-{number:03}", **change} for number, change in enumerate(changes, 1)]


def write_csv(path: Path, rows: list[dict[str, str]], encoding: str = "utf-8", header: Any = HEADER) -> Path:
    opener: Any = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, header)
        writer.writeheader()
        writer.writerows(rows)
    return path


def take_over(path: Path, mapping: Mapping_, town: Platform, **options: Any) -> Report:
    return run(open_table(path), mapping, town, now=lambda: NOW, **options)


def errors_of(path: Path) -> list[dict[str, str]]:
    with path.with_name(f"{path.name}.errors.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def dispatcher(town: Platform) -> Actor:
    return Actor(id="d", role="dispatcher", platform=town, unit=find_unit(town, "center"))


# ---- every kind of file ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("a.csv", "utf-8"), ("b.csv", "utf-8-sig"), ("c.csv", "gb18030"), ("d.csv.gz", "utf-8")],
)
def test_a_csv_of_any_usual_encoding_comes_in_whole(
    name: str, encoding: str, tmp_path: Path, mapping: Mapping_, town: Platform
) -> None:
    path = write_csv(tmp_path / name, rows_of({}, {"标题": "㙍头村“路灯”,坏了", "内容": "第一行\n第二行"}), encoding)
    report = take_over(path, mapping, town)
    assert (report.imported, report.failed) == (2, 0)
    case = Case.objects.get(external_no="A-002")
    assert (case.title, case.content) == ("㙍头村“路灯”,坏了", "第一行\n第二行")


def test_a_spreadsheet_with_real_dates_and_numbers_comes_in_whole(
    tmp_path: Path, mapping: Mapping_, town: Platform
) -> None:
    path = tmp_path / "old.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet, day = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    sheet.write_row(0, 0, HEADER)
    sheet.write_row(1, 0, [ROW[name] for name in HEADER])
    sheet.write_number(1, 0, 20251103001)
    sheet.write_datetime(1, 6, datetime(2025, 11, 3, 8, 5), day)
    sheet.write_number(1, 12, 13900000001)
    book.close()
    assert take_over(path, mapping, town).imported == 1
    case = Case.objects.get()
    assert case.external_no == "20251103001"
    assert case.submitted_at == datetime(2025, 11, 3, 8, 5, tzinfo=LEGAL_ZONE)


def test_columns_are_known_by_name_in_whatever_order(tmp_path: Path, mapping: Mapping_, town: Platform) -> None:
    path = write_csv(tmp_path / "old.csv", rows_of({}), header=HEADER[::-1])
    assert take_over(path, mapping, town).imported == 1
    assert Case.objects.get().title == "路灯不亮"


def test_swapped_contents_are_told_and_not_taken(tmp_path: Path, mapping: Mapping_, town: Platform) -> None:
    rows = rows_of({"类型": "2025/11/3 8:05:00", "登记时间": "投诉"}, {"类型": "2025/11/4 8:05:00", "登记时间": "投诉"})
    report = take_over(write_csv(tmp_path / "old.csv", rows), mapping, town)
    assert (report.imported, report.failed) == (0, 2)
    assert not Case.objects.exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "文件是空的"),
        ("编号,编号\n1,2\n".encode(), "出现了不止一次"),
        ("编号,,内容\n1,2,3\n".encode(), "没有列名"),
        (b"\xff\xfe\xfa\xfb\x00\xff", "既不是 UTF-8 也不是 GB18030"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_the_reason(content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_bytes(content)
    with pytest.raises(BadFile, match=told):
        open_table(path)


@pytest.mark.parametrize(("name", "told"), [("cut.csv.gz", "压缩文件不完整"), ("no.xlsx", "不是可以读的电子表格")])
def test_a_broken_container_is_refused_with_the_reason(name: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"abc" * 1000)[:20])
    with pytest.raises(BadFile, match=told):
        open_table(path)


# ---- the mapping ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('platform = "old-town"', 'plattform = "x"'), "plattform：不认识的项"),
        (('external_no = "编号"', ""), "columns.external_no：缺少这一项"),
        (('kind = "类型"', ""), "诉求类型没有列也没有默认值"),
        (('pattern = "^某市"', 'pattern = "("'), "不是合法的正则表达式"),
        (('platform = "old-town"', 'time_zone = "Mars/Base"'), "没有这个时区"),
        (('platform = "old-town"', 'ignore = ["标题"]'), "既在 columns 又在 ignore"),
        (('platform = "old-town"', "mode = 3"), "mode：“3”不在可选的范围内"),
        (('platform = "old-town"', "platform = "), "不是合法的 TOML"),
    ],
)
def test_an_unclear_mapping_is_refused_with_key_and_mend(change: tuple[str, str], told: str, tmp_path: Path) -> None:
    with pytest.raises(UnclearMapping, match=told):
        mapping_of(tmp_path, MAP.replace(*change))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('place = "地点"', ""), "文件里的列“地点”在映射里没有"),
        (('place = "地点"', 'place = "地址"'), "映射里的列“地址”在文件里没有"),
        (('"投诉" = "complaint"', '"投诉" = "complain"'), "kind“complain”不在规定里"),
        (('"办结" = "closed"', '"办结" = "done"'), "state“done”不能导入"),
        (('"甲局（原乙局）" = "甲局"', '"甲局（原乙局）" = "乙局"'), "单位表里没有这个路径"),
        (("[codes.kind]", '[defaults]\nchannel = "fax"\n[codes.kind]'), "channel“fax”不在规定里"),
    ],
)
def test_a_mapping_that_fits_neither_file_nor_rules_stops_before_the_first_row(
    change: tuple[str, str], told: str, tmp_path: Path, town: Platform
) -> None:
    path = write_csv(tmp_path / "old.csv", rows_of({}))
    with pytest.raises(UnclearMapping, match=told):
        take_over(path, mapping_of(tmp_path, MAP.replace(*change)), town)
    assert not Case.objects.exists()


# ---- rows that fail ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"类型": "表扬"}, "类型“表扬”：代码表 codes.kind 里没有这个值"),
        ({"状态": "挂起"}, "状态“挂起”：代码表 codes.state 里没有这个值"),
        ({"单位": "甲局局"}, "单位“甲局局”：单位表里没有这个单位（相近的有“甲局”）"),
        ({"登记时间": "2025/13/3 8:05:00"}, "登记时间“2025/13/3 8:05:00”：不是时间"),
        ({"登记时间": ""}, "提交时间是空的"),
        ({"登记时间": "2052/11/3 8:05:00"}, "提交时间是2052-11-03，不合理"),
        ({"编号": ""}, "来源编号应为1至80个字"),
        ({"标题": "", "内容": ""}, "标题和诉求内容都是空的"),
        ({"电话": "不详"}, "电话应为5至15位数字"),
        ({"状态": "在办", "单位": ""}, "还在办理的诉求须有承办单位"),
        ({"地点": "远" * 201}, "地点有201个字，最多200个字"),
    ],
)
def test_a_bad_row_goes_to_the_error_file_and_takes_no_other_with_it(
    change: dict[str, str], told: str, tmp_path: Path, mapping: Mapping_, town: Platform
) -> None:
    path = write_csv(tmp_path / "old.csv", rows_of({}, change, {}))
    report = take_over(path, mapping, town)
    assert (report.total, report.imported, report.failed) == (3, 2, 1)
    (error,) = errors_of(path)
    assert told in error["错误原因"]
    assert error["行号"] == "3"
    assert {name: error[name] for name in HEADER} == {**ROW, "编号": "A-002", **change}


def test_a_row_with_too_few_cells_is_told(tmp_path: Path, mapping: Mapping_, town: Platform) -> None:
    path = write_csv(tmp_path / "old.csv", rows_of({}))
    with path.open("a", encoding="utf-8") as file:
        file.write("A-009,投诉,城管\n\n")
    report = take_over(path, mapping, town)
    assert (report.imported, report.failed, report.blank) == (1, 1, 1)
    assert "这一行有3格，表头有15列" in errors_of(path)[0]["错误原因"]


def test_the_same_number_twice_in_a_file_is_taken_once(tmp_path: Path, mapping: Mapping_, town: Platform) -> None:
    path = write_csv(tmp_path / "old.csv", rows_of({}, {"编号": "A-001", "标题": "另一件"}))
    for run_number in (1, 2):
        report = take_over(path, mapping, town)
        assert (report.imported, report.known, report.failed) == ((1, 0, 1) if run_number == 1 else (0, 1, 1))
    assert [case.title for case in Case.objects.all()] == ["路灯不亮"]
    assert "与第2行相同" in errors_of(path)[0]["错误原因"]


def test_cells_that_look_like_formulas_are_guarded_and_come_back_unguarded(
    tmp_path: Path, mapping: Mapping_, town: Platform
) -> None:
    path = write_csv(tmp_path / "old.csv", rows_of({"标题": "=HYPERLINK(1)", "内容": "+1 @a", "类型": "表扬"}))
    take_over(path, mapping, town)
    errors = path.with_name("old.csv.errors.csv")
    (error,) = errors_of(path)
    assert (error["标题"], error["内容"]) == ("'=HYPERLINK(1)", "'+1 @a")
    errors.write_text(errors.read_text(encoding="utf-8-sig").replace("表扬", "求助").replace("codes", ""), "utf-8-sig")
    assert take_over(errors, mapping, town).imported == 1
    assert Case.objects.get().title == "=HYPERLINK(1)"


def test_unknown_codes_are_grouped_with_their_counts(tmp_path: Path, mapping: Mapping_, town: Platform) -> None:
    rows = rows_of({"类型": "表扬"}, {"类型": "表扬"}, {"类型": "感谢"}, {"单位": "丙局"})
    report = take_over(write_csv(tmp_path / "old.csv", rows), mapping, town, dry_run=True)
    assert {(column, value): count for (column, value, _), count in report.unknown.items()} == {
        ("类型", "表扬"): 2, ("类型", "感谢"): 1, ("单位", "丙局"): 1,
    }  # fmt: skip


# ---- dry run, again, and stopped ----------------------------------------------------------------


def test_a_dry_run_tells_the_same_and_writes_nothing(tmp_path: Path, mapping: Mapping_, town: Platform) -> None:
    path = write_csv(tmp_path / "old.csv", rows_of({}, {"类型": "表扬"}))
    before = sorted(tmp_path.iterdir())
    report = take_over(path, mapping, town, dry_run=True)
    assert (report.imported, report.failed) == (1, 1)
    assert not Case.objects.exists()
    assert not JournalEntry.objects.exists()
    assert sorted(tmp_path.iterdir()) == before


def test_a_second_run_imports_nothing(tmp_path: Path, mapping: Mapping_, town: Platform) -> None:
    path = write_csv(tmp_path / "old.csv", rows_of({}, {}, {}))
    assert take_over(path, mapping, town).imported == 3
    again = take_over(path, mapping, town)
    assert (again.imported, again.known, again.failed) == (0, 3, 0)
    assert Case.objects.count() == 3
    assert not path.with_name("old.csv.errors.csv").exists()


def test_a_run_that_stopped_goes_on_where_it_was(tmp_path: Path, mapping: Mapping_, town: Platform) -> None:
    path = write_csv(tmp_path / "old.csv", rows_of(*[{}] * 10))

    class Stopped(Exception):
        pass

    def stop(report: Report) -> None:
        if report.imported == 4:
            raise Stopped

    with pytest.raises(Stopped):
        take_over(path, mapping, town, batch=2, tell=stop)
    assert Case.objects.count() == 4
    report = take_over(path, mapping, town, batch=2)
    assert (report.imported, report.known) == (6, 4)


# ---- history --------------------------------------------------------------------------------------


def test_history_keeps_its_own_times_and_is_found_by_number_and_words(
    tmp_path: Path, mapping: Mapping_, town: Platform
) -> None:
    take_over(write_csv(tmp_path / "old.csv", rows_of({})), mapping, town)
    case = find_case(dispatcher(town), "A-001")
    assert case is not None
    record = case_record(case, dispatcher(town), now=NOW)
    assert record["submitted_at"] == "2025-11-03 08:05"
    assert (record["state"], record["lead"], record["category"]) == ("closed", "甲局", "城管/路灯")
    assert record["assignments"][0]["assigned_at"] == "2025-11-03 09:00"
    assert record["replies"][0]["content"] == "灯已修好。"
    assert [event["action"] for event in record["events"]] == ["case.imported"]
    assert record["overdue"] == []
    assert matching(dispatcher(town), "灯坏") == [case.pk]
    assert matching(dispatcher(town), "A-001")[0] == case.pk
    assert case.number[:8] == "20251103"
    assert not TimeLimit.objects.exists()
    entry = JournalEntry.objects.get()
    assert entry.at == NOW
    assert entry.data["dispatched_at"] == "2025-11-03T09:00:00+08:00"
    assert journal.verify(case) == []


def test_who_asked_is_in_the_vault_and_nowhere_else(tmp_path: Path, mapping: Mapping_, town: Platform) -> None:
    rows = rows_of({}, {"电话": "", "姓名": ""})
    take_over(write_csv(tmp_path / "old.csv", rows), mapping, town)
    assert Party.objects.get().level == "masked"  # a complaint
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(c::text, ' ') FROM cases_case c")
        text = cursor.fetchone()[0]
    assert "章晓明" not in text and "13900000001" not in text
    assert "章晓明" not in str(list(JournalEntry.objects.values_list("data", flat=True)))


def test_a_case_dispatched_before_it_was_created_keeps_both_times_and_is_flagged(
    tmp_path: Path, mapping: Mapping_, town: Platform
) -> None:
    rows = rows_of({"派单时间": "2025/11/2 9:00:00"})
    report = take_over(write_csv(tmp_path / "old.csv", rows), mapping, town)
    assert report.odd["派单时间早于提交时间"] == 1
    assert Assignment.objects.get().assigned_at == datetime(2025, 11, 2, 9, 0, tzinfo=LEGAL_ZONE)
    assert Case.objects.get().submitted_at == datetime(2025, 11, 3, 8, 5, tzinfo=LEGAL_ZONE)
    assert JournalEntry.objects.get().data["dispatched_before_submitted"] is True


def test_a_case_still_in_hand_runs_on_under_the_limits_from_the_import(
    tmp_path: Path, mapping: Mapping_, town: Platform
) -> None:
    rows = rows_of(
        {"状态": "在办", "答复": ""}, {"状态": "待派", "单位": "", "答复": "", "派单时间": ""}, {"状态": "归档"}
    )
    take_over(write_csv(tmp_path / "old.csv", rows), mapping, town)
    in_hand, waiting, filed = Case.objects.order_by("external_no")
    due = {limit.name: limit.due_on.isoformat() for limit in in_hand.limits.filter(name__in=("claim", "handle"))}
    assert due == {"claim": "2026-03-03"}  # one working day from Monday 2 March
    assert in_hand.due_at == datetime(2026, 3, 11, 0, 0, tzinfo=LEGAL_ZONE)  # five more from there: 24:00 of the 10th
    assert (waiting.state, waiting.assignments.count()) == ("received", 0)
    assert (filed.archived, filed.limits.count()) == (True, 0)


def test_unit_names_are_found_by_variant_alias_and_rewrite(tmp_path: Path, mapping: Mapping_, town: Platform) -> None:
    rows = rows_of(
        {"单位": "甲局（原乙局）"}, {"单位": "甲管理局"}, {"单位": "某市甲局"}, {"单位": "热线中心"}, {"单位": ""}
    )
    assert take_over(write_csv(tmp_path / "old.csv", rows), mapping, town).failed == 0
    assert list(Assignment.objects.order_by("case__external_no").values_list("unit__path", flat=True)) == [
        "甲局", "甲局", "甲局", "center",
    ]  # fmt: skip
    assert Reply.objects.get(case__external_no="A-005").unit.path == "center"


def test_a_number_quoted_in_a_text_stays_text(tmp_path: Path, mapping: Mapping_, town: Platform) -> None:
    rows = rows_of({}, {"内容": "前单编号A-001，至今未解决。"})
    take_over(write_csv(tmp_path / "old.csv", rows), mapping, town)
    found = find_case(dispatcher(town), "A-001")
    assert found is not None and found.external_no == "A-001"
    assert found.links_in.count() == 0


def test_coordinates_swapped_are_put_right_and_zeros_are_left_out(tmp_path: Path, town: Platform) -> None:
    text = MAP.replace('place = "地点"', 'place = "地点"\nlongitude = "东经"\nlatitude = "北纬"')
    mapping = mapping_of(tmp_path, f"{text}\n[coordinates]\nlongitude = [110, 120]\nlatitude = [20, 40]\n")
    points = ({"东经": "115.5", "北纬": "30.25"}, {"东经": "30.25", "北纬": "115.5"}, {"东经": "0.0", "北纬": "0.0"})
    path = write_csv(tmp_path / "old.csv", rows_of(*points), header=(*HEADER, "东经", "北纬"))
    take_over(path, mapping, town)
    assert list(Case.objects.order_by("external_no").values_list("place_text", flat=True)) == [
        "东街三号（坐标 115.500000，30.250000）", "东街三号（坐标 115.500000，30.250000）", "东街三号",
    ]  # fmt: skip


# ---- as new submissions ---------------------------------------------------------------------------


def test_as_new_they_are_submitted_now_and_have_the_limits_of_the_rules(
    tmp_path: Path, mapping: Mapping_, town: Platform
) -> None:
    new = mapping.model_copy(update={"mode": "new", "dispatch": True})
    path = write_csv(tmp_path / "old.csv", rows_of({}))
    assert take_over(path, new, town).imported == 1
    case = Case.objects.get()
    assert case.submitted_at == NOW
    assert (case.state, case.query_code_hash != "") == ("handling", True)
    assert case.limits.get(name="claim").due_on.isoformat() == "2026-03-03"
    assert [entry.action for entry in journal.history(case)] == ["case.submit", "case.dispatch", "case.imported"]
    assert not Reply.objects.exists()
    assert take_over(path, new, town).known == 1


def test_as_new_without_a_place_the_rules_refuse_and_the_row_is_kept(
    tmp_path: Path, mapping: Mapping_, town: Platform
) -> None:
    new = mapping.model_copy(update={"mode": "new"})
    path = write_csv(tmp_path / "old.csv", rows_of({}, {"地点": ""}))
    report = take_over(path, new, town)
    assert (report.imported, report.failed) == (1, 1)
    assert "missing:place" in errors_of(path)[0]["错误原因"]


# ---- opening a platform ---------------------------------------------------------------------------


def test_the_example_tree_and_mapping_fit_each_other_and_the_rules(db: None) -> None:
    from huying.cases.policies import regulation

    tree = load_tree(ROOT / "examples" / "haikou" / "units.toml")
    assert list(missing_units(regulation("daye-2023"), tree)) == []
    paths = {path for unit in tree.units for path in (unit.path, *unit.aliases)}
    assert set(load_mapping(ROOT / "examples" / "haikou" / "map.toml").codes.unit.values()) <= paths


def test_a_tree_that_lacks_what_the_rules_name_is_refused_with_the_rules(tmp_path: Path, db: None) -> None:
    from huying.cases.policies import regulation

    units = tmp_path / "units.csv"
    units.write_text(
        "path,name,kind,handles\n,某市,root,\ncenter,热线中心,centre,1\n市政府,市政府,government,0\n", "utf-8"
    )
    with pytest.raises(BadTree) as refused:
        open_with_units("x", "某市", regulation("daye-2023"), units)
    assert "缺少单位“市纪委监委”" in str(refused.value) and "panel.copy_to" in str(refused.value)
    assert not Platform.objects.filter(slug="x").exists()


# ---- killed ------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_killed_in_the_middle_and_run_again_it_is_complete_without_doubles(tmp_path: Path) -> None:
    open_platform("old-town", "某市热线", "daye-2023", TREE)
    (tmp_path / "map.toml").write_text(MAP, encoding="utf-8")
    text = "这条街的路灯坏了，晚上看不见路，请尽快派人来修。"
    rows = rows_of(*[{"内容": f"{text}第{number}号", "电话": ""} for number in range(2000)])
    path = write_csv(tmp_path / "old.csv", rows)
    command = [sys.executable, "-m", "huying.site.cli", "import", str(path), "--map", str(tmp_path / "map.toml")]
    database = connection.settings_dict
    url = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)
    environment = {**os.environ, "DATABASE_URL": url, "PYTHONPATH": str(ROOT / "src")}
    first = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _wait_until(lambda: Case.objects.count() >= 200)
    first.send_signal(signal.SIGKILL)
    first.wait()
    before = Case.objects.count()
    assert 0 < before < 2000
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert f"原已导入 {before} 件" in again.stdout or "原已导入" in again.stdout
    numbers = list(Case.objects.values_list("external_no", flat=True))
    assert (len(numbers), len(set(numbers))) == (2000, 2000)
    assert Assignment.objects.count() == Reply.objects.count() == JournalEntry.objects.count() == 2000
    forget_units()


def _wait_until(happened: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
