"""The pages of the assessment and of the settings: who gets them, what they show, and what pressing a button does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from huying.base import clock
from huying.cases.commands.assessments import draft_due
from huying.cases.models import Assessment, Case, KnowledgeUpdate, ScoreAdjustment, Setting
from huying.core.periods import ended

HOUSING, ROADS = "市住建局", "市交通运输局"
PAGE, SETTINGS = "/desk/assessment/", "/desk/settings/"


def text(response: Any, status: int = 200) -> str:
    assert response.status_code == status, response.content.decode()
    return str(response.content.decode())


def drafted(desk: Any) -> Assessment:
    """A case of last quarter at the housing bureau, and the draft that the clock made of the quarter."""
    of = ended("quarter", clock.local_date(clock.now()))
    case = desk.dispatched()
    Case.objects.filter(pk=case.pk).update(submitted_at=of.begins + timedelta(days=9))
    draft_due(clock.now())
    return Assessment.objects.get(platform=desk.platform)


def test_who_gets_the_pages_and_who_does_not(desk: Any) -> None:
    row = drafted(desk)
    for role in ("supervisor", "analyst", "auditor", "leader"):
        page = text(desk.at(role).get(PAGE))
        assert row.label in page and "草稿" in page
        assert HOUSING in text(desk.at(role).get(f"{PAGE}{row.pk}/"))
    own = desk.at("leader", HOUSING)
    assert row.label not in text(own.get(PAGE))
    for address in (f"{PAGE}{row.pk}/", f"{PAGE}{row.pk}/export/", f"{PAGE}{2**63}/"):
        text(own.get(address), 404)
    for role, unit in (("handler", HOUSING), ("dispatcher", "center"), ("admin", "center")):
        for address in (PAGE, f"{PAGE}{row.pk}/", f"{PAGE}{row.pk}/export/"):
            text(desk.at(role, unit).get(address), 404)
    for client in (own, desk.at("analyst")):
        for address in ("draft/", f"{row.pk}/score/", f"{row.pk}/approve/"):
            text(client.post(f"{PAGE}{address}"), 404)


def test_scored_and_approved_on_the_page_the_unit_reads_why(desk: Any) -> None:
    row = drafted(desk)
    boss, address = desk.at("supervisor"), f"{PAGE}{row.pk}/"
    page = text(boss.get(address))
    assert "还有 2 项没有评分" in page and "待评" in page
    assert "按时签收率" in page and "（十五）" in page
    refused = text(boss.post(f"{address}score/", {"unit": HOUSING, "item": "leadership", "points": "5"}), 422)
    assert "请填写“评分理由”" in refused
    assert "不能超过满分" in text(
        boss.post(f"{address}score/", {"unit": HOUSING, "item": "leadership", "points": "11", "reason": "好"}), 422
    )
    assert "还没有评分" in text(boss.post(f"{address}approve/"), 422)
    for item, reason in (("leadership", "专班推进，领导包案。"), ("cooperation", "协办反馈及时。")):
        done = boss.post(f"{address}score/", {"unit": HOUSING, "item": item, "points": "9.5", "reason": reason})
        assert done.status_code == 302
    assert "各项都已评分" in text(boss.get(address))
    assert boss.post(f"{address}approve/").status_code == 302
    page = text(boss.get(address))
    assert "已审定" in page and "记录评分" not in page
    assert "已经审定" in text(boss.post(f"{address}score/", {"unit": HOUSING, "item": "leadership", "points": "1",
                                                        "reason": "改"}), 422)  # fmt: skip
    assert "已经审定" in text(boss.post(f"{PAGE}draft/", {"first": row.first.isoformat()}), 422)
    own = text(desk.at("leader", HOUSING).get(address))
    assert "专班推进，领导包案。" in own and "9.5" in own
    other = text(desk.at("leader", ROADS).get(address))
    assert HOUSING not in other and "专班" not in other and "不在考核之列" in other
    sheet = desk.at("analyst").get(f"{address}export/")
    assert sheet["Content-Type"].startswith("text/csv")
    lines = sheet.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "承办单位考核结果（已审定）"
    assert any(line.startswith(f"部门,{HOUSING},9.50,9.50,") for line in lines)


def test_the_draft_can_be_drawn_up_by_hand_and_again(desk: Any) -> None:
    of = ended("quarter", clock.local_date(clock.now()))
    case = desk.dispatched()
    Case.objects.filter(pk=case.pk).update(submitted_at=of.begins + timedelta(days=9))
    boss = desk.at("supervisor")
    assert f"生成{of.name}考核稿" in text(boss.get(PAGE))
    assert boss.post(f"{PAGE}draft/", {"first": of.first.isoformat()}).status_code == 302
    assert boss.post(f"{PAGE}draft/", {"first": of.first.isoformat()}).status_code == 302
    assert Assessment.objects.count() == 1
    assert "还没有结束" in text(boss.post(f"{PAGE}draft/", {"first": clock.local_date(clock.now()).isoformat()}), 422)
    assert "请填写" in text(boss.post(f"{PAGE}draft/"), 422)


def test_units_without_work_are_not_among_the_scores(desk: Any) -> None:
    desk.dispatched()
    page = text(desk.at("supervisor").get("/desk/figures/scores/"))
    body = page[page.index("<tbody>") :]
    assert HOUSING in body and ROADS not in body


def test_a_unit_enters_its_updates_of_the_knowledge_base(desk: Any) -> None:
    client = desk.at("unit_admin", HOUSING)
    assert "知识库更新" in text(client.get("/desk/registers/"))
    given = {"unit": HOUSING, "change": "added", "title": "公积金提取条件"}
    assert client.post("/desk/registers/knowledge.updated/", given).status_code == 302
    [row] = KnowledgeUpdate.objects.all()
    assert (row.unit.path, row.title) == (HOUSING, "公积金提取条件")
    text(client.post("/desk/registers/knowledge.updated/", given | {"unit": ROADS}), 422)
    assert "公积金提取条件" in text(desk.at("supervisor").get("/desk/registers/"))
    assert "公积金提取条件" not in text(desk.at("leader", ROADS).get("/desk/registers/"))


def test_the_bonus_for_a_typical_case_is_given_on_the_page(desk: Any) -> None:
    case = desk.dispatched()
    boss = desk.at("supervisor")
    assert "典型案例奖励加2分" in text(boss.get("/desk/registers/"))
    given = {"unit": HOUSING, "points": "2", "reason": "典型案例", "case": case.number, "ground": "typical_case"}
    assert "平台设置" in text(boss.post("/desk/registers/score.adjust/", given | {"points": "3"}), 422)
    assert boss.post("/desk/registers/score.adjust/", given).status_code == 302
    assert ScoreAdjustment.objects.get().ground == "typical_case"


# --- Settings ---------------------------------------------------------------------------------------


def test_a_setting_is_shown_with_its_default_and_changed(desk: Any) -> None:
    client = desk.at("supervisor")
    page = text(client.get(SETTINGS))
    assert "典型案例奖励加分的分值" in page and "没有修改过" in page and "默认 2" in page
    assert "平台设置" in text(client.get("/desk/"))
    refused = text(client.post(SETTINGS, {"key": "bonus_typical_case", "value": "99"}), 422)
    assert "1至20之间" in refused and 'value="99"' in refused
    text(client.post(SETTINGS, {"key": "nonsense", "value": "1"}), 422)
    text(client.post(SETTINGS, {"key": "bonus_typical_case", "value": "x\0"}), 422)
    assert client.post(SETTINGS, {"key": "bonus_typical_case", "value": "4"}).status_code == 302
    assert Setting.objects.get().value == 4
    assert "supervisor-center" in text(client.get(SETTINGS))


@pytest.mark.parametrize(("role", "unit"), [("handler", HOUSING), ("leader", HOUSING), ("dispatcher", "center")])
def test_who_changes_nothing_has_no_page_of_settings(desk: Any, role: str, unit: str) -> None:
    client = desk.at(role, unit)
    text(client.get(SETTINGS), 404)
    text(client.post(SETTINGS, {"key": "bonus_typical_case", "value": "4"}), 404)
    assert "平台设置" not in text(client.get("/desk/"))


# --- Files from the command line --------------------------------------------------------------------


def test_the_files_for_assessments_are_written_from_the_command_line(desk: Any, tmp_path: Any) -> None:
    from click.testing import CliRunner

    from huying.site.cli import main

    of = ended("quarter", clock.local_date(clock.now()))
    case = desk.dispatched()
    Case.objects.filter(pk=case.pk).update(submitted_at=of.begins + timedelta(days=9))
    wanted = ["report", "test", "--out", str(tmp_path), "--kind", "quarter", "--what", "assessment"]
    done = CliRunner().invoke(main, [*wanted, "--what", "indicators"])
    assert done.exit_code == 0, done.output
    written = {path.name for path in tmp_path.iterdir()}
    assert written >= {f"考核评分-部门-{of.label}.csv", f"考核评分-镇街-{of.label}.csv", f"指标-{of.label}.csv"}
    assert not [name for name in written if "通报" in name]
    assert HOUSING in (tmp_path / f"考核评分-部门-{of.label}.csv").read_text(encoding="utf-8")
