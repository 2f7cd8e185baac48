"""The registers of conduct, each as far as the actor's own tree of units reaches."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from huying.base.clock import local_date, start_of_day
from huying.cases.access import OVERSEEING, visible_cases
from huying.cases.models import Evaluation, TimeLimit
from huying.cases.models.assessment import KnowledgeUpdate
from huying.cases.models.bulletin import Bulletin, ScoreAdjustment
from huying.cases.models.handling import VISIBLE_ASSIGNMENT
from huying.cases.models.registers import AccountabilityEntry, Interview
from huying.cases.policies import calendar_of, policy_of
from huying.cases.queries.settings import INTERVIEW_LATE, INTERVIEW_WORST, values_of
from huying.core.registers import Figures, duty_days, missed_days, quarter_of, to_be_interviewed
from huying.core.routing import Span
from huying.people.actors import Actor
from huying.people.models import Grant, Unit
from huying.people.registers import SignIn, StaffChange

SIZE = 100
UNITS = 600
READERS: dict[str, tuple[str, ...]] = {
    "sign_ins": ("supervisor", "auditor", "unit_admin", "leader"),
    "staff_changes": ("supervisor", "auditor", "unit_admin", "leader"),
    "accountability": ("supervisor", "auditor", "inspector", "unit_admin", "leader"),
    "interviews": ("supervisor", "auditor", "inspector", "unit_admin", "leader"),
    "scores": ("supervisor", "auditor", "analyst", "unit_admin", "leader"),
    "knowledge": ("supervisor", "auditor", "analyst", "unit_admin", "leader"),
    "bulletins": (
        "supervisor", "auditor", "inspector", "analyst", "dispatcher", "operator", "checker", "caller", "handler",
        "leader", "unit_admin", "executive",
    ),
}  # fmt: skip
"""Who reads which register."""
OVERSEERS = ("supervisor", "auditor", "inspector", "analyst", "executive")


def reads(actor: Actor, register: str) -> bool:
    """Whether the actor reads that register at all."""
    return actor.unit is not None and actor.role in READERS[register]


def span_of(actor: Actor) -> Span:
    """The subtree whose registers the actor reads: all of the tree beside an overseeing unit, else the unit's own.

    Nobody's, where there is no unit.
    """
    unit = actor.unit
    if unit is None:
        return Span(0, -1)
    rule = policy_of(actor.platform).role_rules.get(actor.role)
    if rule is not None and rule.scope == "all":
        root = Unit.objects.filter(platform=actor.platform, parent__isnull=True).first() or unit
        return Span(root.left, root.right)
    is_beside = unit.kind in OVERSEEING and actor.role in OVERSEERS and unit.parent is not None
    top = unit.parent if is_beside else unit
    return Span(top.left, top.right)


def oversees_unit(actor: Actor, unit: Unit) -> bool:
    """Whether `unit` lies in the tree that the actor looks after."""
    return unit.platform_id == actor.platform.pk and span_of(actor).holds(unit.left)


def units_of(actor: Actor) -> list[tuple[str, str]]:
    """Path and name of the units that the actor looks after, to propose; without villages, at most `UNITS`.

    The name is only said where the path does not say it.
    """
    span = span_of(actor)
    units = Unit.objects.filter(platform=actor.platform, handles=True, left__range=(span.left, span.right))
    found = units.exclude(kind="village").order_by("left").values_list("path", "name")[:UNITS]
    return [(path, "" if path == name else name) for path, name in found]


# ---- signing in --------------------------------------------------------------------


@dataclass(frozen=True)
class Attendance:
    """One unit's days of duty: who of its administrators was there when, and the days on which nobody was."""

    unit: Unit
    due: Sequence[date]
    missed: Sequence[date]
    people: Sequence[tuple[str, Sequence[date]]]
    """Each administrator with the days on which they were there."""


def attendance(actor: Actor, first: date, last: date, *, now: datetime) -> list[Attendance]:
    """The sign-in duty from `first` to `last`: units that missed most first. Empty where no duty is set.

    A day is kept by any one of the unit's administrators who held the role on it; from the first day of the first
    grant on a unit has the duty, also while nobody holds the role.
    """
    rule = policy_of(actor.platform).sign_in
    if rule is None or not reads(actor, "sign_ins"):
        return []
    span, days = span_of(actor), duty_days(first, min(last, local_date(now)), rule, calendar_of(actor.platform))
    grants = Grant.objects.filter(
        unit__platform=actor.platform, unit__left__range=(span.left, span.right), role__in=rule.roles,
        since__lt=start_of_day(last + timedelta(days=1)),
    ).select_related("unit", "account").order_by("unit__left", "account__username")  # fmt: skip
    seen: dict[int, set[date]] = defaultdict(set)
    rows = SignIn.objects.filter(on__range=(first, last), account__in=grants.values("account_id"))
    for account_id, on in rows.values_list("account_id", "on"):
        seen[account_id].add(on)
    by_unit: dict[int, list[Grant]] = defaultdict(list)
    for grant in grants:
        by_unit[grant.unit_id].append(grant)
    found = [_attended(held, days, seen, now) for held in by_unit.values()]
    return sorted(found, key=lambda one: (-len(one.missed), one.unit.left))


