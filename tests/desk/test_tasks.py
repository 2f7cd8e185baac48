"""Tasks and material at the desk: lists, forms, what is red, and what is not there for others."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from huying.base import clock
from huying.base.clock import local_date
from huying.cases import policies
from huying.cases.models import Clue, Material, Task
from huying.people.units import find_unit
from huying.policy.model import ActionRule, TaskKind

HOUSING, ROADS = "市住建局", "市交通运输局"
RULE: dict[str, Any] = {"origin": "default", "decision": "A-01"}


def text(response: Any, status: int = 200) -> str:
    assert response.status_code == status, response.content.decode()
    return str(response.content.decode())


def give(desk: Any, **data: Any) -> Any:
    given = {"kind": "proactive", "title": "排查路灯", "content": "请排查辖区路灯。", "units": [HOUSING]} | data
    return desk.at("supervisor").post("/desk/tasks/new/", given)


def today(days: int = 0) -> str:
    return (local_date(clock.now()) + timedelta(days=days)).isoformat()


def test_a_task_goes_from_the_centre_to_the_unit_and_back(desk: Any) -> None:
    page = text(desk.at("supervisor").get("/desk/tasks/"))
    assert "新建：未诉先办" in page
    form = text(desk.at("supervisor").get("/desk/tasks/new/?kind=proactive"))
    assert "大冶" in form and "（十六）" in form and "收件单位" in form
    assert give(desk, due=today(3)).headers["Location"] == "/desk/tasks/?box=given"
    task = Task.objects.get()
    unit = desk.at("handler", HOUSING)
    assert "排查路灯" in text(unit.get("/desk/tasks/")) and "新建" not in text(unit.get("/desk/tasks/"))
    assert "报告任务" in text(unit.get(f"/desk/tasks/{task.pk}/"))
    assert "请填写“办理情况”" in text(unit.post(f"/desk/tasks/{task.pk}/task.report/", {"report": ""}), 422)
    assert unit.post(f"/desk/tasks/{task.pk}/task.report/", {"report": "已排查32盏。"}).status_code == 302
    centre = desk.at("supervisor")
    assert "排查路灯" in text(centre.get("/desk/tasks/?box=given&state=reported"))
    assert "已排查32盏。" in text(centre.get(f"/desk/tasks/{task.pk}/"))
    assert centre.post(f"/desk/tasks/{task.pk}/task.close/", {"conclusion": ""}).status_code == 302
    assert "排查路灯" in text(unit.get("/desk/tasks/?state=closed"))
    assert "排查路灯" not in text(unit.get("/desk/tasks/?state=open"))


def test_a_refused_task_shows_what_was_typed_and_why(desk: Any) -> None:
    page = text(give(desk, units=["没有的单位"]), 422)
    assert "没有“没有的单位”这个单位" in page and "请排查辖区路灯。" in page
    assert "完成日期不能早于今天" in text(give(desk, due=today(-1)), 422)
    assert "不在您交办的范围内" in text(give(desk, units=["center"]), 422)
    assert not Task.objects.exists()


def test_what_waits_is_counted_at_the_side_and_red_when_overdue(desk: Any) -> None:
    give(desk, due=today(1))
    unit = desk.at("handler", HOUSING)
    assert '<span>任务</span><span class="count">1</span>' in text(unit.get("/desk/counts/"))
    Task.objects.update(due_on=local_date(clock.now()) - timedelta(days=1))
    for place in ("/desk/counts/", "/desk/"):
        assert '<span class="count late" title="其中逾期1项">1</span>' in text(unit.get(place)), place
    assert "已逾期" in text(unit.get("/desk/tasks/"))
    assert '<span>任务</span><span class="count">0</span>' in text(desk.at("handler", ROADS).get("/desk/counts/"))


def test_another_unit_is_not_told_that_a_task_exists(desk: Any) -> None:
    give(desk)
    task, other = Task.objects.get(), desk.at("handler", ROADS)
    missing = other.get(f"/desk/tasks/{task.pk + 1}/")
    for got in (
        other.get(f"/desk/tasks/{task.pk}/"), other.post(f"/desk/tasks/{task.pk}/task.report/", {"report": "已办。"}),
        desk.at("handler", HOUSING).post(f"/desk/tasks/{task.pk}/task.close/", {"conclusion": "不办"}),
        desk.at("handler", HOUSING).get("/desk/tasks/new/?kind=proactive"), other.get(f"/desk/tasks/{2**63}/"),
    ):  # fmt: skip
        assert (got.status_code, got.content) == (404, missing.content)
    assert desk.at("admin").get("/desk/tasks/").status_code == 404


def test_a_case_of_another_unit_is_not_named_on_the_task(desk: Any) -> None:
    case = desk.submit(title="窨井盖破损")
    assert give(desk, cases=case.number).status_code == 302
    task = Task.objects.get()
    assert "窨井盖破损" in text(desk.at("supervisor").get(f"/desk/tasks/{task.pk}/"))
    page = text(desk.at("handler", HOUSING).get(f"/desk/tasks/{task.pk}/"))
    assert "窨井盖破损" not in page and case.number not in page
    accused = desk.submit(title="窗口推诿", kind="report", subject_unit=HOUSING)
    assert "应当回避" in text(give(desk, cases=accused.number), 422)


def test_a_draft_is_looked_through_changed_and_sent(desk: Any) -> None:
    draft = Task.objects.create(
        platform=desk.platform, kind="proactive", title="路灯集中反映", content="同类诉求较多。", state="draft",
        unit=find_unit(desk.platform, HOUSING), at=clock.now(), by="system",
    )  # fmt: skip
    centre = desk.at("supervisor")
    assert "路灯集中反映" in text(centre.get("/desk/tasks/?box=given&state=draft"))
    assert "核对并交办" in text(centre.get(f"/desk/tasks/{draft.pk}/"))
    assert "同类诉求较多。" in text(centre.get(f"/desk/tasks/new/?kind=proactive&draft={draft.pk}"))
    assert desk.at("handler", HOUSING).get(f"/desk/tasks/{draft.pk}/").status_code == 404
    assert give(desk, title="集中更换路灯", draft=draft.pk).status_code == 302
    assert text(desk.at("handler", HOUSING).get(f"/desk/tasks/{draft.pk}/")).count("集中更换路灯")
    assert centre.get(f"/desk/tasks/new/?kind=proactive&draft={draft.pk}").status_code == 404


@pytest.fixture
def inspected(desk: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The platform's regulation, with clues that a unit verifies and material that departments send."""
    policy = policies.policy_of(desk.platform)
    kind = TaskKind(
        key="verification", label="线索核查", roles=("inspector",), due_required=True, on_clue=True,
        asks=("cause", "completed_on"), **RULE,
    )  # fmt: skip
    changed = {
        **dict(policy), "task_kinds": (*policy.task_kinds, kind),
        "actions": (*policy.actions, ActionRule(key="material.submit", label="报送线索素材", **RULE)),
    }  # fmt: skip
    monkeypatch.setitem(
        policies._regulations, (policy.info.id, policy.info.version), type(policy).model_construct(**changed)
    )
    return desk


