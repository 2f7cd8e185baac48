"""Who gives which task, what its report must say, when it is late: by hand from the rules, without a database."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from huying.core.tasks import counterparts, is_late, judge_close, judge_due, judge_kind, judge_report, kinds_of, line_of
from huying.core.verdict import Refused
from huying.policy.model import BusinessLine, Regulation, TaskKind

DEFAULT: dict[str, Any] = {"label": "任务", "origin": "default", "decision": "A-01"}
GENERAL = TaskKind(key="general", **DEFAULT)
CHECKED = TaskKind(
    key="verification", roles=("inspector",), due_required=True, asks=("cause", "completed_on"), **DEFAULT
)
LINE = BusinessLine(key="housing", head="市住建局", counterparts=("住建局", "建设局"), **DEFAULT)
POLICY = Regulation.model_construct(task_kinds=(GENERAL, CHECKED), lines=(LINE,))
TODAY = date(2026, 3, 20)


def code(outcome: Any) -> str:
    return outcome.code if isinstance(outcome, Refused) else ""


def test_a_kind_is_given_by_its_roles_alone() -> None:
    assert [kind.key for kind in kinds_of("supervisor", POLICY)] == ["general"]
    assert judge_kind("general", "dispatcher", POLICY) is GENERAL
    assert code(judge_kind("verification", "dispatcher", POLICY)) == "not_permitted"
    assert code(judge_kind("unheard_of", "dispatcher", POLICY)) == "invalid:kind"


@pytest.mark.parametrize(
    ("kind", "due", "refused"),
    [
        (GENERAL, None, ""),
        (CHECKED, None, "missing:due"),
        (CHECKED, TODAY, ""),
        (GENERAL, date(2026, 3, 19), "invalid:due"),
    ],
)
def test_a_due_date_is_asked_where_the_rule_says_so_and_lies_not_behind(
    kind: TaskKind, due: date | None, refused: str
) -> None:
    assert code(judge_due(kind, due, TODAY)) == refused


def test_a_report_says_what_its_kind_asks() -> None:
    full = {"report": "已整改。", "cause": "管网老化", "completed_on": TODAY}
    assert judge_report(CHECKED, full, TODAY) is None
    assert code(judge_report(CHECKED, full | {"cause": ""}, TODAY)) == "missing:cause"
    assert code(judge_report(CHECKED, full | {"completed_on": None}, TODAY)) == "missing:completed_on"
    assert code(judge_report(CHECKED, full | {"completed_on": date(2026, 3, 21)}, TODAY)) == "invalid:completed_on"
    assert judge_report(GENERAL, {"report": "已整改。"}, TODAY) is None


def test_what_was_not_reported_is_taken_back_only_with_a_reason() -> None:
    assert judge_close("reported", "") is None
    assert judge_close("open", "重复交办") is None
    assert code(judge_close("open", "")) == code(judge_close("draft", "")) == "missing:conclusion"
    assert code(judge_close("closed", "再办结")) == "wrong_state"


def test_counterparts_are_the_departments_of_the_districts_and_of_no_other_line() -> None:
    paths = ["市住建局", "甲县", "甲县/住建局", "甲县/公安局", "乙区/建设局", "乙区/一镇/住建局", "乙区/市住建局"]
    assert counterparts(LINE, paths) == ["甲县/住建局", "乙区/建设局"]
    assert line_of("市住建局", POLICY) is LINE
    assert line_of("甲县/住建局", POLICY) is None


@pytest.mark.parametrize(
    ("state", "reported", "today", "late"),
    [
        ("open", None, date(2026, 3, 20), False),
        ("open", None, date(2026, 3, 21), True),
        ("draft", None, date(2026, 3, 21), False),
        ("reported", date(2026, 3, 20), date(2026, 4, 1), False),
        ("closed", date(2026, 3, 21), date(2026, 4, 1), True),
        ("closed", None, date(2026, 4, 1), False),
    ],
)
def test_the_due_day_counts_to_its_end(state: str, reported: date | None, today: date, late: bool) -> None:
    assert is_late(state, date(2026, 3, 20), reported, today) is late
    assert is_late(state, None, reported, today) is False
