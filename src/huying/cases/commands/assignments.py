"""交办: choosing units and making the assignments of a round."""

from collections.abc import Sequence

from huying.cases.access import top_of
from huying.cases.commands import time_limits
from huying.cases.commands.notices import tell_unit
from huying.cases.commands.proposals import propose_by_count
from huying.cases.commands.registry import Take
from huying.cases.models import Assignment
from huying.core.verdict import Refused
from huying.people.models import Unit
from huying.people.units import superior_of


def choose_units(take: Take, lead: str, co: Sequence[str]) -> tuple[Unit, list[Unit]] | Refused:
    """The lead and the co-units by path: known, handling, not recused, nobody twice."""
    lead_unit = take.unit(lead, "lead", handles=True)
    if isinstance(lead_unit, Refused):
        return lead_unit
    co_units: list[Unit] = []
    for path in co:
        unit = take.unit(path, "co", handles=True)
        if isinstance(unit, Refused):
            return unit
        if unit.pk == lead_unit.pk or unit in co_units:
            return Refused("invalid:co", "协办单位不能重复，也不能与主办单位相同。", take.rule)
        co_units.append(unit)
    return lead_unit, co_units


def judge_days(take: Take, workdays: int | None, name: str) -> Refused | None:
    """A limit set at assignment may not pass the whole handling period that the regulation allows."""
    rule = take.policy.extension_rule(take.facts())
    longest = rule.max_total_working_days if rule else None
    if workdays is not None and longest is not None and workdays > longest:
        return Refused("exceeds_limit", f"办理期限原则上不得超过{longest}个工作日。", rule)
    return None


def judge_reach(take: Take, units: tuple[Unit, list[Unit]], name: str) -> Refused | None:
    """A dispatcher gives work to units of the tree that the own unit looks after, and to no others."""
    unit = take.actor.unit
    assert unit is not None
    top = top_of(unit)
    lead, co = units
    for one in (lead, *co):
        if not top.holds(one):
            field = name if one is lead else "co"
            return Refused(f"invalid:{field}", f"“{one.name}”不在本级管辖范围内，请转请上级分办。", take.rule)
    return None


def assign(
    take: Take, lead: Unit, co: Sequence[Unit] = (), *, cause: str, limit_workdays: int | None = None,
    procedure: str = "", note: str = "", statutory: tuple[int, str] | None = None,
) -> Assignment:  # fmt: skip
    """Make the assignments of the present round; the case is in handling from here.

    A centre that is given a case holds it: its own dispatcher hands it on. `statutory` is a limit of another law in
    calendar days, and that law.
    """
    case, unit = take.case, take.actor.unit
    goes_on = _goes_on(take)
    if not procedure and (take.action.id != "case.dispatch" or case.state == "handling"):
        last = case.assignments.filter(role="lead").order_by("-pk").first()
        procedure = last.procedure if last is not None else ""
    if lead.kind == "centre" or (unit is not None and lead.pk == unit.pk):
        case.holder = lead
    elif unit is not None and unit.pk != case.holder_id and take.actor.role == "dispatcher" and unit.kind == "centre":
        case.holder = unit
    case.state = "handling"
    case.save(update_fields=["state", "accepted_at", "holder"])
    first = give(
        take, lead, "lead", cause=cause, limit_workdays=limit_workdays, procedure=procedure, note=note,
        goes_on=goes_on, statutory=statutory,
    )  # fmt: skip
    for unit in co:
        give(take, unit, "co", cause=cause, procedure=procedure, note=note)
    # A reply that the check sent back stays the same 交办.
    times = take.case.assignments.filter(role="lead").exclude(cause="check_failed").count()
    propose_by_count(take, "assignments", times)
    return first


def _goes_on(take: Take) -> bool:
    """Whether a centre below hands on what the centre above gave it, inside the date that it has (decision Z-7)."""
    unit = take.actor.unit
    if not take.policy.flow.hop_keeps_clock or unit is None or unit.kind != "centre" or superior_of(unit) == unit:
        return False
    return take.case.assignments.filter(role="lead", round=take.case.round, unit=unit).exists()


def give(
    take: Take, unit: Unit, role: str, *, cause: str, limit_workdays: int | None = None, procedure: str = "",
    note: str = "", goes_on: bool = False, statutory: tuple[int, str] | None = None,
) -> Assignment:  # fmt: skip
    """One assignment of the present round, with its limits; the unit is told."""
    assignment = Assignment.objects.create(
        case=take.case, unit=unit, unit_left=unit.left, unit_right=unit.right, role=role, round=take.case.round,
        cause=cause, limit_workdays=limit_workdays, procedure=procedure, note=note, assigned_at=take.now,
        statutory_days=statutory[0] if statutory else None, legal_basis=statutory[1] if statutory else "",
    )  # fmt: skip
    time_limits.start_for_assignment(take.case, assignment, at=take.now, goes_on=goes_on)
    tell_unit(take.case, unit, "dispatched", at=take.now, role=role, round=take.case.round)
    return assignment


def take_up(take: Take) -> None:
    """签收: the unit takes the order; its handling clock starts, unless it runs already."""
    assignment = take.assignment
    assert assignment is not None
    assignment.state, assignment.claimed_at = "handling", take.now
    assignment.save(update_fields=["state", "claimed_at"])
    time_limits.end_named(assignment, "claim", at=take.now)
    time_limits.start_for_claim(take.case, assignment, at=take.now)
