"""The quarterly assessment: drafted once by the clock, five items by the data, two by people, frozen once approved."""

from __future__ import annotations

import threading
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from tests.cases.test_indicators import City, at

from huying.base.clock import LEGAL_ZONE
from huying.cases.commands import Done, perform
from huying.cases.commands.assessments import draft_due
from huying.cases.commands.registers import enter
from huying.cases.models import Assessment, ItemScore, JournalEntry
from huying.cases.policies import policy_of, regulation
from huying.cases.queries.assessments import (
    assessments_of,
    find_assessment,
    reads_assessments,
    sheet_csv,
    sheet_of,
)
from huying.core.verdict import Refused
from huying.people.units import forget_units, open_platform
from huying.policy.model import UnitSpec, UnitTree

pytestmark = pytest.mark.django_db

HOUSING, ROADS, WATER, TOWN = "市住建局", "市交通运输局", "市水利局", "金牛镇"
APRIL = datetime(2024, 4, 1, 0, 7, tzinfo=LEGAL_ZONE)
BOSS = "supervisor@center"
BY_DATA = {"signing", "closing", "satisfaction", "volume", "knowledge"}


@pytest.fixture
def city(db: None) -> Any:
    """The centre, three departments and a town under the regulation that assesses by the quarter."""
    policy = regulation("daye-2023")
    heads = ("supervisor", "leader", "analyst", "auditor", "dispatcher")
    specs = [UnitSpec(path="center", kind="centre", handles=True, roles=heads)]
    below = ("handler", "leader", "unit_admin")
    specs += [UnitSpec(path=path, kind="department", handles=True, roles=below) for path in (HOUSING, ROADS, WATER)]
    specs += [UnitSpec(path=TOWN, kind="town", handles=True, roles=below)]
    specs += [UnitSpec(path=f"{TOWN}/一村", kind="village", roles=("handler",))]
    yield City(open_platform("assessed", "平台", policy.info.id, UnitTree(root="市", units=tuple(specs))))
    forget_units()


def work(city: City) -> Any:
    """Ten at housing, nine closed, four of five rated well, nine of ten signed in time; two at roads; one in town."""
    cases = [city.case(HOUSING)] + [city.case(HOUSING, state="closed", closed_at=at(20)) for _ in range(9)]
    for n, case in enumerate(cases):
        city.limit(case, date(2024, 3, 6), n != 0, name="claim")
        if n < 5:
            city.rate(case, 1 if n == 4 else 5)
    for _ in range(2):
        city.case(ROADS, state="closed", closed_at=at(20))
    city.case(TOWN)
    return cases


def act(city: City, action: str, who: str = BOSS, now: datetime = APRIL, **data: Any) -> Any:
    return perform(action, actor=city.actor(who), now=now, data=data)


def drafted(city: City) -> Assessment:
    assert draft_due(APRIL) == 1
    return Assessment.objects.get(platform=city.platform)


def score_all(city: City, row: Assessment, points: str = "9") -> None:
    for one in row.scores.filter(item__in=("leadership", "cooperation")).select_related("unit"):
        given = {"unit": one.unit.path, "item": one.item, "points": points, "reason": "台账齐全，配合及时。"}
        assert isinstance(act(city, "assessment.score", assessment=row.pk, **given), Done)


def points(row: Assessment, path: str) -> dict[str, Decimal | None]:
    return dict(row.scores.filter(unit__path=path).values_list("item", "points"))


# --- Drafted once -----------------------------------------------------------------------------------


def test_on_the_first_day_of_the_quarter_one_draft_exists(city: City) -> None:
    work(city)
    assert draft_due(datetime(2024, 3, 31, 23, 59, tzinfo=LEGAL_ZONE)) == 0  # nobody had work in the one before
    assert draft_due(APRIL) == 1
    assert draft_due(APRIL) == 0
    [row] = Assessment.objects.all()
    assert (row.label, row.first, row.last) == ("2024年第1季度", date(2024, 1, 1), date(2024, 3, 31))
    assert (row.state, row.article) == ("draft", "daye-2023#15")
    assert JournalEntry.objects.get(action="assessment.draft", data__first="2024-01-01").actor_id == "system"


def test_days_late_it_still_has_the_days_of_its_quarter(city: City) -> None:
    work(city)
    assert draft_due(datetime(2024, 4, 19, 15, tzinfo=LEGAL_ZONE)) == 1
    [row] = Assessment.objects.all()
    assert (row.first, row.last) == (date(2024, 1, 1), date(2024, 3, 31))
    assert draft_due(datetime(2024, 11, 2, tzinfo=LEGAL_ZONE)) == 2  # the second and the third, which nobody drafted
    assert list(Assessment.objects.order_by("first").values_list("first__month", flat=True)) == [1, 4, 7]