def _attended(held: Sequence[Grant], days: Sequence[date], seen: dict[int, set[date]], now: datetime) -> Attendance:
    begun = min(local_date(grant.since) for grant in held)
    due = [day for day in days if day >= begun]
    kept: set[date] = set()
    people: dict[str, set[date]] = {}
    for grant in held:
        there = {day for day in seen[grant.account_id] if _held_on(grant, day)}
        people.setdefault(str(grant.account), set()).update(there)
        kept |= there
    return Attendance(
        held[0].unit, due, missed_days(due, kept, now=now), [(name, sorted(days)) for name, days in people.items()]
    )


def _held_on(grant: Grant, day: date) -> bool:
    return local_date(grant.since) <= day and (grant.until is None or day <= local_date(grant.until))


# ---- lists -------------------------------------------------------------------------


def staff_changes_of(actor: Actor) -> list[StaffChange]:
    """Changes of leaders and administrators as reported, newest first."""
    if not reads(actor, "staff_changes"):
        return []
    rows = StaffChange.objects.filter(_in_span(actor), unit__platform=actor.platform)
    return list(rows.select_related("unit").order_by("-reported_at", "-pk")[:SIZE])


def accountability_of(actor: Actor) -> list[AccountabilityEntry]:
    """The accountability register, newest first."""
    return _listed(AccountabilityEntry.objects.all(), actor, "accountability", "-at")


def interviews_of(actor: Actor) -> list[Interview]:
    """Interviews with units, newest first."""
    return _listed(Interview.objects.all(), actor, "interviews", "-held_on")


def scores_of(actor: Actor) -> list[ScoreAdjustment]:
    """Points given and taken, newest first."""
    return _listed(ScoreAdjustment.objects.all(), actor, "scores", "-at")


def knowledge_of(actor: Actor) -> list[KnowledgeUpdate]:
    """Changes of the knowledge base as units entered them, newest first."""
    if not reads(actor, "knowledge"):
        return []
    rows = KnowledgeUpdate.objects.filter(_in_span(actor), platform=actor.platform)
    return list(rows.select_related("unit").order_by("-at", "-pk")[:SIZE])


def bulletins_of(actor: Actor) -> list[Bulletin]:
    """Bulletins of the actor's own level and of those above, newest first; who oversees reads those below as well."""
    unit = actor.unit
    if unit is None or not reads(actor, "bulletins"):
        return []
    span = span_of(actor)
    above = Q(issued_by__parent__left__lte=unit.left, issued_by__parent__right__gte=unit.left)
    top = Q(issued_by__parent__isnull=True)
    below = Q(issued_by__left__range=(span.left, span.right))
    rows = Bulletin.objects.filter(above | top | below, platform=actor.platform)
    return list(rows.select_related("issued_by").order_by("-at", "-pk")[:SIZE])


def _in_span(actor: Actor) -> Q:
    span = span_of(actor)
    return Q(unit__left__range=(span.left, span.right))


def _listed(rows: QuerySet[Any], actor: Actor, register: str, order: str) -> list[Any]:
    """The actor's part of a register. What rests on a case that they must not know of is left out with the case."""
    if not reads(actor, register):
        return []
    rows = rows.filter(_in_span(actor), platform=actor.platform)
    rows = rows.filter(Q(case__isnull=True) | Q(case__in=visible_cases(actor)))
    return list(rows.select_related("unit", "case").order_by(order, "-pk")[:SIZE])


# ---- who ought to be interviewed ----------------------------------------------------


def interview_candidates(actor: Actor, day: date) -> list[Figures]:
    """Units that the figures of the quarter of `day` propose for an interview; by their name in `unit`."""
    if actor.role not in ("supervisor", "auditor") or actor.unit is None:
        return []
    worst, late = (share / 100 for share in values_of(actor.platform, INTERVIEW_WORST, INTERVIEW_LATE))
    return to_be_interviewed(quarterly_figures(actor, day), worst=worst, late=late)


def quarterly_figures(actor: Actor, day: date) -> list[Figures]:
    """Each unit's handling limits that fell due in the quarter of `day`, and the ratings that count of its cases."""
    first, last = quarter_of(day)
    span = span_of(actor)
    limits = TimeLimit.objects.filter(
        name="handle", soft=False, suspended=False, due_on__range=(first, last), assignment__role="lead",
        assignment__unit_left__range=(span.left, span.right), case__platform=actor.platform,
    ).exclude(met__isnull=True, missed_at__isnull=True)  # fmt: skip
    due = limits.values("assignment__unit").annotate(
        due=Count("pk"), late=Count("pk", filter=Q(missed_at__isnull=False) | Q(met=False))
    )
    ratings = Evaluation.objects.filter(
        counted=True, at__gte=start_of_day(first), at__lt=start_of_day(last + timedelta(days=1)),
        case__platform=actor.platform, case__assignments__role="lead", case__assignments__round=F("round"),
        case__assignments__state__in=VISIBLE_ASSIGNMENT,
        case__assignments__unit_left__range=(span.left, span.right),
    )  # fmt: skip
    rated = ratings.values("case__assignments__unit").annotate(
        rated=Count("pk", distinct=True), good=Count("pk", distinct=True, filter=Q(bad=False))
    )
    found: dict[int, dict[str, int]] = defaultdict(lambda: {"due": 0, "late": 0, "rated": 0, "good": 0})
    for row in due:
        found[row["assignment__unit"]] |= {"due": row["due"], "late": row["late"]}
    for row in rated:
        found[row["case__assignments__unit"]] |= {"rated": row["rated"], "good": row["good"]}
    names = Unit.objects.in_bulk(list(found))
    return [Figures(unit=names[pk].name, **figures) for pk, figures in sorted(found.items())]
