"""How PostgreSQL answers what the pages ask: the plans that read a whole table are kept for the report."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from bench.stories import Cast
from bench.web import COMMON
from huying.cases.models import Case
from huying.cases.offers import offers
from huying.cases.queries.limits import shown_limits
from huying.cases.queries.queues import count_of, page_of, queues_of
from huying.cases.queries.record import case_record, find_case
from huying.cases.queries.rows import rows_of
from huying.people.actors import Actor

SMALL = {"people_unit", "people_platform", "django_session", "people_account", "people_grant"}
_WHOLE = re.compile(r"Seq Scan on (\w+)")


@dataclass(frozen=True)
class Asked:
    """One statement of one page: how long the database took, and what it read whole."""

    page: str
    statement: str
    milliseconds: float
    plan: str

    @property
    def whole_tables(self) -> list[str]:
        return [table for table in _WHOLE.findall(self.plan) if table not in SMALL]


def of_pages(cast: Cast, now: datetime) -> list[Asked]:
    """Every statement of every list, of its count, of a search and of a case page, for those who read them."""
    unit = cast.units[len(cast.units) // 2]
    actors = [*cast.staff.values(), cast.handlers[unit.path]]
    found: list[Asked] = []
    for actor in actors:
        for name, look in _looks(actor, now).items():
            with connection.execute_wrapper(_explainer(f"{name} ({actor.role})", found)):
                look()
    return found


def _explainer(page: str, found: list[Asked]) -> Callable[..., Any]:
    """Explains every reading statement where it stands: in its transaction, with its settings."""

    def wrap(execute: Any, statement: str, params: Any, many: bool, context: Any) -> Any:
        if statement.lstrip().startswith(("SELECT", "WITH", "(SELECT")) and "set_config" not in statement:
            with connection.connection.cursor() as cursor:
                rows = cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {statement}", params).fetchall()
            plan = "\n".join(row[0] for row in rows)
            took = re.search(r"Execution Time: ([\d.]+)", plan)
            found.append(Asked(page, statement, float(took[1]) if took else 0.0, plan))
        return execute(statement, params, many, context)

    return wrap


def _looks(actor: Actor, now: datetime) -> dict[str, Callable[[], Any]]:
    looks: dict[str, Callable[[], Any]] = {}
    for queue in queues_of(actor):
        looks[f"list {queue.key}"] = lambda queue=queue: rows_of(page_of(queue, actor, now=now).cases, actor, now=now)
        if queue.key != "all":
            looks[f"count {queue.key}"] = lambda queue=queue: count_of(queue, actor, now=now)
    everything = next((queue for queue in queues_of(actor) if queue.key == "all"), None)
    if everything is not None:
        looks["search common word"] = lambda: page_of(everything, actor, now=now, search=COMMON)
        looks["search rare word"] = lambda: page_of(everything, actor, now=now, search="清溪苑")
        looks["case page"] = lambda: _case_page(actor, now)
    return looks


def _case_page(actor: Actor, now: datetime) -> None:
    cases = Case.objects.filter(platform=actor.platform)
    if actor.role == "handler":
        cases = cases.filter(assignments__unit=actor.unit)
    newest = cases.order_by("-submitted_at").first()
    case = find_case(actor, newest.number) if newest else None
    if case is None:  # a small city: this unit has none
        return
    case_record(case, actor, now=now)
    list(shown_limits(case, actor, now=now))
    offers(case, actor, now=now)
