"""Tasks, guidance by line, clues given to a unit to verify, material for the inspectors: the five texts' own words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from huying.base.clock import LEGAL_ZONE
from huying.cases.commands import Done, perform
from huying.cases.commands.tasks import mark_material_read
from huying.cases.models import CaseSubject, Clue, JournalEntry, Material, Task
from huying.cases.policies import regulation
from huying.cases.queries.record import case_record
from huying.cases.queries.tasks import (
    cases_shown,
    clue_shown,
    find_material,
    find_task,
    materials_of,
    page_of_tasks,
    reads_tasks,
    task_is_late,
    tasks_in,
    waiting_tasks,
)
from huying.core.verdict import Refused
from huying.people.actors import Actor
from huying.people.units import find_unit, forget_units, open_platform
from huying.policy.model import UnitTree

pytestmark = pytest.mark.django_db

NOW = datetime(2024, 4, 2, 10, tzinfo=LEGAL_ZONE)
TODAY, DUE = date(2024, 4, 2), date(2024, 4, 12)


@dataclass
class City:
    """A platform of one regulation with the upper levels of its tree."""

    platform: Any

    def actor(self, who: str, *homes: str) -> Actor:
        role, _, path = who.partition("@")
        unit = find_unit(self.platform, path)
        lefts = frozenset(find_unit(self.platform, home).left for home in homes)
        return Actor(id=who, role=role, platform=self.platform, unit=unit, homes=lefts)

    def do(self, action: str, who: str | Actor, *, case: Any = None, at: datetime = NOW, **data: Any) -> Any:
        actor = self.actor(who) if isinstance(who, str) else who
        return perform(action, actor=actor, now=at, case=case, data=data)

    def done(self, action: str, who: str | Actor, **rest: Any) -> Any:
        outcome = self.do(action, who, **rest)
        assert isinstance(outcome, Done), outcome
        return outcome

    def case(self, who: str = "operator@center", *, lead: str = "", **data: Any) -> Any:
        given = {
            "channel": regulation(self.platform.regulation).channels[0].key, "kind": "complaint", "title": "路灯不亮",
            "content": "路口的路灯三天不亮。", "place": "路口", "requester": {"name": "李小明", "phone": "13900000001"},
        } | data  # fmt: skip
        made = self.done("case.submit", who, **given).case
        if lead:
            self.done("case.dispatch", "dispatcher@center", case=made, lead=lead)
        return made


def opened(name: str, *districts: str) -> Iterator[City]:
    """That regulation's city level, with the departments of a few of its districts."""
    policy = regulation(name)
    units = [
        unit
        for unit in policy.tree.units
        if "/" not in unit.path or (unit.path.count("/") == 1 and unit.path.partition("/")[0] in districts)
    ]
    tree = UnitTree(root=policy.tree.root, units=tuple(units), role_home=policy.tree.role_home)
    yield City(open_platform("tasks", policy.info.platform_name, name, tree))
    forget_units()


@pytest.fixture
def municipality(db: None) -> Iterator[City]:
    yield from opened("chongqing-2021", "万州区")


@pytest.fixture
def district(db: None) -> Iterator[City]:
    yield from opened("chongqing-district")


@pytest.fixture
def lakes(db: None) -> Iterator[City]:
    yield from opened("huzhou-2016", "吴兴区", "德清县")


@pytest.fixture
def crane(db: None) -> Iterator[City]:
    yield from opened("hebi-2020")


def assign(city: City, who: str = "supervisor@center", **data: Any) -> Any:
    given = {"kind": "general", "title": "报送基本信息", "content": "请核对并报送平台基本信息。", "units": ["公安局"]}
    return city.do("task.assign", who, **given | data)


def code(outcome: Any) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.code


# --- The district's other work ---------------------------------------------------------------------


def test_a_task_of_the_district_is_completed_by_the_unit_and_closed(district: City) -> None:
    given = assign(district, due=DUE)
    task = given.made
    assert (task.state, task.unit.path, task.issued_by.path, task.article) == (
        "open", "公安局", "center", "chongqing-district#6.5",
    )  # fmt: skip
    unit = district.actor("handler@公安局")
    assert [row.task for row in page_of_tasks(unit, "mine", "open", today=TODAY)[0]] == [task]
    district.done("task.report", unit, task=task.pk, report="已报送。", at=NOW + timedelta(days=1))
    task.refresh_from_db()
    assert (task.state, task.report, task.reported_by) == ("reported", "已报送。", unit.id)
    assert task.reported_at == NOW + timedelta(days=1)
    assert code(district.do("task.report", unit, task=task.pk, report="再报。")) == "wrong_state"
    district.done("task.close", "dispatcher@center", task=task.pk, conclusion="同意。")
    task.refresh_from_db()
    assert (task.state, task.conclusion) == ("closed", "同意。")


