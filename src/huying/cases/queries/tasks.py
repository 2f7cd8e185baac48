"""Tasks and material: those that the actor's unit got or gave, and never one about a case that they must not know."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeVar

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from huying.base.clock import local_date
from huying.cases.access import keeps_out, top_of, visible_cases
from huying.cases.models import Case, Clue, Material, Task
from huying.cases.policies import policy_of
from huying.cases.queries.registers import UNITS, oversees_unit, span_of
from huying.core.tasks import is_late, kinds_of, line_of
from huying.people.actors import Actor
from huying.people.models import Unit
from huying.policy.model import TaskKind

Box = Literal["mine", "given"]
Row = TypeVar("Row", Task, Material)
SIZE = 50
REPORTING = ("handler", "leader", "unit_admin", "dispatcher", "supervisor")
"""Who reads and reports on the tasks of their unit."""
SENDING = ("handler", "leader", "unit_admin")
RECEIVING = ("inspector", "supervisor", "leader", "analyst", "handler")
"""Who sends material for their unit, and who reads what theirs was sent."""
INSPECTING = ("discipline", "oversight")
"""Kinds of units that clues and material go to."""
CLUE_ROLES = ("supervisor", "inspector", "auditor")


def gives(actor: Actor) -> tuple[TaskKind, ...]:
    """The kinds of tasks that the actor may give."""
    policy = policy_of(actor.platform)
    known = actor.unit is not None and "task.assign" in policy.action_rules
    return kinds_of(actor.role, policy) if known else ()


def reads_tasks(actor: Actor) -> bool:
    """Whether the actor has to do with tasks at all."""
    knows = actor.unit is not None and "task.assign" in policy_of(actor.platform).action_rules
    return knows and (actor.role in REPORTING or bool(gives(actor)))


def reads_material(actor: Actor) -> bool:
    """Whether the actor sends material or may be sent some."""
    if actor.unit is None or "material.submit" not in policy_of(actor.platform).action_rules:
        return False
    return sends_material(actor) or (actor.unit.kind in INSPECTING and actor.role in RECEIVING)


def sends_material(actor: Actor) -> bool:
    """Whether the actor may send material up."""
    rule = policy_of(actor.platform).action_rules.get("material.submit")
    if rule is None or actor.unit is None or actor.role not in (rule.roles or SENDING):
        return False
    return not rule.levels or actor.unit.kind in rule.levels


# ---- to whom -----------------------------------------------------------------------


def is_below(actor: Actor, unit: Unit) -> bool:
    """Whether `unit` is one of those that the actor's unit looks after, and not the actor's own."""
    if actor.unit is None or unit.pk == actor.unit.pk or unit.parent_id is None:
        return False
    return oversees_unit(actor, unit) or top_of(actor.unit).holds(unit)


def counterparts_of(actor: Actor) -> list[Unit]:
    """The departments of the districts in the line of business that the actor's unit heads."""
    line = line_of(actor.unit.path, policy_of(actor.platform)) if actor.unit else None
    if line is None:
        return []
    named = Q()
    for name in line.counterparts:
        named |= Q(path__endswith=f"/{name}")
    found = Unit.objects.filter(named, platform=actor.platform, parent__parent__parent__isnull=True)
    return list(found.exclude(parent__parent__isnull=True).order_by("left"))


def receivers_of(actor: Actor, kind: TaskKind) -> list[Unit]:
    """The units that the actor may give such a task to, to propose; without villages, at most `UNITS`."""
    if kind.to == "line":
        return counterparts_of(actor)
    if actor.unit is None:
        return []
    span, top = span_of(actor), top_of(actor.unit)
    units = Unit.objects.filter(platform=actor.platform, handles=True).exclude(pk=actor.unit.pk).exclude(kind="village")
    within = Q(left__range=(span.left, span.right)) | Q(left__range=(top.left, top.right))
    return list(units.filter(within).order_by("left")[:UNITS])


# ---- lists -------------------------------------------------------------------------


@dataclass(frozen=True)
class TaskRow:
    """A task as a list shows it."""

    task: Task
    late: bool


@dataclass(frozen=True)
class Waiting:
    """How many tasks wait for a unit's report, and how many of them are late."""

    open: int
    late: int


