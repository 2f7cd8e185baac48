"""The monitor: an alert a kind that stands, ended when it is mended, from the worker and from the command."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.db import connection

from huying.base import clock
from huying.cases.commands import exchange
from huying.cases.commands.clock import sweep
from huying.cases.commands.operations import watch
from huying.cases.models import Case, Delivery, OperationsAlert, TimeLimit, UpstreamMessage
from huying.cases.queries.operations import measure
from huying.core.operations import Running, Thresholds, judge_running
from huying.site.cli import main

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def room_on_the_disk(settings: Any, tmp_path: Path) -> None:
    """How full the machine's own disk is must not matter here."""
    settings.HUYING_FILES = tmp_path
    settings.HUYING_MONITOR = {**settings.HUYING_MONITOR, "disk_percent": 101}


def worker_alive(at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_workers")
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (%s)", [at])


def due_since(case: Case, moment: datetime) -> None:
    """The clock was to deal with something of `case` at `moment`, and nobody did."""
    TimeLimit.objects.filter(case=case).update(next_at=None)
    limit = TimeLimit.objects.filter(case=case).order_by("pk").first()
    assert limit is not None
    TimeLimit.objects.filter(pk=limit.pk).update(next_at=moment)


def standing() -> list[str]:
    return list(OperationsAlert.objects.filter(ended_at=None).order_by("pk").values_list("kind", flat=True))


@pytest.fixture
def dispatched(case: Case, take: Any) -> Case:
    take("case.dispatch", "dispatcher@center", case, datetime(2026, 3, 2, 2, tzinfo=UTC), lead="市住建局")
    Delivery.objects.update(next_at=None)
    TimeLimit.objects.update(next_at=None)
    worker_alive(NOW)
    return case


def test_a_stalled_queue_is_one_alert_until_it_is_mended(dispatched: Case) -> None:
    due_since(dispatched, NOW - 10 * MINUTE)
    assert watch(NOW) == []
    due_since(dispatched, NOW - 11 * MINUTE)
    [alert] = watch(NOW)
    assert (alert.kind, alert.began_at, alert.detail) == ("queue_stalled", NOW, "最早一项到期事项已等待11分钟。")

    worker_alive(NOW + 5 * MINUTE)
    [still] = watch(NOW + 5 * MINUTE)
    assert (still.pk, still.began_at, still.seen_at) == (alert.pk, NOW, NOW + 5 * MINUTE)
    assert still.detail == "最早一项到期事项已等待16分钟。"
    assert OperationsAlert.objects.count() == 1

    sweep(NOW + 6 * MINUTE)
    assert watch(NOW + 6 * MINUTE) == []
    assert OperationsAlert.objects.get().ended_at == NOW + 6 * MINUTE

    due_since(dispatched, NOW)
    worker_alive(NOW + 30 * MINUTE)
    assert [one.kind for one in watch(NOW + 30 * MINUTE)] == ["queue_stalled"]
    assert OperationsAlert.objects.count() == 2, "a second time is a second alert"


def test_the_threshold_is_a_setting(dispatched: Case, settings: Any) -> None:
    due_since(dispatched, NOW - 20 * MINUTE)
    settings.HUYING_MONITOR = {**settings.HUYING_MONITOR, "queue_minutes": 30}
    assert watch(NOW) == []
    settings.HUYING_MONITOR = {**settings.HUYING_MONITOR, "queue_minutes": 19}
    assert [one.kind for one in watch(NOW)] == ["queue_stalled"]


def test_a_worker_that_is_gone_or_a_job_that_waits_is_told(dispatched: Case) -> None:
    worker_alive(NOW - 6 * MINUTE)
    [alert] = watch(NOW)
    assert (alert.kind, alert.detail) == ("worker_gone", "后台进程最后一次活动是6分钟之前。")
    worker_alive(NOW)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, scheduled_at) VALUES ('clock', 'x', %s)",
            [NOW - 11 * MINUTE],
        )
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, scheduled_at) VALUES ('clock', 'later', %s)",
            [NOW + MINUTE],
        )
    assert [one.kind for one in watch(NOW)] == ["jobs_stalled"]


def test_jobs_that_failed_within_the_hour_are_counted(dispatched: Case) -> None:
    with connection.cursor() as cursor:
        for minutes in (5, 50, 59, 61):
            cursor.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, status) VALUES ('clock', 'x', 'failed')"
                " RETURNING id"
            )
            pk = cursor.fetchone()[0]
            cursor.execute("DELETE FROM procrastinate_events WHERE job_id = %s", [pk])
            cursor.execute(
                "INSERT INTO procrastinate_events (job_id, type, at) VALUES (%s, 'failed', %s)",
                [pk, NOW - minutes * MINUTE],
            )
    assert measure(NOW).failed_jobs == 3
    assert [one.kind for one in watch(NOW)] == ["jobs_failed"]


def test_what_waits_for_a_platform_above_counts_only_with_an_address(dispatched: Case, settings: Any) -> None:
    UpstreamMessage.objects.create(
        platform=dispatched.platform, case=dispatched, upstream="above", event="change", mark=1, attempts=3,
        at=NOW - 61 * MINUTE, next_at=NOW + MINUTE, error="对方出错（500）",
    )  # fmt: skip
    assert watch(NOW) == []
    settings.HUYING_UPSTREAMS = {"city/above": "https://above.example/"}
    [alert] = watch(NOW)
    assert (alert.kind, alert.detail) == ("upstream_stalled", "最早一条报送已等待61分钟，最近的错误：对方出错（500）。")
    [claimed] = exchange.claim_due(dispatched.platform, "above", now=NOW + MINUTE, limit=1)
    exchange.record_sent(claimed, revision=99, now=NOW + MINUTE)
    assert watch(NOW + MINUTE) == []


@pytest.mark.parametrize(
    ("tried", "failed", "kinds"), [(9, 5, ["mail_failing"]), (10, 5, ["mail_failing"]), (11, 5, []), (4, 4, [])]
)
def test_a_few_wrong_addresses_are_no_failing_mail_server(tried: int, failed: int, kinds: list[str]) -> None:
    running = Running(NOW, worker_seen=NOW, mail_tried=tried, mail_failed=failed)
    assert [one.kind for one in judge_running(running, Thresholds())] == kinds


def test_the_disk_is_full_from_the_threshold_on() -> None:
    kinds = [
        [one.kind for one in judge_running(Running(NOW, worker_seen=NOW, disk_percent=percent), Thresholds())]
        for percent in (89, 90)
    ]
    assert kinds == [[], ["disk_full"]]


def test_the_command_says_what_is_wrong_and_what_to_do_and_ends_with_1(dispatched: Case) -> None:
    worker_alive(clock.now())
    fine = CliRunner().invoke(main, ["monitor"])
    assert (fine.exit_code, fine.output) == (0, "")
    due_since(dispatched, NOW)
    wrong = CliRunner().invoke(main, ["monitor"])
    assert wrong.exit_code == 1
    assert wrong.stdout.startswith("到期处理停滞（自") and "huying worker" in wrong.stdout
    assert standing() == ["queue_stalled"]
