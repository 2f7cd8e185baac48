"""The pages of figures: who reads which, what they show, and what nobody learns from them."""

from __future__ import annotations

import csv
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from huying.base import clock
from huying.base.clock import local_date
from huying.cases.commands.perform import perform
from huying.cases.models import Assignment, Bulletin, Case, CaseSubject, TimeLimit
from huying.cases.queries.circular import draft_of, due_periods, is_published
from huying.core.periods import between, period_of
from huying.core.sheets import Line, figures_sheet
from huying.people.actors import actors_of
from huying.people.registers import SignIn
from huying.people.units import find_unit
from huying.reports.assessment import write_assessment, write_indicators
from huying.reports.circular import write_drafts

HOUSING, ROADS, STREET = "市住建局", "市交通运输局", "东岳路街道"
PAGE = "/desk/figures/"


def text(response: Any, status: int = 200) -> str:
    assert response.status_code == status, response.content.decode()
    return str(response.content.decode())


def late(case: Any, days: int = 1) -> Any:
    """The lead's handling limit, fallen due that many days ago, and missed."""
    day = local_date(clock.now()) - timedelta(days=days)
    lead = Assignment.objects.get(case=case)
    return TimeLimit.objects.update_or_create(
        case=case, assignment=lead, name="handle",
        defaults={
            "rule": "r", "start_event": "x", "day_zero": day, "days": 5, "due_on": day,
            "due_at": clock.start_of_day(day + timedelta(days=1)), "started_at": case.submitted_at, "met": False,
        },
    )  # fmt: skip


def lately() -> dict[str, str]:
    today = local_date(clock.now())
    return {"period": "range", "first": (today - timedelta(days=20)).isoformat(), "last": today.isoformat()}


def actor(desk: Any, role: str, unit: str = "center") -> Any:
    desk.at(role, unit)
    from huying.people.models import Account

    return actors_of(Account.objects.get(username=f"{role}-{unit}".replace("/", "-")), clock.now())[0]


# --- Who reads them --------------------------------------------------------------------------------


def test_who_reads_figures_and_who_does_not(desk: Any) -> None:
    for role, unit in (
        ("supervisor", "center"), ("analyst", "center"), ("auditor", "center"), ("leader", HOUSING),
        ("executive", "市政府"),
    ):  # fmt: skip
        client = desk.at(role, unit)
        assert "按期办结率" in text(client.get(PAGE))
        assert "得分" in text(client.get(f"{PAGE}scores/"))
    for role, unit in (("handler", HOUSING), ("operator", "center"), ("grid_worker", HOUSING)):
        for address in (PAGE, f"{PAGE}cases/?counter=late", f"{PAGE}scores/", f"{PAGE}circular/",
                        f"{PAGE}export/figures/", "/desk/hot-topics/"):  # fmt: skip
            text(desk.at(role, unit).get(address), 404)
    text(desk.at("analyst").get(f"{PAGE}circular/"), 404)
    text(desk.at("leader", HOUSING).get("/desk/hot-topics/"), 404)
    text(desk.at("leader", HOUSING).get(f"{PAGE}export/scores-towns/"), 404)
    assert desk.at("supervisor").post(PAGE).status_code == 405


# --- What they show --------------------------------------------------------------------------------


def test_a_late_case_stands_in_the_table_and_behind_its_figure(desk: Any) -> None:
    case, other = desk.dispatched(), desk.dispatched(title="井盖松动")
    late(case)
    client = desk.at("supervisor")
    page = text(client.get(PAGE, lately()))
    assert "市住建局" in page and "<span>0.0%</span>" in page
    assert f"counter=late&amp;key={find_unit(desk.platform, HOUSING).pk}" in page
    listed = text(client.get(f"{PAGE}cases/", lately() | {"counter": "late"}))
    assert case.number in listed and other.number not in listed
    key = str(find_unit(desk.platform, ROADS).pk)
    assert case.number not in text(client.get(f"{PAGE}cases/", lately() | {"counter": "late", "key": key}))
    leader = text(desk.at("leader", HOUSING).get(PAGE, lately()))
    assert "市住建局" in leader and "被投诉率" not in leader


@pytest.mark.parametrize("by", ["kind", "channel", "category", "field", "area", "outcome", "state", "mode"])
def test_by_whatever_is_coded(desk: Any, by: str) -> None:
    desk.dispatched()
    page = text(desk.at("analyst").get(PAGE, lately() | {"by": by}))
    assert {"kind": "求助", "area": STREET, "state": "办理中"}.get(by, "未填写" if by == "mode" else "") in page


