"""Leaders answer calls: who is proposed, who schedules, and which calls hang on a session."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from huying.base.clock import LEGAL_ZONE
from huying.cases import policies
from huying.cases.commands import Done, perform
from huying.cases.models import AnsweringSession, Assignment, Case, Evaluation, JournalEntry, TimeLimit
from huying.cases.queries.sessions import cases_in, find_session, session_candidates, sessions_of, sessions_with
from huying.core.periods import period_of
from huying.core.verdict import Refused
from huying.people.actors import Actor
from huying.people.units import find_unit, forget_units, open_platform

pytestmark = pytest.mark.django_db

HELD = date(2024, 4, 10)
AT = datetime(2024, 4, 10, 9, 30, tzinfo=LEGAL_ZONE)
BEFORE = datetime(2024, 4, 1, 9, tzinfo=LEGAL_ZONE)


class City:
    """A platform of the regulation, its centre and some of its departments."""

    def __init__(self) -> None:
        policy = policies.regulation("hebi-2020")
        self.platform = open_platform("answering", "answering", policy.info.id, policy.tree)
        self.homes = {role: policy.tree.role_home.get(role, policy.info.competent_unit)
                      for role in ("supervisor", "dispatcher", "operator")}  # fmt: skip
        departments = self.platform.units.filter(kind="department", handles=True).order_by("left")
        self.units = list(departments[:5])

    def actor(self, role: str, path: str | None = None) -> Actor:
        unit = find_unit(self.platform, path if path is not None else self.homes[role])
        return Actor(id=f"{role}@{unit.path}", role=role, platform=self.platform, unit=unit)

    def schedule(self, role: str = "supervisor", **data: Any) -> Any:
        given = {"unit": self.units[0].path, "leader": "张局长", "held_on": HELD.isoformat(), "reason": "投诉集中"}
        return perform("session.schedule", actor=self.actor(role), now=BEFORE, data=given | data)

    def submit(self, at: datetime, who: Actor | None = None, **data: Any) -> Any:
        given = {
            "channel": "hotline_12345", "kind": "complaint", "title": "交房拖延", "content": "一再推迟。",
            "place": "鹤壁市", "requester": {"name": "业主", "phone": "13800000001"},
        }  # fmt: skip
        return perform("case.submit", actor=who or self.actor("operator"), now=at, data=given | data)

    def led(self, unit: Any, at: datetime, n: int) -> Case:
        """A complaint that the unit had to handle."""
        case = Case.objects.create(
            platform=self.platform, number=f"2024030100{n:07d}", regulation="hebi-2020", kind="complaint",
            channel="hotline_12345", title="t", content="c", holder=find_unit(self.platform, self.homes["dispatcher"]),
            state="closed", submitted_by="x", submitted_at=at, accepted_at=at, closed_at=at + timedelta(days=3),
        )  # fmt: skip
        Assignment.objects.create(
            case=case, unit=unit, role="lead", state="done", unit_left=unit.left, unit_right=unit.right,
            assigned_at=at, ended_at=at, round=1, cause="first",
        )  # fmt: skip
        return case


@pytest.fixture
def city(db: None) -> Iterator[City]:
    yield City()
    forget_units()


def code(outcome: Any) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.code


def test_units_past_any_of_the_three_thresholds_are_candidates(city: City) -> None:
    march = period_of("month", date(2024, 3, 15))
    at = datetime(2024, 3, 4, 9, tzinfo=LEGAL_ZONE)
    many, bad, late, fine, few = city.units
    counter = iter(range(1, 1000))
    for _ in range(10):
        city.led(many, at, next(counter))
    for _ in range(9):
        city.led(few, at, next(counter))
    for number, unit in enumerate((bad, bad, fine, fine)):
        case = city.led(unit, at, next(counter))
        Evaluation.objects.create(
            case=case, round=1, source="callback", rating=1 if number == 0 else 4, bad=number == 0, counted=True, at=at
        )
    for number, unit in enumerate((late, late, fine)):
        case = city.led(unit, at, next(counter))
        TimeLimit.objects.create(
            case=case, assignment=case.assignments.get(), name="handle", rule="r", start_event="x",
            day_zero=date(2024, 3, 4), days=5, due_on=date(2024, 3, 11), due_at=at, started_at=at, met=number != 0,
            ended_at=at,
        )  # fmt: skip
    for role in ("supervisor", "dispatcher"):
        found = session_candidates(city.actor(role), march, now=AT)
        assert {row.unit.path for row, _ in found if row.unit} == {many.path, bad.path, late.path}
        reasons = {row.unit.path: why for row, why in found if row.unit}
        assert [len(why) for why in reasons.values()] == [1, 1, 1]
        assert "投诉" in reasons[many.path][0] and "满意率" in reasons[bad.path][0] and "超期" in reasons[late.path][0]
    assert session_candidates(city.actor("operator"), march, now=AT) == []


def test_a_session_is_scheduled_with_its_day_and_leader(city: City) -> None:
    done = city.schedule()
    assert isinstance(done, Done)
    row = AnsweringSession.objects.get()
    assert (row.unit, row.leader, row.held_on, row.reason) == (city.units[0], "张局长", HELD, "投诉集中")
    assert JournalEntry.objects.get(action="session.schedule").article == "hebi-2020#9"
    assert code(city.schedule()) == "already_done"
    assert isinstance(city.schedule("dispatcher", unit=city.units[1].path), Done)
    assert [one.leader for one in sessions_of(city.actor("leader", city.units[0].path))] == ["张局长"]
    assert len(sessions_of(city.actor("operator"))) == 2
    assert find_session(city.actor("leader", city.units[2].path), row.pk) is None


def test_what_is_refused_when_scheduling(city: City) -> None:
    assert code(city.schedule("operator")) == "not_permitted"
    assert code(city.schedule(leader="")) == "missing:leader"
    assert code(city.schedule(unit="没有的单位")) == "invalid:unit"
    assert code(city.schedule(held_on="2024-03-31")) == "invalid:held_on"
    assert isinstance(city.schedule(held_on="2024-04-01"), Done)


def test_a_call_of_the_day_links_to_the_session_and_its_leader(city: City) -> None:
    row = city.schedule().made
    case = city.submit(AT, session=row.pk).case
    assert [(one.held_on, one.leader) for one in sessions_with(case, city.actor("operator"))] == [(HELD, "张局长")]
    assert cases_in(city.actor("supervisor"), row) == [case]
    assert [one.answered for one in sessions_of(city.actor("supervisor"))] == [1]
    citizen = Actor(id="citizen:1", role="citizen", platform=city.platform, case_ids=frozenset({case.pk}))
    assert sessions_with(case, citizen) == []
    answered = perform("case.answer", actor=city.actor("operator"), now=AT, case=case, data={"reply": "当场答复。"})
    assert isinstance(answered, Done)


def test_only_a_session_of_today_and_only_by_who_answers(city: City) -> None:
    row = city.schedule().made
    assert code(city.submit(AT + timedelta(days=1), session=row.pk)) == "invalid:session"
    assert code(city.submit(AT - timedelta(days=1), session=row.pk)) == "invalid:session"
    assert code(city.submit(AT, session=row.pk + 1)) == "invalid:session"
    citizen = Actor(id="citizen:1", role="citizen", platform=city.platform)
    assert code(city.submit(AT, citizen, session=row.pk)) == "not_permitted"
    assert not row.cases.exists()


def test_a_call_that_complains_of_the_unit_is_not_shown_to_it(city: City) -> None:
    row = city.schedule().made
    city.submit(AT, session=row.pk, subject_unit=city.units[0].path)
    leader = city.actor("leader", city.units[0].path)
    assert cases_in(leader, row) == []
    assert [one.answered for one in sessions_of(leader)] == [0]
