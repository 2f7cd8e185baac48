"""Settings: who may change which, what each of them does, and what the journal keeps of it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from tests.cases.test_indicators import MARCH, NOW, A, B, City

from huying.base.clock import LEGAL_ZONE
from huying.cases.commands import Done, perform
from huying.cases.models import JournalEntry, Setting
from huying.cases.policies import regulation
from huying.cases.queries.registers import interview_candidates
from huying.cases.queries.scorecard import candidates, scorecard
from huying.cases.queries.settings import assessed_areas, changes_settings, setting_of, settings_of, thresholds_of
from huying.core.verdict import Refused
from huying.people.actors import Actor
from huying.people.units import find_unit, forget_units, open_platform
from huying.policy.model import UnitSpec, UnitTree

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 20, 10, tzinfo=LEGAL_ZONE)
BUREAU, HOTLINE = "center", "市12345中心"


@pytest.fixture
def huzhou(db: None) -> Any:
    policy = regulation("huzhou-2016")
    wanted = {BUREAU, HOTLINE, "市住建局"}
    tree = UnitTree(root=policy.tree.root, units=tuple(one for one in policy.tree.units if one.path in wanted))
    yield City(open_platform("huzhou", "平台", policy.info.id, tree))
    forget_units()


@pytest.fixture
def chongqing(db: None) -> Any:
    policy = regulation("chongqing-2021")
    specs = [UnitSpec(path="center", kind="centre", handles=True, roles=("supervisor", "unit_admin"))]
    for area in (A, B):
        specs += [
            UnitSpec(path=area, kind="district"),
            UnitSpec(path=f"{area}/center", kind="centre", handles=True, roles=("supervisor", "unit_admin")),
            UnitSpec(path=f"{area}/一局", kind="department", handles=True, roles=("leader", "unit_admin")),
        ]
    yield City(open_platform("chongqing", "平台", policy.info.id, UnitTree(root="市", units=tuple(specs))))
    forget_units()


def change(city: City, who: str, key: str, value: int, **more: Any) -> Done | Refused:
    return perform("setting.change", actor=city.actor(who), now=AT, data={"key": key, "value": value, **more})


# --- The Petition Bureau and the 12345 Centre -------------------------------------------------------


def test_the_petition_bureau_edits_platform_settings_and_the_centre_only_those_of_running(huzhou: City) -> None:
    for key in ("attention_satisfaction", "interview_late"):
        refused = change(huzhou, f"supervisor@{HOTLINE}", key, 70)
        assert isinstance(refused, Refused) and refused.code == "not_permitted"
        assert isinstance(change(huzhou, f"unit_admin@{BUREAU}", key, 70), Done)
        assert setting_of(huzhou.platform, key) == 70
    for who in (f"supervisor@{HOTLINE}", f"unit_admin@{BUREAU}"):
        assert isinstance(change(huzhou, who, "sample_rate", 8), Done)
    shown = {one.rule.key for one in settings_of(huzhou.actor(f"supervisor@{HOTLINE}"))}
    assert shown == {"sample_rate", "topic_cases", "topic_days"}
    assert len(settings_of(huzhou.actor(f"supervisor@{BUREAU}"))) == 8
    for who in (f"operator@{HOTLINE}", f"dispatcher@{BUREAU}", "leader@市住建局"):
        assert not changes_settings(huzhou.actor(who))
        outcome = change(huzhou, who, "sample_rate", 9)
        assert isinstance(outcome, Refused) and outcome.code == "not_permitted"


def test_a_change_holds_at_once_and_the_platforms_journal_keeps_what_it_was(huzhou: City) -> None:
    assert setting_of(huzhou.platform, "sample_rate") == 5
    change(huzhou, f"unit_admin@{BUREAU}", "sample_rate", 8)
    change(huzhou, f"supervisor@{HOTLINE}", "sample_rate", 12)
    entries = JournalEntry.objects.filter(action="setting.change").order_by("seq")
    assert [(one.case_id, one.data["before"], one.data["value"]) for one in entries] == [(None, 5, 8), (None, 8, 12)]
    [row] = Setting.objects.all()
    assert (row.value, row.by, row.at) == (12, f"supervisor@{HOTLINE}", AT)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"key": "nonsense", "value": 1}, "invalid:key"), ({"key": "sample_rate", "value": 0}, "invalid:value"),
        ({"key": "sample_rate", "value": 101}, "invalid:value"), ({"key": "sample_rate"}, "missing:value"),
        ({"key": "sample_rate", "value": "x"}, "invalid:value"),
        ({"key": "sample_rate", "value": 6, "unit": "市住建局"}, "invalid:unit"),
    ],
)  # fmt: skip
def test_what_cannot_be_set(huzhou: City, given: dict[str, Any], code: str) -> None:
    outcome = perform("setting.change", actor=huzhou.actor(f"unit_admin@{BUREAU}"), now=AT, data=given)
    assert isinstance(outcome, Refused) and outcome.code == code
    assert not Setting.objects.exists()


def test_the_thresholds_decide_who_is_proposed_for_attention(huzhou: City) -> None:
    unit, who = "市住建局", huzhou.actor(f"supervisor@{BUREAU}")
    for n in range(20):  # nineteen of twenty in time: 5 per cent late
        huzhou.limit(huzhou.case(unit, kind="help"), date(2024, 3, 1 + n), n != 0)
    assert candidates(who, MARCH, now=NOW) == []
    change(huzhou, f"unit_admin@{BUREAU}", "attention_late", 4)
    assert thresholds_of(huzhou.platform).late == Decimal(4)
    [(row, why)] = candidates(who, MARCH, now=NOW)
    assert row.unit.path == unit and why == ["超期占5.0%，高于4%"]


def test_the_share_overdue_decides_who_is_proposed_for_an_interview(huzhou: City) -> None:
    unit, who = "市住建局", huzhou.actor(f"supervisor@{BUREAU}")
    for n in range(20):
        huzhou.limit(huzhou.case(unit, kind="help"), date(2024, 3, 1 + n), n != 0)
    assert interview_candidates(who, date(2024, 3, 31)) == []
    change(huzhou, f"unit_admin@{BUREAU}", "interview_late", 4)
    assert [one.unit for one in interview_candidates(who, date(2024, 3, 31))] == [unit]


# --- Districts --------------------------------------------------------------------------------------


def test_a_district_that_switches_on_has_its_own_units_scored_and_the_other_none(chongqing: City) -> None:
    assert assessed_areas(chongqing.platform) == []
    assert isinstance(change(chongqing, f"unit_admin@{A}/center", "assess_own_units", 1), Done)
    areas = assessed_areas(chongqing.platform)
    assert areas == [A]
    for area in (A, B):
        chongqing.limit(chongqing.case(f"{area}/一局"), date(2024, 3, 8), True)
    cards = scorecard(chongqing.actor("supervisor@center"), MARCH, now=NOW, areas=areas)
    assert [card.unit.path for card in cards] == [f"{A}/一局"]
    change(chongqing, f"supervisor@{A}/center", "assess_own_units", 0)
    assert assessed_areas(chongqing.platform) == []


def test_a_district_decides_for_itself_alone(chongqing: City) -> None:
    for who, unit in ((f"unit_admin@{A}/center", B), (f"unit_admin@{A}/一局", ""), ("unit_admin@center", A)):
        outcome = change(chongqing, who, "assess_own_units", 1, unit=unit)
        assert isinstance(outcome, Refused) and outcome.code == "not_permitted"
    outcome = change(chongqing, f"unit_admin@{A}/center", "assess_own_units", 2)
    assert isinstance(outcome, Refused) and outcome.code == "invalid:value"
    assert assessed_areas(chongqing.platform) == []


def test_settings_are_each_platforms_own(huzhou: City, platform: Any) -> None:
    change(huzhou, f"unit_admin@{BUREAU}", "sample_rate", 50)
    assert setting_of(platform, "sample_rate") == 5
    stranger = Actor(id="x", role="unit_admin", platform=platform, unit=find_unit(platform, "center"))
    outcome = perform("setting.change", actor=stranger, now=AT, data={"key": "sample_rate", "value": 9})
    assert isinstance(outcome, Refused) and outcome.code == "invalid:key"  # not a setting of that regulation
