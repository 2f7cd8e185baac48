"""Who may see a case, and how much of the requester. The only place that filters; no view filters by itself."""

from typing import Any, Literal

from django.db.models import Exists, OuterRef, Q, QuerySet

from huying.cases.models import Application, Case, CaseSubject, Link, Party, Report, Supervision
from huying.cases.models.handling import VISIBLE_ASSIGNMENT, Assignment
from huying.cases.policies import policy_of, rules_of
from huying.core.routing import Span
from huying.people.actors import Actor
from huying.people.models import Unit

IdentityView = Literal["clear", "masked", "hidden"]
OVERSEEING = ("centre", "oversight")
"""Units of these kinds see, and work on, all that belongs to the unit above them."""


def visible_cases(actor: Actor, case_id: int | None = None) -> QuerySet[Case]:
    """The cases that `actor` may know of, and no others; of these only `case_id` when it is given.

    The unit complained about, and every unit below it, does not see that the case exists, whatever the role; nor does
    who belongs to one of them and works in another of their roles.
    Whoever asks about one case says so: then only its own rows are looked at, and not everything a unit ever had.
    """
    cases = Case.objects.filter(platform_id=actor.platform.pk)
    if case_id is not None:
        cases = cases.filter(pk=case_id)
    if actor.role == "system":
        return cases
    if actor.is_citizen:
        return _own_of_citizen(actor, cases)
    if actor.role == "channel":  # what it handed over under a number of its own, to learn what became of it
        return cases.filter(channel=actor.channel).exclude(external_no="")
    rule = policy_of(actor.platform).role_rules.get(actor.role)
    if rule is None or actor.unit is None:
        return cases.none()
    cases = cases.exclude(Exists(keeps_out(actor).filter(case=OuterRef("pk"))))
    match rule.scope:
        case "all":
            return cases
        case "tree":
            return _in_tree(cases, actor.unit)
        case "unit" if actor.unit.kind == "oversight":
            return _in_tree(cases, actor.unit)
        case "unit":
            return cases.filter(pk__in=_of_unit(actor.unit, case_id))
        case "own":
            return cases.filter(submitted_by=actor.id)
        case "reports":
            return cases.filter(
                Exists(Report.cases.through.objects.filter(case=OuterRef("pk"))) | Exists(_decides(actor.unit))
            )
        case _:
            return cases.none()


def keeps_out(actor: Actor) -> QuerySet[CaseSubject]:
    """The complaints about the actor's unit, about one above it, or about a unit in which they hold another role."""
    home = Q(pk__in=[])
    for left in actor.homes | ({actor.unit.left} if actor.unit else set()):
        home |= Q(unit_left__lte=left, unit_right__gte=left)
    return CaseSubject.objects.filter(home)


def _own_of_citizen(actor: Actor, cases: QuerySet[Case]) -> QuerySet[Case]:
    mine = Q(pk__in=actor.case_ids)
    if actor.subject_id is not None:
        mine |= Q(Exists(Party.objects.filter(case=OuterRef("pk"), part="requester", subject_id=actor.subject_id)))
    return cases.filter(mine)


def _of_unit(unit: Unit, case_id: int | None) -> QuerySet[Any]:
    """The ids of the cases that `unit` or one below it has, had to the end, or is supervised in.

    Three lists of ids, each from one index. Numbers of other platforms' units may fall in the range: the caller
    filters by platform.
    """
    assigned = Assignment.objects.filter(unit_left__range=(unit.left, unit.right))
    supervised = Supervision.objects.filter(
        unit__platform=unit.platform, unit__left__range=(unit.left, unit.right), state__in=("open", "answered")
    )
    delegated = Assignment.objects.filter(delegate_left__range=(unit.left, unit.right), unit__platform=unit.platform)
    asked = Application.objects.filter(decider=unit)
    if case_id is not None:
        delegated, asked = delegated.filter(case=case_id), asked.filter(case=case_id)
        assigned, supervised = assigned.filter(case=case_id), supervised.filter(case=case_id)
    later = Assignment.objects.filter(case=OuterRef("case"), ended_at__gt=OuterRef("ended_at"))
    # What the requester withdrew stays on the unit's record (decision A-20); what went to another unit does not.
    withdrawn = assigned.filter(~Exists(later), state="cancelled", case__state="withdrawn")
    return (
        assigned.filter(state__in=VISIBLE_ASSIGNMENT)
        .values("case_id")
        .union(
            withdrawn.values("case_id"),
            supervised.values("case_id"),
            delegated.filter(state__in=VISIBLE_ASSIGNMENT).values("case_id"),
            asked.values("case_id"),
        )
    )


