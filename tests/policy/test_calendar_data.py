"""The calendar files against two independent packages and against days known by hand.

The packages are only a check: the files follow the State Council's notices.
"""

import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import chinese_calendar
import holidays
import pytest

FOLDER = Path(__file__).parents[2] / "regulations" / "cn"
YEARS = range(2020, 2027)

# True: a working day. Looked up by hand in the notices.
KNOWN_DAYS = [
    ("2020-01-19", True),  # Sunday, 春节调休
    ("2020-01-31", False),  # Friday, extension of the Spring Festival
    ("2020-02-01", False),  # Saturday, makeup day withdrawn by the extension
    ("2020-02-03", True),  # Monday, back to work
    ("2020-10-08", False),
    ("2020-10-10", True),
    ("2021-02-20", True),
    ("2021-09-18", True),
    ("2021-10-08", True),
    ("2022-01-30", True),
    ("2022-12-31", False),
    ("2023-01-02", False),
    ("2023-01-03", True),
    ("2023-04-05", False),
    ("2023-04-06", True),
    ("2023-10-08", True),
    ("2024-02-04", True),
    ("2024-02-09", True),  # Friday, New Year's Eve: rest only encouraged
    ("2024-04-07", True),
    ("2024-05-11", True),
    ("2024-09-29", True),
    ("2025-01-02", True),
    ("2025-01-26", True),
    ("2025-01-28", False),
    ("2025-10-08", False),
    ("2025-10-11", True),
    ("2026-01-02", False),
    ("2026-01-04", True),
    ("2026-02-14", True),
    ("2026-02-23", False),
    ("2026-02-28", True),
    ("2026-05-09", True),
    ("2026-09-20", True),
    ("2026-10-08", True),
    ("2026-10-10", True),
    ("2026-10-11", False),  # an ordinary Sunday
]

# “共N天” of each notice, in its order (2020 with the extension; a lone day counts 1).
GRANTED_DAYS = {
    2020: [1, 7, 3, 3, 5, 3, 8],
    2021: [3, 7, 3, 5, 3, 3, 7],
    2022: [3, 7, 3, 5, 3, 3, 7],
    2023: [3, 7, 1, 5, 3, 8],
    2024: [1, 8, 3, 5, 1, 3, 7],
    2025: [1, 8, 3, 5, 3, 8],
    2026: [3, 9, 3, 5, 3, 3, 7],
}
MAKEUP_DAYS = {2020: 6, 2021: 7, 2022: 7, 2023: 7, 2024: 8, 2025: 5, 2026: 6}


def load(year: int) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"calendar-{year}.toml").read_text(encoding="utf-8"))


def days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)


def days_off(year: int) -> list[date]:
    return [day for block in load(year)["holiday"] for day in days(block["from"], block["until"])]


def makeups(year: int) -> list[date]:
    return [row["on"] for row in load(year)["makeup"]]


@pytest.fixture(scope="module")
def working_days() -> dict[date, bool]:
    """Every day of all the years: True for a working day."""
    off = {day for year in YEARS for day in days_off(year)}
    worked = {day for year in YEARS for day in makeups(year)}
    span = days(date(YEARS[0], 1, 1), date(YEARS[-1], 12, 31))
    return {day: day in worked or (day.weekday() < 5 and day not in off) for day in span}


def test_every_day_agrees_with_chinese_calendar(working_days: dict[date, bool]) -> None:
    wrong = [day for day, works in working_days.items() if chinese_calendar.is_workday(day) != works]

    assert len(working_days) == 2557
    assert wrong == []


def test_every_day_agrees_with_holidays(working_days: dict[date, bool]) -> None:
    china = holidays.country_holidays("CN", years=YEARS)

    assert [day for day, works in working_days.items() if china.is_working_day(day) != works] == []


@pytest.mark.parametrize(("day", "works"), KNOWN_DAYS)
def test_known_day(working_days: dict[date, bool], day: str, works: bool) -> None:
    assert working_days[date.fromisoformat(day)] is works


@pytest.mark.parametrize("year", YEARS)
def test_blocks_are_as_long_as_the_notice_says(year: int) -> None:
    blocks = load(year)["holiday"]

    assert [(row["until"] - row["from"]).days + 1 for row in blocks] == GRANTED_DAYS[year]
    assert len(makeups(year)) == MAKEUP_DAYS[year]


@pytest.mark.parametrize("year", YEARS)
def test_file_names_its_notice_and_only_known_keys(year: int) -> None:
    data = load(year)

    assert set(data) == {"year", "notice", "number", "holiday", "makeup"}
    assert data["year"] == year
    assert data["notice"] == f"国务院办公厅关于{year}年部分节假日安排的通知"
    assert data["number"].startswith(f"国办发明电〔{year - 1}〕")
    assert all(set(row) == {"name", "from", "until"} for row in data["holiday"])
    assert all(set(row) == {"name", "on"} for row in data["makeup"])


@pytest.mark.parametrize("year", YEARS)
def test_days_are_in_order_without_overlap(year: int) -> None:
    off, worked = days_off(year), makeups(year)

    assert off == sorted(set(off))
    assert worked == sorted(set(worked))
    assert not set(off) & set(worked)
    assert {day.year for day in worked} == {year}


def test_makeup_days_are_weekend_days() -> None:
    assert [day for year in YEARS for day in makeups(year) if day.weekday() < 5] == []


def test_only_the_notice_for_2023_begins_in_the_year_before() -> None:
    outside = [day for year in YEARS for day in days_off(year) if day.year != year]

    assert outside == [date(2022, 12, 31)]
