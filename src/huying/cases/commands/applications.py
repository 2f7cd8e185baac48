"""申请与决定: one mechanism for all that needs another's decision; each type says what a decision does."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from pydantic import Field

from huying.cases.commands import assignments, time_limits
from huying.cases.commands.assignments import judge_reach
from huying.cases.commands.endings import close_case, end_assignment, end_case, give_feedback
from huying.cases.commands.intake import Text
from huying.cases.commands.notices import tell_citizen, tell_unit
from huying.cases.commands.proposals import propose_by_count
from huying.cases.commands.registry import Input, Take, action
from huying.cases.commands.time_limits import GIVEN
from huying.cases.models import Application, Assignment, CaseSubject, Reply
from huying.cases.queries.time_limits import beside_source
from huying.core.extension import ExtensionAsk, judge_both, judge_days, judge_extension
from huying.core.routing import is_forbidden
from huying.core.verdict import Refused
from huying.people.models import Unit
from huying.people.units import find_unit, superior_of
from huying.policy.model import DecidedRule, ExtensionRule

Decide = Callable[[Take, Application, "DecideInput"], "Refused | Mapping[str, Any] | None"]
Decline = Callable[[Take, Application, "RejectInput"], "Refused | Mapping[str, Any] | None"]
APPROVED: dict[str, Decide] = {}
REJECTED: dict[str, Decline] = {}


def approves(type_: str) -> Callable[[Decide], Decide]:
    """Register what approving an application of that type does."""

    def register(run: Decide) -> Decide:
        APPROVED[type_] = run
        return run

    return register


def rejects(type_: str) -> Callable[[Decline], Decline]:
    """Register what rejecting an application of that type does, where it does more than leave all as it was."""

    def register(run: Decline) -> Decline:
        REJECTED[type_] = run
        return run

    return register


def apply_for(
    take: Take, type_: str, *, reason: str, rule: DecidedRule, late: bool = False, limit: str = "decide", **data: Any
) -> Refused | Mapping[str, Any]:
    """File an application. Nothing moves before it is decided; silence is never consent (decision A-13).

    `rule` says who decides; `limit` is the name of the limit that the decision has.
    """
    decider, roles = _decider(take, rule)
    if Application.objects.filter(case=take.case, type=type_, state="pending", assignment=take.assignment).exists():
        return Refused("already_done", "同类申请正在等待决定，不能重复提出。", take.rule)
    application = Application.objects.create(
        case=take.case, assignment=take.assignment, type=type_, by_unit=take.actor.unit, by=take.actor.id,
        decider=decider, decider_role=" ".join(roles), reason=reason, late=late,
        data={name: value for name, value in data.items() if value}, at=take.now,
    )  # fmt: skip
    time_limits.start_named(take.case, limit, at=take.now, event="application", application=application)
    take.made = application
    return {"application": application.pk, "type": type_}


def _decider(take: Take, rule: DecidedRule) -> tuple[Unit, tuple[str, ...]]:
    """The unit that decides and its roles that may."""
    unit = take.actor.unit
    match rule.decider:
        case "unit":
            return find_unit(take.platform, rule.decider_unit), rule.decider_roles
        case "leader" if take.assignment is not None:
            return take.assignment.unit, ("leader",)
        case "superior" if unit is not None:
            return _above(take, unit), rule.decider_roles
        case _:
            return find_unit(take.platform, take.policy.info.competent_unit), rule.decider_roles


def _above(take: Take, unit: Unit) -> Unit:
    """The level above. A date that a centre further up set is only moved by that centre (decision Z-7)."""
    above = superior_of(unit)
    while is_forbidden(above.left, take.forbidden) and superior_of(above).pk != above.pk:
        above = superior_of(above)  # the level above is itself complained about: the next one decides
    if take.policy.flow.hop_keeps_clock and take.action.id == "case.request_extension" and above.kind == "centre":
        handed = take.case.assignments.filter(role="lead", round=take.case.round, unit=above).exists()
        return superior_of(above) if handed else above
    return above


class DecideInput(Input):
    opinion: Text = Field(title="意见")
    unit: str = Field(default="", max_length=200, title="交由单位")
    co: tuple[str, ...] = Field(default=(), title="协办单位")
    workdays: int | None = Field(default=None, ge=1, le=366, title="工作日数")
    source_due: date | None = Field(
        default=None, title="来源平台同意的新期限", description="来源平台也定了期限的，先取得它的同意再填写。"
    )


@action(
    "application.approve", "同意申请", parties="dispatcher leader executive", takes=DecideInput, on="application",
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
    unit: str = Field(default="", max_length=200, title="交由单位")


@action(
    "application.reject", "不同意申请", parties="dispatcher leader executive", takes=RejectInput, on="application",
    held_by="decider", target_states=("pending",), unit_fields=("unit",),
)  # fmt: skip
def reject(take: Take, given: RejectInput) -> Refused | Mapping[str, Any]:
    """The application is refused: mostly the case stays with the unit and nothing moves."""
    application = take.target
    assert isinstance(application, Application)
    _settle(take, application, "rejected", given.opinion)
    effect = REJECTED[application.type](take, application, given) if application.type in REJECTED else None
    if isinstance(effect, Refused):
        return effect
    if application.type in ("return", "transfer_up"):
        rejected = take.case.applications.filter(type__in=("return", "transfer_up"), state="rejected").count()
        propose_by_count(take, "rejected_returns", rejected)
    return {"application": application.pk, "type": application.type, **(effect or {})}


def _settle(take: Take, application: Application, state: str, opinion: str) -> None:
    application.state, application.opinion = state, opinion
    application.decided_by, application.decided_at = take.actor.id, take.now
    application.save(update_fields=["state", "opinion", "decided_by", "decided_at"])
    time_limits.end(application.limits.all(), at=take.now)
    if application.by_unit is not None:
        tell_unit(take.case, application.by_unit, "decided", at=take.now, type=application.type, decision=state)
    else:
        tell_citizen(take.case, "decided", at=take.now, type=application.type, decision=state)


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
        if take.case.assignments.filter(unit=units[0], state__in=("dispatched", "handling", "submitted")).exists():
            return Refused("invalid:unit", f"“{units[0].name}”已经在办理这件诉求。", take.rule)
        assignments.give(take, units[0], "co", cause=assignment.cause)
    time_limits.refresh(take.case, at=take.now)
    returns = Application.objects.filter(case=take.case, type="return", state="approved").count()
    propose_by_count(take, "returns", returns)
    return {"unit": given.unit}


@approves("transfer_up")
def _approve_transfer(take: Take, application: Application, given: DecideInput) -> Refused | Mapping[str, Any]:
    """转请: to the unit named, with co-units; else the decider's own unit takes the lead.

    What a unit below carried out for the one that is responsible comes back to that one.
    """
    assignment = application.assignment
    assert assignment is not None and application.by_unit is not None
    if application.data.get("ground") == "recusal":
        _recuse(take, application.by_unit)
    if assignment.unit_id != application.by_unit_id:
        return _take_back(take, assignment, given)
    units = assignments.choose_units(take, given.unit or application.decider.path, given.co)
    if isinstance(units, Refused):
        return _as_unit(units)
    refused = assignments.judge_days(take, given.workdays, "workdays") or judge_reach(take, units, "unit")
    if refused:
        return refused
    if units[0].pk == assignment.unit_id:
        return Refused("invalid:unit", "不能再交给提出转请的单位；不同意转请的，请选择不同意。", take.rule)
    end_assignment(take, assignment, "transferred")
    if assignment.role == "lead":
        _move_lead(take, assignment, units, given.workdays)
    elif given.unit:
        assignments.give(take, units[0], "co", cause=assignment.cause)
    time_limits.refresh(take.case, at=take.now)
    moves = Application.objects.filter(case=take.case, type="transfer_up", state="approved").count()
    propose_by_count(take, "transfers", moves)
    return {"unit": units[0].path}


def _recuse(take: Take, unit: Unit) -> None:
    """A unit that must keep out keeps out for good, with every unit below it."""
    CaseSubject.objects.get_or_create(
        case=take.case, unit=unit, defaults={"unit_left": unit.left, "unit_right": unit.right, "cause": "recused"}
    )
    take.__dict__.pop("forbidden", None)


def _take_back(take: Take, assignment: Assignment, given: DecideInput) -> Refused | Mapping[str, Any]:
    """The concrete handling unit gives the task back to the unit that is responsible, or to another one below it."""
    unit = take.unit(given.unit, "unit", handles=True) if given.unit else None
    if isinstance(unit, Refused):
        return unit
    if unit is not None and not assignment.unit.holds(unit):
        return Refused("invalid:unit", f"“{unit.name}”不是本单位下属的具体承办单位。", take.policy.delegate)
    own = unit is None or unit.pk == assignment.unit_id
    assignment.delegate, assignment.delegate_left = (None, None) if own or unit is None else (unit, unit.left)
    assignment.save(update_fields=["delegate", "delegate_left"])
    return {"unit": (unit or assignment.unit).path}


@approves("refusal")
def _approve_refusal(take: Take, application: Application, given: DecideInput) -> Mapping[str, Any]:
    """不予受理: the citizen is told the ground and why."""
    ground = str(application.data["ground"])
    rule = next((one for one in take.policy.refusal_grounds if one.key == ground), None)
    take.case.ground, take.case.ground_note = ground, given.opinion
    take.case.save(update_fields=["ground", "ground_note"])
    end_case(take, "refused")
    basis = take.policy.quote(rule.cite) if rule else ""
    tell_citizen(
        take.case, "refused", at=take.now, ground=ground, basis=basis, other_unit=rule.to if rule else "",
        note=given.opinion,
    )  # fmt: skip
    return {"ground": ground}


@rejects("refusal")
def _reject_refusal(take: Take, application: Application, given: RejectInput) -> Refused | Mapping[str, Any]:
    """In scope after all: the decider's unit takes the lead, unless it sends the case back or on."""
    return _take_over(take, application, given.unit)


