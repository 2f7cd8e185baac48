"""申请与决定: one mechanism for all that needs another's decision; each type says what a decision does."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from pydantic import Field

from huying.cases.commands import assignments, time_limits
from huying.cases.commands.endings import close_case, end_assignment
from huying.cases.commands.intake import Text
from huying.cases.commands.notices import tell_citizen, tell_unit
from huying.cases.commands.proposals import propose_by_count
from huying.cases.commands.registry import Input, Take, action
from huying.cases.models import Application, Assignment
from huying.core.extension import ExtensionAsk, judge_days, judge_extension
from huying.core.verdict import Refused
from huying.people.models import Unit
from huying.people.units import centre_above, find_unit

Decide = Callable[[Take, Application, "DecideInput"], "Refused | Mapping[str, Any] | None"]
APPROVED: dict[str, Decide] = {}


def approves(type_: str) -> Callable[[Decide], Decide]:
    """Register what approving an application of that type does."""

    def register(run: Decide) -> Decide:
        APPROVED[type_] = run
        return run

    return register


def apply_for(take: Take, type_: str, *, reason: str, decider: str, **data: Any) -> Refused | Mapping[str, Any]:
    """File an application. Nothing moves before it is decided; silence is never consent (decision A-13)."""
    assert take.actor.unit is not None
    if Application.objects.filter(case=take.case, type=type_, state="pending", assignment=take.assignment).exists():
        return Refused("already_done", "同类申请正在等待决定，不能重复提出。", take.rule)
    application = Application.objects.create(
        case=take.case, assignment=take.assignment, type=type_, by_unit=take.actor.unit, by=take.actor.id,
        decider=_decider(take, decider), reason=reason, data={k: v for k, v in data.items() if v}, at=take.now,
    )  # fmt: skip
    time_limits.start_named(take.case, "decide", at=take.now, event="application", application=application)
    take.made = application
    return {"application": application.pk, "type": type_}


def _decider(take: Take, decider: str) -> Unit:
    assert take.actor.unit is not None
    if decider == "centre":
        return find_unit(take.platform, take.policy.info.competent_unit)
    return centre_above(take.actor.unit)


class DecideInput(Input):
    opinion: Text = Field(title="意见")
    unit: str = Field(default="", max_length=200, title="交由单位")
    co: tuple[str, ...] = Field(default=(), title="协办单位")
    workdays: int | None = Field(default=None, ge=1, le=366, title="工作日数")


@action(
    "application.approve", "同意申请", parties="dispatcher leader", takes=DecideInput, on="application",
    held_by="decider", target_states=("pending",), unit_fields=("unit", "co"),
)  # fmt: skip
def approve(take: Take, given: DecideInput) -> Refused | Mapping[str, Any]:
    """The application is granted, with the effect of its type."""
    application = take.target
    assert isinstance(application, Application)
    _settle(take, application, "approved", given.opinion)
    effect = APPROVED[application.type](take, application, given)
    if isinstance(effect, Refused):
        return effect
    return {"application": application.pk, "type": application.type, **(effect or {})}


class RejectInput(Input):
    opinion: Text = Field(title="意见")


@action(
    "application.reject", "不同意申请", parties="dispatcher leader", takes=RejectInput, on="application",
    held_by="decider", target_states=("pending",),
)  # fmt: skip
def reject(take: Take, given: RejectInput) -> Mapping[str, Any]:
    """The application is refused; the case stays with the unit and nothing moves."""
    application = take.target
    assert isinstance(application, Application)
    _settle(take, application, "rejected", given.opinion)
    return {"application": application.pk, "type": application.type}


def _settle(take: Take, application: Application, state: str, opinion: str) -> None:
    application.state, application.opinion = state, opinion
    application.decided_by, application.decided_at = take.actor.id, take.now
    application.save(update_fields=["state", "opinion", "decided_by", "decided_at"])
    time_limits.end(application.limits.all(), at=take.now)
    if application.by_unit is not None:
        tell_unit(take.case, application.by_unit, "decided", at=take.now, type=application.type, decision=state)


@approves("return")
def _approve_return(take: Take, application: Application, given: DecideInput) -> Refused | Mapping[str, Any]:
    """退单: to the unit named, with its own clocks (in the place of a co-unit as co), or back to the centre's queue."""
    assignment = application.assignment
    assert assignment is not None
    units = assignments.choose_units(take, given.unit, given.co) if given.unit else None
    if isinstance(units, Refused):
        return _as_unit(units)
    refused = assignments.judge_days(take, given.workdays, "workdays")
    if refused:
        return refused
    end_assignment(take, assignment, "returned")
    if assignment.role == "lead":
        if units is not None:
            _move_lead(take, assignment, units, given.workdays)
        else:
            for co in take.case.assignments.filter(role="co", state__in=("dispatched", "handling")):
                end_assignment(take, co, "cancelled")
            take.case.state = "received"
            take.case.save(update_fields=["state"])
    elif units is not None:
        assignments.give(take, units[0], "co", cause=assignment.cause)
    time_limits.refresh(take.case, at=take.now)
    returns = Application.objects.filter(case=take.case, type="return", state="approved").count()
    propose_by_count(take, "returns", returns)
    return {"unit": given.unit}


