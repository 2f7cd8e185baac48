"""The figures of a period: counted by the database, over the cases that the viewer may know of and no others.

A count is bound by the days of the period: cases by when they came in, limits by when they fall due, ratings by when
they were given. What a section or a village has done counts for the unit that answers for it.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import Combinable

from huying.cases.access import OVERSEEING, visible_cases
from huying.cases.models import Application, Assignment, Callback, Case
from huying.cases.models.case import OPEN_STATES
from huying.cases.models.handling import VISIBLE_ASSIGNMENT
from huying.cases.policies import policy_of
from huying.core.indicators import INDICATORS, add, rate
from huying.core.lifecycle import CASE_STATES
from huying.core.periods import Period
from huying.people.actors import Actor
from huying.people.models import Unit
from huying.people.units import find_centre
from huying.policy.model import Category, Regulation
from huying.policy.words import COMPLEXITY, MODES, REQUESTER_KINDS, URGENCY

READING = ("supervisor", "analyst", "auditor", "executive", "leader", "unit_admin")
"""Who reads figures; the last two those of their own unit."""
OWN_UNIT = ("leader", "unit_admin")
WITHOUT_CASES = ("analyst", "executive")
"""Who reads, at a government body, the figures of all that is beside it, and none of the cases."""
AGAIN = ("check_failed", "dissatisfied", "rework", "review")
NOT_TAKEN = ("refused", "redirected", "withdrawn", "merged")
CONSULT, COMPLAINTS = "consult", ("complaint", "report")
ANSWERED_FOR = ("section", "village")
_ELSEWHERE = object()
NOBODY = ""
"""The key of what no unit has, or that has no place, category …"""

DIMENSIONS: Mapping[str, str] = {
    "unit": "单位", "below": "直属下级", "area": "地区", "kind": "类型", "channel": "渠道", "category": "分类",
    "field": "领域", "source": "来源热线", "urgency": "紧急程度", "complexity": "难易程度", "mode": "办理方式",
    "state": "状态", "outcome": "办理结果", "requester_kind": "诉求人类型",
}  # fmt: skip
"""By what may be counted. `unit`: by each unit that answers; `below`: by the districts, departments and towns next
below the top of what the viewer looks after."""
BY_UNIT = ("unit", "below")


def reads_figures(actor: Actor) -> bool:
    """Whether the actor reads figures at all."""
    return actor.unit is not None and actor.role in READING


# ---- what the viewer's figures are about -------------------------------------------------------------


@dataclass(frozen=True)
class Reach:
    """The cases to count and the units to count for."""

    cases: QuerySet[Case]
    top: Unit
    policy: Regulation

    @property
    def span(self) -> tuple[int, int]:
        return self.top.left, self.top.right

    @property
    def is_whole(self) -> bool:
        return self.top.parent_id is None

    def of_cases(self) -> QuerySet[Case]:
        """The cases that are the tree's own: led or held in it. A unit's own are those that it led."""
        if self.is_whole:
            return self.cases
        led = Assignment.objects.filter(
            case=OuterRef("pk"), role="lead", state__in=VISIBLE_ASSIGNMENT, unit_left__range=self.span
        )
        return self.cases.filter(Q(Exists(led)) | Q(holder__left__range=self.span, holder__kind="centre"))

    @cached_property
    def tree(self) -> "Tree":
        return Tree(self.top, self.policy)


def reach_of(actor: Actor) -> Reach:
    """What the figures of `actor` are counted over: never a case that complains of a unit of theirs."""
    assert actor.unit is not None
    return Reach(_counted(actor), _top(actor), policy_of(actor.platform))


def reach_of_lists(actor: Actor) -> Reach:
    """What the lists behind the figures are made of: the cases that `actor` may open."""
    return replace(reach_of(actor), cases=visible_cases(actor))


def _is_beside(actor: Actor) -> bool:
    """Whether the actor reads the figures of all that is beside their unit, without being let into the cases."""
    unit = actor.unit
    if unit is None or unit.parent is None:
        return False
    return actor.role == "executive" or (actor.role in WITHOUT_CASES and unit.kind == "government")


def _counted(actor: Actor) -> QuerySet[Case]:
    """The visible cases; for who stands beside, those that the centre there sees, without complaints about them."""
    unit = actor.unit
    if not _is_beside(actor) or unit is None or unit.parent is None:
        return visible_cases(actor)
    seat = find_centre(unit.parent) or unit
    return visible_cases(replace(actor, role="supervisor", unit=seat, homes=actor.homes | {unit.left}))


def _top(actor: Actor) -> Unit:
    unit = actor.unit
    assert unit is not None
    rule = policy_of(actor.platform).role_rules.get(actor.role)
    if rule is not None and rule.scope == "all":
        return Unit.objects.filter(platform=actor.platform, parent__isnull=True).first() or unit
    if actor.role in OWN_UNIT or unit.parent is None:
        return unit
    return unit.parent if unit.kind in OVERSEEING or _is_beside(actor) else unit


# ---- the tree of units -------------------------------------------------------------------------------


class Tree:
    """The units below the top, and which of them answers for which."""

    def __init__(self, top: Unit, policy: Regulation) -> None:
        self.top = top
        found = Unit.objects.filter(platform=top.platform_id, left__range=(top.left, top.right)).order_by("left")
        self.units = {unit.pk: unit for unit in found.defer("aliases", "roles")}
        self.rolls_up = policy.delegate is not None or policy.closure is not None
        """Whether the regulation lets units above carry out by, or close for, the small ones below them."""

    def group_of(self, unit_id: int | None, by: str) -> int | None:
        """The unit that `unit_id` counts for; None for one outside the tree."""
        unit = self.units.get(unit_id) if unit_id is not None else None
        if unit is None:
            return None
        if by == "unit":
            return self._answering(unit).pk
        while unit.pk != self.top.pk and unit.parent_id != self.top.pk:
            unit = self.units[unit.parent_id]
        return unit.pk

    def _answering(self, unit: Unit) -> Unit:
        """The unit above a section or a village, where the regulation makes it answer; never above the top."""
        above = unit
        while self.rolls_up and above.kind in ANSWERED_FOR and above.pk != self.top.pk:
            above = self.units[above.parent_id]
        return above if above.handles or above.pk == unit.pk else unit

    def members(self, group: int, by: str) -> list[int]:
        """The units that count for `group`."""
        unit = self.units.get(group)
        if unit is None:
            return []
        below = (one.pk for one in self.units.values() if unit.left <= one.left <= unit.right)
        return [pk for pk in below if self.group_of(pk, by) == group]

    def answering(self) -> list[Unit]:
        """Every unit that handles and answers for itself, in the order of the tree."""
        return [unit for unit in self.units.values() if unit.handles and self._answering(unit).pk == unit.pk]


# ---- what is counted ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measure:
    """One population of a period. `unit` finds the unit that a row counts for: a path, or an expression.

    All conditions on a relation go into one filter: only so they speak of the same row of it.
    """

    cases: QuerySet[Case]
    where: Q
    counters: Mapping[str, Q]
    unit: str | Combinable
    rows: str = "pk"
    in_span: Q = field(default_factory=Q)
    related: Mapping[str, QuerySet[Any]] = field(default_factory=dict)
    """Of what a counter asks that there be a row as well; or that there be none, where it is `lacking`."""
    lacking: frozenset[str] = frozenset()

    def counts(self, by: str) -> Sequence[Mapping[str, Any]]:
        """The counters for each `key`."""
        key: Any = (F(self.unit) if isinstance(self.unit, str) else self.unit) if by in BY_UNIT else F(_COLUMNS[by])
        # The first such row of each, and not `Exists`: that would read all such rows there are.
        firsts = {f"row_{name}": Subquery(rows.values("pk")[:1]) for name, rows in self.related.items()}
        wanted = {name: Count(self.rows, filter=self._counted(name) or None) for name in self.counters}
        found = self.cases.filter(self.where & self.in_span).alias(**firsts)
        return list(found.values(key=key).annotate(**wanted).order_by())

    def _counted(self, name: str) -> Q:
        row = Q(**{f"row_{name}__isnull": name in self.lacking}) if name in self.related else Q()
        return self.counters[name] & row

    def behind(self, name: str, more: Q | None = None) -> QuerySet[Case]:
        """The cases that one counter counts, once for each row of theirs."""
        where = self.where & self.in_span & self.counters[name] & (more or Q())
        if name in self.related:
            there = Q(Exists(self.related[name]))
            where &= ~there if name in self.lacking else there
        return self.cases.filter(where)

    def ids(self, name: str, by: str, members: Collection[Any]) -> QuerySet[Any]:
        """The ids of the cases that one counter counts for the given keys; the key None is for what has none."""
        path = _COLUMNS.get(by) or (self.unit if isinstance(self.unit, str) else "")
        if path:
            return self.behind(name, _among(path, members)).values("pk")
        return self.behind(name).alias(key=self.unit).filter(_among("key", members)).values("pk")


_COLUMNS = {name: name for name in DIMENSIONS if name not in (*BY_UNIT, "area", "field")} | {
    "area": "place_unit", "field": "category"
}  # fmt: skip


def _among(path: str, members: Collection[Any]) -> Q:
    known = [one for one in members if one is not None]
    found = Q(**{f"{path}__in": known}) if known else Q(pk__in=[])
    return found | Q(**{f"{path}__isnull": True}) if None in members else found


def last_lead(**where: Any) -> Subquery:
    """The unit of the last visible lead of a case."""
    leads = Assignment.objects.filter(case=OuterRef("pk"), role="lead", state__in=VISIBLE_ASSIGNMENT, **where)
    return Subquery(leads.order_by("-pk").values("unit_id")[:1])


def _submitted(period: Period) -> Q:
    return Q(submitted_at__gte=period.begins, submitted_at__lt=period.ends)


def _received(reach: Reach, period: Period, now: datetime) -> Measure:
    return Measure(
        reach.of_cases(), _submitted(period), {
            "received": Q(), "open": Q(state__in=OPEN_STATES), "accepted": ~Q(state__in=NOT_TAKEN),
            "closed": Q(state="closed"), "consult": Q(kind=CONSULT),
            "at_once": Q(kind=CONSULT, state__in=("feedback", "closed")), "complaints": Q(kind__in=COMPLAINTS),
        }, unit=last_lead(), related={"at_once": Assignment.objects.filter(case=OuterRef("pk"))},
        lacking=frozenset({"at_once"}),
    )  # fmt: skip


def _limits(reach: Reach, period: Period, name: str, counters: Mapping[str, Q], where: Q, now: datetime) -> Measure:
    """Limits that fell due in the period and are decided: met, missed, or run out by now."""
    decided = Q(limits__met__isnull=False) | Q(limits__missed_at__isnull=False)
    run_out = Q(limits__ended_at__isnull=True, limits__due_at__lte=now)
    due = Q(limits__name=name, limits__due_on__range=(period.first, period.last), limits__suspended=False)
    own = Q() if reach.is_whole else Q(limits__assignment__unit_left__range=reach.span)
    return Measure(
        reach.cases, due & where & (decided | run_out), counters, unit="limits__assignment__unit", rows="limits__pk",
        in_span=own,
    )  # fmt: skip


MET = Q(limits__met=True)
_LATE = Q(limits__met__isnull=True) | Q(limits__met=False)


def _handling(reach: Reach, period: Period, now: datetime) -> Measure:
    counters = {"due": Q(), "on_time": MET, "late": _LATE, "extended": Q()}
    granted = Application.objects.filter(assignment=OuterRef("limits__assignment"), type="extension", state="approved")
    hard = Q(limits__soft=False, limits__assignment__role="lead")
    return replace(_limits(reach, period, "handle", counters, hard, now), related={"extended": granted})


def _signing(reach: Reach, period: Period, now: datetime) -> Measure:
    counters = {"sign_due": Q(), "signed": MET, "sign_late": _LATE}
    return _limits(reach, period, "claim", counters, Q(limits__soft=False), now)


def _same_day(reach: Reach, period: Period, now: datetime) -> Measure:
    return _limits(reach, period, "immediate", {"same_day": Q(), "same_day_missed": _LATE}, Q(), now)


def _rated(reach: Reach, period: Period, now: datetime) -> Measure:
    counted, good = Q(evaluations__counted=True), Q(evaluations__bad=False)
    again, called = Q(evaluations__round__gt=1), Q(evaluations__source="callback")
    return Measure(
        reach.of_cases(), Q(evaluations__at__gte=period.begins, evaluations__at__lt=period.ends), {
            "rated": counted, "good": counted & good, "bad": counted & Q(evaluations__bad=True),
            "rated_before": Q(), "good_before": good,
            "rated_callback": counted & called, "good_callback": counted & called & good,
            "rated_again": counted & again, "good_again": counted & again & good,
        }, unit=last_lead(round=OuterRef("evaluations__round")), rows="evaluations__pk",
    )  # fmt: skip


def _assigned(reach: Reach, period: Period, now: datetime) -> Measure:
    returned = Application.objects.filter(assignment=OuterRef("assignments__pk"), type="return", state="approved")
    own = Q() if reach.is_whole else Q(assignments__unit_left__range=reach.span)
    return Measure(
        reach.cases, Q(assignments__assigned_at__gte=period.begins, assignments__assigned_at__lt=period.ends), {
            "assigned": Q(), "returned": Q(), "again": Q(assignments__role="lead", assignments__cause__in=AGAIN),
        }, unit="assignments__unit", rows="assignments__pk", in_span=own, related={"returned": returned},
    )  # fmt: skip


def _ended(reach: Reach, period: Period, now: datetime) -> Measure:
    closed, named = Q(state="closed", closed_at__gte=period.begins, closed_at__lt=period.ends), Q(anonymous=False)
    return Measure(
        reach.of_cases(), closed, {"closures": Q(), "redone": Q(round__gt=1), "ended": named, "called": named},
        unit=last_lead(), related={"called": Callback.objects.filter(case=OuterRef("pk"))},
    )  # fmt: skip


def _complained(reach: Reach, period: Period, now: datetime) -> Measure:
    own = Q() if reach.is_whole else Q(subjects__unit_left__range=reach.span)
    return Measure(
        reach.cases, _submitted(period) & Q(subjects__cause="complained"), {"complained": Q()}, unit="subjects__unit",
        rows="subjects__pk", in_span=own,
    )  # fmt: skip


MEASURES: tuple[Callable[[Reach, Period, datetime], Measure], ...] = (
    _received, _handling, _signing, _same_day, _rated, _assigned, _ended, _complained,
)  # fmt: skip


# ---- tables ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """What one unit, kind, channel … comes to."""

    key: str
    label: str
    counts: Mapping[str, int]
    unit: Unit | None = None

    @property
    def rates(self) -> dict[str, Any]:
        return {key: rate(one, self.counts) for key, one in INDICATORS.items()}


@dataclass(frozen=True)
class Table:
    """The figures of a period: a row for each value of what they are counted by, and what the rows add up to."""

    period: Period
    by: str
    rows: Sequence[Row]
    total: Row
    top: Unit


def figures(actor: Actor, period: Period, by: str = "unit", *, now: datetime, all_units: bool = False) -> Table:
    """Every counter of the period. Rows of units stand in the order of the tree, others by what came in.

    `all_units` also lists the units that had nothing. Raises: ValueError for an unknown `by`.
    """
    if by not in DIMENSIONS:
        raise ValueError(f"不能按“{by}”统计。")
    reach = reach_of(actor)
    counted: dict[Any, dict[str, int]] = defaultdict(dict)
    for measure in MEASURES:
        if measure is _complained and actor.role in OWN_UNIT:
            continue
        for row in measure(reach, period, now).counts(by):
            _collect(counted, _group(reach, by, row["key"]), row)
    if all_units and by == "unit":
        for unit in reach.tree.answering():
            counted.setdefault(unit.pk, {})
    rows = [_row(reach, by, key, counts) for key, counts in counted.items() if counts or all_units]
    order = _by_tree if by in BY_UNIT else _by_size
    return Table(period, by, sorted(rows, key=order), Row(NOBODY, "合计", add([row.counts for row in rows])), reach.top)


def _collect(counted: dict[Any, dict[str, int]], key: Any, row: Mapping[str, Any]) -> None:
    if key == _ELSEWHERE:
        return
    for name, count in row.items():
        if name != "key" and count:
            counted[key][name] = counted[key].get(name, 0) + count


def _group(reach: Reach, by: str, key: Any) -> Any:
    """The row that a key counts in: None what has none, `_ELSEWHERE` what is of another tree."""
    if by == "field":
        return field_of(reach.policy, key) or None
    if by not in (*BY_UNIT, "area"):
        return key or None
    if key is None:
        return None
    found = reach.tree.group_of(key, "below" if by == "area" else by)
    return _ELSEWHERE if found is None and by != "area" else found


def _row(reach: Reach, by: str, key: Any, counts: Mapping[str, int]) -> Row:
    if by in (*BY_UNIT, "area"):
        unit = reach.tree.units.get(key)
        nobody = "未填写地点或者在本地区以外" if by == "area" else "尚未交办"
        return Row(str(key or NOBODY), unit.name if unit else nobody, counts, unit)
    return Row(str(key or NOBODY), label_of(reach.policy, by, key) if key else "未填写", counts)


def field_of(policy: Regulation, category: str) -> str:
    """The key of the field that a category is of; a category that the regulation does not know is its own."""
    for rule in policy.categories:
        if category in _categories_of(rule):
            return rule.key
    return category


def _categories_of(rule: Category) -> tuple[str, ...]:
    return (rule.key, str(rule.label), *rule.children)


def label_of(policy: Regulation, by: str, key: str) -> str:
    """A coded value in the regulation's words, or the common ones."""
    rules: Mapping[str, Sequence[Any]] = {
        "kind": policy.kinds, "channel": policy.channels, "category": policy.categories, "field": policy.categories,
        "source": policy.hotlines,
    }  # fmt: skip
    words: Mapping[str, Mapping[Any, str]] = {
        "urgency": URGENCY,
        "complexity": COMPLEXITY,
        "mode": MODES,
        "state": CASE_STATES,
        "requester_kind": REQUESTER_KINDS,
    }
    for rule in rules.get(by, ()):
        if rule.key == key:
            return str(rule.label)
    return words.get(by, {}).get(key, key)


