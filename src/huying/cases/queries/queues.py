"""The work lists of each role, keyset-paged, with capped counts: nothing here grows with the number of cases."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from huying.base.text import cut_query, is_storable
from huying.cases.access import visible_cases
from huying.cases.models import Application, Assignment, Callback, Case, Clue, Reply, Supervision, TimeLimit
from huying.cases.models.case import OPEN_STATES
from huying.cases.policies import policy_of
from huying.people.actors import Actor
from huying.people.models import Unit
from huying.policy.model import CallbackRule, DecidedRule, Regulation, When

PAGE = 30
CAP = 99
MANY = 1000
"""How many cases a word is in before it counts as common."""


@dataclass(frozen=True)
class Queue:
    """A work list: who has it, which of the visible cases are in it, in which order, under which regulations."""

    key: str
    label: str
    roles: tuple[str, ...]
    pick: Callable[[QuerySet[Case], Actor, datetime], QuerySet[Case]]
    order: str = "-submitted_at"
    """The field of the keyset; `id` breaks ties in the same direction."""
    needs: str = ""
    """The action that the list is for: a regulation that does not know it has no such list."""


@dataclass(frozen=True)
class Page:
    """One page of cases and the cursor of the next one (empty at the end)."""

    cases: Sequence[Case]
    next_cursor: str


def _mine(states: Sequence[str]) -> Callable[[QuerySet[Case], Actor, datetime], QuerySet[Case]]:
    """What the actor's own unit has: units below have their own lists. `cases` are of one platform already."""

    def pick(cases: QuerySet[Case], actor: Actor, now: datetime) -> QuerySet[Case]:
        unit = actor.unit
        assert unit is not None
        own = Assignment.objects.filter(unit_left=unit.left, state__in=states)
        handed = Assignment.objects.filter(delegate_left=unit.left, state__in=states)
        return cases.filter(pk__in=own.values("case_id").union(handed.values("case_id")))

    return pick


def _to_dispatch(cases: QuerySet[Case], actor: Actor, now: datetime) -> QuerySet[Case]:
    """What waits in the actor's queue, or in one below that nobody hands out from."""
    nobody = ~Q(holder__roles__contains=["dispatcher"])
    return cases.filter(Q(holder=actor.unit) | nobody, state="received")


def _to_review(cases: QuerySet[Case], actor: Actor, now: datetime) -> QuerySet[Case]:
    """Answers of the actor's unit that its leader has not looked at."""
    unit = actor.unit
    assert unit is not None
    submitted = Assignment.objects.filter(unit_left=unit.left, state="submitted")
    waiting = Reply.objects.filter(case=OuterRef("pk"), state="unit_review")
    return cases.filter(pk__in=submitted.values("case_id")).filter(Exists(waiting))


def _to_check(cases: QuerySet[Case], actor: Actor, now: datetime) -> QuerySet[Case]:
    """Answers that wait for this centre: what a centre below checks itself is not on its list (decision H-8)."""
    waiting, top = cases.filter(state="checking"), actor.unit and actor.unit.parent
    if top is None:
        return waiting
    below = Unit.objects.filter(
        platform=actor.platform, kind="centre", parent__left__gt=top.left, parent__right__lte=top.right
    )
    theirs = [Q(unit_left__range=span) for span in below.values_list("parent__left", "parent__right")]
    if not theirs:
        return waiting
    led = Assignment.objects.filter(reduce(or_, theirs), case=OuterRef("pk"), role="lead", state="submitted")
    return waiting.exclude(Exists(led))


def _to_write(cases: QuerySet[Case], actor: Actor, now: datetime) -> QuerySet[Case]:
    due = TimeLimit.objects.filter(name="letter", ended_at__isnull=True, assignment__unit=actor.unit)
    return cases.filter(pk__in=due.values("case_id"))


def _waiting_applications(cases: QuerySet[Case], actor: Actor, now: datetime) -> QuerySet[Case]:
    return cases.filter(
        pk__in=Application.objects.filter(
            decider=actor.unit, decider_role__contains=actor.role, state="pending"
        ).values("case_id")
    )


def _called() -> Subquery:
    """Whether the callback of the round was made. By case and not `Exists`: that would read all callbacks at once."""
    calls = Callback.objects.filter(case=OuterRef("pk"), round=OuterRef("round"), result__in=("reached", "declined"))
    return Subquery(calls.values("pk")[:1])


