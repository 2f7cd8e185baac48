"""The worker as a process of its own: killed, doubled, stopped. What fell due is done exactly once."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.db import connection

from huying.base.clock import LEGAL_ZONE
from huying.cases import journal
from huying.cases.models import Case, Delivery, JournalEntry, TimeLimit

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
MONDAY = datetime(2026, 3, 2, 9, tzinfo=LEGAL_ZONE)
# What the clock does for a case that nobody claims, as in test_clock.py, and the thirty working days after.
ONCE = {"limit.missed": 2, "notice.sent": 3, "case.nudge": 1, "supervision.proposed": 3, "clue.proposed": 1}


@pytest.fixture
def cases(submit: Any, take: Any) -> list[Case]:
    """Fifty dispatched cases that fell due long ago while no worker ran."""
    made = []
    for number in range(50):
        case = submit(MONDAY, title=f"路灯不亮{number}").case
        take("case.dispatch", "dispatcher@center", case, MONDAY, lead="市住建局")
        made.append(case)
    return made


Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start the worker command on the test's database."""
    running: list[subprocess.Popen[bytes]] = []

    def run(*options: str) -> "subprocess.Popen[bytes]":
        base = os.environ["DATABASE_URL"].rpartition("/")[0]
        name = connection.settings_dict["NAME"]
        environment = os.environ | {"DATABASE_URL": f"{base}/{name}", "HUYING_SMTP_HOST": ""}
        command = [sys.executable, "-m", "huying.site.cli", "worker", *options]
        running.append(subprocess.Popen(command, env=environment | {"PYTHONPATH": os.pathsep.join(sys.path)}))
        return running[-1]

    yield run
    for process in running:
        if process.poll() is None:
            process.kill()
            process.wait()


def wait_until(holds: Callable[[], bool], *, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def is_anything_due() -> bool:
    # What lies in the future (a ledger's review and the like) is not in these cases.
    return TimeLimit.objects.filter(next_at__isnull=False).exists()


def done_by_clock() -> int:
    return JournalEntry.objects.filter(role="system").count()


def assert_each_exactly_once(cases: list[Case]) -> None:
    for case in cases:
        entries = JournalEntry.objects.filter(case=case, role="system").order_by("seq")
        assert Counter(entry.action for entry in entries) == ONCE
        moments = [entry.at for entry in entries]
        assert moments == sorted(moments)
        assert moments[0] == datetime(2026, 3, 4, tzinfo=LEGAL_ZONE)
        assert journal.verify(case) == []


def test_killed_in_mid_sweep_and_started_again_everything_is_done_exactly_once(cases: list[Case], start: Start) -> None:
    first = start()
    wait_until(lambda: done_by_clock() > 0)
    first.send_signal(signal.SIGKILL)
    first.wait()
    before = done_by_clock()
    assert 0 < before < sum(ONCE.values()) * len(cases)

    second = start()
    wait_until(lambda: not is_anything_due())
    assert_each_exactly_once(cases)
    second.send_signal(signal.SIGTERM)
    assert second.wait(timeout=15) == 0


def test_two_workers_share_the_work_and_do_nothing_twice(cases: list[Case], start: Start) -> None:
    workers = [start("--once"), start("--once")]
    assert [worker.wait(timeout=120) for worker in workers] == [0, 0]
    assert not is_anything_due()
    assert_each_exactly_once(cases)


def test_it_stops_within_seconds_in_the_middle_of_a_sweep(cases: list[Case], start: Start) -> None:
    worker = start()
    wait_until(lambda: done_by_clock() > 0)
    asked = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=30) == 0
    assert time.monotonic() - asked < 15
    assert is_anything_due()


def test_a_running_worker_deals_with_what_falls_due_later(start: Start, submit: Any, take: Any) -> None:
    worker = start()
    with connection.cursor() as cursor:

        def ticked() -> bool:
            cursor.execute("SELECT count(*) FROM procrastinate_workers")
            return bool(cursor.fetchone()[0])

        wait_until(ticked, seconds=30)
    case = submit(MONDAY, requester={"name": "李小明", "phone": "13900000001", "email": "li@example.cn"}).case
    take("case.dispatch", "dispatcher@center", case, MONDAY, lead="市住建局")
    wait_until(lambda: not is_anything_due(), seconds=90)  # the next minute's tick
    assert_each_exactly_once([case])
    wait_until(lambda: not Delivery.objects.filter(next_at__isnull=False).exists(), seconds=90)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=15) == 0
