"""The demo: its plan is whole and repeatable, its cases are made by actions, and it starts and stops as a whole."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from huying.base.clock import LEGAL_ZONE
from huying.cases import journal
from huying.cases.access import visible_cases
from huying.cases.policies import calendar_of, regulation
from huying.core.calendar import Calendar
from huying.people.actors import actors_of, system
from huying.people.models import Account, Platform
from huying.people.units import forget_units
from huying.policy.load import load_notices, load_regulation
from huying.site import embedded
from huying.site.demo import CannotRun, run
from huying.site.demo.accounts import posts
from huying.site.demo.fill import Filled, fill, open_demo
from huying.site.demo.plan import PATHS, Hours, paths_of, plan, states_of
from huying.site.demo.story import LIVES
from huying.site.demo.texts import City, NoSuchCity, cities, find_cities, read

ROOT = Path(__file__).resolve().parents[2]
FRIDAY = datetime(2026, 9, 18, 16, 20, tzinfo=LEGAL_ZONE)
IN_THE_HOLIDAY = datetime(2026, 10, 4, 3, 0, tzinfo=LEGAL_ZONE)
FIVE = ["chongqing-2021", "chongqing-district", "daye-2023", "hebi-2020", "huzhou-2016"]
(DAYE,) = find_cities("daye-2023")
SCRIPTED = [city for city in cities() if city.scripts]
ALL_STATES = {
    "received", "handling", "checking", "feedback", "closed", "refused", "redirected", "withdrawn", "merged",
}  # fmt: skip


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    return Calendar(load_notices(ROOT / "regulations" / "cn"))


# --- The plan, without running it -----------------------------------------------------------------


@pytest.mark.parametrize("now", [FRIDAY, IN_THE_HOLIDAY])
def test_the_plan_has_300_cases_in_every_state_of_the_last_three_months(calendar: Calendar, now: datetime) -> None:
    planned = plan(DAYE, now, calendar, cases=300, seed="x")
    assert sum(one.path.cases for one in planned) == 300
    assert states_of(planned) == ALL_STATES
    assert {one.path.name for one in planned} == set(LIVES)
    assert all(0 <= (now - one.at).days <= 100 for one in planned)


def test_the_same_seed_gives_the_same_plan_and_another_seed_another(calendar: Calendar) -> None:
    for city in cities():
        one, same, other = (plan(city, FRIDAY, calendar, cases=60, seed=seed) for seed in "xxy")
        assert one == same != other


def test_more_people_ask_on_a_working_morning_than_at_night_or_on_a_sunday(calendar: Calendar) -> None:
    arrivals = [one.at for one in plan(DAYE, FRIDAY, calendar, cases=1000, seed="x")]
    by_hour = Counter(at.astimezone(LEGAL_ZONE).hour for at in arrivals)
    assert by_hour[9] > 5 * by_hour[3]
    by_day = Counter(at.astimezone(LEGAL_ZONE).weekday() for at in arrivals)
    assert by_day[2] > by_day[6] > 0


def test_a_small_plan_takes_the_most_telling_histories() -> None:
    planned = plan(DAYE, FRIDAY, Calendar(()), cases=25, seed="x")
    assert sum(one.path.cases for one in planned) == 25
    assert {one.path.name for one in planned} >= {path.name for path in PATHS[:8]}


def test_the_office_closes_at_noon_and_at_the_weekend() -> None:
    hours = Hours(Calendar(()))
    saturday = datetime(2026, 9, 19, 10, 0, tzinfo=LEGAL_ZONE)
    assert hours.soon(saturday, 30) == datetime(2026, 9, 21, 9, 0, tzinfo=LEGAL_ZONE)
    before_noon = datetime(2026, 9, 18, 11, 50, tzinfo=LEGAL_ZONE)
    assert hours.soon(before_noon, 30) == datetime(2026, 9, 18, 14, 50, tzinfo=LEGAL_ZONE)


# --- The data -------------------------------------------------------------------------------------


def test_the_texts_name_units_and_categories_that_exist() -> None:
    policy = load_regulation(ROOT / "regulations" / DAYE.id)
    handling = {unit.path for unit in policy.tree.units if unit.handles}
    children = {child for category in policy.categories for child in category.children}
    assert len(DAYE.matters) >= 60
    for matter in DAYE.matters:
        assert matter.unit == "@" or matter.unit in handling
        assert matter.co in ("", "@") or matter.co in handling
        assert matter.category in children
        assert matter.kind in policy.kind_rules
        assert len(matter.says) >= 2
    assert {one["ground"] for one in DAYE.special["refused"]} <= {one.key for one in policy.refusal_grounds}


def test_every_role_can_sign_in_with_a_short_name_of_plain_letters() -> None:
    tree = load_regulation(ROOT / "regulations" / DAYE.id).tree
    people = posts(DAYE, tree)
    assert {post.role for post in people} == {
        "operator", "dispatcher", "checker", "caller", "supervisor", "analyst", "unit_admin", "leader", "handler",
        "inspector", "executive", "admin", "auditor", "grid_worker",
    }  # fmt: skip
    names = [post.username for post in people]
    assert len(set(names)) == len(names)
    assert all(name.isascii() and len(name) <= 25 for name in names)
    assert "center-dispatcher" in names and "chengguan-handler" in names


def test_five_cities_have_a_demo_and_a_wrong_one_is_told_which() -> None:
    assert [city.id for city in cities()] == FIVE
    assert [city.id for city in find_cities("huzhou-2016, hebi-2020，huzhou-2016")] == ["huzhou-2016", "hebi-2020"]
    assert find_cities(" ") == cities()
    with pytest.raises(NoSuchCity) as wrong:
        find_cities("hebi-2020,atlantis")
    assert "“atlantis”" in str(wrong.value)
    assert all(name in str(wrong.value) for name in FIVE)


def test_no_two_cities_share_a_user_name_a_slug_or_a_telephone() -> None:
    names = [
        post.username for city in cities() for post in posts(city, load_regulation(ROOT / "regulations" / city.id).tree)
    ]
    assert len(set(names)) == len(names)
    assert all(name.isascii() and len(name) <= 28 for name in names)
    for key in ("slug", "phones"):
        assert len({city.data[key] for city in cities()}) == 5
    for city in cities():
        assert {name for name, _ in city.data["signs"]} <= set(names)
        assert 10 <= len(city.data["signs"]) <= 20
        assert set(city.data["show"]) <= {path.name for path in paths_of(city)}


@pytest.mark.parametrize("city", SCRIPTED, ids=lambda city: city.id)
def test_the_matters_and_places_of_a_city_exist(city: City) -> None:
    policy = load_regulation(ROOT / "regulations" / city.id)
    children = {child for category in policy.categories for child in (category.label, *category.children)}
    units = {unit.path for unit in policy.tree.units}
    groups = {matter.group for matter in city.matters}
    assert {script["matter"] for script in city.scripts} == groups
    for matter in city.matters:
        assert matter.category in children
        assert matter.kind in policy.kind_rules
        assert set(city.data["places"][matter.place]) <= units
    places = city.data["places"]
    assert {matter.place for matter in city.matters} == set(places)


@pytest.mark.parametrize("city", SCRIPTED, ids=lambda city: city.id)
def test_a_city_has_open_cases_for_everybody_and_fits_its_smaller_number(city: City) -> None:
    paths = paths_of(city)
    assert len({path.name for path in paths}) == len(paths) >= 40
    assert sum(path.cases for path in paths) <= city.data["few"] <= 60
    assert {state for path in paths for state in path.ends} >= {
        "received", "handling", "feedback", "closed", "refused", "withdrawn", "merged",
    }  # fmt: skip
    resting = [script for script in city.scripts if "rests" in script]
    assert len(resting) >= 12
    assert any(script["rests"] > 6 for script in resting)  # something is overdue


def test_every_phrase_can_be_said() -> None:
    place = SimpleNamespace(said="某局")
    said = {"n": 3, "p": "某地", "unit": "某局", "to": place, "co": place, "other": place, "lead": place}
    for city in cities():
        own = read(f"{city.id}/histories").get("phrases", {}) if city.scripts else {}
        for name in {*read("phrases"), *own}:
            for phrase in city.phrases(name):
                assert "{" not in phrase.format_map(said)


# --- A small fill ---------------------------------------------------------------------------------


def _filled(city: City, cases: int) -> tuple[Platform, Filled]:
    forget_units()
    platform = open_demo(city, regulation(city.id), now=FRIDAY)
    return platform, fill(platform, city, now=FRIDAY, cases=cases, seed="x")


def _holds(platform: Platform, city: City, cases: int) -> None:
    """The cases stand as planned, and their journals hold."""
    made = list(visible_cases(system(platform)))
    planned = plan(city, FRIDAY, calendar_of(platform), cases=cases, seed="x")
    assert len(made) == cases
    assert Counter(case.state for case in made) == Counter(state for one in planned for state in one.path.ends)
    for case in made:
        assert journal.verify(case) == []
        entries = list(journal.history(case))
        assert entries[0].action == "case.submit"
        assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
        assert entries[-1].at <= FRIDAY


@pytest.mark.django_db
@pytest.mark.slow
def test_a_fill_is_made_by_actions_and_its_journals_hold() -> None:
    platform, filled = _filled(DAYE, 25)
    assert filled.refused == []
    assert filled.cases == 25
    _holds(platform, DAYE, 25)
    assert len(filled.shown) == 3
    assert {one.number for one in filled.shown} <= {case.number for case in visible_cases(system(platform))}
    dispatcher = Account.objects.get(username="center-dispatcher")
    assert [actor.role for actor in actors_of(dispatcher, FRIDAY)] == ["dispatcher"]
    assert dispatcher.check_password(DAYE.data["password"])
    forget_units()


@pytest.mark.django_db
@pytest.mark.slow
def test_all_five_live_side_by_side() -> None:
    """A few cases of each, in one database; the city with eleven thousand villages opens only the one district."""
    for city in cities():
        few = 3 if city is DAYE else 4
        platform, filled = _filled(city, few)
        assert (filled.refused, filled.cases) == ([], few)
        _holds(platform, city, few)
    assert Platform.objects.filter(slug__in=[city.slug for city in cities()]).count() == 5
    for account in Account.objects.select_related("platform"):
        assert {actor.platform for actor in actors_of(account, FRIDAY)} <= {account.platform}
    forget_units()


@pytest.mark.django_db
@pytest.mark.slow
@pytest.mark.parametrize("city", SCRIPTED, ids=lambda city: city.id)
def test_every_history_of_a_city_runs_without_a_refused_step(city: City) -> None:
    cases = sum(path.cases for path in paths_of(city))
    platform, filled = _filled(city, cases)
    assert (filled.refused, filled.cases) == ([], cases)
    _holds(platform, city, cases)
    assert len(filled.shown) == 3
    forget_units()


@pytest.mark.django_db
def test_a_platform_that_the_demo_did_not_make_is_left_alone() -> None:
    from huying.site.demo import database

    Platform.objects.create(slug="other", name="别的平台", regulation="x")
    with pytest.raises(database.NotOurs, match="别的平台"):
        database.empty()
    Platform.objects.create(slug=DAYE.slug, name="同名的平台", regulation="x")
    with pytest.raises(database.NotOurs):
        database.look(DAYE)


@pytest.mark.django_db
def test_the_marker_tells_an_unfinished_fill_from_a_finished_one() -> None:
    from huying.site.demo import database
    from huying.site.demo.fill import Followable

    other = SCRIPTED[0]
    assert database.look(DAYE) == "empty"
    database.begin(DAYE)
    database.begin(other)
    assert database.look(DAYE) == "unfinished"
    Platform.objects.create(slug=DAYE.slug, name="演示", regulation="x")
    assert database.look(DAYE) == "unfinished"
    one = Followable("20260918000000001", "1111-2222-3333-4444", "题")
    database.finish(DAYE, Filled(cases=7, shown=[one]), now=FRIDAY)
    assert (database.look(DAYE), database.look(other)) == ("filled", "unfinished")
    assert database.shown(DAYE) == (7, [one])
    assert database.shown(other) == (0, [])


def test_production_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUYING_ENV", "production")
    with pytest.raises(CannotRun):
        run(names="", reset=False, port=8000, serve=False, cases=1, at=None, console=None)  # type: ignore[arg-type]


# --- The whole, as a process ----------------------------------------------------------------------


class _Demo:
    """`huying demo` as somebody starts it in a terminal."""

    def __init__(self, var: Path, port: int, *options: str) -> None:
        environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
        environment |= {"HUYING_VAR": str(var), "PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1", "COLUMNS": "160"}
        self.began = time.monotonic()
        self.output = var / f"output-{time.monotonic_ns()}"
        command = [sys.executable, "-m", "huying.site.cli", "demo", "--port", str(port), *options]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT, env=environment, start_new_session=True
            )

    def said(self) -> str:
        return self.output.read_text("utf-8", "replace")

    def wait_until_ready(self, seconds: float) -> float:
        while "按 Ctrl-C 停止" not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() - self.began < seconds, self.said()
            time.sleep(0.2)
        return time.monotonic() - self.began

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


def _processes_of(var: Path) -> list[str]:
    """The command lines of every process that was started with this folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes()
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if f"HUYING_VAR={var}\0".encode() in environment:
            found.append(command)
    return found


