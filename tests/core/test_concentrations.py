"""Concentrations: both sides of each number, and who counts as a person."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from huying.core.concentrations import Member, gathering_of, still_stands
from huying.core.trends import Season, seasonal_peaks
from huying.policy.model import Concentration

DAY = timedelta(days=1)
MONDAY = date(2026, 3, 2)


def rule(**given: Any) -> Concentration:
    base = {"key": "k", "label": "集中", "origin": "default", "decision": "A-01", "per": "place"}
    return Concentration(**base | {"at_least": 10, "within_days": 2, "persons": True} | given)


def persons(count: int, on: date = MONDAY, first: int = 0) -> list[Member]:
    return [Member(first + n, f"p{first + n}", on) for n in range(count)]


def test_ten_persons_in_two_days_and_not_nine() -> None:
    assert gathering_of(rule(), persons(9)) is None
    found = gathering_of(rule(), persons(10))
    assert found is not None
    assert (found.count, len(found.members), found.since) == (10, 10, MONDAY)


def test_the_second_day_counts_whole_and_the_third_not() -> None:
    assert gathering_of(rule(), persons(9) + persons(1, MONDAY + DAY, 9)) is not None
    assert gathering_of(rule(), persons(9) + persons(1, MONDAY + 2 * DAY, 9)) is None


def test_one_person_counts_once_and_who_is_unknown_not_at_all() -> None:
    again = [Member(99, "p0", MONDAY)]
    nobody = [Member(100 + n, None, MONDAY) for n in range(5)]
    assert gathering_of(rule(), persons(9) + again + nobody) is None
    found = gathering_of(rule(), persons(10) + again + nobody)
    assert found is not None
    assert (found.count, len(found.members)) == (10, 16)


def test_cases_are_counted_where_the_rule_does_not_ask_for_persons() -> None:
    cases = rule(persons=False, within_days=30)
    alike = [Member(n, None, MONDAY + n * DAY) for n in range(10)]
    assert gathering_of(cases, alike[:9]) is None
    assert gathering_of(cases, alike) is not None
    far = [Member(n, None, MONDAY + (0 if n < 9 else 29) * DAY) for n in range(10)]
    assert gathering_of(cases, far) is not None
    farther = [Member(n, None, MONDAY + (0 if n < 9 else 30) * DAY) for n in range(10)]
    assert gathering_of(cases, farther) is None


def test_only_what_lies_close_together_belongs_to_it() -> None:
    found = gathering_of(rule(), persons(10) + persons(3, MONDAY + 5 * DAY, 20))
    assert found is not None
    assert {one.case for one in found.members} == set(range(10))


def test_one_stands_for_its_days_after_it_last_grew() -> None:
    assert still_stands(rule(), MONDAY, MONDAY + DAY)
    assert not still_stands(rule(), MONDAY, MONDAY + 2 * DAY)


def test_a_month_of_last_year_stands_out_at_twice_the_mean_month() -> None:
    # 240 in the year are 20 in the mean month: 40 are twice as many, 39 are not.
    counted = {"供暖": (40, 240), "噪声": (39, 240), "停电": (9, 9), "": (50, 60)}
    assert [(one.topic, one.count, one.mean) for one in seasonal_peaks(counted, Season())] == [("供暖", 40, 20.0)]
    assert [one.topic for one in seasonal_peaks({"停电": (10, 10)}, Season())] == ["停电"]