def _to_call(cases: QuerySet[Case], actor: Actor, now: datetime) -> QuerySet[Case]:
    """What must be called back; where nothing must, whatever may be."""
    waiting = cases.filter(state="feedback", anonymous=False, awaits_panel=False)
    policy = policy_of(actor.platform)
    if any(_is_required(rule) for rule in policy.callbacks):
        waiting = waiting.filter(must_be_called(policy))
    return waiting.alias(called=_called()).filter(called__isnull=True)


def _to_close(cases: QuerySet[Case], actor: Actor, now: datetime) -> QuerySet[Case]:
    """What has been answered and, where it must be, called back."""
    assigned = Subquery(Assignment.objects.filter(case=OuterRef("pk")).values("pk")[:1])
    answered = cases.filter(state="feedback", awaits_panel=False).alias(called=_called(), assigned=assigned)
    if actor.role == "unit_admin" and actor.unit is not None and actor.unit.kind != "centre":
        mine = Assignment.objects.filter(unit_left=actor.unit.left, role="lead")
        answered = answered.filter(pk__in=mine.filter(state="done").values("case_id"))
    need_not = ~must_be_called(policy_of(actor.platform))
    return answered.filter(Q(anonymous=True) | Q(assigned__isnull=True) | Q(called__isnull=False) | need_not)


def _is_required(rule: CallbackRule) -> bool:
    return rule.required or rule.required_after_rework


def must_be_called(policy: Regulation) -> Q:
    """Which cases must be called back: those of a rule that says so, unless a more specific one does not."""
    wanted = Q(pk__in=[])
    for rule in policy.callbacks:
        if not _is_required(rule):
            continue
        one = _holds(rule.when) if rule.required else _holds(rule.when) & Q(round__gt=1)
        for other in policy.callbacks:
            if not _is_required(other) and len(other.when.conditions) > len(rule.when.conditions):
                one &= ~_holds(other.when)
        wanted |= one
    return wanted


def _holds(when: When) -> Q:
    """The conditions that a case itself answers; the cause of its round by whether it is the first."""
    held = Q(pk__isnull=False)  # an empty Q would vanish where it is joined by “or”
    for name, values in when.conditions.items():
        match name:
            case "flag":
                held &= Q(*((f"flags__{value}", True) for value in values), _connector=Q.OR)
            case "cause":
                held &= Q(round=1) if "first" in values else Q(round__gt=1)
            case "kind" | "channel" | "category" | "urgency" | "complexity" | "mode":
                held &= Q(**{f"{name}__in": values})
    return held


def _supervised(*states: str) -> Callable[[QuerySet[Case], Actor, datetime], QuerySet[Case]]:
    def pick(cases: QuerySet[Case], actor: Actor, now: datetime) -> QuerySet[Case]:
        return cases.filter(pk__in=Supervision.objects.filter(state__in=states).values("case_id"))

    return pick


def _supervised_here(cases: QuerySet[Case], actor: Actor, now: datetime) -> QuerySet[Case]:
    return cases.filter(pk__in=Supervision.objects.filter(state="open", unit=actor.unit).values("case_id"))


def _clues(*states: str) -> Callable[[QuerySet[Case], Actor, datetime], QuerySet[Case]]:
    def pick(cases: QuerySet[Case], actor: Actor, now: datetime) -> QuerySet[Case]:
        return cases.filter(pk__in=Clue.objects.filter(state__in=states).values("case_id"))

    return pick


def _overdue(cases: QuerySet[Case], actor: Actor, now: datetime) -> QuerySet[Case]:
    late = TimeLimit.objects.filter(
        name__in=("claim", "handle", "co_feedback"), ended_at__isnull=True, soft=False, suspended=False,
        due_at__lte=now,
    )  # fmt: skip
    # A case that ended has none of these limits open: saying so lets the list of open cases be read by its index.
    return cases.filter(state__in=OPEN_STATES, pk__in=late.values("case_id"))


def _sensitive(cases: QuerySet[Case], actor: Actor, now: datetime) -> QuerySet[Case]:
    """What is marked so and not over, of what the actor sees."""
    return cases.filter(flags__sensitive=True, state__in=OPEN_STATES)


def _state(*states: str, **more: Any) -> Callable[[QuerySet[Case], Actor, datetime], QuerySet[Case]]:
    return lambda cases, actor, now: cases.filter(state__in=states, **more)


