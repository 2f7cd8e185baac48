"""Alerts of concentrations: when they are found, who is told, what is drafted, and what nobody learns from them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from huying.base.clock import LEGAL_ZONE
from huying.cases import policies
from huying.cases.commands import Done, perform
from huying.cases.commands.concentrations import look, look_at_new, look_everywhere
from huying.cases.models import Case, CaseSubject, Concentration, Link, Notice, Task
from huying.cases.queries.concentrations import cases_of, concentrations_of
from huying.cases.queries.notices import notices_of
from huying.cases.queries.trends import coming_month, forecast
from huying.core.verdict import Refused
from huying.people.actors import Actor
from huying.people.units import find_unit, forget_units, open_platform

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 2, 9, tzinfo=LEGAL_ZONE)
DAY = timedelta(days=1)
TOWN, OTHER_TOWN, HOUSING = "金湖街道", "东岳路街道", "市住建局"
TOPIC = "物业管理"


@pytest.fixture
def crowd(submit: Any) -> Any:
    """`crowd(9)`: so many persons of one town complain of one matter; the last of their cases."""

    def run(count: int, at: datetime = AT, first: int = 0, **data: Any) -> Case:
        for n in range(first, first + count):
            given = {"category": TOPIC, "requester": {"name": "住户", "phone": f"139{n:08d}"}}
            last = submit(at + n * timedelta(minutes=1), **(given | data)).case
        return last

    return run


def told(row: Concentration) -> set[str]:
    return {one.unit.path for one in Notice.objects.filter(template="concentration", data__concentration=row.pk)}


# --- Ten persons of one place in two days ----------------------------------------------------------


def test_ten_persons_of_one_place_are_an_alert_to_the_centre_and_the_town(crowd: Any, actor: Any) -> None:
    assert look(crowd(9), AT + DAY) == []
    [row] = look(crowd(1, AT + DAY, 9), AT + DAY + timedelta(hours=1))
    assert (row.rule, row.article, row.category) == ("collective_conflict", "daye-2023#16", TOPIC)
    assert (row.unit.path, row.count, row.cases.count(), row.since) == (TOWN, 10, 10, date(2026, 3, 2))
    assert told(row) == {TOWN, "center"}
    assert not Task.objects.exists()
    for who in ("dispatcher@center", "supervisor@center", f"leader@{TOWN}"):
        assert [one.template for one in notices_of(actor(who))] == ["concentration"], who
        assert list(concentrations_of(actor(who)).rows) == [row], who
    assert notices_of(actor(f"leader@{OTHER_TOWN}")) == []
    assert concentrations_of(actor(f"leader@{OTHER_TOWN}")).rows == []


def test_the_third_day_another_place_and_another_matter_do_not_count(crowd: Any) -> None:
    assert look(crowd(9), AT) == []
    assert look(crowd(1, AT, 20, place=OTHER_TOWN), AT + DAY) == []
    assert look(crowd(1, AT, 30, category="噪声扰民"), AT + DAY) == []
    assert look(crowd(1, AT + 2 * DAY, 40), AT + 2 * DAY) == []
    assert len(look(crowd(1, AT + DAY, 50), AT + 2 * DAY)) == 1


def test_one_telephone_is_one_person_and_who_stays_anonymous_is_nobody(crowd: Any) -> None:
    crowd(9)
    crowd(1, AT, 10, requester={"name": "又一次", "phone": "139 0000 0000"})
    assert look(crowd(3, AT, 20, anonymous=True, requester=None), AT) == []
    [row] = look(crowd(1, AT, 30), AT)
    assert (row.count, row.cases.count()) == (10, 14)


def test_seen_again_it_grows_and_after_its_days_the_next_is_a_new_one(crowd: Any) -> None:
    case = crowd(10)
    [row] = look(case, AT)
    assert look(case, AT) == []
    [same] = look(crowd(2, AT + DAY, 10), AT + DAY)
    assert (same.pk, same.count, same.cases.count()) == (row.pk, 12, 12)
    assert Notice.objects.filter(template="concentration", unit__path=TOWN).count() == 1
    assert look(case, AT + 9 * DAY) == []
    [new] = look(crowd(10, AT + 8 * DAY, 20), AT + 8 * DAY)
    assert (new.pk != row.pk, new.count) == (True, 10)


def test_a_case_that_complains_of_the_town_does_not_count_for_its_alert(crowd: Any, actor: Any) -> None:
    crowd(9)
    assert look(crowd(3, AT, 20, subject_unit=TOWN), AT) == []
    assert look(crowd(3, AT, 30, subject_unit="center"), AT) == []
    [row] = look(crowd(1, AT, 40, subject_unit=OTHER_TOWN), AT)
    assert (row.count, row.cases.filter(subjects__unit__path=TOWN).count()) == (10, 0)


def test_an_alert_with_a_case_that_a_reader_must_not_know_of_is_not_shown(crowd: Any, actor: Any) -> None:
    [row] = look(crowd(10), AT)
    unit = find_unit(row.platform, TOWN)
    last = row.cases.order_by("-submitted_at").first()
    CaseSubject.objects.create(case=last, unit=unit, unit_left=unit.left, unit_right=unit.right)
    assert concentrations_of(actor(f"leader@{TOWN}")).rows == []
    assert notices_of(actor(f"leader@{TOWN}")) == []
    assert list(concentrations_of(actor("supervisor@center")).rows) == [row]
    also = actor("supervisor@center", homes=frozenset({unit.left}))
    assert concentrations_of(also).rows == []


def test_the_town_opens_only_the_cases_that_it_works_on(crowd: Any, actor: Any, take: Any) -> None:
    case = crowd(10)
    take("case.dispatch", "dispatcher@center", case, AT + timedelta(hours=1), lead=TOWN)
    [row] = look(case, AT + timedelta(hours=2))
    assert cases_of(actor(f"handler@{TOWN}"), row) == [case]
    assert len(cases_of(actor("supervisor@center"), row)) == 10
    assert Notice.objects.get(template="concentration", unit__path=TOWN).case == case


# --- What came since the last look -----------------------------------------------------------------


def test_a_look_goes_by_the_journal_and_misses_nothing_while_nobody_looked(crowd: Any, platform: Any) -> None:
    assert look_everywhere(AT - timedelta(minutes=5)) == 0
    crowd(10)
    assert look_everywhere(AT + 5 * DAY) == 1
    assert look_everywhere(AT + 5 * DAY + timedelta(minutes=5)) == 0
    assert Concentration.objects.get().count == 10
    assert look_at_new(platform, AT) == (0, False)


def test_a_category_that_the_screening_gave_counts_from_then_on(crowd: Any, submit: Any, take: Any) -> None:
    crowd(9)
    late = submit(AT, requester={"name": "住户", "phone": "13700000001"}).case
    look_everywhere(AT + timedelta(hours=1))
    assert not Concentration.objects.exists()
    take("case.accept", "operator@center", late, AT + timedelta(hours=2), category=TOPIC)
    assert look_everywhere(AT + timedelta(hours=3)) == 1


def test_looks_take_pages_and_end(crowd: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from huying.cases.commands import concentrations

    monkeypatch.setattr(concentrations, "PAGE", 3)
    crowd(10)
    assert look_everywhere(AT + timedelta(hours=1)) >= 1
    assert Concentration.objects.get().count == 10


# --- Ten complaints at one unit in thirty days -----------------------------------------------------

MATTER = "商品房预售与交易"
DEPARTMENT = "市住房和城乡建设局"


@pytest.fixture
def service(db: None) -> Iterator[Any]:
    """A platform of the second regulation, and `act(role@unit, action, case, at, …)` on it."""
    policy = policies.regulation("hebi-2020")
    platform = open_platform("service", "service", policy.info.id, policy.tree)

    def act(who: str, action: str, case: Any, at: datetime, **data: Any) -> Any:
        role, _, path = who.partition("@")
        one = Actor(id=who, role=role, platform=platform, unit=find_unit(platform, path))
        return perform(action, actor=one, now=at, case=case, data=data)

    act.platform = platform  # type: ignore[attr-defined]
    act.centre = policy.info.competent_unit  # type: ignore[attr-defined]
    act.home = policy.tree.role_home  # type: ignore[attr-defined]
    yield act
    forget_units()


def complain(service: Any, at: datetime, n: int, lead: str, **data: Any) -> Case:
    given = {
        "channel": "hotline_12345", "kind": "complaint", "title": "交房拖延", "content": "交房时间一再推迟。",
        "place": "鹤壁市", "category": MATTER, "requester": {"name": "业主", "phone": f"138{n:08d}"},
    }  # fmt: skip
    done = service(f"operator@{service.home.get('operator', service.centre)}", "case.submit", None, at, **given | data)
    assert isinstance(done, Done), done
    sent = service(
        f"dispatcher@{service.home.get('dispatcher', service.centre)}", "case.dispatch", done.case,
        at + timedelta(minutes=5), lead=lead, procedure="refer",
    )  # fmt: skip
    assert isinstance(sent, Done), sent
    return sent.case


def owner(service: Any) -> str:
    return str(
        find_unit(service.platform, service.centre).platform.units.filter(kind="department", handles=True)
        .order_by("left").first().path
    )  # fmt: skip


def test_ten_complaints_on_one_matter_draft_a_rectification_for_the_owner(service: Any) -> None:
    lead = owner(service)
    for n in range(9):
        case = complain(service, AT + n * DAY, n, lead)
    # A consultation on the same matter, and a complaint on another, are no tenth.
    complain(service, AT + 9 * DAY, 50, lead, kind="consult")
    complain(service, AT + 9 * DAY, 51, lead, category="规划许可")
    assert look(case, AT + 9 * DAY) == []
    assert look(complain(service, AT + 30 * DAY, 52, lead), AT + 30 * DAY) == []
    case = complain(service, AT + 29 * DAY, 53, lead)
    [row] = look(case, AT + 29 * DAY)
    assert (row.unit.path, row.count, row.article) == (lead, 11, "hebi-2020#7")
    task = Task.objects.get()
    assert (task.kind, task.state, task.unit.path, task.concentration) == ("rectification", "draft", lead, row)
    assert "11件" in task.content and MATTER in task.title
    [kind] = [one for one in policies.policy_of(service.platform).task_kinds if one.key == task.kind]
    assert set(kind.asks) == {"cause", "measures", "completed_on"}


def test_the_draft_names_no_confidential_case_and_none_that_complains_of_the_owner(service: Any) -> None:
    lead = owner(service)
    other = service.platform.units.filter(kind="department", handles=True).order_by("left")[1].path
    for n in range(9):
        complain(service, AT, n, lead)
    about = complain(service, AT, 20, other, subject_unit=lead)
    assert look(about, AT + DAY) == []
    secret = complain(service, AT, 30, lead, confidential=True)
    [row] = look(secret, AT + DAY)
    assert (row.count, about in row.cases.all()) == (10, False)
    task = Task.objects.get()
    assert task.cases.count() == 9 and secret not in task.cases.all()


def test_a_complaint_merged_into_another_still_counts_at_its_unit(service: Any) -> None:
    lead = owner(service)
    cases = [complain(service, AT, n, lead) for n in range(9)]
    merged = complain(service, AT, 9, lead)
    merged.assignments.all().delete()
    Case.objects.filter(pk=merged.pk).update(state="merged")
    assert look(cases[0], AT) == []
    Link.objects.create(case=merged, other=cases[0], type="merged")
    [row] = look(cases[0], AT)
    assert row.count == 10


# --- A topic that came often in the same month of last year ----------------------------------------


def seasonal(submit: Any, take: Any, month: int, count: int, lead: str = HOUSING) -> None:
    for _ in range(count):
        case = submit(datetime(2025, month, 5, 9, tzinfo=LEGAL_ZONE), category="排水与内涝").case
        take("case.dispatch", "dispatcher@center", case, datetime(2025, month, 5, 10, tzinfo=LEGAL_ZONE), lead=lead)


def test_a_topic_that_peaked_last_may_is_forecast_at_the_end_of_april(submit: Any, take: Any, actor: Any) -> None:
    who, may = actor("analyst@center"), coming_month(date(2026, 4, 30))
    assert may == date(2026, 5, 1)
    seasonal(submit, take, 5, 9)
    assert forecast(who, may) == []
    seasonal(submit, take, 5, 1)
    seasonal(submit, take, 8, 2)
    [found] = forecast(who, may)
    assert (found.peak.topic, found.peak.count, found.peak.year) == ("排水与内涝", 10, 12)
    assert found.unit is not None and found.unit.path == HOUSING
    assert forecast(who, date(2026, 6, 1)) == []


def test_from_the_forecast_a_task_is_drafted_for_the_owner(actor: Any, take: Any) -> None:
    given = {"unit": HOUSING, "title": "汛期排水预先治理", "content": "汛前清淤。"}
    for who in ("supervisor@center", "analyst@center", "dispatcher@center"):
        task = take("task.draft", who, None, AT, **given).made
        assert (task.state, task.kind, task.unit.path, task.article) == ("draft", "proactive", HOUSING, "daye-2023#16")
    for who in ("handler@center", f"dispatcher@{TOWN}", f"leader@{HOUSING}"):
        refused = perform("task.draft", actor=actor(who), now=AT, data=given)
        assert isinstance(refused, Refused) and refused.code == "not_permitted", who
    refused = perform("task.draft", actor=actor("analyst@center"), now=AT, data=given | {"kind": "no_such"})
    assert isinstance(refused, Refused) and refused.code == "invalid:kind"