@approves("closure")
def _approve_closure(take: Take, application: Application, given: DecideInput) -> Mapping[str, Any]:
    """办结: what the unit wrote becomes the reply to the citizen."""
    assignment = application.assignment
    assert assignment is not None and application.by_unit is not None
    outcome = str(application.data["outcome"])
    row = Reply.objects.create(
        case=take.case, unit=application.by_unit, round=take.case.round, content=application.reason, outcome=outcome,
        state="passed", at=take.now, by=application.by, checked_at=take.now, checked_by=take.actor.id,
        check_note=given.opinion,
    )  # fmt: skip
    time_limits.end_named(assignment, "handle", "immediate", at=take.now)
    take.case.outcome = outcome
    take.case.save(update_fields=["outcome"])
    for co in take.case.assignments.filter(role="co", state__in=("dispatched", "handling")):
        end_assignment(take, co, "cancelled")
    end_assignment(take, assignment, "submitted")
    give_feedback(take, row)
    return {"reply": row.pk}


@rejects("closure")
def _reject_closure(take: Take, application: Application, given: RejectInput) -> Refused | Mapping[str, Any]:
    """Not done: as the regulation says the level above takes over with the same date, or the unit begins anew."""
    rule, assignment = take.policy.closure, application.assignment
    assert rule is not None and assignment is not None
    if rule.rejected == "taken_over":
        return _take_over(take, application, given.unit)
    take.case.round += 1
    take.case.save(update_fields=["round"])
    end_assignment(take, assignment, "done")
    assignments.assign(take, assignment.unit, cause="check_failed", note=given.opinion)
    return {"round": take.case.round}