def test_what_the_address_may_say(desk: Any) -> None:
    client = desk.at("supervisor")
    for given in (
        {"period": "range", "first": "2026-03-02", "last": "2026-03-01"}, {"period": "range"},
        {"period": "year", "on": "9999-12-31"}, {"period": "day", "on": "nonsense"},
    ):  # fmt: skip
        assert 'role="alert"' in text(client.get(PAGE, given))
    for given in ({"by": "nonsense", "period": "nonsense"}, {"on": "2024-02-29", "period": "quarter"}):
        assert 'role="alert"' not in text(client.get(PAGE, given))
    for given in ({"counter": "x"}, {"counter": "late", "key": "x", "by": "unit"}, {"counter": "late", "key": "\0"}):
        text(client.get(f"{PAGE}cases/", given), 404)
    text(client.get(f"{PAGE}cases/", {"counter": "late", "cursor": "x", "by": "unit", "key": "9" * 30}), 404)
    text(client.get(f"{PAGE}export/nonsense/"), 404)


def test_weights_are_the_viewers_and_must_make_a_hundred(desk: Any) -> None:
    client = desk.at("supervisor")
    good = {"w_capability": "20", "w_efficiency": "50", "w_satisfaction": "30"}
    assert "权重50" in text(client.get(f"{PAGE}scores/", good))
    for wrong in ({"w_capability": "21"}, {"w_capability": "x"}, {"w_capability": "nan"}, {"w_capability": "-1e3"}):
        assert 'role="alert"' in text(client.get(f"{PAGE}scores/", good | wrong), 422)


def test_hot_topics_of_today(desk: Any) -> None:
    for _ in range(3):
        desk.submit(title="供暖不热")
    page = text(desk.at("analyst").get("/desk/hot-topics/", {"least": "3", "factor": "x", "days": "99"}))
    assert "供暖" in page and STREET in page
    assert "供暖" not in text(desk.at("analyst").get("/desk/hot-topics/"))


def test_every_open_task_of_the_unit_with_its_days_left_and_the_last_action(desk: Any) -> None:
    cases = [desk.dispatched(title=f"第{n}盏路灯") for n in range(5)]
    other = desk.submit(title="井盖松动")
    assert desk.do(desk.at("handler", HOUSING), cases[0], "case.claim").status_code == 302
    client = desk.at("unit_admin", HOUSING)
    page = text(client.get("/desk/progress/"))
    assert "在办 5 件" in page and page.count("个工作日</td>") == 5
    assert page.count("<td>签收</td>") == 1 and other.number not in page
    assert [row.account.username for row in SignIn.objects.filter(account__username__startswith="unit_admin")] == [
        f"unit_admin-{HOUSING}"
    ]
    assert "没有在办的诉求" in text(desk.at("leader", ROADS).get("/desk/progress/"))
    text(desk.at("operator").get("/desk/progress/"), 404)


# --- What nobody learns from them -------------------------------------------------------------------


def test_the_unit_complained_about_finds_no_trace_of_the_complaint(desk: Any) -> None:
    leader, addresses = desk.at("leader", HOUSING), (PAGE, f"{PAGE}scores/", f"{PAGE}export/figures/")
    before = [text(leader.get(address, lately())) for address in addresses]
    case = desk.dispatched(title="窗口推诿拒办")
    late(case)
    assert "counter=late" in text(leader.get(PAGE, lately()))
    about = find_unit(desk.platform, HOUSING)  # found out afterwards: it had the case already
    CaseSubject.objects.create(case=case, unit=about, unit_left=about.left, unit_right=about.right)
    after = [text(leader.get(address, lately())) for address in addresses]
    assert [_without_frame(one) for one in before] == [_without_frame(one) for one in after]
    for counter in ("received", "open", "late", "complaints"):
        listed = text(leader.get(f"{PAGE}cases/", lately() | {"counter": counter}))
        assert case.number not in listed and "窗口" not in listed
    draft = text(desk.at("supervisor").get(f"{PAGE}circular/", lately()))
    assert "不列编号" in draft and case.number not in draft and "被反映" not in draft


def _without_frame(page: str) -> str:
    """What is between the head and the foot: tokens differ from page to page."""
    return page.partition("<main")[2].partition("</main>")[0] or page


def test_an_executive_reads_figures_but_opens_no_case(desk: Any) -> None:
    case = desk.dispatched()
    late(case)
    client = desk.at("executive", "市政府")
    assert "counter=late" in text(client.get(PAGE, lately()))
    assert case.number not in text(client.get(f"{PAGE}cases/", lately() | {"counter": "late"}))


# --- Bulletins -------------------------------------------------------------------------------------


def test_the_draft_names_who_was_late_and_is_published_once(desk: Any) -> None:
    case = desk.dispatched()
    late(case)
    client, who, given = desk.at("supervisor"), actor(desk, "supervisor"), lately()
    today = local_date(clock.now())
    period = between(today - timedelta(days=20), today)
    page = text(client.get(f"{PAGE}circular/", given))
    assert "办理超期1件。市住建局1件（" in page and case.number in page and "计算口径" in page
    assert draft_of(who, period, now=clock.now()).content == draft_of(who, period, now=clock.now()).content
    Bulletin.objects.create(
        platform=desk.platform, issued_by=who.unit, period=period.label, content="改过", at=clock.now(), by=who.id
    )
    assert is_published(who, period)
    page = text(client.get(f"{PAGE}circular/", given))
    assert "已经通报" in page and "发布通报" not in page


