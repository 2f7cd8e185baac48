"""A limit's steps told again under a new calendar: each move keeps its meaning, a named day keeps its place."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from huying.core.calendar import Calendar
from huying.core.recount import not_shorter, recount
from huying.policy.load import load_notices, load_regulation
from huying.policy.model import YearNotice

REGULATIONS = Path(__file__).parents[2] / "regulations"
RULES = load_regulation(REGULATIONS / "daye-2023").rules
KNOWN = [notice for notice in load_notices(REGULATIONS / "cn") if notice.year <= 2026]
OFF = (date(2027, 1, 1), date(2027, 1, 3), "元旦")
NEXT = YearNotice(year=2027, title="通知", holidays=(OFF,), makeup_days=((date(2027, 1, 9), "元旦"),))
CALENDAR = Calendar([*KNOWN, NEXT])
FIRST = {
    "event": "claim", "rule": "time_limits.handle.general", "day_zero": "2026-12-29", "days": 5, "unit": "working",
    "due_on": "2027-01-05",
}  # fmt: skip


def told(*steps: dict[str, Any], calendar: Calendar = CALENDAR, zero: str = "2026-12-29", **more: Any) -> Any:
    return recount([FIRST, *steps], RULES, calendar, day_zero=date.fromisoformat(zero), **more)


def test_first_count_alone() -> None:
    found = told()

    assert (found.due.due_on, found.provisional, list(found.years)) == (date(2027, 1, 6), False, [2026, 2027])
    assert told(calendar=Calendar(KNOWN)).provisional


def test_extension_goes_on_from_the_new_day() -> None:
    found = told({"event": "extension", "rule": "extensions.extension.ordinary", "days": 3, "due_on": "2027-01-08"})

    assert found.due.day_zero == date(2027, 1, 6)
    assert found.due.due_on == date(2027, 1, 9)  # 7, 8, the worked Saturday 9


def test_earlier_calendar_and_the_round_before_count_no_days() -> None:
    found = told(
        {"event": "calendar", "due_on": "2027-01-20"}, {"event": "previous", "due_on": "2027-01-20"},
        {"event": "within", "due_on": "2027-01-02"}, {"event": "source", "due_on": "2027-02-20"},
    )  # fmt: skip

    assert found.due.due_on == date(2027, 1, 6)


def test_rest_during_the_check_moves_the_unit_and_not_the_citizen() -> None:
    found = told({"event": "check", "rule": "time_limits.handle.general", "days": 2, "due_on": "2027-01-07"})

    assert (found.due.due_on, found.promised_on) == (date(2027, 1, 8), date(2027, 1, 6))


def test_another_rule_counts_from_the_same_day_zero() -> None:
    step = {
        "event": "reclassified", "rule": "time_limits.return.all", "day_zero": "2026-12-29", "days": 2,
        "due_on": "2027-01-04", "at": "2026-12-31T09:00:00+08:00",
    }  # fmt: skip

    # Two working days end on the 31st; the day of the change leaves the next working day, by the new calendar the 4th.
    assert told(step).due.due_on == date(2027, 1, 4)


def test_a_day_that_somebody_named_stays_and_is_provisional_no_more() -> None:
    found = told({"event": "instruction", "rule": "x", "due_on": "2027-01-01"}, calendar=Calendar(KNOWN))

    assert (found.due.due_on, found.provisional) == (date(2027, 1, 1), False)


def test_day_zero_may_have_moved_and_the_first_count_may_be_bound() -> None:
    assert told(zero="2026-12-30").due.due_on == date(2027, 1, 7)
    assert told(bound=lambda due: replace(due, due_on=min(due.due_on, date(2027, 1, 5)))).due.due_on == date(2027, 1, 5)


def test_calendar_days_stay() -> None:
    steps = [{**FIRST, "unit": "calendar", "days": 30}]

    assert recount(steps, RULES, CALENDAR, day_zero=date(2026, 12, 29)).due.due_on == date(2027, 1, 28)


def test_a_date_gets_shorter_only_down_to_the_next_working_day() -> None:
    today = date(2026, 12, 31)

    assert not_shorter(date(2027, 1, 8), date(2027, 1, 6), today, CALENDAR) == date(2027, 1, 8)
    assert not_shorter(date(2027, 1, 5), date(2027, 1, 6), today, CALENDAR) == date(2027, 1, 5)
    assert not_shorter(date(2026, 12, 31), date(2027, 1, 6), today, CALENDAR) == date(2027, 1, 4)
    assert not_shorter(date(2026, 12, 30), date(2026, 12, 31), today, CALENDAR) == date(2026, 12, 31)


def test_an_extension_that_the_platform_above_did_not_agree_to_stays_within_its_date() -> None:
    """Five working days from 6 January (a Wednesday): 7, 8, 9 (a make-up day), 11, 12."""
    extension = {"event": "extension", "rule": "extensions.x", "days": 5, "due_on": "2027-01-13"}
    cap = {"event": "source", "rule": "source_limits.x", "no_later_than": "2027-01-11", "due_on": "2027-01-11"}
    assert told(extension).due.due_on == date(2027, 1, 12)
    assert told(extension, cap).due.due_on == date(2027, 1, 11)
    assert told(extension, cap | {"no_later_than": "2027-01-12"}).due.due_on == date(2027, 1, 12)
