"""A web process killed in mid-submission: nothing is half done, and pressing again makes one case, not two."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.db import connection, transaction

from huying.cases.models import Case, Submission

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def until(true: Callable[[], bool], *, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def web_server(port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The real web server on the test's database."""
    parts = settings.DATABASES["default"]
    url = f"postgresql://{parts['USER']}:{parts['PASSWORD']}@{parts['HOST']}:{parts['PORT']}/{connection.settings_dict['NAME']}"
    process = subprocess.Popen(
        [
            sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
            "--workers", "1", "--blocking-threads", "1", "huying.site.wsgi:application",
        ],
        env={**os.environ, "DATABASE_URL": url},
        start_new_session=True,
    )  # fmt: skip
    try:
        until(lambda: _answers(port))
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """`kill -9` on the server and its workers: only the process group that this test started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", timeout=1).status_code < 500
    except httpx.HTTPError:
        return False


def form_of(browser: httpx.Client, address: str) -> dict[str, str]:
    page = browser.get(address).text
    hidden = {}
    for name in ("csrfmiddlewaretoken", "key"):
        hidden[name] = page.split(f'name="{name}"')[1].split('value="')[1].split('"')[0]
    return hidden | {
        "kind": "help", "title": "路灯不亮", "content": "路口的路灯三天不亮。", "place_unit": "金湖街道",
        "requester__name": "李小明", "requester__phone": "13900000001",
    }  # fmt: skip


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


def test_killed_in_mid_submission_leaves_nothing_and_a_retry_makes_one_case(platform: Any) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}/p/{platform.slug}/submit/"
    browser = httpx.Client(timeout=20, headers={"Referer": address})
    with web_server(port) as process:
        filled = form_of(browser, address)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE cases_notice IN ACCESS EXCLUSIVE MODE")  # the submission stops half way
            press = threading.Thread(target=lambda: _try_post(browser, address, filled))
            press.start()
            until(waits_for_a_lock)
            kill(process)
            press.join(20)
    assert Case.objects.count() == 0
    assert Submission.objects.count() == 0

    with web_server(port):
        first = browser.post(address, data=filled)
        again = browser.post(address, data=filled)

        assert first.status_code == again.status_code == 302
        assert Case.objects.count() == 1
        receipt = browser.get(f"http://127.0.0.1:{port}/p/{platform.slug}/receipt/").text
        assert Case.objects.get().number in receipt


def _try_post(browser: httpx.Client, address: str, filled: dict[str, str]) -> None:
    with suppress(httpx.HTTPError):  # the server dies while it answers, as it should here
        browser.post(address, data=filled)


def test_number_that_a_citizen_saw_is_there_after_the_server_was_killed(platform: Any) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}/p/{platform.slug}/submit/"
    browser = httpx.Client(timeout=20, headers={"Referer": address}, follow_redirects=True)
    with web_server(port) as process:
        receipt = browser.post(address, data=form_of(browser, address)).text
        kill(process)

    assert Case.objects.get().number in receipt
