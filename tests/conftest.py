"""What every test shares: the database server, Django's settings, the browser.

The database: with DATABASE_URL set, that server; else the embedded one, started here before Django reads its
settings (hence DJANGO_SETTINGS_MODULE is set here and not in pyproject.toml). Its data folder is
`var/test-postgres`, apart from the demo's. Only the process that the developer started does so; the workers
of pytest-xdist inherit DATABASE_URL. Several test runs may go on at once: each takes a slot, and the slot
names its database, so that `--reuse-db` also works. The last run to end stops the server;
HUYING_KEEP_TEST_DB=1 leaves it running.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[1]
VAR = ROOT / "var"
DATA = VAR / "test-postgres"
SLOTS = 8

_slot: IO[str] | None = None  # held open, and so locked, until this run ends


# --- Database and settings: at import, before anything touches Django -----------------------------


@contextmanager
def _gate() -> Iterator[None]:
    """One run at a time takes a slot and starts the server, or gives its slot back and stops it."""
    VAR.mkdir(exist_ok=True)
    with (VAR / "test-postgres.gate").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        yield


def _try_slot(number: int) -> IO[str] | None:
    slot = (VAR / f"test-postgres.slot{number}").open("w")
    try:
        fcntl.flock(slot, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        slot.close()
        return None
    return slot


def _start_database() -> str:
    from huying.site import embedded

    global _slot
    with _gate():
        for number in range(SLOTS):
            _slot = _try_slot(number)
            if _slot:
                return embedded.ensure_running(DATA, fast=True, database=f"huying_{number}")
    raise pytest.UsageError(f"{SLOTS} test runs go on in this clone already. Wait for one to end, or set DATABASE_URL.")


def _stop_database() -> None:
    from huying.site import embedded

    global _slot
    with _gate():
        if _slot:
            _slot.close()
            _slot = None
        others = [_try_slot(number) for number in range(SLOTS)]
        if all(others) and not os.environ.get("HUYING_KEEP_TEST_DB"):
            embedded.stop(DATA)
        for slot in others:
            if slot:
                slot.close()


def _prepare() -> None:
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    if not is_worker and not os.environ.get("DATABASE_URL"):
        if os.environ.get("DJANGO_SETTINGS_MODULE"):  # then Django has read its settings before we came
            raise pytest.UsageError("Take DJANGO_SETTINGS_MODULE out of the environment, or set DATABASE_URL.")
        os.environ["DATABASE_URL"] = _start_database()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huying.site.settings")
    if importlib.util.find_spec(os.environ["DJANGO_SETTINGS_MODULE"]):
        import django

        django.setup()
    else:  # a clone in the making: tests without Django still run
        del os.environ["DJANGO_SETTINGS_MODULE"]


_prepare()


def pytest_unconfigure() -> None:
    if _slot:
        _stop_database()


def _hypothesis_profile() -> None:
    from hypothesis import settings

    settings.register_profile("huying", deadline=None, print_blob=True)  # a busy machine is not a failure
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "huying"))


_hypothesis_profile()


# --- Browser --------------------------------------------------------------------------------------


def chromium_path() -> str:
    """The browser that `tools/browser.py` finds. It is installed by `make test`, not from within a test."""
    found = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "browser.py"), "--find"],
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode != 0:
        pytest.fail(f"{found.stderr.strip()}\nRun `make browser` once, then the tests again.", pytrace=False)
    return found.stdout.strip()


CHROMIUM_OPTIONS = (
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--lang=zh-CN",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One headless chromium for this process (without its sandbox, as playwright starts it anyhow)."""
    from playwright.sync_api import sync_playwright

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # playwright keeps an event loop in this thread
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path(), args=list(CHROMIUM_OPTIONS))
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser: Any) -> Iterator[Any]:
    """Make a page of a browser session of its own: `citizen = new_page(); clerk = new_page(width=390)`.

    Requests to other machines are refused and fail the test, and so does an error in a page's script.
    """
    contexts: list[Any] = []
    complaints: list[str] = []

    def guard(route: Any) -> None:
        if urlsplit(route.request.url).hostname in {"localhost", "127.0.0.1", "::1"}:
            route.continue_()
        else:
            complaints.append(f"request to another machine: {route.request.url}")
            route.abort()

    def make(*, width: int = 1280, height: int = 900, **options: Any) -> Any:
        options = {"locale": "zh-CN", "timezone_id": "Asia/Shanghai", **options}
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(10_000)
        context.route("**/*", guard)
        context.on("weberror", lambda error: complaints.append(f"script error: {error.error}"))
        contexts.append(context)
        return context.new_page()

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def page(new_page: Any) -> Any:
    """A page of the usual desktop size."""
    return new_page()