QUEUES: tuple[Queue, ...] = (
    Queue("to_dispatch", "待派单", ("dispatcher", "operator"), _to_dispatch, "submitted_at", "case.dispatch"),
    Queue("to_decide", "待决定的申请", ("dispatcher", "leader", "executive"), _waiting_applications, "submitted_at",
          "application.approve"),
    Queue("to_review", "待单位审核", ("leader",), _to_review, "due_at", "reply.approve"),
    Queue("to_write", "待正式函告", ("leader",), _to_write, "submitted_at", "case.official_letter"),
    Queue("to_claim", "待签收", ("handler",), _mine(("dispatched",)), "due_at", "case.claim"),
    Queue("in_hand", "办理中", ("handler",), _mine(("handling",)), "due_at"),
    Queue("to_check", "待审核", ("checker",), _to_check, "submitted_at", "check.pass"),
    Queue("to_call_back", "待回访", ("caller",), _to_call, "submitted_at", "case.call_back"),
    Queue("to_close", "待办结", ("dispatcher", "unit_admin"), _to_close, "submitted_at", "case.close"),
    Queue("proposed", "拟督办", ("supervisor", "inspector"), _supervised("proposed"), "submitted_at",
          "supervision.open"),
    Queue("supervised", "督办中", ("supervisor", "inspector"), _supervised("open", "answered"), "submitted_at",
          "supervision.open"),
    Queue("to_respond", "督办待反馈", ("handler", "leader"), _supervised_here, "submitted_at", "supervision.respond"),
    Queue("panel", "待研判", ("supervisor",), _state("feedback", awaits_panel=True), "submitted_at", "panel.conclude"),
    Queue("clues", "拟移交线索", ("supervisor",), _clues("proposed"), "submitted_at", "clue.transfer"),
    Queue("clues_here", "移交线索", ("inspector",), _clues("transferred"), "submitted_at", "clue.transfer"),
    Queue("overdue", "已超期", ("dispatcher", "supervisor", "handler", "leader", "inspector"), _overdue, "due_at"),
    Queue("sensitive", "敏感", ("operator", "dispatcher", "supervisor", "inspector", "leader"), _sensitive),
    Queue("ledger", "挂账", ("dispatcher", "supervisor", "handler"), _state(*OPEN_STATES, ledger=True), "due_at",
          "case.request_ledger"),
    Queue(
        "all", "全部诉求", ("operator", "dispatcher", "checker", "caller", "supervisor", "analyst", "handler",
                       "leader", "unit_admin", "inspector", "executive", "auditor", "grid_worker"),
        lambda cases, actor, now: cases,
    ),
)  # fmt: skip


ALL_OF = {
    "executive": "呈报给我的诉求", "grid_worker": "我上报的问题",
    "handler": "本单位全部诉求", "leader": "本单位全部诉求", "unit_admin": "本单位全部诉求",
}  # fmt: skip
"""What "all" means to who sees less than all."""


def queues_of(actor: Actor) -> list[Queue]:
    """The work lists of the actor's role that its regulation has, in the order of the work and in its words."""
    policy = policy_of(actor.platform)
    return [
        replace(queue, label=_label(queue, actor, policy))
        for queue in QUEUES
        if _has(queue, actor, policy) and _is_known(queue, actor, policy)
    ]


def _has(queue: Queue, actor: Actor, policy: Regulation) -> bool:
    """Whether the list is one of the role's. A role of the regulation's own has the list of all that it may see."""
    if actor.role in queue.roles:
        return True
    rule = policy.role_rules.get(actor.role)
    return queue.key == "all" and rule is not None and rule.scope in ("tree", "unit", "all") and actor.role != "system"


def _is_known(queue: Queue, actor: Actor, policy: Regulation) -> bool:
    if queue.key == "to_close" and actor.role not in (*policy.closing.roles, *policy.closing.after_letter_roles):
        return False
    if queue.key == "to_close" and actor.role == "unit_admin" and not policy.closing.lead_unit:
        return actor.unit is not None and actor.unit.kind == "centre"
    if queue.key == "to_decide" and actor.role == "executive":
        return any("executive" in rule.decider_roles for rule in policy.rules.values() if isinstance(rule, DecidedRule))
    if queue.key == "sensitive":
        return any(flag.key == "sensitive" for flag in policy.flags)
    return not queue.needs or queue.needs in policy.action_rules


def _label(queue: Queue, actor: Actor, policy: Regulation) -> str:
    match queue.key:
        case "all":
            return ALL_OF.get(actor.role, queue.label)
        case "to_claim":
            return f"待{policy.action_rules['case.claim'].label if policy.claim.required else '办理'}"
        case "to_write":
            return f"待{policy.action_rules['case.official_letter'].label}"
        case "sensitive":
            return next((flag.label for flag in policy.flags if flag.key == "sensitive"), queue.label)
        case "to_call_back" if not any(_is_required(rule) for rule in policy.callbacks):
            return "可抽查回访"
        case _:
            return queue.label