def tasks_in(actor: Actor, box: Box) -> QuerySet[Task]:
    """What the actor's unit got, or gave. A draft is its proposed giver's only: who may give it to that unit."""
    tasks = _without_what_must_be_kept(Task.objects.filter(platform=actor.platform), actor)
    if actor.unit is None or not reads_tasks(actor):
        return tasks.none()
    if box == "mine":
        return tasks.filter(unit=actor.unit).exclude(state="draft") if actor.role in REPORTING else tasks.none()
    span, top = span_of(actor), top_of(actor.unit)
    below = Q(unit__left__range=(span.left, span.right)) | Q(unit__left__range=(top.left, top.right))
    drafts = Q(below, state="draft")
    return tasks.filter(Q(issued_by=actor.unit) | drafts, kind__in=[kind.key for kind in gives(actor)])


def _without_what_must_be_kept(rows: QuerySet[Row], actor: Actor) -> QuerySet[Row]:
    """Without those that speak of a case whose subject is the actor's unit, one above it, or another of their units."""
    own = keeps_out(actor)
    if rows.model is Material:
        return rows.exclude(Exists(own.filter(case__materials=OuterRef("pk"))))
    about = Exists(own.filter(case__tasks=OuterRef("pk"))) | Exists(own.filter(case__clues__tasks=OuterRef("pk")))
    return rows.exclude(about)


def page_of_tasks(actor: Actor, box: Box, state: str, *, today: date, page: int = 1) -> tuple[list[TaskRow], bool]:
    """One page of a list, and whether there is another: what is due first, what is over with the latest first."""
    order = ("-at", "-pk") if state in ("closed", "draft") else ("due_on", "pk")
    found = tasks_in(actor, box).filter(state=state).select_related("unit", "issued_by").order_by(*order)
    rows = list(found[(page - 1) * SIZE : page * SIZE + 1])
    return [TaskRow(task, task_is_late(task, today)) for task in rows[:SIZE]], len(rows) > SIZE


def task_is_late(task: Task, today: date) -> bool:
    """Whether the task is overdue, or was reported late."""
    return is_late(task.state, task.due_on, local_date(task.reported_at) if task.reported_at else None, today)


def waiting_tasks(actor: Actor, today: date) -> Waiting:
    """What waits for a report of the actor's unit."""
    if not reads_tasks(actor) or actor.role not in REPORTING:
        return Waiting(0, 0)
    rows = tasks_in(actor, "mine").filter(state="open")
    found = rows.aggregate(open=Count("pk"), late=Count("pk", filter=Q(due_on__lt=today)))
    return Waiting(found["open"], found["late"])


def find_task(actor: Actor, pk: int) -> tuple[Task, Box] | None:
    """The task, and whether the actor's unit got it or gave it; None when it is neither's."""
    for box in ("given", "mine"):
        found = tasks_in(actor, box).filter(pk=pk).select_related("unit", "issued_by", "clue__case").first()
        if found is not None:
            return found, box
    return None


def cases_shown(row: Task | Material, actor: Actor) -> list[Case]:
    """Of the cases that a task or material names, those that the actor may know of."""
    name = "tasks" if isinstance(row, Task) else "materials"
    return list(visible_cases(actor).filter(**{name: row}).order_by("number"))


def clue_shown(task: Task, actor: Actor) -> Clue | None:
    """The clue that a task is to verify, for those who may know of clues and of its case."""
    clue = task.clue
    if clue is None or actor.role not in CLUE_ROLES:
        return None
    return clue if visible_cases(actor, clue.case_id).exists() else None


# ---- material ----------------------------------------------------------------------


def materials_of(actor: Actor, *, page: int = 1) -> tuple[Sequence[Material], bool]:
    """Material that the actor's unit sent or was sent, newest first, one page of it, and whether there is more."""
    rows = list(_materials(actor).order_by("-at", "-pk")[(page - 1) * SIZE : page * SIZE + 1])
    return rows[:SIZE], len(rows) > SIZE


def find_material(actor: Actor, pk: int) -> Material | None:
    """One piece of material of the actor's unit."""
    return _materials(actor).filter(pk=pk).first()


def _materials(actor: Actor) -> QuerySet[Any]:
    rows = _without_what_must_be_kept(Material.objects.filter(platform=actor.platform), actor)
    if not reads_material(actor):
        return rows.none()
    mine = Q(unit=actor.unit) if actor.role in SENDING else Q(pk__in=[])
    sent = Q(to=actor.unit) if actor.role in RECEIVING else Q(pk__in=[])
    return rows.filter(mine | sent).select_related("unit", "to")


def inspecting_units(actor: Actor) -> list[Unit]:
    """The units that material may be sent to."""
    return list(Unit.objects.filter(platform=actor.platform, kind__in=INSPECTING).order_by("left")[:UNITS])
