"""The real server over HTTP: lists, case pages, searches and submissions, as the people who use them."""

import http.client
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from bench.measure import Stopwatch
from bench.stories import Cast
from bench.words import place_name, request
from huying.cases.models import Case
from huying.people.actors import Actor
from huying.people.models import Account

START_SECONDS = 60
COMMON = "小区"
"""A word in a quarter of all cases."""
WORDS = ("路灯", "下水道", "污水", "电梯困人", "充电桩", "化粪池", "夜间", "希望")


class NotAsExpected(RuntimeError):
    """A page answered otherwise than the bench expects."""


@contextmanager
def server(log: Path, *, workers: int = 2) -> Iterator[int]:
    """The product's web server on a free port of loopback, as `huying demo` starts it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        str(Path(sys.executable).with_name("granian")), "--interface", "wsgi", "--host", "127.0.0.1",
        "--port", str(port), "--workers", str(workers), "--blocking-threads", "1", "--no-access-log",
        "huying.site.wsgi:application",
    ]  # fmt: skip
    with log.open("w") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, env={**os.environ, "PYTHONUTF8": "1", "HUYING_SERVER_TIMING": "1"}
        )
    try:
        _wait(port, process, log)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
            connection.request("GET", "/")
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.2)
    raise NotAsExpected(f"网页服务没有启动，日志：{log}")


class Browser:
    """One keep-alive connection with cookies."""

    def __init__(self, port: int, cookies: dict[str, str] | None = None) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookies = dict(cookies or {})
        self.server_ms = 0.0
        """What the server says that the last answer took."""

    def send(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str, bytes]:
        """Status, place redirected to (or nothing) and body."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = None
        if form is not None:
            body = urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Origin"] = f"http://127.0.0.1:{self.connection.port}"
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        timing = re.search(r"app;dur=([\d.]+)", answer.headers.get("Server-Timing", ""))
        self.server_ms = float(timing[1]) if timing else 0.0
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, answer.headers.get("Location", ""), content


def signed_in(port: int, actor: Actor) -> Browser:
    """A browser with a session of the actor's account, made in the database as signing in would."""
    account = Account.objects.get(pk=int(actor.id.removeprefix("account:")))
    session = SessionStore()
    session[SESSION_KEY] = str(account.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = account.get_session_auth_hash()
    session.save()
    return Browser(port, {settings.SESSION_COOKIE_NAME: str(session.session_key)})


def readers(port: int, cast: Cast) -> dict[str, Browser]:
    """A dispatcher of the centre and the handler of a unit."""
    unit = cast.units[len(cast.units) // 2]
    return {
        "dispatcher": signed_in(port, cast.staff["dispatcher"]),
        "handler": signed_in(port, cast.handlers[unit.path]),
    }


def pages(port: int, cast: Cast, *, n: int) -> Stopwatch:
    """Lists, case pages and searches, `n` of each, by a dispatcher and by a handler."""
    watch, random = Stopwatch(), Random(13)
    for role, browser in readers(port, cast).items():
        for name, paths in _asked(role, cast, random, n).items():
            for path in paths:
                with watch.time(f"{name} ({role})"):
                    status, _, content = browser.send("GET", path)
                watch.add(f"server: {name} ({role})", browser.server_ms)
                if status != 200:
                    raise NotAsExpected(f"{path}：{status} {content[:300]!r}")
    return watch


def _asked(role: str, cast: Cast, random: Random, n: int) -> dict[str, list[str]]:
    lists = {
        "dispatcher": ("all", "to_dispatch", "to_close", "overdue"),
        "handler": ("all", "to_claim", "in_hand", "overdue"),
    }
    numbers = _numbers(role, cast, n + 2)
    found: dict[str, list[str]] = {f"list {key}": [f"/desk/queue/{key}/"] * (n + 2) for key in lists[role]}
    found["list all, deep"] = [f"/desk/queue/all/?cursor={quote(cursor)}" for cursor in _cursors(role, cast, n + 2)]
    found["case page"] = [f"/desk/case/{number}/" for number in numbers]
    found["search common word"] = [f"/desk/search/?q={quote(COMMON)}"] * (n + 2)
    found["search any words"] = [
        f"/desk/search/?q={quote(random.choice(WORDS))}"
        for _ in range(n + 2)
    ]  # fmt: skip
    found["search rare word"] = [f"/desk/search/?q={quote(place_name(random))}" for _ in range(n + 2)]
    return found


def _cases(role: str, cast: Cast) -> Any:
    cases = Case.objects.filter(platform=cast.platform)
    if role == "handler":
        cases = cases.filter(assignments__unit=cast.units[len(cast.units) // 2], assignments__role="lead")
    return cases.order_by("-submitted_at", "-id")


def _numbers(role: str, cast: Cast, n: int) -> list[str]:
    every = max(_cases(role, cast).count() // n, 1)
    numbers = list(dict.fromkeys(_cases(role, cast).values_list("number", flat=True)))[::every]
    return (numbers * n)[:n]


def _cursors(role: str, cast: Cast, n: int) -> list[str]:
    rows = list(_cases(role, cast).values_list("submitted_at", "id"))
    every = max(len(rows) // n, 1)
    return [f"{at.isoformat()}|{pk}" for at, pk in (rows[::every] * n)[:n]]


def submissions(port: int, cast: Cast, *, n: int) -> Stopwatch:
    """The portal's form, filled in and sent `n` times, each by another citizen."""
    watch, random = Stopwatch(), Random(17)
    address = f"/p/{cast.platform.slug}/submit/"
    place = next(unit.path for unit in cast.units if unit.kind == "town")
    for number in range(n + 2):
        browser = Browser(port)
        form = _form(browser, address)
        person = request(random, 9_000_000 + random.randrange(10**6))
        form |= {
            "kind": "help", "title": person.title, "content": person.content, "place_unit": place,
            "place_text": "东门", "requester__name": person.name, "requester__phone": person.phone,
        }  # fmt: skip
        with watch.time("submission"):
            status, leads_to, content = browser.send("POST", address, form)
        watch.add("server: submission", browser.server_ms)
        if status not in (302, 303):
            raise NotAsExpected(f"第{number + 1}次提交：{status} {leads_to} {_complaints(content)}")
    return watch


def _form(browser: Browser, address: str) -> dict[str, str]:
    _, _, content = browser.send("GET", address)
    text = content.decode()
    hidden = re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", text)
    found = {}
    for one in hidden:
        name, value = re.search(r'name="([^"]*)"', one), re.search(r'value="([^"]*)"', one)
        if name and value:
            found[name[1]] = value[1]
    return found


def _complaints(content: bytes) -> Sequence[str]:
    return re.findall(r"class=\"[^\"]*error[^\"]*\"[^>]*>([^<]+)", content.decode())[:5]
