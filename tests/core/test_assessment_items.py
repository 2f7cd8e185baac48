"""Points of the items of an assessment, worked out by hand; totals, places, and which periods are due."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from huying.core.assessment_items import assessment_problems, due_periods, had_work, ranks, total_of, work_out
from huying.policy.model import AssessmentItem, AssessmentRule

ON = {"origin": "default", "decision": "ADR-0014"}


def item(key: str, by: Any, indicator: str = "", weight: int = 0, full_at: int = 0) -> AssessmentItem:
    return AssessmentItem(
        key=key, label=key, by=by, indicator=indicator, weight=weight, full_at=full_at, origin="default", decision="x"
    )


RULE = AssessmentRule(key="a", label="考核", every="quarter", origin="default", decision="x")


def test_a_rate_brings_its_share_of_the_points() -> None:
    worked = work_out(item("closing", "indicator", "closing_rate", 25), {"closed": 9, "accepted": 10}, [])
    assert (worked.value, worked.points) == (Decimal("90.0"), Decimal("22.50"))
    nothing = work_out(item("satisfaction", "indicator", "satisfaction_rate", 25), {"received": 3}, [])
    assert (nothing.value, nothing.points) == (None, None)


@pytest.mark.parametrize(("count", "points"), [(0, "0.00"), (5, "2.50"), (10, "5.00"), (25, "5.00")])
def test_orders_are_measured_by_the_mean_of_the_class(count: int, points: str) -> None:
    alike = [{"received": count}, {"received": 20 - count}] if count <= 20 else [{"received": 10}, {"received": 10}]
    worked = work_out(item("volume", "count", "received", 5), {"received": count}, alike)  # the mean is 10
    assert (worked.value, worked.points) == (Decimal(count), Decimal(points))


@pytest.mark.parametrize(("count", "points"), [(0, "0.00"), (1, "3.33"), (3, "10.00"), (7, "10.00")])
def test_three_updates_of_the_knowledge_base_bring_all_points(count: int, points: str) -> None:
    worked = work_out(item("knowledge", "count", "knowledge", 10, full_at=3), {"knowledge": count}, [])
    assert worked.points == Decimal(points)


ITEMS = [item("lead", "person", weight=20), item("rate", "indicator", "closing_rate", 60),
         item("good", "indicator", "satisfaction_rate", 20), item("bonus", "adjustments")]  # fmt: skip


def test_the_total_is_the_sum_and_what_was_given_and_taken() -> None:
    found = total_of(ITEMS, {"lead": Decimal(18), "rate": Decimal(54), "good": Decimal(16), "bonus": Decimal(2)})
    assert (found.base, found.extra, found.total) == (Decimal("88.00"), Decimal(2), Decimal("90.00"))


def test_what_could_not_be_judged_shares_its_weight() -> None:
    found = total_of(ITEMS, {"lead": Decimal(16), "rate": Decimal(48), "good": None, "bonus": Decimal(0)})
    assert found.total == Decimal("80.00")  # 64 of 80


def test_an_item_that_a_person_has_not_scored_leaves_the_total_open() -> None:
    assert total_of(ITEMS, {"lead": None, "rate": Decimal(60), "good": Decimal(20)}).total is None


def test_equal_totals_share_a_place_and_open_ones_have_none() -> None:
    assert ranks([Decimal(80), Decimal(90), None, Decimal(80), Decimal(70)]) == [2, 1, None, 2, 4]


def test_only_work_makes_a_unit_assessed() -> None:
    assert had_work({"sign_due": 1}) and had_work({"rated": 1})
    assert not had_work({"complained": 4, "knowledge": 2, "received": 0})


def firsts(today: date, last: date | None) -> list[tuple[date, date]]:
    return [(one.first, one.last) for one in due_periods(RULE, today, last)]


def test_the_quarter_is_due_from_the_first_day_of_the_next() -> None:
    first_quarter = (date(2024, 1, 1), date(2024, 3, 31))
    assert firsts(date(2024, 3, 31), date(2023, 12, 31)) == []
    assert firsts(date(2024, 4, 1), date(2023, 12, 31)) == [first_quarter]
    assert firsts(date(2024, 4, 9), None) == [first_quarter]
    assert firsts(date(2024, 4, 9), date(2024, 3, 31)) == []


def test_what_was_missed_is_made_up_for_the_oldest_first() -> None:
    assert firsts(date(2024, 8, 2), date(2023, 12, 31)) == [
        (date(2024, 1, 1), date(2024, 3, 31)), (date(2024, 4, 1), date(2024, 6, 30)),
    ]  # fmt: skip
    assert len(firsts(date(2040, 1, 1), date(2024, 3, 31))) == 8
    assert due_periods(RULE.model_copy(update={"every": ""}), date(2024, 4, 1), None) == []


def test_weights_that_do_not_make_a_hundred_and_unknown_names_are_told() -> None:
    from pathlib import Path

    from huying.policy.load import load_regulation

    policy = load_regulation(Path(__file__).resolve().parents[2] / "regulations" / "daye-2023")
    assert list(assessment_problems(policy)) == []
    items = (*policy.assessment_items, item("more", "indicator", "nonsense", 7))
    wrong = policy.model_copy(update={"assessment_items": items})
    assert [one.key for one in assessment_problems(wrong)] == ["weight", "more"]