def _by_tree(row: Row) -> tuple[bool, int]:
    return row.unit is None, row.unit.left if row.unit else 0


def _by_size(row: Row) -> tuple[bool, int, str]:
    return row.key == NOBODY, -row.counts.get("received", 0), row.label


# ---- the cases behind a figure -----------------------------------------------------------------------


LISTED: Mapping[str, Callable[[Reach, Period, datetime], Measure]] = {
    "received": _received, "open": _received, "complaints": _received, "at_once": _received, "late": _handling,
    "extended": _handling, "sign_late": _signing, "same_day_missed": _same_day, "bad": _rated, "again": _assigned,
    "returned": _assigned, "redone": _ended,
}  # fmt: skip
"""The counters whose cases can be listed. Complaints about a unit are not among them."""


def cases_behind(
    actor: Actor, counter: str, period: Period, *, now: datetime, by: str = "", key: str = ""
) -> QuerySet[Case]:
    """The cases that a counter counts, of those that `actor` may open; with `by`, only those of one row.

    Raises: ValueError for a counter that has no list, or a row that there cannot be.
    """
    if counter not in LISTED or (by and by not in DIMENSIONS):
        raise ValueError(f"“{counter}”没有清单。")
    reach = reach_of_lists(actor)
    measure = LISTED[counter](reach, period, now)
    ids = measure.ids(counter, by, _members(reach, by, key)) if by else measure.behind(counter).values("pk")
    return visible_cases(actor).filter(pk__in=ids)


