"""The pure decisions by worked values and properties: limits, extension, callback, repeats, recusal, reply, 核减."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huying.base.clock import LEGAL_ZONE, end_of_day
from huying.core import callback, time_limits
from huying.core.calendar import Calendar
from huying.core.exemption import ExemptionAsk, judge_exemption
from huying.core.extension import ExtensionAsk, Moved, judge_both, judge_days, judge_extension
from huying.core.lifecycle import CASE_STATES, judge_state
from huying.core.reply import ReplyFacts, judge_reply, state_after_reply
from huying.core.routing import Span, is_forbidden, judge_recusal
from huying.core.supervision import ReportOf, fires
from huying.core.verdict import Refused
from huying.policy.load import load_notices, load_regulation
from huying.policy.model import Trigger

REGULATIONS = Path(__file__).parents[2] / "regulations"
CALENDAR = Calendar(load_notices(REGULATIONS / "cn"))
POLICY = load_regulation(REGULATIONS / "daye-2023")
days = st.dates(date(2024, 1, 1), date(2026, 9, 30))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LEGAL_ZONE)


def day(text: str) -> date:
    return date.fromisoformat(text)


def code(verdict: Any) -> str:
    return verdict.code if isinstance(verdict, Refused) else ""


# ---- limits --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "role", "facts", "rule"),
    [
        ("handle", "lead", {"cause": "first"}, "handle.general"),
        ("handle", "lead", {"cause": "check_failed"}, "handle.check_failed"),
        ("handle", "lead", {"cause": "dissatisfied"}, "handle.formal_assignment"),
        ("handle", "lead", {"cause": "rework"}, "handle.formal_assignment"),
        ("claim", "co", {"cause": "first"}, "claim.all"),
        ("co_feedback", "co", {}, "co_feedback.before_lead"),
        ("immediate", "lead", {"urgency": "immediate"}, "immediate.same_day"),
    ],
)
def test_most_specific_rule_holds(limit: str, role: str, facts: dict[str, str], rule: str) -> None:
    chosen = time_limits.choose(POLICY.time_limits, limit, role, facts)

    assert chosen is not None
    assert chosen.key == rule


@pytest.mark.parametrize(("limit", "role"), [("handle", "co"), ("co_feedback", "lead"), ("transfer_up", "lead")])
def test_no_rule_for_what_the_regulation_does_not_limit(limit: str, role: str) -> None:
    assert time_limits.choose(POLICY.time_limits, limit, role, {"cause": "first"}) is None


@given(days, st.integers(0, 40))
def test_last_minute_is_in_time_and_the_next_is_not(zero: date, number: int) -> None:
    due = time_limits.count_working_days(zero, number, CALENDAR)

    assert datetime.combine(due.due_on, datetime.max.time(), LEGAL_ZONE) < due.due_at
    assert due.due_at - datetime.combine(due.due_on, datetime.min.time(), LEGAL_ZONE) == timedelta(days=1)


def test_limit_before_another_never_lies_before_today() -> None:
    ordinary = time_limits.count_before(day("2026-03-16"), 1, CALENDAR, not_before=day("2026-03-09"))
    late = time_limits.count_before(day("2026-03-16"), 1, CALENDAR, not_before=day("2026-03-16"))

    assert (ordinary.due_on, late.due_on) == (day("2026-03-13"), day("2026-03-16"))


def test_ladder_is_climbed_at_its_moments() -> None:
    ladder = [rung for rung in POLICY.escalations if rung.limit == "handle"]
    moments = {rung.key: time_limits.moment_of(rung, day("2026-03-13"), CALENDAR) for rung in ladder}

    assert moments == {
        "handle.due_soon": at("2026-03-12 00:00"),
        "handle.overdue": at("2026-03-14 00:00"),
        "handle.nudge": at("2026-03-14 00:00"),
        "handle.phone": at("2026-03-14 00:00"),
        "handle.letter": at("2026-03-18 00:00"),
        "handle.discipline": at("2026-03-20 00:00"),
    }
    following = time_limits.next_moment(ladder, day("2026-03-13"), CALENDAR, after=at("2026-03-14 00:00"))
    assert following == at("2026-03-18 00:00")
    assert time_limits.next_moment(ladder, day("2026-03-13"), CALENDAR, after=at("2026-03-20 00:00")) is None
    reached = time_limits.rungs_at(ladder, day("2026-03-13"), CALENDAR, at=at("2026-03-18 00:00"))
    assert [rung.key for rung in reached] == ["handle.letter"]


# ---- extension -----------------------------------------------------------------------


def ask(working_days: int, **other: Any) -> ExtensionAsk:
    facts: dict[str, Any] = {
        "due_on": day("2026-03-16"), "total_from": day("2026-03-09"), "granted_before": 0,
        "request_until": at("2026-03-14 00:00"), "now": at("2026-03-13 23:59"),
    }  # fmt: skip
    return ExtensionAsk(working_days=working_days, **(facts | other))


def test_extension_moves_the_last_day() -> None:
    assert judge_extension(ask(10), POLICY.extensions[0], CALENDAR) == Moved(day("2026-03-30"), False)
    assert judge_extension(ask(25), POLICY.extensions[0], CALENDAR) == Moved(day("2026-04-21"), False)


def test_an_extension_needs_both_levels_where_both_set_a_date() -> None:
    rule, moved = POLICY.extensions[0], Moved(day("2026-03-25"), False)
    assert judge_both(day("2026-03-11"), moved, None, rule) == day("2026-03-25")
    assert judge_both(day("2026-03-11"), moved, day("2026-03-25"), rule) == day("2026-03-25")
    assert judge_both(day("2026-03-11"), moved, day("2026-03-23"), rule) == day("2026-03-23")
    assert code(judge_both(day("2026-03-23"), moved, day("2026-03-23"), rule)) == "exceeds_limit"


def test_extension_is_refused_past_its_limits() -> None:
    rule = POLICY.extensions[0]
    once = rule.model_copy(update={"max_times": 1, "max_working_days": 10})

    assert code(judge_extension(ask(26), rule, CALENDAR)) == "exceeds_limit"
    assert code(judge_extension(ask(3, now=at("2026-03-14 00:00")), rule, CALENDAR)) == "too_late"
    assert code(judge_extension(ask(3, granted_before=1), once, CALENDAR)) == "exceeds_limit"
    assert code(judge_days(ask(11), once, CALENDAR)) == "exceeds_limit"
    assert code(judge_days(ask(10), once, CALENDAR)) == ""


@given(days, st.integers(1, 60))
def test_granted_extension_stays_within_thirty_days_of_the_claim(claimed: date, number: int) -> None:
    due = CALENDAR.add_working_days(claimed, 5)
    verdict = judge_days(ask(number, due_on=due, total_from=claimed), POLICY.extensions[0], CALENDAR)

    assert isinstance(verdict, Moved) == (number <= 25)
    if isinstance(verdict, Moved):
        assert CALENDAR.working_days_between(claimed, verdict.due_on) == 5 + number


# ---- callback ------------------------------------------------------------------------

FULL = {"method": "phone", "result": "reached", "contacted": False, "solved": "no", "rating": 1, "trust": 1}


@pytest.mark.parametrize("item", ["contacted", "solved", "rating", "trust"])
def test_each_item_is_asked_when_reached(item: str) -> None:
    given_ = {**FULL, item: None}

    assert code(callback.judge_items(given_, POLICY.callbacks[0])) == f"missing:{item}"
    assert code(callback.judge_items({**given_, "result": "unreachable"}, POLICY.callbacks[0])) == ""


def test_callback_is_by_hand() -> None:
    assert code(callback.judge_items(FULL, POLICY.callbacks[0])) == ""
    assert code(callback.judge_items({**FULL, "method": "survey"}, POLICY.callbacks[0])) == "invalid:method"


@pytest.mark.parametrize(
    ("tries", "enough"),
    [
        (["2026-03-05"] * 5, False),  # one day
        (["2026-03-05", "2026-03-06"], False),  # two tries
        (["2026-03-05", "2026-03-05", "2026-03-06"], True),
    ],
)
def test_trying_is_enough_after_three_on_two_days(tries: list[str], enough: bool) -> None:
    assert callback.is_fulfilled([*map(day, tries)], POLICY.callbacks[0]) is enough
    assert callback.is_done("unreachable", [*map(day, tries)], POLICY.callbacks[0]) is enough
    assert callback.is_done("declined", [], POLICY.callbacks[0])


@pytest.mark.parametrize(
    ("source", "bad_rounds", "is_closed", "outcome"),
    [
        ("callback", 1, False, "rework"),
        ("callback", 2, False, "panel"),
        ("callback", 1, True, "stay"),
        ("citizen", 1, False, "stay"),  # only a callback begins the written assignment
    ],
)
def test_what_a_bad_rating_leads_to(source: Any, bad_rounds: int, is_closed: bool, outcome: str) -> None:
    assert callback.judge_bad(source, bad_rounds, POLICY.dissatisfied, 2, is_closed=is_closed) == outcome


@pytest.mark.parametrize("does", ["supervise", "propose"])
def test_a_bad_rating_elsewhere_is_supervised_or_put_before_a_person(does: str) -> None:
    rule = POLICY.dissatisfied.model_copy(update={"does": does, "sources": ("citizen", "survey")})

    assert callback.judge_bad("survey", 1, rule, None, is_closed=True) == does
    assert callback.judge_bad("callback", 1, rule, None, is_closed=True) == "stay"


def test_two_is_bad_and_three_is_not() -> None:
    assert [callback.is_bad(rating, POLICY.callbacks[0].bad_up_to) for rating in (1, 2, 3, 4, 5)] == [
        True, True, False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("called_back", "was_dispatched", "contactable", "refused"),
    [
        (False, True, True, "callback_missing"),
        (True, True, True, ""),
        (False, False, True, ""),
        (False, True, False, ""),
    ],
)
def test_no_closing_without_callback(called_back: bool, was_dispatched: bool, contactable: bool, refused: str) -> None:
    assert code(callback.judge_closing(called_back, was_dispatched, contactable, POLICY.callbacks[0])) == refused


def test_contradictions() -> None:
    def found(**facts: Any) -> list[str]:
        told = {"outcome": "solved", "solved": "yes", "contacted": True, "unit_reached": True}
        return list(callback.contradictions(**(told | facts)))

    assert found() == []
    assert found(solved="no") == ["contradiction"]
    assert found(solved="partly") == []
    assert found(solved="no", outcome="partly") == []
    assert found(contacted=False) == ["not_contacted"]
    assert found(contacted=False, unit_reached=False) == []


# ---- repeats -------------------------------------------------------------------------

SAME, SEVERAL = POLICY.triggers[0], POLICY.triggers[1]


@pytest.mark.parametrize(
    ("trigger", "reports", "expected"),
    [
        (SAME, "a 03-02 09:00|a 03-20 09:00|a 04-02 08:59", True),
        (SAME, "a 03-02 09:00|a 03-20 09:00|a 04-02 09:00", False),
        (SAME, "a 02-01 09:00|a 03-02 09:00|a 03-10 09:00|a 03-20 09:00", True),
        (SAME, "a 03-02 09:00|a 03-03 09:00", False),
        (SAME, "a 03-02 09:00|a 03-03 09:00|b 03-04 09:00", False),
        (SAME, "- 03-02 09:00|- 03-03 09:00|- 03-04 09:00", False),
        (SAME, "a 01-31 09:00|a 02-10 09:00|a 02-28 08:00", True),  # 31 January + 1 month = 28 February
        (SAME, "a 01-31 09:00|a 02-10 09:00|a 02-28 09:00", False),
        (SEVERAL, "a 03-02 09:00|b 03-03 09:00|c 04-02 08:59", True),
        (SEVERAL, "a 03-02 09:00|b 03-03 09:00|c 04-02 09:00", False),
        (SEVERAL, "a 03-02 09:00|b 03-03 09:00|a 03-04 09:00|b 03-05 09:00|a 03-06 09:00", False),
        (SEVERAL, "a 03-02 09:00|b 03-03 09:00|- 03-04 09:00", False),
    ],
)
def test_repeats(trigger: Trigger, reports: str, expected: bool) -> None:
    parts = [one.split(" ", 1) for one in reports.split("|")]

    assert (
        fires(trigger, [ReportOf(None if who == "-" else who, at(f"2026-{when}")) for who, when in parts]) is expected
    )


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), st.integers(0, 90)), max_size=12), st.randoms())
def test_repeats_need_no_order_and_only_grow(rows: list[tuple[str | None, int]], random: Any) -> None:
    reports = [ReportOf(who, at("2026-03-02 09:00") + timedelta(days=offset)) for who, offset in rows]
    mixed = random.sample(reports, len(reports))

    for trigger in (SAME, SEVERAL):
        assert fires(trigger, reports) == fires(trigger, mixed)
        if fires(trigger, reports[:-1]):
            assert fires(trigger, reports)


# ---- the rest ------------------------------------------------------------------------


def test_recusal_covers_the_unit_and_all_below() -> None:
    spans = [Span(10, 20)]

    assert [is_forbidden(left, spans) for left in (9, 10, 15, 20, 21)] == [False, True, True, True, False]
    assert code(judge_recusal(15, "某社区", spans, POLICY)) == "recusal"
    assert judge_recusal(21, "某局", spans, POLICY) is None


@pytest.mark.parametrize(
    ("facts", "refused"),
    [
        ({}, ""),
        ({"contacted": False}, "no_contact"),
        ({"contacted": False, "anonymous": True}, ""),
        ({"verified": False}, ""),
        ({"co_units_open": 1}, "co_units_open"),
        ({"contacted": False, "co_units_open": 1}, "no_contact"),
    ],
)
def test_what_must_stand_before_a_reply(facts: dict[str, Any], refused: str) -> None:
    all_done: dict[str, Any] = {"contacted": True, "verified": True, "anonymous": False, "co_units_open": 0}

    assert code(judge_reply(ReplyFacts(**(all_done | facts)), POLICY.contact, POLICY.replies[0])) == refused


def test_verification_is_asked_where_the_rule_wants_it() -> None:
    strict = POLICY.replies[0].model_copy(update={"verification_required": True})

    assert code(judge_reply(ReplyFacts(True, False, False, 0), POLICY.contact, strict)) == "no_verification"


def test_who_looks_at_a_reply() -> None:
    def after(**rule: bool) -> tuple[str, str]:
        return state_after_reply(POLICY.replies[0].model_copy(update=rule))

    assert after() == ("checking", "checking")
    assert after(unit_review=True) == ("unit_review", "handling")
    assert after(central_check=False) == ("passed", "feedback")


@pytest.mark.parametrize(
    ("facts", "refused"),
    [
        ({}, ""),
        ({"bad_rating_stands": False, "sealed": False}, "wrong_state"),
        ({"now": at("2026-03-10 00:00"), "sealed": False}, "too_late"),
        ({"sealed": False}, "needs_signature"),
        ({"signed_by": " "}, "needs_signature"),
    ],
)
def test_exemption(facts: dict[str, Any], refused: str) -> None:
    fit: dict[str, Any] = {
        "bad_rating_stands": True, "ask_until": end_of_day(day("2026-03-09")), "signed_by": "局长", "sealed": True,
        "now": at("2026-03-09 23:59"),
    }  # fmt: skip
    assert POLICY.exemption

    assert code(judge_exemption(ExemptionAsk(**(fit | facts)), POLICY.exemption)) == refused


@given(st.sampled_from(sorted(CASE_STATES)), st.sets(st.sampled_from(sorted(CASE_STATES))))
def test_state_is_refused_exactly_outside_the_allowed(state: str, allowed: set[str]) -> None:
    assert (judge_state(state, allowed, CASE_STATES) is None) == (not allowed or state in allowed)
