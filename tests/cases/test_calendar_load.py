"""The calendar of a year comes out: exactly what was provisional because of it is counted anew, and told."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from click.testing import CliRunner, Result
from django.db import connection

from huying.base.clock import LEGAL_ZONE, end_of_day
from huying.cases import journal
from huying.cases.commands import Done, calendars, clock, perform
from huying.cases.commands.calendars import Recounted, recount_page
from huying.cases.models import Case, JournalEntry, Notice, TimeLimit
from huying.cases.policies import calendar_of, forget_regulations, regulation
from huying.cases.queries.explain import explain
from huying.people.actors import Actor
from huying.people.units import find_unit, open_platform
from huying.policy.check import read_notice
from huying.policy.load import UnclearRegulation
from huying.site.cli import main

REGULATIONS = Path(__file__).parents[2] / "regulations"
NOTICE = """year = 2027
notice = "国务院办公厅关于2027年部分节假日安排的通知"
number = "国办发明电〔2026〕9号"
"""
NEW_YEAR = '\n[[holiday]]\nname = "元旦"\nfrom = 2027-01-01\nuntil = 2027-01-03\n'
"""Friday to Sunday: every count over it ends one working day later."""
SHORT = NEW_YEAR.replace("-03", "-02") + '\n[[makeup]]\nname = "元旦"\non = 2027-01-03\n'
"""Friday is off and Sunday is worked: a count over both ends on the same day as before."""
EARLY = (
    '\n[[holiday]]\nname = "春节"\nfrom = 2027-02-05\nuntil = 2027-02-11\n'
    '\n[[makeup]]\nname = "春节"\non = 2027-01-02\n'
)
"""The first Saturday is worked, nothing is off: counts over it end a day earlier."""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LEGAL_ZONE)


def day(text: str) -> date:
    return date.fromisoformat(text)


NOW = at("2026-12-30 15:00")


@pytest.fixture
def regulations(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """The regulations, with a folder of calendars of their own that knows no 2027."""
    for folder in REGULATIONS.iterdir():
        if folder.name != "cn":
            (tmp_path / folder.name).symlink_to(folder)
    shutil.copytree(REGULATIONS / "cn", tmp_path / "cn", ignore=shutil.ignore_patterns("calendar-2027*"))
    settings.HUYING_REGULATIONS = tmp_path
    forget_regulations()
    yield tmp_path
    forget_regulations()


@pytest.fixture
def load(regulations: Path, platform: Any) -> Callable[..., Recounted]:
    """Put a notice in place and count anew."""

    def run(
        text: str = NEW_YEAR, now: datetime = NOW, year: int = 2027, platforms: list[Any] | None = None
    ) -> Recounted:
        (regulations / "cn" / f"calendar-{year}.toml").write_text(NOTICE.replace("2027", str(year)) + text, "utf-8")
        forget_regulations()
        return recount_page(year, platforms or [platform], now=now)

    return run


@pytest.fixture
def given(regulations: Path, submit: Any, take: Any) -> Callable[..., Any]:
    """A case dispatched on Monday 28 December and claimed on Tuesday: due 30, 31, (1), 4, 5 January, provisional."""

    def make(on: str = "2026-12-28", claimed: str = "2026-12-29 10:00", **data: Any) -> Any:
        case = submit(at(f"{on} 09:00"), **data).case
        take("case.dispatch", "dispatcher@center", case, at(f"{on} 10:00"), lead="市住建局", co=["市公安局"])
        if claimed:
            take("case.claim", "handler@市住建局", case, at(claimed))
        return case

    return make


def limit_of(case: Any, name: str, unit: str = "市住建局") -> TimeLimit:
    return TimeLimit.objects.get(case=case, name=name, assignment__unit__path=unit)


def entries(case: Any, action: str) -> list[JournalEntry]:
    return list(JournalEntry.objects.filter(case=case, action=action).order_by("seq"))


def told(case: Any) -> list[tuple[str, str, str]]:
    """Who was told that which date is now when."""
    notices = Notice.objects.filter(case=case, template="date_moved").order_by("pk").select_related("unit")
    return [(one.unit.path if one.unit else "citizen", one.data["limit"], one.data["due_on"]) for one in notices]


pytestmark = pytest.mark.django_db


def test_the_limit_moves_with_a_step_an_entry_and_notices(given: Any, load: Any) -> None:
    case = given()
    before = limit_of(case, "handle")
    assert (before.due_on, before.provisional) == (day("2027-01-05"), True)

    load()

    handle = limit_of(case, "handle")
    assert (handle.due_on, handle.provisional, handle.day_zero) == (day("2027-01-06"), False, day("2026-12-29"))
    assert handle.due_at == at("2027-01-07 00:00")
    assert handle.steps[:-1] == before.steps
    assert {"event": "calendar", "year": 2027, "due_on": "2027-01-06"}.items() <= handle.steps[-1].items()
    case.refresh_from_db()
    assert case.due_at == at("2027-01-07 00:00")
    moved = {
        entry.data["limit"]: (entry.data["due_before"], entry.data["due_on"]) for entry in entries(case, "limit.moved")
    }
    assert moved == {
        "long_unresolved": ("2027-02-08", "2027-02-09"),
        "handle": ("2027-01-05", "2027-01-06"),
        "extension_request": ("2027-01-04", "2027-01-05"),
        "co_feedback": ("2027-01-04", "2027-01-05"),
    }
    assert sorted(told(case)) == [
        ("center", "long_unresolved", "2027-02-09"),
        ("citizen", "handle", "2027-01-06"),
        ("市住建局", "extension_request", "2027-01-05"),
        ("市住建局", "handle", "2027-01-06"),
        ("市公安局", "co_feedback", "2027-01-05"),
    ]
    assert journal.verify(case) == []
    assert not TimeLimit.objects.filter(case=case, ended_at=None, provisional=True).exists()


def test_the_explanation_counts_by_the_new_calendar(given: Any, load: Any) -> None:
    case = given()
    load()
    case.refresh_from_db()

    handle = next(one for one in explain(case) if one.limit.name == "handle")

    last = handle.steps[-1]
    assert (last.event, last.due_on) == ("放假安排公布", day("2027-01-06"))
    assert [one.day.day for one in last.counted if one.number] == [30, 31, 4, 5, 6]


def test_only_what_is_provisional_and_open_is_touched(given: Any, load: Any, take: Any) -> None:
    early = given("2026-12-14", "2026-12-14 11:00")  # due 21 December
    ended = given()
    who = "handler@市住建局"
    take("case.contact", who, ended, at("2026-12-30 09:00"), method="phone", result="reached", note="说明")
    take("case.claim", "handler@市公安局", ended, at("2026-12-30 09:10"))
    take("case.co_feedback", "handler@市公安局", ended, at("2026-12-30 09:30"), content="已配合")
    take("case.reply", who, ended, at("2026-12-30 10:00"), content="已修好", outcome="solved")
    marked = set(TimeLimit.objects.filter(provisional=True, ended_at=None).values_list("pk", flat=True))
    before = {row["id"]: row for row in TimeLimit.objects.values()}
    assert {row["name"] for row in before.values() if row["id"] in marked} == {"long_unresolved"}

    load()

    now = {row["id"]: row for row in TimeLimit.objects.values()}
    assert {pk for pk, row in now.items() if row["due_on"] != before[pk]["due_on"]} == marked
    assert {pk for pk, row in now.items() if row["steps"] != before[pk]["steps"]} == marked
    assert (limit_of(ended, "handle").due_on, limit_of(ended, "handle").provisional) == (day("2027-01-05"), True)
    assert [one[1] for one in told(early) + told(ended)] == ["long_unresolved"] * len(marked)


def test_a_date_that_stands_loses_the_mark_without_a_notice(given: Any, load: Any) -> None:
    case = given()

    done = load(SHORT)

    handle = limit_of(case, "handle")
    assert (handle.due_on, handle.provisional) == (day("2027-01-05"), False)
    assert told(case) == []
    assert {entry.data["limit"] for entry in entries(case, "limit.confirmed")} >= {"handle"}
    assert done.confirmed == len(entries(case, "limit.confirmed"))
    assert not TimeLimit.objects.filter(case=case, ended_at=None, provisional=True).exists()


def test_an_extension_is_counted_anew_with_what_it_came_on(given: Any, load: Any, take: Any) -> None:
    case = given()
    take("case.request_extension", "handler@市住建局", case, at("2026-12-30 09:00"), workdays=10, reason="需要采购")
    take("application.approve", "dispatcher@center", case, at("2026-12-30 10:00"), opinion="同意")
    assert limit_of(case, "handle").due_on == day("2027-01-19")  # 6, 7, 8, 11 to 15, 18, 19 January

    load()

    handle = limit_of(case, "handle")  # from 6 January: 7, 8, 11 to 15, 18, 19, 20
    assert (handle.due_on, handle.provisional) == (day("2027-01-20"), False)
    assert handle.steps[-1]["day_zero"] == "2027-01-06"
    assert limit_of(case, "co_feedback", "市公安局").due_on == day("2027-01-19")


def test_a_promise_without_a_running_clock_moves_and_the_citizen_is_told(given: Any, load: Any) -> None:
    case = given("2026-12-30", "")  # to be claimed by the 31st; promised (1), 4, 5, 6, 7 January
    case.refresh_from_db()
    assert case.due_at == at("2027-01-08 00:00")

    load()

    case.refresh_from_db()
    assert case.due_at == at("2027-01-09 00:00")
    assert limit_of(case, "claim").due_on == day("2026-12-31")
    assert ("citizen", "handle", "2027-01-08") in told(case)
    assert [entry.data["due_on"] for entry in entries(case, "limit.moved") if entry.data["limit"] == "handle"] == [
        "2027-01-08"
    ]
    assert journal.verify(case) == []


def test_a_year_that_is_still_missing_keeps_its_mark(given: Any, load: Any) -> None:
    later = given("2028-01-10", "2028-01-10 11:00")
    row = TimeLimit.objects.filter(case=later).order_by("pk").values()
    before = list(row)

    load(now=at("2028-01-11 09:00"))

    assert list(row) == before
    assert limit_of(later, "handle").provisional


def test_over_two_years_it_stays_marked_for_the_second(given: Any, load: Any, take: Any) -> None:
    case = given("2026-12-01", "2026-12-01 11:00")
    take(
        "case.request_ledger",
        "handler@市住建局",
        case,
        at("2026-12-02 09:00"),
        plan="列入计划",
        target_date="2027-12-31",
    )
    TimeLimit.objects.filter(case=case, name="handle").update(
        day_zero=day("2026-12-30"), days=260, due_on=day("2027-12-29"), provisional=True,
        steps=[{"event": "claim", "rule": "time_limits.handle.general", "day_zero": "2026-12-30", "days": 262,
                "unit": "working", "due_on": "2027-12-31"}],
    )  # fmt: skip

    load(now=at("2026-12-31 09:00"))

    handle = limit_of(case, "handle")
    assert (handle.due_on, handle.provisional) == (day("2028-01-03"), True)


def test_run_again_it_does_nothing(given: Any, load: Any) -> None:
    case = given()
    load()
    rows, count = list(TimeLimit.objects.order_by("pk").values()), JournalEntry.objects.count()

    done = load(now=at("2026-12-31 09:00"))

    assert (done.moved, done.confirmed) == (0, 0)
    assert list(TimeLimit.objects.order_by("pk").values()) == rows
    assert JournalEntry.objects.count() == count
    assert len(told(case)) == 5


def test_killed_in_between_the_next_run_does_the_rest_once(
    given: Any, load: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [given(title=f"路灯不亮{number}") for number in range(3)]
    send, sent = calendars.send, []

    def die(notices: list[Notice]) -> None:
        if len(sent) == 1:
            raise KeyboardInterrupt
        sent.append(notices)
        send(notices)

    monkeypatch.setattr(calendars, "send", die)
    with pytest.raises(KeyboardInterrupt):
        load()
    assert [limit_of(case, "handle").provisional for case in cases] == [False, True, True]
    monkeypatch.setattr(calendars, "send", send)

    load()

    assert [limit_of(case, "handle").due_on for case in cases] == [day("2027-01-06")] * 3
    assert [len(told(case)) for case in cases] == [5, 5, 5]
    assert [len(entries(case, "limit.moved")) for case in cases] == [4, 4, 4]


def test_pages_are_bounded_and_go_on(given: Any, load: Any, platform: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendars, "PAGE", 2)
    cases = [given(title=f"路灯不亮{number}") for number in range(3)]

    first = load()
    second = recount_page(2027, [platform], now=NOW, after=first.last)

    assert (first.cases, second.cases) == (2, 1)
    assert {limit_of(case, "handle").due_on for case in cases} == {day("2027-01-06")}
    assert recount_page(2027, [platform], now=NOW, after=second.last).cases == 0


def test_what_was_late_by_the_provisional_date_only_is_late_no_more(given: Any, load: Any) -> None:
    case = given()
    clock.sweep(at("2027-01-06 08:00"))
    assert limit_of(case, "handle").missed_at == at("2027-01-06 00:00")

    load(now=at("2027-01-06 09:00"))

    handle = limit_of(case, "handle")
    assert (handle.due_on, handle.missed_at) == (day("2027-01-06"), None)
    clock.sweep(at("2027-01-07 08:00"))
    assert limit_of(case, "handle").missed_at == at("2027-01-07 00:00")


def test_what_is_late_by_both_dates_is_not_missed_twice(given: Any, load: Any) -> None:
    case = given()
    clock.sweep(at("2027-01-12 08:00"))
    missed = len(entries(case, "limit.missed"))

    load(now=at("2027-01-12 09:00"))
    clock.sweep(at("2027-01-12 10:00"))

    handle = limit_of(case, "handle")
    assert (handle.due_on, handle.missed_at) == (day("2027-01-06"), at("2027-01-06 00:00"))
    assert len(entries(case, "limit.missed")) == missed


def test_an_earlier_date_leaves_at_least_the_next_working_day(given: Any, load: Any) -> None:
    case = given()  # with the worked Saturday: 30, 31, 1, 2, 4 January

    load(EARLY, now=at("2027-01-04 09:00"))

    handle = limit_of(case, "handle")
    assert (handle.due_on, handle.provisional) == (day("2027-01-05"), False)


def test_with_time_left_the_earlier_date_holds(given: Any, load: Any) -> None:
    case = given()

    load(EARLY)

    assert limit_of(case, "handle").due_on == day("2027-01-04")


def test_a_clock_that_the_missing_claim_started_begins_at_the_new_last_day(given: Any, load: Any) -> None:
    case = given("2026-12-31", "")  # to be claimed by 1 January, which turns out to be a holiday
    clock.sweep(at("2027-01-02 08:00"))
    assert (limit_of(case, "handle").day_zero, limit_of(case, "claim").missed_at) == (
        day("2027-01-01"), at("2027-01-02 00:00"),
    )  # fmt: skip

    load(now=at("2027-01-03 09:00"))

    claim, handle = limit_of(case, "claim"), limit_of(case, "handle")
    assert (claim.due_on, claim.missed_at, claim.provisional) == (day("2027-01-04"), None, False)
    assert (handle.day_zero, handle.due_on, handle.provisional) == (day("2027-01-04"), day("2027-01-11"), False)


def test_it_begins_there_also_when_somebody_claimed_late_meanwhile(given: Any, load: Any, take: Any) -> None:
    case = given("2026-12-31", "")
    take("case.claim", "handler@市住建局", case, at("2027-01-05 09:00"))
    assert limit_of(case, "handle").day_zero == day("2027-01-01")

    load(now=at("2027-01-05 10:00"))

    claim, handle = limit_of(case, "claim"), limit_of(case, "handle")
    assert (claim.due_on, claim.met) == (day("2027-01-01"), False)  # what is over stays as it was judged
    assert (handle.day_zero, handle.due_on) == (day("2027-01-04"), day("2027-01-11"))


def test_the_clocks_next_look_follows_the_calendar_also_where_no_date_moved(given: Any, load: Any) -> None:
    case = given("2026-12-23", "2026-12-23 11:00")  # due 30 December
    clock.sweep(at("2026-12-31 08:00"))
    handle = limit_of(case, "handle")
    assert handle.next_at == at("2027-01-04 00:00")  # the third working day after: 31, (1), 4

    load(now=at("2026-12-31 09:00"))

    assert limit_of(case, "handle").next_at == at("2027-01-05 00:00")


# --- Other cities' rules ------------------------------------------------------------------------------------------


@pytest.fixture
def city(regulations: Path) -> Callable[..., Any]:
    """Open a platform under another regulation, with the units that are asked for, and act on it."""

    def open_with(name: str, *beginnings: str) -> Any:
        policy = regulation(name)
        kept = [unit for unit in policy.tree.units if not beginnings or unit.path.startswith(beginnings)]
        tree = policy.tree.model_copy(update={"units": tuple(kept)})
        return open_platform("other", policy.info.platform_name, name, tree)

    return open_with


def act(on: Any, action: str, who: str, case: Any, moment: str, **data: Any) -> Any:
    role, _, path = who.partition("@")
    person = Actor(id=who, role=role, platform=on, unit=find_unit(on, path) if path else None)
    done = perform(action, actor=person, now=at(moment), case=case, data=data)
    assert isinstance(done, Done), done
    return done.case


MATTER = {"title": "占道经营", "content": "路口夜市占道。", "requester": {"name": "施某", "phone": "13900000106"}}


@pytest.mark.parametrize(
    ("source", "before", "after", "rule"),
    [
        ("2027-01-08", "2027-01-06", "2027-01-07", "time_limits.handle.other"),  # the own date is the earlier one
        ("2027-01-06", "2027-01-06", "2027-01-06", "source_limits.source.city_platform"),  # now the source's is
        ("2027-01-05", "2027-01-05", "2027-01-05", "source_limits.source.city_platform"),
    ],
)
def test_of_two_dates_the_earlier_one_governs_by_the_new_calendar_too(
    city: Any, load: Any, source: str, before: str, after: str, rule: str
) -> None:
    on = city("chongqing-district")
    given = {**MATTER, "channel": "internet_supervision", "kind": "complaint", "place": "东城街道", "due": source}
    case = act(on, "case.submit", "operator@center", None, "2026-12-28 09:00", **given)
    act(on, "case.dispatch", "dispatcher@center", case, "2026-12-28 10:00", lead="城市管理局")
    assert limit_of(case, "handle", "城市管理局").due_on == day(before)  # own: 29, 30, 31, (1), 4, 5, 6

    load(platforms=[on])

    handle = limit_of(case, "handle", "城市管理局")
    assert (handle.due_on, handle.rule, handle.provisional) == (day(after), rule, False)


def test_a_hop_stays_within_the_citizens_new_date(city: Any, load: Any) -> None:
    town = "永川区/中山路街道"
    village = f"{town}/中山路社区居民委员会"
    on = city("chongqing-2021", "center", "市", "永川区")
    given = {**MATTER, "channel": "portal", "kind": "consult", "place": village}
    case = act(on, "case.submit", "citizen", None, "2026-12-30 09:00", **given)
    asked = {"ground": "beyond_power", "reason": "非自治事项", "preliminary_check": "已联系"}
    act(on, "case.transfer_up", f"handler@{village}", case, "2027-01-04 09:00", **asked)
    act(on, "application.approve", f"dispatcher@{town}", case, "2027-01-05 09:00", opinion="街道承办")
    assert limit_of(case, "handle", town).due_on == day("2027-01-06")  # 31, (1), 4, 5, 6
    hop = limit_of(case, "transfer_up", town)
    assert (hop.due_on, [step["event"] for step in hop.steps]) == (day("2027-01-06"), ["assignment", "within"])

    load(now=at("2027-01-05 12:00"), platforms=[on])

    assert limit_of(case, "handle", town).due_on == day("2027-01-07")
    assert limit_of(case, "transfer_up", town).due_on == day("2027-01-07")  # two days: 6, 7


def test_what_a_county_hands_on_stays_within_the_citys_new_date(city: Any, load: Any) -> None:
    on, county = city("huzhou-2016", "center", "市", "德清县"), "德清县/center"
    town = next(unit.path for unit in on.units.filter(path__startswith="德清县/", kind="town", handles=True))
    given = {**MATTER, "channel": "hotline_12345", "kind": "consult", "place": "德清县"}
    case = act(on, "case.submit", "operator@市12345中心", None, "2026-12-28 09:00", **given)
    act(on, "case.dispatch", "dispatcher@center", case, "2026-12-28 10:00", lead=county)
    act(on, "case.dispatch", f"dispatcher@{county}", case, "2026-12-29 10:00", lead=town, limit_workdays=10)
    hop = limit_of(case, "handle", town)
    assert (hop.due_on, hop.steps[-1]["event"]) == (day("2027-01-04"), "within")  # the city's: 29, 30, 31, (1), 4

    load(platforms=[on])

    hop = limit_of(case, "handle", town)
    case.refresh_from_db()
    assert (hop.due_on, hop.provisional, case.due_at) == (day("2027-01-05"), False, at("2027-01-06 00:00"))


def test_the_rest_during_the_check_is_counted_anew_and_the_citizen_keeps_the_first_promise(
    city: Any, load: Any
) -> None:
    on, unit = city("hebi-2020", "center", "市", "淇滨区"), "市市场监管局"
    given = {**MATTER, "channel": "provincial_online", "kind": "complaint", "place": "淇滨区"}
    case = act(on, "case.submit", "citizen", None, "2026-12-29 09:00", **given)
    act(on, "case.dispatch", "dispatcher@center", case, "2026-12-29 10:00", lead=unit)
    act(on, "case.reply", f"handler@{unit}", case, "2026-12-30 09:00", content="已核发证照。", outcome="solved")
    act(on, "reply.approve", f"leader@{unit}", case, "2026-12-30 10:00")
    failed = {"criteria": {"facts_clear": False, "basis_right": True, "handled_well": True}, "note": "没有说明原因"}
    act(on, "check.fail", "checker@center", case, "2027-01-04 09:00", **failed)
    handle = TimeLimit.objects.get(case=case, name="handle", assignment__round=2)
    first = handle.promised_on
    assert handle.steps[-1]["event"] == "check" and handle.steps[-1]["days"] == 3  # 31, (1), 4

    load(now=at("2027-01-04 12:00"), platforms=[on])

    handle.refresh_from_db()
    case.refresh_from_db()
    calendar = calendar_of(on)
    days = handle.steps[0]["days"]
    assert handle.promised_on == calendar.add_working_days(handle.day_zero, days)
    assert handle.due_on == calendar.add_working_days(handle.promised_on, 2)  # rested 31 and 4
    assert first is not None and handle.promised_on > first
    assert case.due_at == end_of_day(handle.promised_on)
    assert not handle.provisional


@pytest.mark.parametrize(("named", "before", "after"), [(None, "2027-01-20", "2027-01-21"), ("2027-01-11",) * 3])
def test_an_instruction_moves_by_the_rest_or_to_the_day_that_it_names(
    city: Any, load: Any, named: str | None, before: str, after: str
) -> None:
    on = city("hebi-2020", "center", "市", "淇滨区")
    given = {**MATTER, "channel": "hotline_12345", "kind": "complaint", "place": "淇滨区"}
    case = act(on, "case.submit", "operator@center", None, "2026-12-28 09:00", **given)
    act(on, "case.dispatch", "dispatcher@center", case, "2026-12-28 10:00", lead="市住建局", procedure="submit")
    report = {"kind": "special", "cases": [case.number], "content": "请批示。"}
    act(on, "report.submit", "supervisor@center", case, "2027-01-04 09:00", **report)
    told = {"content": "请办。", "unit": "市住建局"} | ({"due": named} if named else {})
    act(on, "report.instruct", "executive@市政府办公室", case, "2027-01-06 09:00", **told)
    handle = limit_of(case, "handle", "市住建局")
    assert (handle.due_on, handle.steps[0]["days"]) == (day(before), 15)

    load(now=at("2027-01-06 12:00"), platforms=[on])

    # Fifteen days end on 18 January, by the new calendar on the 19th; it rested for two, the 5th and the 6th.
    handle = limit_of(case, "handle", "市住建局")
    assert (handle.due_on, handle.provisional) == (day(after), False)


# --- The command --------------------------------------------------------------------------------------------------


def command(*arguments: Any, answer: str = "") -> Result:
    return CliRunner().invoke(main, ["calendar", "load", *map(str, arguments)], input=answer)


@pytest.fixture
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("notice") / "calendar-2027.toml"
    path.write_text(NOTICE + NEW_YEAR, "utf-8")
    return path


def test_command_puts_the_notice_in_place_and_counts(given: Any, file: Path, regulations: Path) -> None:
    case = given()

    result = command(file, "--yes", "--no-wait")

    assert result.exit_code == 0, result.output
    assert "改期4个期限" in result.output
    assert (regulations / "cn" / file.name).read_bytes() == file.read_bytes()
    assert limit_of(case, "handle").due_on == day("2027-01-06")
    again = command(file, "--yes", "--no-wait")
    assert again.exit_code == 0 and "改期0个期限" in again.output
    assert [path.name for path in (regulations / "cn").iterdir() if path.name.startswith(".")] == []


def test_command_asks_first(given: Any, file: Path, regulations: Path) -> None:
    case = given()

    assert command(file, "--no-wait", answer="n\n").exit_code == 1
    assert not (regulations / "cn" / file.name).exists()
    assert limit_of(case, "handle").provisional


def test_command_refuses_another_notice_for_a_year_that_is_there(platform: Any, file: Path, regulations: Path) -> None:
    (regulations / "cn" / file.name).write_text(NOTICE + SHORT, "utf-8")

    result = command(file, "--yes", "--no-wait")

    assert result.exit_code == 1
    assert "内容不同" in result.output


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_killed_command_run_again_by_two_at_once_moves_each_limit_exactly_once(
    given: Any, file: Path, regulations: Path
) -> None:
    cases = [given(title=f"路灯不亮{number}") for number in range(40)]
    base = os.environ["DATABASE_URL"].rpartition("/")[0]
    environment = os.environ | {
        "DATABASE_URL": f"{base}/{connection.settings_dict['NAME']}", "HUYING_REGULATIONS": str(regulations),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }  # fmt: skip

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "huying.site.cli", "calendar", "load", str(file), "--yes", "--no-wait"]
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)

    def moved() -> int:
        return JournalEntry.objects.filter(action="limit.moved").count()

    first = start()
    try:
        end = monotonic() + 90
        while not moved() and monotonic() < end:
            sleep(0.01)
    finally:
        first.kill()
        first.wait()
    assert 0 < moved() < 4 * len(cases)

    runs = [start(), start()]
    assert [run.wait(timeout=120) for run in runs] == [0, 0]
    for case in cases:
        assert [len(entries(case, "limit.moved")), len(told(case))] == [4, 5]
        assert limit_of(case, "handle").due_on == day("2027-01-06")
        assert journal.verify(case) == []


BROKEN = {
    "day of another year": (NOTICE + NEW_YEAR.replace("2027", "2028"), "不在2027年内"),
    "makeup of another year": (NOTICE + SHORT.replace("on = 2027", "on = 2026"), "不在2027年内"),
    "makeup on a weekday": (NOTICE + SHORT.replace("on = 2027-01-03", "on = 2027-01-04"), "不是星期六、星期日"),
    "day twice": (NOTICE + NEW_YEAR + SHORT.split("\n\n")[1], "写了2次"),
    "end before start": (NOTICE + NEW_YEAR.replace("until = 2027-01-03", "until = 2026-12-31"), "先后颠倒"),
    "a month of holidays": (NOTICE + NEW_YEAR.replace("until = 2027-01-03", "until = 2027-02-03"), "长得不像"),
    "no holiday": (NOTICE, "没有一个放假日"),
    "other year than the file": (NOTICE.replace("year = 2027", "year = 2028"), "与文件名不符"),
    "no year": (NEW_YEAR, "缺少这一项"),
    "day as text": (NOTICE + NEW_YEAR.replace("2027-01-01", '"一月一日"'), "写得不对"),
    "no name": (NOTICE + NEW_YEAR.replace('name = "元旦"\n', ""), "缺少"),
    "unknown table": (NOTICE + NEW_YEAR + "\n[[festival]]\n", "不认识的项"),
    "not TOML": (NOTICE + "year =", "读不了"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_notice_that_cannot_be_right_is_refused(file: Path, name: str) -> None:
    text, reason = BROKEN[name]
    file.write_text(text, "utf-8")

    with pytest.raises(UnclearRegulation) as unclear:
        read_notice(file)

    assert reason in str(unclear.value)


def test_the_notices_that_are_there_are_fit(regulations: Path) -> None:
    found = [read_notice(path).year for path in sorted((regulations / "cn").glob("calendar-*.toml"))]

    assert found == sorted(found) and len(found) >= 7


def test_a_day_that_another_year_names_is_refused(platform: Any, file: Path, regulations: Path) -> None:
    place = regulations / "cn" / "calendar-2026.toml"
    place.write_text(
        place.read_text("utf-8") + '\n[[holiday]]\nname = "元旦"\nfrom = 2026-12-31\nuntil = 2027-01-01\n', "utf-8"
    )

    result = command(file, "--yes", "--no-wait")

    assert result.exit_code == 1 and "已经写过" in result.output
    assert Case.objects.count() == 0