def test_each_unit_gets_its_own_task_and_the_journal_keeps_ids_alone(district: City) -> None:
    assert isinstance(assign(district, units=["公安局", "城市管理局"]), Done)
    assert sorted(Task.objects.values_list("unit__path", flat=True)) == sorted(["公安局", "城市管理局"])
    entry = JournalEntry.objects.get(action="task.assign")
    assert entry.data == {"tasks": sorted(Task.objects.values_list("pk", flat=True)), "kind": "general"}
    assert entry.article == "chongqing-district#6.5"


@pytest.mark.parametrize(
    ("who", "data", "refused"),
    [
        ("handler@公安局", {}, "not_permitted"),
        ("supervisor@center", {"kind": "verification"}, "invalid:kind"),
        ("supervisor@center", {"units": []}, "missing:units"),
        ("supervisor@center", {"units": ["没有的单位"]}, "invalid:units"),
        ("supervisor@center", {"units": ["center"]}, "not_permitted"),
        ("dispatcher@公安局", {"units": ["城市管理局"]}, "not_permitted"),
        ("supervisor@center", {"units": ["政府办公室"]}, "invalid:units"),
        ("supervisor@center", {"due": "2024-04-01"}, "invalid:due"),
        ("supervisor@center", {"title": ""}, "missing:title"),
        ("supervisor@center", {"cases": ["20240402999999999"]}, "invalid:cases"),
        ("supervisor@center", {"clue": 1}, "invalid:clue"),
        ("supervisor@center", {"draft": 1}, "not_found"),
    ],
)
def test_a_task_that_is_refused(district: City, who: str, data: dict[str, Any], refused: str) -> None:
    assert code(assign(district, who, **data)) == refused
    assert not Task.objects.exists() and not JournalEntry.objects.exists()


def test_another_unit_neither_reads_nor_reports_a_task(district: City) -> None:
    task = assign(district).made
    other = district.actor("handler@城市管理局")
    assert find_task(other, task.pk) is None
    assert code(district.do("task.report", other, task=task.pk, report="已办。")) == "not_found"
    assert code(district.do("task.close", "supervisor@政府督查机构", task=task.pk, conclusion="撤回")) == "not_found"
    assert find_task(district.actor("analyst@center"), task.pk) is None


def test_what_is_due_today_is_not_late_and_counts_as_waiting(district: City) -> None:
    assign(district, due=DUE)
    assign(district, title="参加培训")
    unit = district.actor("leader@公安局")
    assert waiting_tasks(unit, DUE) == waiting_tasks(unit, TODAY)
    assert (waiting_tasks(unit, DUE).open, waiting_tasks(unit, DUE).late) == (2, 0)
    assert (waiting_tasks(unit, DUE + timedelta(days=1)).open, waiting_tasks(unit, DUE + timedelta(days=1)).late) == (
        2,
        1,
    )
    rows, more = page_of_tasks(unit, "mine", "open", today=DUE + timedelta(days=1))
    assert [(row.task.title, row.late) for row in rows] == [("报送基本信息", True), ("参加培训", False)]
    assert not more


def test_an_open_task_is_taken_back_with_the_reason(district: City) -> None:
    task = assign(district).made
    assert code(district.do("task.close", "supervisor@center", task=task.pk)) == "missing:conclusion"
    district.done("task.close", "supervisor@center", task=task.pk, conclusion="重复交办。")
    assert code(district.do("task.report", "handler@公安局", task=task.pk, report="已办。")) == "wrong_state"


# --- Cases on a task -------------------------------------------------------------------------------


def test_a_case_on_a_task_is_shown_only_to_who_may_see_it_anyway(district: City) -> None:
    case = district.case(lead="城市管理局")
    task = assign(district, units=["公安局", "城市管理局"], cases=[case.number]).made
    other = Task.objects.exclude(pk=task.pk).get()
    assert [one.pk for one in cases_shown(task, district.actor("supervisor@center"))] == [case.pk]
    assert cases_shown(task, district.actor("handler@公安局")) == []
    assert [one.pk for one in cases_shown(other, district.actor("handler@城市管理局"))] == [case.pk]