def _move_lead(take: Take, old: Assignment, units: tuple[Unit, list[Unit]], days: int | None) -> None:
    lead, co = units
    already = set(
        take.case.assignments.filter(state__in=("dispatched", "handling", "submitted")).values_list(
            "unit_id", flat=True
        )
    )
    for other in take.case.assignments.filter(unit=lead, state__in=("dispatched", "handling")):
        end_assignment(take, other, "cancelled")
    cause = old.cause if old.cause != "check_failed" else "first"
    assignments.assign(take, lead, [unit for unit in co if unit.pk not in already], cause=cause, limit_workdays=days)


def _as_unit(refused: Refused) -> Refused:
    """The decision's input calls the lead `unit`."""
    code = "invalid:unit" if refused.code == "invalid:lead" else refused.code
    return Refused(code, refused.reason, refused.rule)


@approves("extension")
def _approve_extension(take: Take, application: Application, given: DecideInput) -> Refused | Mapping[str, Any]:
    """延期: the limit moves by the working days asked for (or those that the decision sets)."""
    rule = take.policy.extension
    limit = time_limits.handle_limit(take.case)
    if rule is None or limit is None:
        return Refused("wrong_state", "这件诉求没有可以延长的办理期限。", rule)
    days = given.workdays or int(application.data["workdays"])
    moved = judge_days(extension_ask(take, days), rule, take.calendar)
    if isinstance(moved, Refused):
        return moved
    step = {
        "event": "extension",
        "rule": f"extension.{rule.key}",
        "days": days,
        "application": application.pk,
    }
    time_limits.move(limit, moved.due_on, at=take.now, step=step, provisional=moved.provisional)
    time_limits.refresh(take.case, at=take.now)
    tell_citizen(
        take.case, "extension_granted", at=take.now, due_on=moved.due_on,
        progress=str(application.data.get("progress", "")), workdays=days,
    )  # fmt: skip
    return {"workdays": days, "due_on": moved.due_on}


def extension_ask(take: Take, working_days: int) -> ExtensionAsk:
    """The facts that an extension is judged by."""
    limit = time_limits.handle_limit(take.case)
    assert limit is not None
    asking = (
        take.assignment.limits.filter(name="extension_request", ended_at__isnull=True).first()
        if take.assignment
        else None
    )
    return ExtensionAsk(
        due_on=limit.due_on,
        working_days=working_days,
        total_from=time_limits.total_from(take.case, limit),
        granted_before=Application.objects.filter(case=take.case, type="extension", state="approved")
        .filter(assignment=limit.assignment)
        .count(),
        request_until=asking.due_at if asking else None,
        now=take.now,
    )


def judge_extension_request(take: Take, working_days: int) -> Refused | None:
    """Whether an extension may be asked for now."""
    rule = take.policy.extension
    if rule is None or time_limits.handle_limit(take.case) is None:
        return Refused("wrong_state", "办理期限还没有开始计算，不需要延期。", rule)
    verdict = judge_extension(extension_ask(take, working_days), rule, take.calendar)
    return verdict if isinstance(verdict, Refused) else None


@approves("ledger")
def _approve_ledger(take: Take, application: Application, given: DecideInput) -> Mapping[str, Any]:
    """挂账: the ordinary limit no longer counts as overdue; a review date is set."""
    limit = time_limits.handle_limit(take.case)
    if limit is not None and limit.ended_at is None:
        limit.suspended, limit.next_at = True, None
        limit.save(update_fields=["suspended", "next_at"])
    take.case.ledger = True
    take.case.ledger_until = date.fromisoformat(str(application.data["target_date"]))
    take.case.save(update_fields=["ledger", "ledger_until"])
    # With a plan and a date that the centre agreed to, the matter is not dragged out (decision D-5).
    time_limits.drop(take.case.limits.filter(name="long_unresolved"), at=take.now)
    time_limits.start_named(take.case, "review", at=take.now, event="ledger")
    tell_citizen(take.case, "ledger", at=take.now, target_date=take.case.ledger_until)
    return {"target_date": take.case.ledger_until}


@approves("exemption")
def _approve_exemption(take: Take, application: Application, given: DecideInput) -> Mapping[str, Any]:
    """核减: the rating stays as given and is no longer counted; the case closes."""
    take.case.evaluations.filter(bad=True).update(counted=False)
    close_case(take)
    return {}