def test_before_the_quarter_is_over_and_without_a_case_there_is_none(city: City) -> None:
    assert draft_due(APRIL) == 0
    outcome = act(city, "assessment.draft", first="2024-04-02")
    assert isinstance(outcome, Refused) and outcome.code == "invalid:first"


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_make_one(platform: Any, submit: Any) -> None:
    submit(datetime(2024, 3, 4, 9, tzinfo=LEGAL_ZONE))
    made: list[int] = []

    def run() -> None:
        made.append(draft_due(APRIL))
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [0, 1]
    assert Assessment.objects.count() == 1


# --- What it says -----------------------------------------------------------------------------------


def test_five_items_come_from_the_data_and_two_from_people_with_reason(city: City) -> None:
    work(city)
    for title in ("公积金提取", "施工许可"):
        entered = enter(
            "knowledge.updated", {"unit": HOUSING, "change": "revised", "title": title},
            actor=city.actor(f"unit_admin@{HOUSING}"), now=at(20),
        )  # fmt: skip
        assert not isinstance(entered, Refused)
    row = drafted(city)
    found = points(row, HOUSING)
    assert {key for key, value in found.items() if value is not None} == BY_DATA | {"bonus"}
    assert found["signing"] == Decimal("13.50")  # nine of ten in time: 90 % of 15
    assert found["closing"] == Decimal("22.50")  # nine of ten: 90 % of 25
    assert found["satisfaction"] == Decimal("20.00")  # four of five: 80 % of 25
    assert found["volume"] == Decimal("5.00")  # ten, and the departments' mean is (10 + 2) ÷ 2 = 6
    assert found["knowledge"] == Decimal("6.67")  # two of three
    assert points(row, ROADS)["volume"] == Decimal("1.67")  # two of six
    given = {"assessment": row.pk, "unit": HOUSING, "item": "leadership", "points": 8}
    outcome = act(city, "assessment.score", **given)
    assert isinstance(outcome, Refused) and outcome.code == "missing:reason"
    assert isinstance(act(city, "assessment.score", **given, reason="领导包案。"), Done)
    one = ItemScore.objects.get(assessment=row, unit__path=HOUSING, item="leadership")
    assert (one.points, one.reason, one.by) == (Decimal(8), "领导包案。", BOSS)


def test_a_unit_without_work_is_not_assessed_and_classes_are_ranked_apart(city: City) -> None:
    work(city)
    row = drafted(city)
    score_all(city, row)
    sheet = sheet_of(city.actor(BOSS), row)
    assert [(label, [(one.unit.path, one.rank) for one in rows]) for label, rows in sheet.classes] == [
        ("部门", [(HOUSING, 1), (ROADS, 2)]), ("镇街", [(TOWN, 1)]),
    ]  # fmt: skip
    assert sheet.classes[0][1][0].total.total == Decimal("79.00")  # 9 + 9 + 13.5 + 22.5 + 20 + 5 + 0
    # roads: 9 + 9 + 25 + 1.67 + 0 of 60 (nothing signed, nothing rated) = 44.67 ÷ 60 × 100
    assert sheet.classes[0][1][1].total.total == Decimal("74.45")


def test_an_approved_typical_case_brings_its_unit_the_configured_bonus_with_the_case(city: City) -> None:
    case = work(city)[1]
    adjust = {"unit": HOUSING, "reason": "典型案例", "ground": "typical_case"}
    march = at(28)
    for given, code in (
        ({"points": 2}, "missing:case"), ({"points": 5, "case": case.number}, "invalid:points"),
        ({"points": 2, "case": case.number, "unit": ROADS}, "invalid:case"),
    ):  # fmt: skip
        outcome = act(city, "score.adjust", now=march, **adjust | given)
        assert isinstance(outcome, Refused) and outcome.code == code
    changed = act(city, "setting.change", now=march, key="bonus_typical_case", value=3)
    assert isinstance(changed, Done)
    assert isinstance(act(city, "score.adjust", now=march, **adjust, points=3, case=case.number), Done)
    again = act(city, "score.adjust", now=march, **adjust, points=3, case=case.number)
    assert isinstance(again, Refused) and again.code == "already_done"
    row = drafted(city)
    score_all(city, row)
    bonus = row.scores.get(unit__path=HOUSING, item="bonus")
    assert bonus.points == Decimal(3) and list(bonus.cases.all()) == [case]
    [line] = [one for _, rows in sheet_of(city.actor(BOSS), row).classes for one in rows if one.unit.path == HOUSING]
    assert [cell.cases for cell in line.cells if cell.item.key == "bonus"] == [[case.number]]
    assert line.total.extra == Decimal(3)
    assert case.number in sheet_csv(sheet_of(city.actor(BOSS), row))


def test_a_case_that_complains_of_the_unit_is_not_named_to_it(city: City) -> None:
    case = work(city)[1]
    act(city, "score.adjust", now=at(28), unit=HOUSING, points=-1, reason="办理不到位", case=case.number)
    row = drafted(city)
    score_all(city, row)
    assert isinstance(act(city, "assessment.approve", assessment=row.pk), Done)
    city.complained(case, HOUSING)
    assert case.number not in sheet_csv(sheet_of(city.actor(f"leader@{HOUSING}"), row))
    assert case.number in sheet_csv(sheet_of(city.actor(BOSS), row))


