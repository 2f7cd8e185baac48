"""Days of duty, reports in time, and who is proposed for an interview."""

from datetime import date, datetime

import pytest

from huying.base.clock import LEGAL_ZONE
from huying.core.calendar import Calendar
from huying.core.registers import Figures, duty_days, missed_days, quarter_of, reported_late, to_be_interviewed
from huying.policy.model import SignInRule, StaffChangeRule, YearNotice

MONDAY = date(2024, 3, 4)
SUNDAY = date(2024, 3, 10)
QINGMING = YearNotice(year=2024, title="", holidays=((date(2024, 4, 4), date(2024, 4, 6), "清明节"),))
CALENDAR = Calendar([QINGMING.model_copy(update={"makeup_days": ((date(2024, 4, 7), "清明节"),)})])


def duty(every: str) -> SignInRule:
    return SignInRule(key="sign_in", label="登录", origin="default", decision="A-01", every=every)  # type: ignore[arg-type]


def change(days: int) -> StaffChangeRule:
    return StaffChangeRule(key="change", label="报备", origin="default", decision="A-01", days=days)


def test_every_day_or_working_days_only() -> None:
    assert len(duty_days(MONDAY, SUNDAY, duty("day"), CALENDAR)) == 7
    assert duty_days(MONDAY, SUNDAY, duty("working_day"), CALENDAR)[-1] == date(2024, 3, 8)
    # Thursday and Friday are off, Sunday the 7th is worked instead.
    assert duty_days(date(2024, 4, 3), date(2024, 4, 7), duty("working_day"), CALENDAR) == [
        date(2024, 4, 3), date(2024, 4, 7),
    ]  # fmt: skip


def test_a_day_is_missed_when_it_is_over() -> None:
    days = duty_days(MONDAY, date(2024, 3, 6), duty("day"), CALENDAR)
    late = datetime(2024, 3, 6, 23, 59, tzinfo=LEGAL_ZONE)
    assert missed_days(days, {MONDAY}, now=late) == [date(2024, 3, 5)]
    assert missed_days(days, {MONDAY}, now=datetime(2024, 3, 7, tzinfo=LEGAL_ZONE)) == [
        date(2024, 3, 5), date(2024, 3, 6),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("days", "day", "hour", "minute", "late"),
    [(0, 4, 23, 59, False), (0, 5, 0, 0, True), (1, 5, 23, 59, False), (1, 6, 0, 0, True)],
)
def test_a_change_is_reported_in_time_to_the_last_minute(
    days: int, day: int, hour: int, minute: int, late: bool
) -> None:
    at = datetime(2024, 3, day, hour, minute, tzinfo=LEGAL_ZONE)
    assert reported_late(MONDAY, at, change(days)) is late


def test_interviews_are_proposed_for_the_late_and_for_the_worst_rated() -> None:
    late = Figures("late", due=10, late=2, rated=10, good=10)
    just_in_time = Figures("in time", due=10, late=1, rated=10, good=9)
    worst = Figures("worst", due=10, late=0, rated=10, good=5)
    unrated = Figures("unrated", due=3, late=0, rated=0, good=0)
    assert to_be_interviewed([late, just_in_time, worst, unrated]) == [late, worst]
    assert to_be_interviewed([unrated]) == []


def test_quarters() -> None:
    assert quarter_of(date(2024, 3, 31)) == (date(2024, 1, 1), date(2024, 3, 31))
    assert quarter_of(date(2024, 12, 1)) == (date(2024, 10, 1), date(2024, 12, 31))