def find_queue(actor: Actor, key: str) -> Queue | None:
    return next((queue for queue in queues_of(actor) if queue.key == key), None)


def page_of(
    queue: Queue,
    actor: Actor,
    *,
    now: datetime,
    cursor: str = "",
    search: str = "",
    size: int = PAGE,
    **where: str,
) -> Page:
    """One page. `cursor` is what the page before gave; `search` is text, a number, or empty.

    `where` filters by `state`, `kind` or `channel`; other names are ignored.
    """
    cases = queue.pick(visible_cases(actor), actor, now)
    for name in ("state", "kind", "channel"):
        if where.get(name) and is_storable(where[name]):
            cases = cases.filter(**{name: where[name]})
    if search:
        cases = found_by(cases, actor, search)
    return keyset(cases, queue.order, cursor, size)


def keyset(cases: QuerySet[Case], order: str, cursor: str, size: int = PAGE) -> Page:
    """The page after `cursor` (`value|id`), ordered by `order` and id in the same direction."""
    name, sign, compare = (
        order.lstrip("-"),
        "-" if order.startswith("-") else "",
        "lt" if order.startswith("-") else "gt",
    )
    if name == "due_at":
        cases = cases.filter(due_at__isnull=False)
    if cursor:
        value, _, pk = cursor.rpartition("|")
        try:
            at, last = datetime.fromisoformat(value), int(pk)
        except ValueError:
            return Page([], "")
        if at.tzinfo is None:
            return Page([], "")
        cases = cases.filter(
            Q(**{f"{name}__{compare}": at}) | Q(**{name: at, f"id__{compare}": last}),
            **{f"{name}__{compare}e": at},
        )
    # The ids alone first: ordering what a unit ever had must not carry the texts along.
    ids = list(cases.order_by(f"{sign}{name}", f"{sign}id").values_list("pk", flat=True)[: size + 1])
    more = len(ids) > size
    rows = Case.objects.select_related("place_unit").in_bulk(ids[:size])
    found = [rows[pk] for pk in ids[:size] if pk in rows]
    return Page(found, f"{getattr(found[-1], name).isoformat()}|{found[-1].pk}" if more else "")


def count_of(queue: Queue, actor: Actor, *, now: datetime) -> int:
    """How many are in the list, capped: `CAP + 1` means more than `CAP`."""
    return queue.pick(visible_cases(actor), actor, now).order_by()[: CAP + 1].count()


def found_by(cases: QuerySet[Case], actor: Actor, text: str) -> QuerySet[Case]:
    """Those of `cases` whose number is `text` or whose words hold all of it: every one of them, however common.

    Few are found by the index of words alone, before anything is ordered. A word that very many cases have is looked
    for in the order of the list instead, where a page is soon full.
    """
    ids = matching(actor, text, most=MANY + 1)
    return (
        cases.filter(pk__in=ids) if len(ids) <= MANY else cases.filter(marks__grams__contains=cut_query(text.strip()))
    )


def matching(actor: Actor, text: str, *, most: int = 1000) -> list[int]:
    """Ids of cases whose number is `text`, then of those whose words hold all of it, newest first; at most `most`.

    By the index of words alone; what may be seen is filtered after.
    """
    text = text.strip()
    if not is_storable(text):
        return []
    exact = Case.objects.filter(platform=actor.platform).filter(Q(number=text) | Q(external_no=text))
    ids = list(exact.values_list("pk", flat=True)[:10])
    marks = cut_query(text)
    if not marks:
        return ids
    with transaction.atomic(), connection.cursor() as cursor:
        # For a common word the planner would rather read the whole table until it has enough.
        _plan_by_bitmap(cursor, only=True)
        cursor.execute(
            "SELECT case_id FROM cases_searchmarks WHERE grams @> %s::varchar[] AND platform_id = %s LIMIT %s",
            [marks, actor.platform.pk, most],
        )
        found = sorted((row[0] for row in cursor.fetchall()), reverse=True)
        _plan_by_bitmap(cursor, only=False)
    return ids + found


def _plan_by_bitmap(cursor: Any, *, only: bool) -> None:
    """Until the end of the transaction at most; a transaction around this one gets its planner back."""
    way = "off" if only else "on"
    cursor.execute(
        "SELECT set_config('enable_seqscan', %s, true), set_config('enable_indexscan', %s, true)", [way, way]
    )
