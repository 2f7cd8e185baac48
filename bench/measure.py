"""What a step costs: through the command layer, and as the bare SQL of the same rows."""

import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from bench.stories import Cast
from bench.words import Request, request
from huying.base import crypto
from huying.cases.commands import clock, perform
from huying.cases.commands.perform import Done
from huying.cases.models import Case, TimeLimit
from huying.people.actors import Actor


@dataclass(frozen=True)
class Sample:
    """Milliseconds of one kind of step."""

    name: str
    milliseconds: Sequence[float]

    @property
    def n(self) -> int:
        return len(self.milliseconds)

    @property
    def median(self) -> float:
        return statistics.median(self.milliseconds)

    @property
    def p95(self) -> float:
        return sorted(self.milliseconds)[math.ceil(0.95 * self.n) - 1]

    def as_json(self) -> dict[str, Any]:
        return {"median": round(self.median, 2), "p95": round(self.p95, 2), "n": self.n}


class Stopwatch:
    """Collects samples by name."""

    def __init__(self) -> None:
        self.taken: dict[str, list[float]] = {}

    @contextmanager
    def time(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.add(name, (time.perf_counter() - start) * 1000)

    def add(self, name: str, milliseconds: float) -> None:
        self.taken.setdefault(name, []).append(milliseconds)

    def samples(self, drop: int = 2) -> dict[str, Sample]:
        """By name, without the first few, which fill the caches of a fresh process."""
        return {name: Sample(name, taken[drop:] or taken) for name, taken in self.taken.items()}


# ---- commands ----------------------------------------------------------------------

STEPS = ("case.submit", "case.dispatch", "case.claim", "case.reply")


def commands(cast: Cast, now: datetime, *, n: int) -> dict[str, Sample]:
    """Each step `n` times by `perform` and `n` times as the bare statements that it writes.

    The bare run replays, in one transaction, the INSERTs and UPDATEs that the command left (seen in a run that was
    rolled back, with the sequences set back, so that every id is the same). The two take turns.
    """
    watch, random = Stopwatch(), Random(11)
    units = cast.units
    for _ in range(n + 2):
        for bare in (False, True):
            person = request(random, 7_000_000 + random.randrange(10**6))
            unit = units[random.randrange(len(units))]
            case: Case | None = None
            for action in ("case.submit", "case.dispatch", "case.claim", "case.contact", "case.reply"):
                take = _call(action, cast, unit.path, person, now, case)
                if action not in STEPS:
                    case = take().case
                elif bare:
                    case = _replay(f"{action} sql", take, watch, case)
                else:
                    with watch.time(action):
                        done = take()
                    assert isinstance(done, Done), done
                    case = done.case
            assert case is not None and case.pk
    for _ in range(max(5, n // 10)):
        with watch.time("argon2"):
            crypto.hash_query_code("1234567890123456", settings.HUYING_KEYS.pepper)
    return watch.samples()


def _call(action: str, cast: Cast, unit: str, person: Request, now: datetime, case: Case | None) -> Callable[[], Any]:
    actor = {"case.submit": None, "case.dispatch": cast.staff["dispatcher"]}.get(action, cast.handlers[unit])
    actor = actor or Actor(id="citizen", role="citizen", platform=cast.platform)
    data: dict[str, Any] = {
        "case.submit": {
            "channel": "portal", "kind": "help", "title": person.title, "content": person.content, "place": "城区",
            "requester": {"name": person.name, "phone": person.phone},
        },
        "case.dispatch": {"lead": unit},
        "case.contact": {"method": "phone", "result": "reached", "note": "已联系诉求人。"},
        "case.reply": {"content": "经现场核查，问题已经解决，并向诉求人作了说明。", "outcome": "solved"},
    }.get(action, {})  # fmt: skip
    key = case.pk if case else None
    return lambda: perform(action, actor=actor, now=now, case=key, data=data)


class _RolledBack(Exception):
    pass


def captured(run: Callable[[], Any]) -> tuple[list[tuple[str, Any]], Any]:
    """The statements by which `run` changes rows, with their parameters, and its result. Nothing is changed."""
    writes: list[tuple[str, Any]] = []

    def watch(execute: Any, statement: str, params: Any, many: bool, context: Any) -> Any:
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            writes.append((statement, params))
        return execute(statement, params, many, context)

    before, result = _sequences(), None
    try:
        with transaction.atomic(), connection.execute_wrapper(watch):
            result = run()
            raise _RolledBack
    except _RolledBack:
        pass
    with connection.cursor() as cursor:
        for name, value in before:
            cursor.execute("SELECT setval(%s::regclass, %s)", [name, value])
    return writes, result


def _sequences() -> list[tuple[str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(sequencename), last_value FROM pg_sequences"
            " WHERE starts_with(sequencename, 'cases_') AND last_value IS NOT NULL"
        )
        return cursor.fetchall()


def _replay(name: str, take: Callable[[], Any], watch: Stopwatch, case: Case | None) -> Case:
    writes, done = captured(take)
    assert isinstance(done, Done), done
    with watch.time(name), transaction.atomic(), connection.cursor() as cursor:
        for statement, params in writes:
            cursor.execute(statement, params)
    return Case.objects.get(number=done.case.number)


def statements(cast: Cast, now: datetime) -> dict[str, dict[str, int]]:
    """How many statements each step sends, and how many of them write."""
    from django.test.utils import CaptureQueriesContext

    counts, random = {}, Random(12)
    person, unit, case = request(random, 8_000_000 + random.randrange(10**6)), cast.units[0], None
    for action in ("case.submit", "case.dispatch", "case.claim", "case.contact", "case.reply"):
        with CaptureQueriesContext(connection) as seen:
            case = _call(action, cast, unit.path, person, now, case)().case
        writes = [one for one in seen if one["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
        counts[action] = {"all": len(seen), "writes": len(writes)}
    return counts


# ---- the clock ---------------------------------------------------------------------


def sweep(cast: Cast, due_at: datetime, *, sample: int = 200) -> dict[str, Any]:
    """All limits that end at `due_at` fall due in one instant: the sweep's time beside the bare SQL of its rows."""
    clock.sweep(due_at - timedelta(microseconds=1))
    waiting = TimeLimit.objects.filter(next_at__lte=due_at)
    total = waiting.count()
    bare = Stopwatch()
    for _ in range(min(sample, total // 10)):
        writes, _ = captured(lambda: clock.run_due(cast.platform, due_at, limit=1))
        with bare.time("sql"), transaction.atomic(), connection.cursor() as cursor:
            for statement, params in writes:
                cursor.execute(statement, params)
    left, start = waiting.count(), time.perf_counter()
    done = clock.sweep(due_at)
    seconds = time.perf_counter() - start
    floor = bare.samples()["sql"]
    return {
        "limits": total, "handled": done.handled, "left_over": left - done.handled, "seconds": round(seconds, 1),
        "ms_each": round(seconds * 1000 / max(done.handled, 1), 2), "sql_ms_each": round(floor.median, 2),
        "ratio": round(seconds * 1000 / max(done.handled, 1) / floor.median, 1),
    }  # fmt: skip