def _members(reach: Reach, by: str, key: str) -> list[Any]:
    if by == "field":
        return next((list(_categories_of(rule)) for rule in reach.policy.categories if rule.key == key), [key])
    if by not in (*BY_UNIT, "area"):
        return [key]
    if not key:
        return [None]
    if not (key.isdecimal() and len(key) < 10):
        raise ValueError("没有这个单位。")
    return reach.tree.members(int(key), "below" if by == "area" else by)


# ---- what a bulletin and an assessment name -----------------------------------------------------------

MOST = 50_000


@dataclass(frozen=True)
class Named:
    """A case that stands against a unit. `number` is empty where naming it could show who complained of whom."""

    unit: Unit
    number: str


def named_cases(actor: Actor, counter: str, period: Period, by: str = "unit", *, now: datetime) -> list[Named]:
    """The cases of a counter with the unit that each counts for, in the order of the tree and of their coming.

    Who complains of a unit, and what is confidential, is counted but not named: what is written may be read by anybody.
    """
    reach = reach_of(actor)
    measure = LISTED[counter](reach, period, now)
    key = F(measure.unit) if isinstance(measure.unit, str) else measure.unit
    rows = measure.behind(counter)
    subjects = Case._meta.get_field("subjects").related_model.objects.filter(case=OuterRef("pk"))
    found = rows.values_list(key, "number", "confidential", Exists(subjects), "submitted_at")
    named = []
    for unit_id, number, confidential, accused, at in found[:MOST]:
        group = reach.tree.group_of(unit_id, by)
        if group is not None:
            named.append((reach.tree.units[group], at, "" if confidential or accused else number))
    named.sort(key=lambda one: (one[0].left, one[1], one[2]))
    return [Named(unit, number) for unit, _, number in named]