def test_a_month_that_ended_has_one_draft_however_often_it_is_made(desk: Any, tmp_path: Path) -> None:
    who, first = actor(desk, "supervisor"), clock.start_of_day(local_date(clock.now()).replace(day=1))
    now = first + timedelta(hours=6)
    [written] = write_drafts(who, tmp_path, ["month"], now=now)
    written.write_text("改过", encoding="utf-8")
    assert write_drafts(who, tmp_path, ["month"], now=now) == []
    assert [one.read_text(encoding="utf-8") for one in tmp_path.iterdir()] == ["改过"]
    [period] = due_periods(who, local_date(now), ["month"])
    assert written.name == f"通报-{period.label}.txt"
    Bulletin.objects.create(
        platform=desk.platform, issued_by=who.unit, period=period.label, content="x", at=now, by=who.id
    )
    assert due_periods(who, local_date(now), ["month"]) == []
    assert {period.kind for period in due_periods(who, local_date(now), ["day", "week", "month"])} == {"day", "week"}


def test_a_week_has_seven_daily_drafts_and_one_weekly(desk: Any, tmp_path: Path) -> None:
    who = actor(desk, "supervisor")
    monday = clock.start_of_day(local_date(clock.now())) - timedelta(days=local_date(clock.now()).weekday() + 7)
    for day in range(1, 8):
        for _ in range(2):
            write_drafts(who, tmp_path, ["day"], now=monday + timedelta(days=day, hours=1))
    write_drafts(who, tmp_path, ["week"], now=monday + timedelta(days=7, hours=1))
    names = [one.name for one in tmp_path.iterdir()]
    assert (sum("日报" in name for name in names), sum("周报" in name for name in names)) == (7, 1)


# --- Files -----------------------------------------------------------------------------------------


def rows_of(sheet: str) -> list[list[str]]:
    assert sheet.startswith("\ufeff")
    return list(csv.reader(StringIO(sheet[1:])))


def test_figures_as_a_file_say_how_they_are_worked_out(desk: Any) -> None:
    case = desk.dispatched()
    late(case)
    response = desk.at("supervisor").get(f"{PAGE}export/figures/", lately() | {"by": "unit"})
    assert response["Content-Type"].startswith("text/csv") and "attachment" in response["Content-Disposition"]
    sheet = response.content.decode()
    rows = rows_of(sheet)
    assert any("按期办结率＝" in cell for row in rows for cell in row)
    head = next(row for row in rows if row[:1] == ["单位"])
    housing = next(row for row in rows if row[:1] == [HOUSING])
    assert housing[head.index("按期办结率（%）")] == "0.0"
    assert any(row[:1] == [ROADS] for row in rows)  # had nothing, and is listed
    for secret in ("王小明", "13900000001", "路灯", case.number):
        assert secret not in sheet


def test_departments_and_towns_are_assessed_in_files_of_their_own(desk: Any, tmp_path: Path) -> None:
    case = desk.dispatched()
    late(case)
    who, period = actor(desk, "supervisor"), period_of("year", local_date(clock.now()) - timedelta(days=1))
    paths = {
        one.name: one.read_text(encoding="utf-8") for one in write_assessment(who, tmp_path, period, now=clock.now())
    }
    departments = next(sheet for name, sheet in paths.items() if name.startswith("考核评分-部门"))
    towns = next(sheet for name, sheet in paths.items() if name.startswith("考核评分-镇街"))
    assert HOUSING in departments and STREET not in departments
    assert STREET in towns and HOUSING not in towns
    items = next(sheet for name, sheet in paths.items() if name.startswith("考核事项-部门"))
    assert [HOUSING, "办理超期", "1", case.number] in rows_of(items)
    [year] = write_indicators(who, tmp_path, period, now=clock.now())
    sheet = year.read_text(encoding="utf-8")
    assert f"{period.first.year}年度" in sheet and HOUSING in sheet and STREET in sheet


def test_a_name_that_a_spreadsheet_would_run_is_made_plain() -> None:
    day = period_of("day", local_date(clock.now()))
    sheet = figures_sheet("x", day, "单位", [Line("=1+1", {"due": 1})])
    assert "\n'=1+1," in sheet


def test_pages_ask_the_database_no_more_for_more_units(desk: Any, django_assert_max_num_queries: Any) -> None:
    for unit in (HOUSING, ROADS, STREET):
        case = desk.submit()
        assert perform(
            "case.dispatch", actor=actor(desk, "dispatcher"), now=clock.now(), case=case, data={"lead": unit}
        ).case
    client = desk.at("supervisor")
    client.get(PAGE, lately())
    with django_assert_max_num_queries(24):
        client.get(PAGE, lately())
    assert Case.objects.count() == 3