def _take_over(take: Take, application: Application, path: str) -> Refused | Mapping[str, Any]:
    """The decider's unit leads from here (or the one named); the unit that asked is told and out of it."""
    assignment = application.assignment
    assert assignment is not None
    if path and path in (assignment.unit.path, *assignment.unit.aliases):
        return {"unit": path}
    units = assignments.choose_units(take, path or application.decider.path, ())
    if isinstance(units, Refused):
        return _as_unit(units)
    refused = judge_reach(take, units, "unit")
    if refused:
        return refused
    end_assignment(take, assignment, "taken_over")
    _move_lead(take, assignment, units, None)
    time_limits.refresh(take.case, at=take.now)
    return {"unit": units[0].path}


@approves("complex")
def _approve_complex(take: Take, application: Application, given: DecideInput) -> Mapping[str, Any]:
    """较为复杂: the longer limit, from the same day zero."""
    take.case.complexity = "complex"
    take.case.save(update_fields=["complexity"])
    time_limits.rechoose(take.case, at=take.now)
    return {"complexity": "complex"}


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
    rule = extension_rule(take)
    limit = time_limits.handle_limit(take.case)
    if rule is None or limit is None:
        return Refused("wrong_state", "这件诉求没有可以延长的办理期限。", rule)
    days = given.workdays or int(application.data["workdays"])
    moved = judge_days(extension_ask(take, days), rule, take.calendar)
    if isinstance(moved, Refused):
        return moved
    source = beside_source(take.case)
    if given.source_due is not None and (source is None or given.source_due <= (take.case.source_due_on or date.min)):
        return Refused("invalid:source_due", "只有来源平台同意延后的，才填写它的新期限。", rule)
    source_due_on = given.source_due or (take.case.source_due_on if source else None)
    due_on = judge_both(limit.due_on, moved, source_due_on, rule)
    if isinstance(due_on, Refused):
        return due_on
    if given.source_due is not None:
        take.case.source_due_on = given.source_due
        take.case.save(update_fields=["source_due_on"])
    step = {
        "event": "extension",
        "rule": f"extensions.{rule.key}",
        "days": days,
        "application": application.pk,
    }
    time_limits.move(limit, moved.due_on, at=take.now, step=step, provisional=moved.provisional)
    if source is not None and due_on < moved.due_on:
        earlier = {"event": "source", "rule": f"source_limits.{source.key}", "no_later_than": due_on.isoformat()}
        time_limits.move(limit, due_on, at=take.now, step=earlier, provisional=moved.provisional)
    time_limits.refresh(take.case, at=take.now)
    tell_citizen(
        take.case, "extension_granted", at=take.now, due_on=due_on,
        progress=str(application.data.get("progress", "")), workdays=days,
    )  # fmt: skip
    return {"workdays": days, "due_on": due_on}


def extension_rule(take: Take) -> ExtensionRule | None:
    """The extension that this case may get, with the cap that its date has."""
    rule, limit = take.policy.extension_rule(take.facts()), time_limits.handle_limit(take.case)
    if rule is None or limit is None or not rule.caps_defaults_only:
        return rule
    by_default = limit.rule.startswith("time_limits.") and limit.rule not in GIVEN
    return rule if by_default else rule.model_copy(update={"max_working_days": None})


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
    rule = extension_rule(take)
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