# --- The platform and its people -------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """One platform with the first regulation's whole tree of units, made once for all tests."""
    from django.db import connection

    from huying.cases.sql import LET_TESTS_TRUNCATE

    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            cursor.execute(LET_TESTS_TRUNCATE)
        _platform()


def _platform() -> Any:
    from huying.cases.policies import regulation
    from huying.people.models import Platform
    from huying.people.units import forget_units, open_platform

    found = Platform.objects.filter(slug="city").first()
    if found is None:
        forget_units()
        policy = regulation("daye-2023")
        found = open_platform("city", policy.info.platform_name, policy.info.id, policy.tree)
    return found


@pytest.fixture
def platform(db: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The platform; a transactional test, which empties the tables, gets it anew.

    Query codes are hashed cheaply here: what the hash must cost is tested where it is made.
    """
    from argon2 import PasswordHasher

    from huying.base import crypto

    monkeypatch.setattr(crypto, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    return _platform()


@pytest.fixture
def actor(platform: Any) -> Any:
    """`actor("handler@市住建局")`: the one account of that role in that unit; a name before @ makes another person."""
    from huying.people.actors import Actor
    from huying.people.units import find_unit

    def make(who: str, **more: Any) -> Actor:
        role, _, path = who.partition("@")
        role, _, name = role.partition(":")
        unit = find_unit(platform, path) if path else None
        return Actor(id=f"person:{name}" if name else who, role=role, platform=platform, unit=unit, **more)

    return make


@pytest.fixture
def take(actor: Any) -> Any:
    """`take("case.claim", "handler@市住建局", case, at, note=…)`: the action taken; a refusal fails the test."""
    from huying.cases.commands import Done, perform

    def run(action: str, who: Any, case: Any, at: Any, *, target: Any = None, **data: Any) -> Done:
        person = actor(who) if isinstance(who, str) else who
        outcome = perform(action, actor=person, now=at, case=case, target=target, data=data)
        assert isinstance(outcome, Done), outcome
        return outcome

    return run


@pytest.fixture
def submit(take: Any) -> Any:
    """A complaint taken in by the centre on 2 March 2026, 09:00; any field may be given otherwise."""
    from datetime import datetime

    from huying.base.clock import LEGAL_ZONE

    def run(at: Any = None, who: Any = "operator@center", **data: Any) -> Any:
        given = {
            "channel": "hotline_12345", "kind": "complaint", "title": "路灯不亮", "content": "路口的路灯三天不亮。",
            "place": "金湖街道", "requester": {"name": "李小明", "phone": "13900000001"},
        }  # fmt: skip
        return take("case.submit", who, None, at or datetime(2026, 3, 2, 9, tzinfo=LEGAL_ZONE), **given | data)

    return run


@pytest.fixture
def bare_case(platform: Any) -> Any:
    """A case row alone, without requester, journal or limits: for the parts below the commands."""
    from datetime import datetime

    from huying.base.clock import LEGAL_ZONE
    from huying.cases.models import Case
    from huying.people.units import find_unit

    return Case.objects.create(
        platform=platform, number="20260302000000010", regulation="daye-2023", kind="complaint", channel="portal",
        title="路灯不亮", content="路口的路灯三天不亮。", holder=find_unit(platform, "center"),
        submitted_by="citizen:1", submitted_at=datetime(2026, 3, 2, 9, tzinfo=LEGAL_ZONE),
    )  # fmt: skip


@pytest.fixture
def case(submit: Any) -> Any:
    """A case as it was just received."""
    return submit().case