def test_no_task_about_a_case_goes_to_the_unit_complained_about_or_below(district: City) -> None:
    case = district.case(kind="report", subject_unit="公安局")
    assert code(assign(district, cases=[case.number])) == "recusal"
    assert isinstance(assign(district, units=["城市管理局"], cases=[case.number]), Done)


def test_a_giver_attaches_no_case_that_it_does_not_see(district: City) -> None:
    case = district.case(kind="report", subject_unit="center")
    assert code(assign(district, cases=[case.number])) == "invalid:cases"


def test_a_task_vanishes_for_the_unit_that_its_case_came_to_complain_of(district: City) -> None:
    """As when a complaint about the unit is merged into a case that hangs on its task."""
    case = district.case()
    task = assign(district, cases=[case.number], due=DUE).made
    unit = district.actor("handler@公安局")
    assert waiting_tasks(unit, TODAY).open == 1
    accused = find_unit(district.platform, "公安局")
    CaseSubject.objects.create(case=case, unit=accused, unit_left=accused.left, unit_right=accused.right)
    assert waiting_tasks(unit, TODAY).open == 0 and find_task(unit, task.pk) is None
    at_home = district.actor("supervisor@center", "公安局", "center")
    assert find_task(at_home, task.pk) is None
    assert find_task(district.actor("supervisor@center"), task.pk) is not None


# --- What the platform drafted ---------------------------------------------------------------------


def drafted(city: City, case: Any, unit: str = "公安局", kind: str = "general") -> Task:
    task = Task.objects.create(
        platform=city.platform, kind=kind, title="集中反映", content="请整改。", unit=find_unit(city.platform, unit),
        state="draft", rule="many", article="chongqing-district#6.5", at=NOW, by="system",
    )  # fmt: skip
    task.cases.add(case)
    return task


def test_a_draft_is_sent_by_a_person_after_editing(district: City) -> None:
    case = district.case()
    draft = drafted(district, case)
    assert find_task(district.actor("handler@公安局"), draft.pk) is None
    assert [
        row.task for row in page_of_tasks(district.actor("supervisor@center"), "given", "draft", today=TODAY)[0]
    ] == [draft]
    outcome = assign(district, draft=draft.pk, title="路灯集中反映", due=DUE)
    assert isinstance(outcome, Done) and Task.objects.count() == 1
    draft.refresh_from_db()
    assert (draft.state, draft.title, draft.rule, draft.by) == ("open", "路灯集中反映", "many", "supervisor@center")
    assert draft.issued_by.path == "center" and draft.cases.get() == case
    assert code(assign(district, draft=draft.pk)) == "wrong_state"


def test_a_draft_may_be_dropped_and_is_not_sent_to_a_unit_complained_about(district: City) -> None:
    draft = drafted(district, district.case(kind="report", subject_unit="公安局"))
    assert code(assign(district, draft=draft.pk)) == "recusal"
    assert code(district.do("task.close", "supervisor@center", task=draft.pk)) == "missing:conclusion"
    district.done("task.close", "supervisor@center", task=draft.pk, conclusion="另行督办。")
    assert find_task(district.actor("handler@公安局"), draft.pk) is None


# --- Rectification ---------------------------------------------------------------------------------


def test_rectification_reports_cause_measures_and_the_day_it_was_completed(crane: City) -> None:
    lead = next(unit.path for unit in regulation("hebi-2020").tree.units if unit.kind == "department" and unit.handles)
    task = assign(crane, kind="rectification", units=[lead]).made
    unit = crane.actor(f"handler@{lead}")
    said = {"report": "已整改。", "cause": "管网老化", "measures": "更换管网", "completed_on": "2024-04-01"}
    for name in ("cause", "measures", "completed_on"):
        assert code(crane.do("task.report", unit, task=task.pk, **said | {name: ""})) == f"missing:{name}"
    crane.done("task.report", unit, task=task.pk, **said)
    task.refresh_from_db()
    assert (task.cause, task.measures, task.completed_on) == ("管网老化", "更换管网", date(2024, 4, 1))
    assert task.article == "hebi-2020#7"


# --- Guidance by line ------------------------------------------------------------------------------


def guide(city: City, who: str, **data: Any) -> Any:
    given = {"kind": "guidance", "title": "规范答复", "content": "答复应当引用政策依据。"}
    return city.do("task.assign", who, **given | data)


