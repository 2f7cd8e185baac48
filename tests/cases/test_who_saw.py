"""Who knew of a case before a moment."""

from datetime import datetime
from typing import Any

from huying.base.clock import LEGAL_ZONE
from huying.cases.models import Case
from huying.cases.queries.identity import reveal
from huying.cases.queries.record import case_record
from huying.cases.queries.who_saw import lines_for, who_saw


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, 2, hour, minute, tzinfo=LEGAL_ZONE)


def test_readings_and_actions_before_the_moment_are_listed_in_order(case: Case, actor: Any, take: Any) -> None:
    dispatcher = actor("dispatcher@center")
    case_record(case, dispatcher, now=at(9, 5))
    take("case.dispatch", "dispatcher@center", case, at(9, 10), lead="市住建局")
    reveal(case, dispatcher, now=at(9, 20))
    take("case.claim", "handler@市住建局", case, at(10))

    found = [(seen.at, seen.role, seen.what) for seen in who_saw(case, before=at(10))]

    assert found == [
        (at(9), "operator", "case.submit"),
        (at(9, 5), "dispatcher", "读取身份信息（name、phone；用途 masked_display；脱敏）"),
        (at(9, 10), "dispatcher", "case.dispatch"),
        (at(9, 20), "dispatcher", "读取身份信息（address、email、name、phone；用途 handle；明文）"),
    ]


def test_lines_name_the_case_and_nobodys_identity(case: Case) -> None:
    lines = lines_for(case.number, before=at(12))
    assert lines == [
        f"{case.number}  2026-03-02 12:00 之前：1条",
        "2026-03-02 09:00  operator@center  operator  center  case.submit",
    ]


def test_unknown_number_is_told(platform: Any) -> None:
    assert lines_for("20260302000000000", before=at(12)) is None
