"""The formulas: worked by hand, halves rounded up, nothing divided by nothing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from huying.core import circular
from huying.core.assessment import THIRDS, BadWeights, Thresholds, check_weights, reasons, score, score_formula
from huying.core.circular import Stated, draft
from huying.core.indicators import COUNTERS, INDICATORS, add, is_few, percent, rate, rates, told
from huying.core.periods import between, ended, period_of
from huying.core.trends import Surge, grams, surging_categories, surging_words


def of(key: str, **counts: int) -> Decimal | None:
    return rate(INDICATORS[key], counts)


# --- Rates -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "counts", "expected"),
    [
        ("on_time_rate", {"due": 20, "on_time": 18}, "90.0"),
        ("closing_rate", {"accepted": 8, "closed": 5}, "62.5"),
        ("signing_rate", {"sign_due": 3, "signed": 2}, "66.7"),
        ("at_once_rate", {"consult": 10, "at_once": 7}, "70.0"),
        ("dispatch_accuracy", {"assigned": 40, "returned": 3}, "92.5"),
        ("satisfaction_rate", {"rated": 9, "good": 8, "rated_before": 10, "good_before": 8}, "88.9"),
        ("satisfaction_before", {"rated": 9, "good": 8, "rated_before": 10, "good_before": 8}, "80.0"),
        ("callback_satisfaction", {"rated_callback": 6, "good_callback": 5}, "83.3"),
        ("second_satisfaction", {"rated_again": 10, "good_again": 6}, "60.0"),
        ("callback_rate", {"ended": 8, "called": 1}, "12.5"),
        ("redo_rate", {"closures": 16, "redone": 1}, "6.3"),
        ("extension_rate", {"due": 7, "extended": 2}, "28.6"),
        ("complained_rate", {"received": 200, "complained": 3}, "1.5"),
    ],
)
def test_a_rate_as_worked_out_by_hand(key: str, counts: dict[str, int], expected: str) -> None:
    assert of(key, **counts) == Decimal(expected)


def test_every_indicator_is_worked_out_above() -> None:
    marks = test_a_rate_as_worked_out_by_hand.pytestmark  # type: ignore[attr-defined]
    assert {case[0] for case in marks[0].args[1]} == set(INDICATORS)


def test_of_nothing_there_is_no_rate() -> None:
    assert set(rates({}).values()) == {None}
    assert told(None) == "—"
    assert told(Decimal("90.0")) == "90.0%"


def test_halves_are_rounded_up() -> None:
    assert percent(1, 800) == Decimal("0.1")  # 0.125
    assert percent(1, 2000) == Decimal("0.1")  # 0.05
    assert percent(1, 2001) == Decimal("0.0")
    assert percent(1, 3, less=True) == Decimal("66.7")


def test_formula_says_what_is_divided_by_what() -> None:
    assert INDICATORS["on_time_rate"].formula == (
        "按期办结率＝期内到期的主办任务中按期办结的件数÷期内到期的主办任务（挂账、已改派未到期的除外）件数×100%"
    )
    assert "（1－" in INDICATORS["dispatch_accuracy"].formula
    for one in INDICATORS.values():
        assert {one.of, one.out_of} <= set(COUNTERS)


def test_counts_add_up_and_few_complaints_are_not_told() -> None:
    assert add([{"due": 2}, {"due": 3, "late": 1}]) == {"due": 5, "late": 1}
    assert [is_few(count) for count in range(4)] == [False, True, True, False]


# --- Scores ----------------------------------------------------------------------------------------


def test_a_score_has_three_parts_and_a_total_by_weight() -> None:
    counts = {
        "sign_due": 10, "signed": 9,  # 90
        "due": 10, "on_time": 8, "accepted": 10, "closed": 10,  # (80 + 100) / 2
        "rated": 10, "good": 7,  # 70
    }  # fmt: skip
    weights = {"capability": Decimal(20), "efficiency": Decimal(50), "satisfaction": Decimal(30)}
    found = score(counts, weights=weights, points=Decimal("-2.5"))
    assert found.aspects == {"capability": 90, "efficiency": 90, "satisfaction": 70}
    assert (found.base, found.total) == (Decimal("84.00"), Decimal("81.50"))
    assert score(counts).base == Decimal("83.33")


def test_what_cannot_be_judged_is_left_out_of_the_total() -> None:
    found = score({"due": 4, "on_time": 3})
    assert found.aspects == {"capability": None, "efficiency": 75, "satisfaction": None}
    assert found.total == 75
    assert score({}).total is None
    assert score({}, points=Decimal(3)).total is None


def test_weights_that_do_not_make_a_hundred_are_refused() -> None:
    for weights in (
        {"capability": Decimal(50), "efficiency": Decimal(50)},
        {"capability": Decimal(50), "efficiency": Decimal(50), "satisfaction": Decimal(1)},
        {"capability": Decimal(-1), "efficiency": Decimal(50), "satisfaction": Decimal(51)},
        {"capability": Decimal("NaN"), "efficiency": Decimal(50), "satisfaction": Decimal(50)},
    ):
        with pytest.raises(BadWeights):
            score({}, weights=weights)  # type: ignore[arg-type]
    check_weights(THIRDS)
    assert "按期办结率" in score_formula()


def test_who_stands_out_by_any_of_three_thresholds() -> None:
    limits = Thresholds(complaints=10, satisfaction=Decimal(80), late=Decimal(10))
    assert reasons({"complaints": 9, "rated": 10, "good": 8, "due": 10, "late": 1}, limits) == []
    assert len(reasons({"complaints": 10}, limits)) == 1
    assert len(reasons({"rated": 1000, "good": 799}, limits)) == 1
    assert len(reasons({"due": 100, "late": 11}, limits)) == 1
    assert len(reasons({"complaints": 10, "rated": 2, "good": 1, "due": 2, "late": 2}, limits)) == 3


# --- Periods ---------------------------------------------------------------------------------------


def test_periods_of_a_day_and_the_ones_before() -> None:
    day = date(2024, 3, 6)  # a Wednesday
    assert [period_of(kind, day).label for kind in ("day", "week", "month", "quarter", "year")] == [
        "2024年3月6日日报", "2024年3月4日至2024年3月10日周报", "2024年3月月报", "2024年第1季度", "2024年度",
    ]  # fmt: skip
    assert ended("month", date(2024, 3, 1)).last == date(2024, 2, 29)
    assert ended("year", day).first == date(2023, 1, 1)
    assert ended("quarter", day).label == "2023年第4季度"
    assert ended("week", day).first == date(2024, 2, 26)
    assert between(date(2024, 3, 1), date(2024, 3, 10)).before.first == date(2024, 2, 20)


def test_days_that_are_no_period() -> None:
    for first, last in (
        (date(2024, 3, 2), date(2024, 3, 1)), (date(2024, 1, 1), date(2025, 1, 1)), (date(1999, 1, 1), date(1999, 1, 2))
    ):  # fmt: skip
        with pytest.raises(ValueError, match="。"):
            between(first, last)
    assert between(date(2024, 1, 1), date(2024, 12, 31)).kind == "range"


# --- Bulletins -------------------------------------------------------------------------------------


def test_a_draft_holds_whole_units_sections_and_formulas() -> None:
    march = period_of("month", date(2024, 3, 4))
    counts = {"received": 12, "due": 10, "on_time": 7, "late": 3, "complained": 2}
    found = draft(
        "某市", march, lines=[circular.Line("甲区", counts), circular.Line("乙局", {"received": 1, "complained": 3})],
        total={"received": 13, "due": 10, "on_time": 7, "late": 3}, before={"received": 10},
        stated={"late": [Stated("甲区", "2"), Stated("甲区", "1"), Stated("甲区", "")]},
    )  # fmt: skip
    assert found.startswith("某市2024年3月月报")
    assert "共收到诉求13件，比上期增加3件（30.0%）。" in found and "按期办结率70.0%" in found
    assert "（一）办理超期3件。甲区3件（1、2，另1件不列编号）。" in found
    assert "被反映3件，被投诉率300.0%" in found and "被反映2件" not in found  # two could be recognised
    assert INDICATORS["on_time_rate"].formula in found


def test_a_draft_is_never_longer_than_a_bulletin_may_be() -> None:
    units = [f"单位{n:03}" for n in range(100)]
    stated = [Stated(unit, f"20240301{n:09}") for unit in units for n in range(30)]
    lines = [circular.Line(unit, {"late": 30, "due": 30}) for unit in units]
    found = draft("某市", period_of("day", date(2024, 3, 4)), lines=lines, total={}, before={}, stated={"late": stated})
    assert len(found) <= circular.LONGEST and "办理超期3000件" in found and "，另25件不列编号" in found


# --- Surges ----------------------------------------------------------------------------------------


def test_thirty_in_three_days_after_two_a_day_are_a_surge() -> None:
    [found] = surging_categories({("heating", 7): (30, 56), ("roads", 7): (30, 94), ("", 7): (90, 0)}, Surge())
    assert (found.word, found.area, found.daily, found.daily_before) == ("heating", 7, 10.0, 2.0)


def test_a_surge_needs_its_least_number_and_its_factor() -> None:
    ask = Surge(days=3, before=28, factor=3, least=10)
    assert ask.holds(10, 0)
    assert not ask.holds(9, 0)
    assert ask.holds(12, 37)  # 4 a day against 1.32
    assert not ask.holds(12, 38)


def test_words_of_titles_surge_and_their_echoes_are_not_told() -> None:
    recent = [(n, f"{n}号楼供暖不热", 1) for n in range(12)] + [(100 + n, "路灯不亮", 1) for n in range(9)]
    earlier = [("供暖温度低", 1)] * 3 + [("供暖温度低", 2)] * 500
    found = surging_words(recent, earlier, Surge())
    assert [(one.word, one.area, one.recent, one.also) for one in found] == [("号楼", 1, 12, ("楼供", "供暖"))]
    found = surging_words([(n, f"供暖{'太差' if n % 2 else '停了'}", 1) for n in range(20)], earlier, Surge())
    assert [(one.word, one.recent, one.earlier) for one in found] == [("供暖", 20, 3)]


def test_pairs_of_a_title() -> None:
    assert grams("供暖不热，3号楼 ABC") == {"供暖", "号楼"}