# --- Completed and frozen ---------------------------------------------------------------------------


def test_drawn_up_again_the_data_are_new_and_peoples_scores_stay(city: City) -> None:
    cases = work(city)
    row = drafted(city)
    score_all(city, row)
    type(cases[0]).objects.filter(pk=cases[0].pk).update(state="closed")
    assert isinstance(act(city, "assessment.draft", first="2024-02-14"), Done)
    assert points(row, HOUSING)["closing"] == Decimal("25.00")
    assert points(row, HOUSING)["leadership"] == Decimal(9)
    assert Assessment.objects.count() == 1


def test_approval_names_what_is_missing_and_freezes_everything(city: City) -> None:
    cases = work(city)
    row = drafted(city)
    outcome = act(city, "assessment.approve", assessment=row.pk)
    assert isinstance(outcome, Refused) and outcome.code == "missing:scores"
    assert "市住建局（组织领导）" in outcome.reason and "等6项" in outcome.reason
    score_all(city, row)
    assert isinstance(act(city, "assessment.approve", assessment=row.pk), Done)
    before = list(row.scores.order_by("pk").values())
    assert "市住建局" in str(JournalEntry.objects.get(action="assessment.approve").data["totals"])
    type(cases[0]).objects.filter(pk=cases[0].pk).update(state="closed")
    given = {"unit": HOUSING, "item": "leadership", "points": 1, "reason": "重新评分"}
    for action, data in (
        ("assessment.draft", {"first": "2024-01-01"}), ("assessment.score", {"assessment": row.pk, **given}),
        ("assessment.approve", {"assessment": row.pk}),
    ):  # fmt: skip
        refused = act(city, action, **data)
        assert isinstance(refused, Refused) and refused.code == "wrong_state", action
    assert draft_due(APRIL) == 0
    assert list(row.scores.order_by("pk").values()) == before


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"points": 11}, "invalid:points"), ({"points": -1}, "invalid:points"), ({"item": "closing"}, "invalid:item"),
        ({"unit": WATER}, "invalid:unit"), ({"unit": "没有"}, "invalid:unit"),
        ({"assessment": 10**9}, "invalid:assessment"),
    ],
)  # fmt: skip
def test_what_a_person_cannot_score(city: City, given: dict[str, Any], code: str) -> None:
    work(city)
    row = drafted(city)
    base = {"assessment": row.pk, "unit": HOUSING, "item": "leadership", "points": 5, "reason": "理由"}
    outcome = act(city, "assessment.score", **base | given)
    assert isinstance(outcome, Refused) and outcome.code == code


# --- Who reads and who runs it ----------------------------------------------------------------------


def test_only_the_centres_supervisor_and_leader_run_it(city: City) -> None:
    work(city)
    row = drafted(city)
    for who in (f"leader@{HOUSING}", f"unit_admin@{HOUSING}", "analyst@center", "dispatcher@center"):
        outcome = act(city, "assessment.approve", who, assessment=row.pk)
        assert isinstance(outcome, Refused) and outcome.code == "not_permitted", who
    score_all(city, row)
    assert isinstance(act(city, "assessment.approve", "leader@center", assessment=row.pk), Done)


def test_a_unit_reads_its_own_approved_scores_and_nothing_of_others(city: City) -> None:
    work(city)
    row = drafted(city)
    own = city.actor(f"leader@{HOUSING}")
    assert reads_assessments(own) and assessments_of(own) == [] and find_assessment(own, row.pk) is None
    score_all(city, row)
    act(city, "assessment.approve", assessment=row.pk)
    assert assessments_of(own) == [row]
    [(_, [line])] = sheet_of(own, row).classes
    assert (line.unit.path, line.rank) == (HOUSING, 1)
    assert {cell.score.reason for cell in line.cells if cell.score and cell.score.reason} == {"台账齐全，配合及时。"}
    assert ROADS not in sheet_csv(sheet_of(own, row))
    assert not reads_assessments(city.actor(f"handler@{HOUSING}"))
    assert find_assessment(city.actor("analyst@center"), row.pk) == row


def test_another_platform_does_not_see_it(city: City, platform: Any) -> None:
    from huying.people.actors import Actor
    from huying.people.units import find_unit

    work(city)
    row = drafted(city)
    stranger = Actor(id="x", role="supervisor", platform=platform, unit=find_unit(platform, "center"))
    assert find_assessment(stranger, row.pk) is None
    outcome = perform("assessment.approve", actor=stranger, now=APRIL, data={"assessment": row.pk})
    assert isinstance(outcome, Refused) and outcome.code == "invalid:assessment"
    assert policy_of(platform).assessment is not None