def _assignments_below(unit: Unit) -> QuerySet[Assignment]:
    return Assignment.objects.filter(
        case=OuterRef("pk"), unit_left__range=(unit.left, unit.right), state__in=VISIBLE_ASSIGNMENT
    )


def _decides(unit: Unit) -> QuerySet[Application]:
    return Application.objects.filter(case=OuterRef("pk"), decider=unit)


def _in_tree(cases: QuerySet[Case], unit: Unit) -> QuerySet[Case]:
    """What a unit's tree holds: everything at the root; else the cases held or handled below, or that it decides on."""
    top = top_of(unit)
    if top.parent_id is None:
        return cases
    held = Q(holder__left__range=(top.left, top.right))
    return cases.filter(held | Exists(_assignments_below(top)) | Exists(_decides(unit)))


def top_of(unit: Unit) -> Unit:
    """The top of the tree that a unit looks after: its parent's for a centre or an overseeing body, else its own."""
    return unit.parent if unit.kind in OVERSEEING and unit.parent is not None else unit


def identity_view(actor: Actor, case: Case, party: Party | None) -> IdentityView:
    """How much of the requester's identity `actor` may see in `case`."""
    if party is None or party.level == "anonymous":
        return "hidden"
    if actor.is_citizen:
        return "clear"
    rule = rules_of(case).role_rules.get(actor.role)
    if rule is None or rule.identity == "hidden":
        return "hidden"
    if rule.identity == "intake":
        return "clear"
    if party.level == "confidential":
        return "hidden"
    if rule.identity == "masked" or (party.level == "masked" and rule.scope == "unit"):
        return "masked"
    return "clear"


def forbidden_spans(case: Case) -> list[Span]:
    """The subtrees that must keep out of `case`: those complained about in it or in one merged into it."""
    merged = Link.objects.filter(other=case, type="merged").values("case_id")
    subjects = CaseSubject.objects.filter(Q(case=case) | Q(case__in=merged))
    return [Span(left, right) for left, right in subjects.values_list("unit_left", "unit_right")]


def is_centre_for(actor: Actor, case: Case) -> bool:
    """Whether `actor` sits in the unit that holds the case, or in one above it or above the unit that leads."""
    if actor.unit is None:
        return False
    top = top_of(actor.unit)
    if actor.unit.pk == case.holder_id or top.holds(case.holder):
        return True
    lead = case.assignments.filter(role="lead", state__in=VISIBLE_ASSIGNMENT).order_by("-pk").first()
    return lead is not None and top.left < lead.unit_left <= top.right


def oversees(actor: Actor, case: Case) -> bool:
    """Whether `actor` may supervise: a centre for the case, the inspectors, or a unit above the one that leads."""
    unit = actor.unit
    if unit is None:
        return False
    if actor.role == "inspector" or is_centre_for(actor, case):
        return True
    if unit.kind == "discipline":
        return unit.parent is not None and unit.parent.holds(case.holder)
    top = top_of(unit)
    below = case.assignments.filter(role="lead", unit_left__gt=top.left, unit_left__lte=top.right)
    return below.filter(state__in=VISIBLE_ASSIGNMENT).exists()
