"""交办: choosing units and making the assignments of a round."""

from collections.abc import Sequence

from huying.cases.commands import time_limits
from huying.cases.commands.notices import tell_unit
from huying.cases.commands.proposals import propose_by_count
from huying.cases.commands.registry import Take
from huying.cases.models import Assignment
from huying.core.verdict import Refused
from huying.people.models import Unit


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
    rule = take.policy.extension
    longest = rule.max_total_working_days if rule else None
    if workdays is not None and longest is not None and workdays > longest:
        return Refused("exceeds_limit", f"办理期限原则上不得超过{longest}个工作日。", rule)
    return None


def assign(
    take: Take, lead: Unit, co: Sequence[Unit] = (), *, cause: str, limit_workdays: int | None = None,
    procedure: str = "", note: str = "",
) -> Assignment:  # fmt: skip
    """Make the assignments of the present round; the case is in handling from here."""
    take.case.state = "handling"
    take.case.save(update_fields=["state", "accepted_at"])
    first = give(take, lead, "lead", cause=cause, limit_workdays=limit_workdays, procedure=procedure, note=note)
    for unit in co:
        give(take, unit, "co", cause=cause, procedure=procedure, note=note)
    # A reply that the check sent back stays the same 交办.
    times = take.case.assignments.filter(role="lead").exclude(cause="check_failed").count()
    propose_by_count(take, "assignments", times)
    return first


def give(
    take: Take, unit: Unit, role: str, *, cause: str, limit_workdays: int | None = None, procedure: str = "",
    note: str = "",
) -> Assignment:  # fmt: skip
    """One assignment of the present round, with its limits; the unit is told."""
    assignment = Assignment.objects.create(
        case=take.case, unit=unit, unit_left=unit.left, unit_right=unit.right, role=role, round=take.case.round,
        cause=cause, limit_workdays=limit_workdays, procedure=procedure, note=note, assigned_at=take.now,
    )  # fmt: skip
    time_limits.start_for_assignment(take.case, assignment, at=take.now)
    tell_unit(take.case, unit, "dispatched", at=take.now, role=role, round=take.case.round)
    return assignment
