"""Figures counted by the database: small sets worked out by hand, and nothing that the viewer may not know of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from huying.base.clock import LEGAL_ZONE
from huying.cases.models import (
    Application,
    Assignment,
    Callback,
    Case,
    CaseSubject,
    Evaluation,
    ScoreAdjustment,
    Supervision,
    TimeLimit,
)
from huying.cases.policies import regulation
from huying.cases.queries.indicators import (
    DIMENSIONS,
    LISTED,
    cases_behind,
    figures,
    named_cases,
    reads_figures,
)
from huying.cases.queries.scorecard import candidates, points_of, scorecard
from huying.cases.queries.trends import by_day, concentrated, recurring, surges
from huying.core.periods import between, period_of
from huying.core.trends import Surge
from huying.people.actors import Actor
from huying.people.units import find_unit, forget_units, open_platform
from huying.policy.model import UnitSpec, UnitTree

pytestmark = pytest.mark.django_db

MARCH = period_of("month", date(2024, 3, 15))
NOW = datetime(2024, 4, 2, 10, tzinfo=LEGAL_ZONE)
A, B, M1, M2 = "甲区", "乙区", "市一局", "市二局"
TOWN, VILLAGE, OFFICE = f"{A}/一镇", f"{A}/一镇/一村", f"{A}/一局"
_numbers = count(1)


def at(day: int, hour: int = 9, month: int = 3) -> datetime:
    return datetime(2024, month, day, hour, tzinfo=LEGAL_ZONE)


@dataclass
class City:
    """A platform of four levels, and a hand that puts rows there as the actions would leave them."""

    platform: Any

    def unit(self, path: str) -> Any:
        return find_unit(self.platform, path)

    def actor(self, who: str) -> Actor:
        role, _, path = who.partition("@")
        unit = self.unit(path)
        return Actor(id=who, role=role, platform=self.platform, unit=unit, homes=frozenset({unit.left}))

    def case(self, lead: str = "", day: int = 4, **more: Any) -> Any:
        """A complaint that came in on that day of March and, with `lead`, is led by that unit."""
        given = {"state": "handling" if lead else "received", "kind": "complaint", "channel": "hotline_12345"} | more
        area = lead.partition("/")[0] if "/" in lead else ""
        row = Case.objects.create(
            platform=self.platform, number=f"2024{next(_numbers):09d}", regulation=self.platform.regulation,
            title=given.pop("title", "路灯不亮"), content="x", submitted_by="citizen:1", submitted_at=at(day),
            holder=self.unit(f"{area}/center" if area else "center"), **given,
        )  # fmt: skip
        if lead:
            self.assign(row, lead, day)
        return row

    def assign(self, case: Any, lead: str, day: int = 4, **more: Any) -> Any:
        unit = self.unit(lead)
        return Assignment.objects.create(
            case=case, unit=unit, unit_left=unit.left, unit_right=unit.right, assigned_at=at(day),
            **{"role": "lead", "state": "handling", "round": case.round} | more,
        )  # fmt: skip

    def limit(self, case: Any, due: date, met: bool | None, *, name: str = "handle", **more: Any) -> Any:
        over = datetime(due.year, due.month, due.day, tzinfo=LEGAL_ZONE) + timedelta(days=1)
        return TimeLimit.objects.create(
            case=case, assignment=case.assignments.order_by("-pk").first(), name=name, rule="r", start_event="x",
            day_zero=date(2024, 3, 1), days=5, due_on=due, due_at=over, started_at=at(1), met=met,
            **{"ended_at": None if met is None else over} | more,
        )  # fmt: skip

    def rate(self, case: Any, rating: int, day: int = 20, **more: Any) -> Any:
        given = {"round": case.round, "source": "citizen", "bad": rating < 3} | more
        return Evaluation.objects.create(case=case, rating=rating, at=at(day), **given)

    def complained(self, case: Any, path: str) -> None:
        unit = self.unit(path)
        CaseSubject.objects.create(case=case, unit=unit, unit_left=unit.left, unit_right=unit.right)


@pytest.fixture
def city(db: None) -> Any:
    policy = regulation("chongqing-2021")
    heads, below = ("supervisor", "analyst", "leader"), ("handler", "leader")
    specs = [UnitSpec(path="center", kind="centre", handles=True, roles=heads)]
    specs += [UnitSpec(path=path, kind="department", handles=True, roles=below) for path in (M1, M2)]
    for area in (A, B):
        specs += [
            UnitSpec(path=area, kind="district"),
            UnitSpec(path=f"{area}/center", kind="centre", handles=True, roles=heads),
            UnitSpec(path=f"{area}/一局", kind="department", handles=True, roles=below),
            UnitSpec(path=f"{area}/一镇", kind="town", handles=True, roles=below),
            UnitSpec(path=f"{area}/一镇/一村", kind="village", handles=True, roles=below),
        ]
    specs.append(UnitSpec(path="市府", kind="government", roles=("executive", "analyst")))
    tree = UnitTree(root="市", units=tuple(specs))
    yield City(open_platform("figures", "平台", policy.info.id, tree))
    forget_units()


def counts(city: City, who: str, by: str = "unit", **more: Any) -> dict[str, dict[str, int]]:
    """The counters by path of a unit, or by key."""
    table = figures(city.actor(who), more.pop("period", MARCH), by, now=NOW, **more)
    return {row.unit.path if row.unit else row.key: dict(row.counts) for row in table.rows}


def total(city: City, who: str = "supervisor@center", **more: Any) -> dict[str, Any]:
    return figures(city.actor(who), MARCH, now=NOW, **more).total.rates


# --- Worked by hand ---------------------------------------------------------------------------------


def test_of_twenty_due_in_march_eighteen_on_time_are_ninety_per_cent(city: City) -> None:
    for n in range(20):
        city.limit(city.case(M1), date(2024, 3, 1 + n), n >= 2)
    city.limit(city.case(M1), date(2024, 2, 29), False)
    city.limit(city.case(M1), date(2024, 4, 1), True)
    assert total(city)["on_time_rate"] == Decimal("90.0")
    assert counts(city, "supervisor@center")[M1] | {} == {
        "received": 22, "open": 22, "accepted": 22, "complaints": 22, "assigned": 22,
        "due": 20, "on_time": 18, "late": 2,
    }  # fmt: skip


def test_what_is_not_decided_is_not_counted_and_what_ran_out_is_late(city: City) -> None:
    city.limit(city.case(M1), date(2024, 3, 31), None)  # over on 1 April, 00:00: late on the 2nd
    city.limit(city.case(M1), date(2024, 3, 20), None, suspended=True)  # on the ledger
    city.limit(city.case(M1), date(2024, 3, 20), None, ended_at=at(12))  # moved to another unit in time
    city.limit(city.case(M1), date(2024, 3, 20), None, ended_at=at(25), missed_at=at(21))  # moved when it was late
    city.limit(city.case(M1), date(2024, 3, 20), False, soft=True)  # a target
    case = city.case(M1)
    city.assign(case, M2, role="co")
    city.limit(case, date(2024, 3, 20), False)  # a co-unit's
    found = counts(city, "supervisor@center")[M1]
    assert (found["due"], found["late"], "on_time" in found) == (2, 2, False)


def test_a_village_counts_for_its_town_and_a_town_for_its_district(city: City) -> None:
    city.limit(city.case(VILLAGE), date(2024, 3, 8), False)
    city.limit(city.case(TOWN), date(2024, 3, 8), True)
    by_unit = counts(city, "supervisor@center")
    assert set(by_unit) == {TOWN}
    assert (by_unit[TOWN]["due"], by_unit[TOWN]["late"]) == (2, 1)
    assert set(counts(city, "supervisor@center", "below")) == {A}


def test_satisfaction_before_and_after_deductions_and_of_second_handling(city: City) -> None:
    for n in range(10):  # ten second-handled, of which six were then satisfied
        case = city.case(M1, round=2)
        city.assign(case, M1, round=1, state="done")
        city.rate(case, 2, round=1)
        city.rate(case, 4 if n < 6 else 2, day=25)
    city.rate(city.case(M1), 1, counted=False)
    rates = total(city)
    assert rates["second_satisfaction"] == Decimal("60.0")
    assert rates["satisfaction_rate"] == Decimal("30.0")  # 6 of 20
    assert rates["satisfaction_before"] == Decimal("28.6")  # 6 of 21
    row = counts(city, "supervisor@center")[M1]
    assert (row["rated"], row["rated_again"], row["bad"]) == (20, 10, 14)


def test_seven_of_ten_consultations_answered_at_once(city: City) -> None:
    for n in range(10):
        city.case("" if n < 7 else M1, kind="consult", state="closed", closed_at=at(10))
    city.case("", kind="complaint", state="closed", closed_at=at(10))
    city.case("", kind="consult", state="received")
    assert total(city)["at_once_rate"] == Decimal("63.6")  # 7 of 11: one consultation still waits
    Case.objects.filter(state="received").delete()
    assert total(city)["at_once_rate"] == Decimal("70.0")


def test_callbacks_ratings_from_them_and_what_was_done_again(city: City) -> None:
    cases = [city.case(M1, state="closed", closed_at=at(20), round=2 if n == 0 else 1) for n in range(4)]
    anonymous = city.case(M1, state="closed", closed_at=at(20), anonymous=True)
    for case in cases[:3]:
        Callback.objects.create(case=case, round=1, method="phone", result="reached", at=at(21), by="x")
    city.rate(cases[0], 4, source="callback")
    city.rate(cases[1], 1, source="callback")
    city.rate(cases[2], 1)
    rates = total(city)
    assert rates["callback_rate"] == Decimal("75.0")
    assert rates["callback_satisfaction"] == Decimal("50.0")
    assert rates["redo_rate"] == Decimal("20.0")
    assert rates["closing_rate"] == Decimal("100.0")
    Case.objects.filter(pk=anonymous.pk).update(state="withdrawn")
    assert total(city)["closing_rate"] == Decimal("100.0")  # withdrawn ones are in neither number


def test_dispatch_is_accurate_but_for_returns_that_were_accepted(city: City) -> None:
    for n in range(5):
        case = city.case(M1)
        Application.objects.create(
            case=case, assignment=case.assignments.get(), type="return", by="x", decider=city.unit("center"),
            reason="x", at=at(5), state="approved" if n == 0 else "rejected",
        )  # fmt: skip
    assert total(city)["dispatch_accuracy"] == Decimal("80.0")


def test_complaints_about_a_unit_among_what_it_had_to_handle(city: City) -> None:
    for _ in range(8):
        city.case(M1)
    for _ in range(2):
        city.complained(city.case(M2), M1)
    rows = figures(city.actor("supervisor@center"), MARCH, now=NOW).rows
    rates = {row.unit.path: row.rates["complained_rate"] for row in rows if row.unit}
    assert rates == {M1: Decimal("25.0"), M2: Decimal("0.0")}


def test_signing_in_time_and_the_target_of_the_day(city: City) -> None:
    for n in range(4):
        case = city.case(M1)
        city.limit(case, date(2024, 3, 6), n != 0, name="claim")
        city.limit(case, date(2024, 3, 4), n > 1, name="immediate", soft=True)
    row = counts(city, "supervisor@center")[M1]
    assert (row["sign_due"], row["signed"], row["sign_late"]) == (4, 3, 1)
    assert (row["same_day"], row["same_day_missed"]) == (4, 2)


@pytest.mark.parametrize("by", DIMENSIONS)
def test_cells_add_up_to_the_total_whatever_they_are_counted_by(city: City, by: str) -> None:
    for n in range(100):
        path = (M1, TOWN, VILLAGE, OFFICE, "")[n % 5]
        city.case(
            path, 1 + n % 28, channel=("portal", "hotline_12345")[n % 2], category=("economy", "", "市场监管")[n % 3],
            kind=("consult", "complaint", "help")[n % 3], place_unit=city.unit((A, B, TOWN)[n % 3]),
        )  # fmt: skip
    table = figures(city.actor("supervisor@center"), MARCH, by, now=NOW)
    assert table.total.counts["received"] == 100
    assert sum(row.counts.get("received", 0) for row in table.rows) == 100


def test_field_and_area(city: City) -> None:
    policy = regulation("chongqing-2021")
    child, field = policy.categories[0].children[0], policy.categories[0]
    city.case(M1, category=child, place_unit=city.unit(VILLAGE))
    city.case(M1, category=str(field.label), place_unit=city.unit(f"{A}/一局"))
    city.case(M1, category=field.key)
    who = city.actor("supervisor@center")
    [row] = figures(who, MARCH, "field", now=NOW).rows
    assert (row.label, row.counts["received"]) == (field.label, 3)
    assert cases_behind(who, "received", MARCH, now=NOW, by="field", key=row.key).count() == 3
    areas = figures(who, MARCH, "area", now=NOW).rows
    assert [(row.label, row.counts["received"]) for row in areas] == [(A, 2), ("未填写地点或者在本地区以外", 1)]


def test_only_days_of_the_period_in_the_legal_zone(city: City) -> None:
    for moment in (at(1, 0), at(31, 23)):
        Case.objects.filter(pk=city.case(M1).pk).update(submitted_at=moment)
    for moment in (at(1, 0) - timedelta(minutes=1), at(1, 0, month=4)):
        Case.objects.filter(pk=city.case(M1).pk).update(submitted_at=moment)
    assert counts(city, "supervisor@center")[M1]["received"] == 2


# --- Nothing that the viewer may not know of --------------------------------------------------------


def test_a_district_sees_its_own_tree_and_the_city_all_of_it(city: City) -> None:
    for path in (TOWN, TOWN, OFFICE, M1, f"{B}/一镇"):
        city.limit(city.case(path), date(2024, 3, 8), True)
    assert {path: row["due"] for path, row in counts(city, "supervisor@center", "below").items()} == {A: 3, B: 1, M1: 1}
    assert {path: row["due"] for path, row in counts(city, f"analyst@{A}/center").items()} == {TOWN: 2, OFFICE: 1}
    assert figures(city.actor(f"supervisor@{A}/center"), MARCH, "kind", now=NOW).total.counts["received"] == 3


def test_a_leader_sees_only_the_own_unit(city: City) -> None:
    for path in (TOWN, VILLAGE, OFFICE):
        city.limit(city.case(path), date(2024, 3, 8), True)
    assert {path: row["due"] for path, row in counts(city, f"leader@{TOWN}").items()} == {TOWN: 2}
    assert not reads_figures(city.actor(f"handler@{TOWN}"))


def test_a_complaint_about_a_unit_is_in_no_figure_that_the_unit_sees(city: City) -> None:
    seen = city.case(TOWN)
    hidden = city.case(TOWN, place_unit=city.unit(TOWN))
    city.limit(hidden, date(2024, 3, 8), False)
    city.rate(hidden, 1)
    for accused in (TOWN, f"{A}/center"):
        city.complained(hidden, accused)
    for who in (f"leader@{TOWN}", f"leader@{VILLAGE}", f"supervisor@{A}/center"):
        for by in DIMENSIONS:
            table = figures(city.actor(who), MARCH, by, now=NOW)
            assert table.total.counts.get("received", 0) == (0 if VILLAGE in who else 1), by
            assert not {"due", "rated", "complained"} & set(table.total.counts), by
        for counter in LISTED:
            assert hidden not in cases_behind(city.actor(who), counter, MARCH, now=NOW)
    assert seen in cases_behind(city.actor(f"leader@{TOWN}"), "received", MARCH, now=NOW)
    assert all(counts(city, "supervisor@center", by) != {} for by in DIMENSIONS)


def test_an_executive_reads_figures_and_no_cases(city: City) -> None:
    city.limit(city.case(M1), date(2024, 3, 8), False)
    for who in ("executive@市府", "analyst@市府"):
        assert counts(city, who)[M1]["late"] == 1
        assert list(cases_behind(city.actor(who), "late", MARCH, now=NOW)) == []
    city.complained(Case.objects.get(), "市府")
    assert counts(city, "executive@市府") == {}


def test_another_platform_is_not_counted(city: City, platform: Any) -> None:
    city.case(M1)
    stranger = Actor(id="x", role="supervisor", platform=platform, unit=find_unit(platform, "center"))
    assert figures(stranger, MARCH, now=NOW).rows == []


# --- The cases behind a figure ----------------------------------------------------------------------


def test_every_listed_figure_is_as_long_as_its_list(city: City) -> None:
    city.limit(city.case(VILLAGE), date(2024, 3, 8), False)
    city.limit(city.case(TOWN), date(2024, 3, 8), True)
    again = city.case(TOWN, round=2, state="closed", closed_at=at(20))
    city.assign(again, TOWN, cause="rework", state="done")
    city.rate(again, 1)
    city.limit(city.case(M1), date(2024, 3, 8), False, name="claim")
    who = city.actor("supervisor@center")
    for by in ("unit", "below", "kind"):
        for row in figures(who, MARCH, by, now=NOW).rows:
            for counter in LISTED:
                found = cases_behind(who, counter, MARCH, now=NOW, by=by, key=row.key)
                assert found.count() == row.counts.get(counter, 0), (by, row.label, counter)


def test_a_list_that_there_is_not(city: City) -> None:
    who = city.actor("supervisor@center")
    for given in (
        {"counter": "complained"},
        {"counter": "late", "by": "x"},
        {"counter": "late", "by": "unit", "key": "x"},
    ):
        with pytest.raises(ValueError, match="。"):
            cases_behind(who, period=MARCH, now=NOW, **given)  # type: ignore[arg-type]
    assert not cases_behind(who, "late", MARCH, now=NOW, by="unit", key="999999999")


def test_named_cases_leave_out_the_number_of_a_complaint_about_a_unit(city: City) -> None:
    plain, accusing, secret = city.case(OFFICE), city.case(M1), city.case(TOWN, confidential=True)
    for case in (plain, accusing, secret):
        city.limit(case, date(2024, 3, 8), False)
    city.complained(accusing, M2)
    found = named_cases(city.actor("supervisor@center"), "late", MARCH, "below", now=NOW)
    assert sorted((one.unit.path, one.number) for one in found) == sorted([(A, plain.number), (A, ""), (M1, "")])


# --- Scores -----------------------------------------------------------------------------------------


def test_every_unit_has_a_card_and_points_change_its_total(city: City) -> None:
    city.limit(city.case(VILLAGE), date(2024, 3, 8), True)
    for points, unit, month in ((2, VILLAGE, 3), (-5, TOWN, 3), (7, TOWN, 4)):
        ScoreAdjustment.objects.create(
            platform=city.platform, unit=city.unit(unit), points=points, reason="x", at=at(9, month=month), by="x"
        )
    who = city.actor("supervisor@center")
    cards = {card.unit.path: card for card in scorecard(who, MARCH, now=NOW)}
    assert set(cards) == {M1, M2, TOWN, OFFICE, f"{B}/一镇", f"{B}/一局"}
    assert cards[TOWN].score.points == -3
    # accuracy 100; (on time 100 + closed 0) / 2 = 50; nothing rated: the two share the weight
    assert cards[TOWN].score.total == Decimal("75.00") - 3
    assert cards[M1].score.total is None


def test_units_of_a_district_are_scored_only_where_it_wants_that(city: City) -> None:
    cards = scorecard(city.actor("supervisor@center"), MARCH, now=NOW, areas=[A])
    assert {card.unit.path for card in cards} == {M1, M2, TOWN, OFFICE}


def test_points_that_rest_on_a_hidden_case_are_left_out(city: City) -> None:
    hidden = city.case(M2)
    city.complained(hidden, M1)
    ScoreAdjustment.objects.create(
        platform=city.platform, unit=city.unit(M1), case=hidden, points=-5, reason="x", at=at(9), by="x"
    )
    assert points_of(city.actor(f"leader@{M1}"), MARCH) == {}
    assert points_of(city.actor("supervisor@center"), MARCH) == {city.unit(M1).pk: -5}


def test_candidates_are_the_units_above_a_threshold(city: City) -> None:
    for _ in range(10):
        city.case(M1)
    city.limit(city.case(M2, kind="help"), date(2024, 3, 8), True)
    found = candidates(city.actor("supervisor@center"), MARCH, now=NOW)
    assert [(row.label, len(why)) for row, why in found] == [(M1, 1)]


# --- Trends -----------------------------------------------------------------------------------------


def test_cases_by_day_with_the_days_without_any(city: City) -> None:
    for day in (4, 4, 6):
        city.case(M1, day)
    found = by_day(city.actor("supervisor@center"), between(date(2024, 3, 4), date(2024, 3, 7)))
    assert [number for _, number in found] == [2, 0, 1, 0]


def test_thirty_on_heating_in_three_days_after_two_a_day_warn_with_topic_and_area(city: City) -> None:
    where = {"place_unit": city.unit(TOWN), "category": "heating", "title": "供暖不热"}
    for n in range(56):
        city.case(M1, 1 + n // 2, **where)
    for n in range(30):
        city.case(M1, 29 + n // 10, **where)
    city.case(M1, 30, category="roads", place_unit=city.unit(TOWN))
    found = surges(city.actor("supervisor@center"), date(2024, 3, 31), Surge())
    assert [(one.topic.word, one.area.path, one.topic.recent, one.topic.earlier) for one in found if one.area] == [
        ("heating", A, 30, 56), ("供暖", A, 30, 56),
    ]  # fmt: skip
    assert surges(city.actor("supervisor@center"), date(2024, 3, 31), Surge(factor=6)) == []
    # A district with none of these cases is warned of nothing.
    assert surges(city.actor(f"supervisor@{B}/center"), date(2024, 3, 31), Surge()) == []


def test_ten_complaints_on_one_category_at_one_unit_in_thirty_days(city: City) -> None:
    for n in range(10):
        city.case(TOWN if n % 2 else VILLAGE, 5, category="窗口")
    for _ in range(9):
        city.case(M1, 5, category="窗口")
    who = city.actor("supervisor@center")
    assert [(one.unit.path, one.category, one.count) for one in concentrated(who, date(2024, 3, 31))] == [
        (TOWN, "窗口", 10)
    ]
    assert concentrated(who, date(2024, 4, 4)) == []  # the 5th of March is the thirty-first day


def test_three_like_cases_after_a_rectification_are_a_recurrence(city: City) -> None:
    first = city.case(M1, 1, category="窗口", state="closed")
    Supervision.objects.create(
        case=first, unit=city.unit(M1), method="rectify", ground="x", state="closed", at=at(1), closed_at=at(1, 18),
        by="x",
    )  # fmt: skip
    later = [city.case(M1, day, category="窗口") for day in (10, 12)]
    city.case(M2, 12, category="窗口")
    city.case(M1, 12, category="其他")
    who = city.actor("supervisor@center")
    assert recurring(who, date(2024, 3, 20)) == []
    later.append(city.case(M1, 20, category="窗口"))
    [found] = recurring(who, date(2024, 3, 20))
    assert (found.case, list(found.again)) == (first, [case.number for case in later])
    assert recurring(city.actor(f"supervisor@{A}/center"), date(2024, 3, 20)) == []
