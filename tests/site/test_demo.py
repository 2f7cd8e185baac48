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
from huying.site.demo.fill import fill, open_demo
from huying.site.demo.plan import PATHS, Hours, plan, states_of
from huying.site.demo.story import LIVES
from huying.site.demo.texts import matters, phrases, read

ROOT = Path(__file__).resolve().parents[2]
FRIDAY = datetime(2026, 9, 18, 16, 20, tzinfo=LEGAL_ZONE)
IN_THE_HOLIDAY = datetime(2026, 10, 4, 3, 0, tzinfo=LEGAL_ZONE)
ALL_STATES = {
    "received", "handling", "checking", "feedback", "closed", "refused", "redirected", "withdrawn", "merged",
}  # fmt: skip


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    return Calendar(load_notices(ROOT / "regulations" / "cn"))


# --- The plan, without running it -----------------------------------------------------------------


@pytest.mark.parametrize("now", [FRIDAY, IN_THE_HOLIDAY])
def test_the_plan_has_300_cases_in_every_state_of_the_last_three_months(calendar: Calendar, now: datetime) -> None:
    planned = plan(now, calendar, cases=300, seed="x")
    assert sum(one.path.cases for one in planned) == 300
    assert states_of(planned) == ALL_STATES
    assert {one.path.name for one in planned} == set(LIVES)
    assert all(0 <= (now - one.at).days <= 100 for one in planned)


def test_the_same_seed_gives_the_same_plan_and_another_seed_another(calendar: Calendar) -> None:
    assert plan(FRIDAY, calendar, seed="x") == plan(FRIDAY, calendar, seed="x")
    assert plan(FRIDAY, calendar, seed="x") != plan(FRIDAY, calendar, seed="y")


def test_more_people_ask_on_a_working_morning_than_at_night_or_on_a_sunday(calendar: Calendar) -> None:
    arrivals = [one.at for one in plan(FRIDAY, calendar, cases=1000, seed="x")]
    by_hour = Counter(at.astimezone(LEGAL_ZONE).hour for at in arrivals)
    assert by_hour[9] > 5 * by_hour[3]
    by_day = Counter(at.astimezone(LEGAL_ZONE).weekday() for at in arrivals)
    assert by_day[2] > by_day[6] > 0


def test_a_small_plan_takes_the_most_telling_histories() -> None:
    planned = plan(FRIDAY, Calendar(()), cases=25, seed="x")
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
    policy = load_regulation(ROOT / "regulations" / read("demo")["regulation"])
    handling = {unit.path for unit in policy.tree.units if unit.handles}
    children = {child for category in policy.categories for child in category.children}
    assert len(matters()) >= 60
    for matter in matters():
        assert matter.unit == "@" or matter.unit in handling
        assert matter.co in ("", "@") or matter.co in handling
        assert matter.category in children
        assert matter.kind in policy.kind_rules
        assert len(matter.says) >= 2
    assert {one["ground"] for one in read("special")["refused"]} <= {one.key for one in policy.refusal_grounds}


def test_every_role_can_sign_in_with_a_short_name_of_plain_letters() -> None:
    tree = load_regulation(ROOT / "regulations" / read("demo")["regulation"]).tree
    people = posts(tree)
    assert {post.role for post in people} == {
        "operator", "dispatcher", "checker", "caller", "supervisor", "analyst", "unit_admin", "leader", "handler",
        "inspector", "executive", "admin", "auditor", "grid_worker",
    }  # fmt: skip
    names = [post.username for post in people]
    assert len(set(names)) == len(names)
    assert all(name.isascii() and len(name) <= 25 for name in names)
    assert "center-dispatcher" in names and "chengguan-handler" in names


def test_every_phrase_can_be_said() -> None:
    for name in read("phrases"):
        for phrase in phrases(name):
            assert "{" not in phrase.format_map({"n": 3, "p": "某地", "unit": "某局"})


# --- A small fill ---------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.slow
def test_a_fill_is_made_by_actions_and_its_journals_hold() -> None:
    forget_units()
    policy = regulation(read("demo")["regulation"])
    platform = open_demo(policy, now=FRIDAY)
    filled = fill(platform, now=FRIDAY, cases=25, seed="x")
    assert filled.refused == []
    assert filled.cases == 25
    made = list(visible_cases(system(platform)))
    assert len(made) == 25
    expected = Counter(
        state for one in plan(FRIDAY, calendar_of(platform), cases=25, seed="x") for state in one.path.ends
    )
    assert Counter(case.state for case in made) == expected
    for case in made:
        assert journal.verify(case) == []
        entries = list(journal.history(case))
        assert entries[0].action == "case.submit"
        assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
        assert entries[-1].at <= FRIDAY
    assert len(filled.shown) == 3
    assert {one.number for one in filled.shown} <= {case.number for case in made}
    dispatcher = Account.objects.get(username="center-dispatcher")
    assert [actor.role for actor in actors_of(dispatcher, FRIDAY)] == ["dispatcher"]
    assert dispatcher.check_password(read("demo")["password"])
    forget_units()


@pytest.mark.django_db
def test_a_platform_that_the_demo_did_not_make_is_left_alone() -> None:
    from huying.site.demo import database

    Platform.objects.create(slug="other", name="别的平台", regulation="x")
    with pytest.raises(database.NotOurs, match="别的平台"):
        database.empty()
    Platform.objects.create(slug=read("demo")["slug"], name="同名的平台", regulation="x")
    with pytest.raises(database.NotOurs):
        database.look()


@pytest.mark.django_db
def test_the_marker_tells_an_unfinished_fill_from_a_finished_one() -> None:
    from huying.site.demo import database
    from huying.site.demo.fill import Filled, Followable

    assert database.look() == "empty"
    database.begin()
    assert database.look() == "unfinished"
    Platform.objects.create(slug=read("demo")["slug"], name="演示", regulation="x")
    assert database.look() == "unfinished"
    one = Followable("20260918000000001", "1111-2222-3333-4444", "题")
    database.finish(Filled(cases=7, shown=[one]), now=FRIDAY)
    assert database.look() == "filled"
    assert database.shown() == (7, [one])


def test_production_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUYING_ENV", "production")
    with pytest.raises(CannotRun):
        run(reset=False, port=8000, serve=False, cases=1, at=None, console=None)  # type: ignore[arg-type]


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
            demo = _Demo(tmp_path, port, "--cases", "12")
            demo.wait_until_ready(180)
            said = demo.said()
            assert f"端口 {port} 已被占用" in said
            assert "center-dispatcher" in said and read("demo")["password"] in said
            assert said.count("查询码") >= 2
            assert _status(int(said.split("http://127.0.0.1:")[1].split("/")[0])) < 600
            assert demo.stop() == 0
            assert _processes_of(tmp_path) == []
            assert not embedded.is_running(tmp_path / "postgres")

            again = _Demo(tmp_path, port, "--cases", "12")
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
        killed = _Demo(tmp_path, 8000, "--no-serve", "--cases", "300")
        demos.append(killed)
        while "正在建立演示数据" not in killed.said():
            assert time.monotonic() - killed.began < 120, killed.said()
            time.sleep(0.1)
        time.sleep(3)
        assert killed.process.poll() is None, killed.said()
        killed.process.kill()
        killed.process.wait()
        again = _Demo(tmp_path, 8000, "--no-serve", "--cases", "12")
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