def test_a_clue_is_given_to_a_unit_from_the_list_of_clues(inspected: Any) -> None:
    desk, case = inspected, inspected.submit()
    clue = Clue.objects.create(
        case=case, ground="shirking", to_unit=find_unit(desk.platform, "市纪委监委"), state="transferred",
        content="推诿。", at=clock.now(), sent_at=clock.now(),
    )  # fmt: skip
    inspector = desk.at("inspector", "市纪委监委")
    address = f"/desk/tasks/new/?kind=verification&amp;clue={clue.pk}"
    assert address in text(inspector.get("/desk/supervision/"))
    assert address not in text(desk.at("supervisor").get("/desk/supervision/"))
    assert "完成日期" in text(inspector.get(address.replace("&amp;", "&")))
    given = {"kind": "verification", "clue": clue.pk, "title": "核查", "content": "请核查。", "units": [ROADS]}
    assert "须限定完成日期" in text(inspector.post("/desk/tasks/new/", given), 422)
    assert inspector.post("/desk/tasks/new/", given | {"due": today(5)}).status_code == 302
    task, unit = Task.objects.get(), desk.at("leader", ROADS)
    page = text(unit.get(f"/desk/tasks/{task.pk}/"))
    assert "原因分析" in page and "整改措施" not in page and case.number not in page
    report = {"report": "情况属实。", "cause": "值守不力"}
    assert "完成日期" in text(unit.post(f"/desk/tasks/{task.pk}/task.report/", report), 422)
    assert unit.post(f"/desk/tasks/{task.pk}/task.report/", report | {"completed_on": today()}).status_code == 302
    clue.refresh_from_db()
    assert (clue.state, clue.opinion) == ("concluded", "情况属实。")
    assert case.number in text(inspector.get(f"/desk/tasks/{task.pk}/"))


