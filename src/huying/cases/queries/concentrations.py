"""集中反映 as far as the reader's own tree goes, and their cases as far as the reader may know of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from huying.cases.access import keeps_out, top_of, visible_cases
from huying.cases.models import Case, Concentration, Task
from huying.cases.policies import policy_of
from huying.cases.queries.registers import OVERSEERS, span_of
from huying.cases.queries.tasks import tasks_in
from huying.core.routing import Span
from huying.people.actors import Actor

READING = (
    "operator", "dispatcher", "supervisor", "analyst", "auditor", "executive", "inspector", "leader", "unit_admin",
    "handler",
)  # fmt: skip
"""Who reads them: whoever could do something about them, each of the own tree."""
PAGE = 20
CASES = 100


@dataclass(frozen=True)
class Listed:
    """A page of concentrations; `next_cursor` is empty on the last one."""

    rows: Sequence[Concentration]
    next_cursor: str


def reads_concentrations(actor: Actor) -> bool:
    """Whether the actor reads alerts of concentrations at all."""
    return actor.unit is not None and actor.role in READING and bool(policy_of(actor.platform).concentrations)


def reach_over(actor: Actor) -> Span:
    """The subtree that the actor looks after: all that is beside a centre, else the unit's own."""
    if actor.unit is None:
        return Span(0, -1)
    if actor.role in OVERSEERS:
        return span_of(actor)
    top = top_of(actor.unit)
    return Span(top.left, top.right)


def concentrations_of(actor: Actor, *, cursor: str = "", size: int = PAGE) -> Listed:
    """The alerts of the reader's tree, newest first.

    One with a case that the reader must not know of is left out whole: its number would tell of the case.
    """
    rows = _readable(actor).order_by("-at", "-pk")
    if cursor.isdecimal() and len(cursor) < 19:
        last = Concentration.objects.filter(pk=cursor, platform=actor.platform).first()
        rows = rows.filter(at__lte=last.at).exclude(at=last.at, pk__gte=last.pk) if last else rows.none()
    elif cursor:
        rows = rows.none()
    found = list(rows.prefetch_related(_tasks(actor))[: size + 1])
    return Listed(found[:size], str(found[size - 1].pk) if len(found) > size else "")


def find_concentration(actor: Actor, key: int) -> Concentration | None:
    """The alert with that key, if the reader may read it."""
    return _readable(actor).prefetch_related(_tasks(actor)).filter(pk=key).first()


def cases_of(actor: Actor, row: Concentration) -> list[Case]:
    """Those of its cases that the reader may open, newest first, at most `CASES`."""
    mine = visible_cases(actor).filter(concentrations=row).select_related("place_unit")
    return list(mine.order_by("-submitted_at", "-pk")[:CASES])


def _readable(actor: Actor) -> QuerySet[Concentration]:
    if not reads_concentrations(actor):
        return Concentration.objects.none()
    span = reach_over(actor)
    of = Concentration.cases.through.objects.filter(concentration=OuterRef("pk"))
    kept = of.filter(Exists(keeps_out(actor).filter(case=OuterRef("case_id"))))
    rows = Concentration.objects.filter(platform=actor.platform, unit__left__range=(span.left, span.right))
    return rows.exclude(Exists(kept)).select_related("unit")


def _tasks(actor: Actor) -> "Prefetch[str]":
    """Its tasks, as far as the reader may open them: a draft only for who may send it."""
    mine = Q(pk__in=tasks_in(actor, "given").values("pk")) | Q(pk__in=tasks_in(actor, "mine").values("pk"))
    return Prefetch("tasks", Task.objects.filter(mine).order_by("pk"))
