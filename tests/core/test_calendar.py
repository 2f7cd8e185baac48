"""Working days: the notice's days by hand, and what must hold for every day."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huying.core.calendar import Calendar
from huying.policy.load import load_notices

CALENDAR = Calendar(load_notices(Path(__file__).parents[2] / "regulations" / "cn"))
days = st.dates(date(2020, 3, 1), date(2026, 6, 30))
numbers = st.integers(0, 60)


@pytest.mark.parametrize(
    ("start", "working_days", "end"),
    [
        ("2026-03-09", 1, "2026-03-10"),  # Monday
        ("2026-03-13", 1, "2026-03-16"),  # Friday, Saturday and Sunday end alike
        ("2026-03-14", 1, "2026-03-16"),
        ("2026-03-15", 1, "2026-03-16"),
        ("2026-02-13", 1, "2026-02-14"),  # a Saturday that is worked
        ("2026-02-14", 5, "2026-02-28"),  # over the Spring Festival, 24-27 and the worked Saturday
        ("2026-09-30", 3, "2026-10-10"),  # over the National Day, 8, 9 and the worked Saturday
        ("2026-04-29", 1, "2026-04-30"),
        ("2026-04-30", 5, "2026-05-11"),  # 6, 7, 8, the worked 9, 11
        ("2026-06-18", 1, "2026-06-22"),  # over the Dragon Boat Festival
        ("2024-03-04", 30, "2024-04-16"),
        ("2026-03-16", -1, "2026-03-13"),
        ("2026-03-09", 0, "2026-03-09"),
    ],
)
def test_last_day_by_hand(start: str, working_days: int, end: str) -> None:
    assert CALENDAR.add_working_days(date.fromisoformat(start), working_days) == date.fromisoformat(end)


def test_every_day_passed_is_told_with_its_reason() -> None:
    count = CALENDAR.count(date(2026, 4, 30), 1)

    assert [(one.day.day, one.number) for one in count.days] == [
        (1, None),
        (2, None),
        (3, None),
        (4, None),
        (5, None),
        (6, 1),
    ]
    assert [one.reason for one in count.days] == ["劳动节放假"] * 5 + ["星期三"]


def test_year_without_a_notice_counts_weekdays_and_says_so() -> None:
    count = CALENDAR.count(date(2031, 1, 3), 2)

    assert (count.day, count.provisional) == (date(2031, 1, 7), True)
    assert not CALENDAR.count(date(2026, 3, 9), 5).provisional


def test_own_days_win_over_the_notice() -> None:
    own = CALENDAR.with_days({date(2026, 3, 10): "本地"}, {date(2026, 3, 14): "本地"})

    assert own.add_working_days(date(2026, 3, 9), 1) == date(2026, 3, 11)
    assert own.add_working_days(date(2026, 3, 13), 1) == date(2026, 3, 14)
    assert CALENDAR.add_working_days(date(2026, 3, 9), 1) == date(2026, 3, 10)


@given(days, numbers.filter(bool))
def test_never_ends_on_a_day_off(start: date, number: int) -> None:
    end = CALENDAR.add_working_days(start, number)

    assert CALENDAR.is_working_day(end)
    assert CALENDAR.working_days_between(start, end) == number


@given(days, numbers, numbers)
def test_in_two_steps_as_in_one(start: date, one: int, other: int) -> None:
    step = CALENDAR.add_working_days(CALENDAR.add_working_days(start, one), other)

    assert step == CALENDAR.add_working_days(start, one + other)


@given(days, days, numbers)
def test_later_start_never_ends_earlier(one: date, other: date, number: int) -> None:
    first, second = sorted((one, other))

    assert CALENDAR.add_working_days(first, number) <= CALENDAR.add_working_days(second, number)


@given(days, numbers)
def test_backwards_undoes_forwards_from_a_working_day(start: date, number: int) -> None:
    start = CALENDAR.add_working_days(start, 1)

    assert CALENDAR.add_working_days(CALENDAR.add_working_days(start, number), -number) == start


@given(days)
def test_next_working_day_is_after_days_off_only(start: date) -> None:
    end = CALENDAR.add_working_days(start, 1)
    between = [start + timedelta(days=n) for n in range(1, (end - start).days)]

    assert not any(map(CALENDAR.is_working_day, between))