def _status(port: int) -> int:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}/", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.slow
def test_start_answer_stop_and_start_again(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        try:
            demo = _Demo(tmp_path, port, "--city", "daye-2023", "--cases", "12")
            demo.wait_until_ready(180)
            said = demo.said()
            assert f"端口 {port} 已被占用" in said
            assert "center-dispatcher" in said and DAYE.data["password"] in said
            assert said.count("查询码") >= 2
            assert _status(int(said.split("http://127.0.0.1:")[1].split("/")[0])) < 600
            assert demo.stop() == 0
            assert _processes_of(tmp_path) == []
            assert not embedded.is_running(tmp_path / "postgres")

            again = _Demo(tmp_path, port, "--city", "daye-2023")
            assert again.wait_until_ready(60) < 30
            assert again.said().split("可以用")[1] == said.split("可以用")[1]  # the same cases may still be followed
            assert again.stop() == 0
            assert _processes_of(tmp_path) == []
        finally:
            for one in _running(locals()):
                one.process.kill()
            embedded.reset(tmp_path / "postgres")


@pytest.mark.slow
def test_a_fill_that_was_killed_is_begun_anew(tmp_path: Path) -> None:
    demos = []
    try:
        killed = _Demo(tmp_path, 8000, "--no-serve", "--city", "hebi-2020,daye-2023", "--cases", "300")
        demos.append(killed)
        while "正在建立演示数据" not in killed.said():
            assert time.monotonic() - killed.began < 120, killed.said()
            time.sleep(0.1)
        time.sleep(3)
        assert killed.process.poll() is None, killed.said()
        killed.process.kill()
        killed.process.wait()
        again = _Demo(tmp_path, 8000, "--no-serve", "--city", "hebi-2020,daye-2023", "--cases", "6")
        demos.append(again)
        assert again.process.wait(180) == 0, again.said()
        assert "没有建完" in again.said()
        assert not embedded.is_running(tmp_path / "postgres")
    finally:
        for one in demos:
            one.process.kill()
        embedded.reset(tmp_path / "postgres")


def _running(names: dict[str, Any]) -> list[_Demo]:
    return [one for one in names.values() if isinstance(one, _Demo) and one.process.poll() is None]