def test_a_department_sends_what_its_figures_say_with_its_cases(inspected: Any) -> None:
    desk, case = inspected, inspected.dispatched(title="路灯长期不亮")
    unit = desk.at("leader", HOUSING)
    figures = text(unit.get("/desk/figures/"))
    assert "/desk/tasks/materials/new/?period=month" in figures
    form = text(unit.get("/desk/tasks/materials/new/?period=quarter"))
    assert "本单位收到诉求1件" in form and "季度" in form
    given = {"title": "季度梳理", "period": "本季度", "text": "反映集中在路灯。", "cases": case.number}
    assert unit.post("/desk/tasks/materials/new/", given).headers["Location"] == "/desk/tasks/materials/"
    material = Material.objects.get()
    inspector = desk.at("inspector", "市纪委监委")
    assert "未阅" in text(inspector.get("/desk/tasks/materials/"))
    assert "路灯长期不亮" in text(inspector.get(f"/desk/tasks/materials/{material.pk}/"))
    assert inspector.post(f"/desk/tasks/materials/{material.pk}/").status_code == 302
    assert "已阅" in text(unit.get("/desk/tasks/materials/"))
    other = desk.at("leader", ROADS)
    assert other.get(f"/desk/tasks/materials/{material.pk}/").status_code == 404
    assert "季度梳理" not in text(other.get("/desk/tasks/materials/"))
    assert "没有查到编号" in text(other.post("/desk/tasks/materials/new/", given), 422)


def test_where_no_rule_knows_material_there_is_none(desk: Any) -> None:
    for place in ("/desk/tasks/materials/", "/desk/tasks/materials/new/", "/desk/tasks/materials/1/"):
        assert desk.at("leader", HOUSING).get(place).status_code == 404
    assert "报送线索素材" not in text(desk.at("leader", HOUSING).get("/desk/figures/"))


def test_lists_ask_the_database_no_more_for_more_tasks(desk: Any, django_assert_max_num_queries: Any) -> None:
    unit = find_unit(desk.platform, HOUSING)
    centre = find_unit(desk.platform, "center")
    Task.objects.bulk_create(
        Task(platform=desk.platform, kind="proactive", title=f"任务{n}", content="办。", unit=unit, issued_by=centre,
             at=clock.now(), by="x") for n in range(60)
    )  # fmt: skip
    client = desk.at("handler", HOUSING)
    client.get("/desk/tasks/")
    with django_assert_max_num_queries(12):
        page = text(client.get("/desk/tasks/"))
    assert page.count("c-title") == 50 and "下一页" in page
    assert text(client.get("/desk/tasks/?box=mine&state=open&page=2")).count("c-title") == 10