def test_guidance_reaches_only_the_counterparts_of_the_departments_line(lakes: City) -> None:
    assert isinstance(guide(lakes, "leader@市住建局"), Done)
    assert sorted(Task.objects.values_list("unit__path", flat=True)) == sorted(["吴兴区/住建局", "德清县/住建局"])
    for who, tasks in {
        "handler@吴兴区/住建局": 1, "leader@德清县/住建局": 1, "handler@吴兴区/公安局": 0,
        "supervisor@德清县/center": 0, "handler@市公安局": 0,
    }.items():  # fmt: skip
        assert tasks_in(lakes.actor(who), "mine").count() == tasks, who


def test_guidance_may_be_given_to_some_counterparts_and_to_no_other_unit(lakes: City) -> None:
    assert isinstance(guide(lakes, "leader@市住建局", units=["德清县/住建局"]), Done)
    assert Task.objects.get().unit.path == "德清县/住建局"
    for path in ("德清县/公安局", "市公安局", "德清县/center", "市住建局"):
        assert code(guide(lakes, "leader@市住建局", units=[path])) == "not_permitted", path
    assert code(guide(lakes, "leader@市发改委")) == "not_permitted"
    assert code(guide(lakes, "leader@德清县/住建局")) == "not_permitted"


def test_every_city_department_with_counterparts_heads_a_line() -> None:
    """The departments of the unit tree whose name without the leading 市 is a department of a district or county."""
    policy = regulation("huzhou-2016")
    paths = {unit.path for unit in policy.tree.units}
    below = {path.partition("/")[2] for path in paths}
    heads = {path for path in paths if "/" not in path and path.removeprefix("市") in below and path.startswith("市")}
    lines = {line.head: line.counterparts for line in policy.lines}
    assert set(lines) == heads | {"center"}
    assert all(lines[head] == (head.removeprefix("市"),) for head in heads)


# --- A clue given to a unit to verify ---------------------------------------------------------------


INSPECTOR = "inspector@市政府督查办"


def clue_of(city: City, case: Any) -> Clue:
    clue = Clue.objects.create(
        case=case, ground="shirking", to_unit=find_unit(city.platform, "市政府督查办"), state="transferred",
        content="推诿。", at=NOW, sent_at=NOW,
    )  # fmt: skip
    return clue


def verify(city: City, about: Clue, who: str = INSPECTOR, **data: Any) -> Any:
    given = {
        "kind": "verification", "title": "核查路灯养护情况", "content": "请核查养护资金落实情况。",
        "units": ["市公安局"], "due": "2024-04-12", "clue": about.pk,
    }  # fmt: skip
    return city.do("task.assign", who, **given | data)


def test_a_clue_given_to_a_unit_is_closed_by_its_report(municipality: City) -> None:
    case = municipality.case()
    clue = clue_of(municipality, case)
    task = verify(municipality, clue).made
    assert (task.unit.path, task.due_on, task.clue, task.state) == ("市公安局", DUE, clue, "open")
    version = type(case).objects.get(pk=case.pk).version
    unit = municipality.actor("handler@市公安局")
    assert clue_shown(task, unit) is None and cases_shown(task, unit) == []
    municipality.done("task.report", unit, task=task.pk, report="经核查，情况属实。", at=NOW + timedelta(days=3))
    clue.refresh_from_db()
    assert (clue.state, clue.opinion) == ("concluded", "经核查，情况属实。")
    entry = JournalEntry.objects.get(action="clue.conclude")
    assert entry.case_id == case.pk and entry.data == {"clue": clue.pk, "task": task.pk}
    assert (entry.article, entry.actor_id) == ("chongqing-2021#17", unit.id)
    assert type(case).objects.get(pk=case.pk).version == version + 1
    record = case_record(case, municipality.actor(INSPECTOR), now=NOW + timedelta(days=4))
    assert [one["opinion"] for one in record["clues"]] == ["经核查，情况属实。"]


def test_a_clue_is_verified_by_one_unit_in_time_and_not_twice(municipality: City) -> None:
    clue = clue_of(municipality, municipality.case())
    assert code(verify(municipality, clue, due=None)) == "missing:due"
    assert code(verify(municipality, clue, clue=None)) == "missing:clue"
    assert code(verify(municipality, clue, units=["市公安局", "市教委"])) == "invalid:units"
    assert code(verify(municipality, clue, "supervisor@center")) == "not_permitted"
    assert code(verify(municipality, clue, clue=clue.pk + 1)) == "not_found"
    assert isinstance(verify(municipality, clue), Done)
    assert code(verify(municipality, clue, units=["市教委"])) == "already_done"


def test_neither_the_unit_complained_about_nor_one_that_had_the_case_verifies_a_clue(municipality: City) -> None:
    case = municipality.case(lead="市教委", kind="report", subject_unit="万州区")
    clue = clue_of(municipality, case)
    below = next(unit.path for unit in regulation("chongqing-2021").tree.units if unit.path.startswith("万州区/"))
    assert code(verify(municipality, clue, units=[below])) == "recusal"
    assert code(verify(municipality, clue, units=["市教委"])) == "recusal"


def test_what_the_inspectors_concluded_themselves_stays(municipality: City) -> None:
    case = municipality.case()
    clue = clue_of(municipality, case)
    task = verify(municipality, clue).made
    municipality.done("clue.conclude", INSPECTOR, case=case, opinion="已直接派员核查。")
    municipality.done("task.report", "handler@市公安局", task=task.pk, report="属实。")
    clue.refresh_from_db()
    assert clue.opinion == "已直接派员核查。"
    assert code(verify(municipality, clue, units=["市教委"])) == "wrong_state"


# --- Material --------------------------------------------------------------------------------------


def send(city: City, who: str = "leader@市公安局", **data: Any) -> Any:
    given = {"title": "一季度治安类诉求梳理", "period": "2024年第一季度", "text": "反映集中在噪声扰民。"}
    return city.do("material.submit", who, **given | data)


def test_the_inspectors_see_the_material_of_a_department_with_its_two_cases(municipality: City) -> None:
    cases = [municipality.case(lead="市公安局", title=title) for title in ("噪声扰民", "夜间施工")]
    made = send(municipality, cases=[one.number for one in cases]).made
    assert (made.to.path, made.unit.path, made.period) == ("市政府督查办", "市公安局", "2024年第一季度")
    inspector = municipality.actor(INSPECTOR)
    [row] = materials_of(inspector)[0]
    assert {one.title for one in cases_shown(row, inspector)} == {"噪声扰民", "夜间施工"}
    assert JournalEntry.objects.get(action="material.submit").data == {"material": made.pk}
    assert find_material(municipality.actor("leader@市教委"), made.pk) is None
    assert find_material(municipality.actor("handler@市公安局"), made.pk) is not None


def test_material_is_marked_read_by_who_was_sent_it(municipality: City) -> None:
    made = send(municipality).made
    assert not mark_material_read(municipality.actor("leader@市公安局"), made.pk, now=NOW)
    assert mark_material_read(municipality.actor(INSPECTOR), made.pk, now=NOW)
    assert Material.objects.get().read_at == NOW


def test_material_holds_the_units_own_cases_and_goes_to_inspectors_only(municipality: City) -> None:
    foreign = municipality.case(lead="市教委")
    assert code(send(municipality, cases=[foreign.number])) == "invalid:cases"
    assert code(send(municipality, to="市教委")) == "invalid:to"
    assert code(send(municipality, "handler@center")) == "not_permitted"
    own = municipality.case(lead="市公安局", kind="report", subject_unit="市政府督查办")
    assert code(send(municipality, cases=[own.number])) == "recusal"
    assert not Material.objects.exists()


def test_material_about_a_complaint_is_not_there_for_who_also_works_where_it_points(municipality: City) -> None:
    case = municipality.case(lead="市公安局", kind="report", subject_unit="市教委")
    made = send(municipality, cases=[case.number]).made
    both = municipality.actor(INSPECTOR, "市教委", "市政府督查办")
    assert find_material(both, made.pk) is None and materials_of(both)[0] == []


def test_a_regulation_without_tasks_has_none(platform: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from huying.cases import policies

    policy = policies.policy_of(platform)
    bare = {**dict(policy), "actions": tuple(one for one in policy.actions if not one.key.startswith("task."))}
    monkeypatch.setitem(
        policies._regulations, (policy.info.id, policy.info.version), type(policy).model_construct(**bare)
    )
    actor = Actor(id="x", role="supervisor", platform=platform, unit=find_unit(platform, "center"))
    assert not reads_tasks(actor)
    outcome = perform(
        "task.assign", actor=actor, now=NOW,
        data={"kind": "proactive", "title": "路灯", "content": "排查。", "units": ["市住建局"]},
    )  # fmt: skip
    assert code(outcome) == "not_enabled"
    assert task_is_late(Task(state="open", due_on=DUE), DUE + timedelta(days=1))
