"""Taking an action: authorise, lock, decide, record, journal, in one transaction and one order of refusal.

visible (`not_found`) → known (`not_enabled`) → role and unit (`not_permitted`) → `recusal` → own application
(`not_my_decision`) → state (`wrong_state`) → fields (`missing:`, `invalid:`) → conditions and limits.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Model, Q, QuerySet
from pydantic import ValidationError

from huying.base.text import is_storable
from huying.cases import journal
from huying.cases.access import is_centre_for, oversees, visible_cases
from huying.cases.commands import clock
from huying.cases.commands.assignments import take_up
from huying.cases.commands.exchange import queue_upstream
from huying.cases.commands.registry import ACTIONS, Action, Files, NoFiles, Take
from huying.cases.models import (
    Application,
    Assignment,
    Case,
    Clue,
    Contact,
    Reply,
    Report,
    Supervision,
)
from huying.cases.models.handling import ACTIVE_ASSIGNMENT
from huying.cases.queries.time_limits import lead_assignment
from huying.core.lifecycle import ASSIGNMENT_STATES, CASE_STATES, judge_state
from huying.core.routing import judge_recusal
from huying.core.verdict import Refused
from huying.people.actors import Actor
from huying.people.units import UnknownUnit, find_unit, superior_of

TARGET_STATES = {
    "pending": "待决定", "approved": "已同意", "rejected": "不同意", "lapsed": "已失效", "proposed": "待发起",
    "open": "督办中", "answered": "已反馈", "closed": "已销号", "transferred": "已移交", "concluded": "已处理",
    "submitted": "已呈报", "instructed": "已批示", "unit_review": "单位审核", "checking": "质检中", "passed": "已通过",
    "failed": "未通过",
}  # fmt: skip


@dataclass(frozen=True)
class Done:
    """An action that was taken: the case as it is now, what the command made, and what only the caller may know.

    `case` is None for an action on the platform that makes no case.
    """

    case: Case
    made: Model | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


NOT_FOUND = Refused("not_found", "没有找到这件诉求，请核对编号。")


def perform(
    action_id: str,
    *,
    actor: Actor,
    now: datetime,
    case: Case | int | None = None,
    target: Model | None = None,
    data: Mapping[str, Any] | None = None,
    version: int | None = None,
    files: Files | None = None,
) -> Done | Refused:
    """Take the action `action_id` as `actor` at `now` on `case` (or on `target`, an application or the like).

    `version` is the version of the case that the actor decided on; a case changed since is refused `stale`.
    A refused action changes nothing.
    """
    action = ACTIONS.get(action_id)
    if action is None:
        key = case.pk if isinstance(case, Case) else case
        if key is not None and not visible_cases(actor, key).exists():
            return NOT_FOUND
        return Refused("not_enabled", f"没有“{action_id}”这项操作。")
    try:
        with transaction.atomic():
            outcome = _take(action, actor, now, case, target, dict(data or {}), version, files or NoFiles())
            if isinstance(outcome, Refused):
                transaction.set_rollback(True)
            return outcome
    except IntegrityError as error:
        return _lost_race(error)


def _take(
    action: Action,
    actor: Actor,
    now: datetime,
    case: Case | int | None,
    target: Model | None,
    data: dict[str, Any],
    version: int | None,
    files: Files,
) -> Done | Refused:
    take = Take(platform=actor.platform, actor=actor, now=now, action=action, rule=None, files=files)  # type: ignore[arg-type]
    before = ""
    if action.on != "platform":
        locked = _lock(actor, case)
        if locked is None:
            return NOT_FOUND
        take.case, before = locked, locked.state
        clock.catch_up(locked, now)
    refused = authorise(take, target) or _judge_units(take, data) or _judge_own(take)
    refused = refused or judge_states(take)
    if refused:
        return refused
    if version is not None and take.case is not None and version != take.case.version:
        return Refused("stale", "这件诉求刚刚被别人处理过，请刷新后再试。")
    given = parse(action, data, action.also_requires(take) if action.also_requires else ())
    if isinstance(given, Refused):
        return given
    if take.takes_up:
        take_up(take)
    result = action.run(take, given)
    if isinstance(result, Refused):
        return result
    entry = {"actor": actor, "at": now, "rule": take.rule.key, "article": take.rule.cite, **dict(result or {})}
    if take.case is None:
        journal.record_for_platform(take.platform, action.id, **entry)
    else:
        take.case.version += 1
        take.case.save(update_fields=["version"])
        journal.record(take.case, action.id, **entry)
        queue_upstream([take.case], at=now, before=before)
    return Done(take.case, take.made, take.extra)


def _lock(actor: Actor, case: Case | int | None) -> Case | None:
    if case is None:
        return None
    key = case.pk if isinstance(case, Case) else case
    # Only what the actor may see is locked, so that a stranger cannot hold up those who work on the case.
    found = visible_cases(actor, key).select_for_update(of=("self",)).first()
    if found is not None:
        found.platform = actor.platform
    return found


def authorise(take: Take, target: Model | None) -> Refused | None:
    """Known, then role and unit. Fills in the rule, the actor's assignment and the target."""
    rule = take.policy.action_rules.get(take.action.id)
    if rule is None or (rule.when.conditions and take.case is not None and not rule.when.holds(take.facts())):
        return Refused("not_enabled", f"本平台的规定没有这种情形下的“{take.action.label}”。", rule)
    take.rule = rule
    allowed = rule.roles or take.action.parties
    forbidden = Refused("not_permitted", f"您的身份不能进行“{take.action.label}”。", rule)
    if take.actor.role not in allowed:
        return forbidden
    if rule.levels and take.actor.unit is not None and take.actor.unit.kind not in rule.levels:
        return forbidden
    if take.action.on == "platform":
        return None
    take.target = _target(take, target)
    if take.action.on not in ("case", "reply") and take.target is None:
        return Refused("wrong_state", f"没有可以进行“{take.action.label}”的事项。", rule)
    if take.actor.role == "system":
        return None
    return None if _holds(take) else forbidden


def _target(take: Take, target: Model | None) -> Model | None:
    """The named target if it belongs to the case, else the one of its kind that may be meant.

    Meant is one in a state in which the action may be taken, of the actor's own unit first where a unit must answer.
    """
    found: QuerySet[Any]
    match take.action.on:
        case "application":
            found = Application.objects.filter(case=take.case).order_by("-pk")
        case "supervision":
            found = Supervision.objects.filter(case=take.case).order_by(F("opened_at").desc(nulls_last=True), "-pk")
        case "clue":
            found = Clue.objects.filter(case=take.case).order_by(F("sent_at").desc(nulls_last=True), "-pk")
        case "report":
            found = Report.objects.filter(cases=take.case).order_by("-pk")
        case _:
            return None
    if target is not None:
        return found.model._default_manager.filter(pk=target.pk).first() if _belongs(target, take.case) else None
    fitting = found.filter(state__in=take.action.target_states) if take.action.target_states else found
    if take.action.held_by == "target":
        mine = {"unit": take.actor.unit}
        return fitting.filter(**mine).first() or found.filter(**mine).first() or found.first()
    return fitting.first() or found.first()


def _belongs(target: Model, case: Case) -> bool:
    if isinstance(target, Report):
        return target.cases.filter(pk=case.pk).exists()
    return getattr(target, "case_id", None) == case.pk


def _holds(take: Take) -> bool:
    """Whether the actor has the relation to the case that the action asks for."""
    actor, unit = take.actor, take.actor.unit
    match take.action.held_by:
        case "anyone":
            return True
        case "citizen":
            return actor.is_citizen or (actor.role == "channel" and actor.channel == take.case.channel)
        case "centre":
            return is_centre_for(actor, take.case)
        case "checker":
            return _checks(take)
        case "top":
            return unit is not None and unit.path == take.policy.info.competent_unit
        case "dispatcher":
            return is_centre_for(actor, take.case) or _leads(take)
        case "overseer":
            return oversees(actor, take.case)
        case "closer":
            return _closes(take)
        case "decider":
            target = take.target
            return (
                isinstance(target, Application)
                and unit is not None
                and target.decider_id == unit.pk
                and actor.role in target.decider_role.split()
            )
        case "target":
            return isinstance(take.target, Supervision) and unit is not None and take.target.unit_id == unit.pk
        case _:
            take.assignment = _assignment_of(take)
            if take.assignment is None:
                return False
            return take.action.held_by == "assignee" or take.action.held_by == take.assignment.role


def _checks(take: Take) -> bool:
    """Whether the actor sits in the nearest centre above the unit that leads: a county's own checks its units (H-8)."""
    lead = lead_assignment(take.case)
    if lead is None or take.actor.unit is None:
        return False
    above = superior_of(lead.unit)
    while above.kind != "centre" and superior_of(above).pk != above.pk:
        above = superior_of(above)
    return take.actor.unit.pk == above.pk


def _leads(take: Take) -> bool:
    """Whether the actor's unit leads now."""
    active = take.case.assignments.filter(role="lead", state__in=ACTIVE_ASSIGNMENT)
    return take.actor.unit is not None and active.filter(unit=take.actor.unit).exists()


def _closes(take: Take) -> bool:
    """Whether the regulation lets this actor close: by role, at a centre or as administrator of the unit that led."""
    rule, actor = take.policy.closing, take.actor
    archives = take.action.id == "case.archive" and actor.role in ("dispatcher", "unit_admin")
    if archives and is_centre_for(actor, take.case):
        return True
    letters = take.case.limits.filter(name="letter", assignment__round=take.case.round)
    settles = rule.after_letter_roles and letters.exists()
    if actor.role not in (rule.after_letter_roles if settles else rule.roles):
        return False
    if is_centre_for(actor, take.case):
        return True
    lead = lead_assignment(take.case)
    return bool(rule.lead_unit and actor.role == "unit_admin" and lead and actor.unit and lead.unit_id == actor.unit.pk)


def _assignment_of(take: Take) -> Assignment | None:
    """The assignment of the actor's unit, or the one handed down to it: active before ended, later before earlier."""
    if take.actor.unit is None:
        return None
    if take.of_unit is None:
        of_unit = Q(unit=take.actor.unit) | Q(delegate=take.actor.unit)
        take.of_unit = list(Assignment.objects.filter(of_unit, case=take.case).select_related("unit").order_by("-pk"))
    return next((one for one in take.of_unit if one.state in ACTIVE_ASSIGNMENT), next(iter(take.of_unit), None))


def _judge_units(take: Take, data: Mapping[str, Any]) -> Refused | None:
    """A unit that must keep out is refused before the state is looked at."""
    if take.action.on == "platform":
        return None
    for name in take.action.unit_fields:
        paths = data.get(name)
        for path in paths if isinstance(paths, list | tuple) else [paths]:
            if not isinstance(path, str) or not path:
                continue
            try:
                unit = find_unit(take.platform, path)
            except UnknownUnit:
                continue
            refused = judge_recusal(unit.left, unit.name, take.forbidden, take.policy)
            if refused:
                return refused
    return None


def _judge_own(take: Take) -> Refused | None:
    """Nobody decides on their own application, and nobody who handled a case evaluates it."""
    if isinstance(take.target, Application) and take.target.by == take.actor.id:
        return Refused("not_my_decision", "不能决定自己提出的申请，请由其他人员决定。", take.rule)
    if take.action.on == "reply" and Reply.objects.filter(
        case=take.case, state="unit_review", by=take.actor.id
    ).exists():  # fmt: skip
        return Refused("not_my_decision", "不能审核自己起草的答复，请由单位领导审核。", take.rule)
    if take.action.id in ("case.call_back", "check.pass", "check.fail"):
        handled = (
            Reply.objects.filter(case=take.case, by=take.actor.id).exists()
            or Contact.objects.filter(case=take.case, by=take.actor.id).exists()
        )
        if handled:
            return Refused("not_permitted", "承办过这件诉求的人员不能审核或者回访。", take.rule)
    return None


def judge_states(take: Take) -> Refused | None:
    """The state of the case, then of the assignment, then of the target."""
    action = take.action
    if action.on == "platform":
        return None
    allowed_in = action.case_states + (action.also_in(take) if action.also_in else ())
    refused = judge_state(take.case.state, allowed_in, CASE_STATES)
    if refused is None and take.assignment is not None:
        state, allowed = take.assignment.state, action.assignment_states
        if state == "dispatched" and "handling" in allowed and "dispatched" not in allowed:
            take.takes_up = not take.policy.claim.required
            state = "handling" if take.takes_up else state
        refused = judge_state(state, allowed, ASSIGNMENT_STATES)
    if refused is None and take.target is not None:
        refused = judge_state(str(getattr(take.target, "state", "")), action.target_states, TARGET_STATES)
    if refused is not None:
        return Refused(refused.code, refused.reason, take.rule)
    return action.ready(take) if action.ready else None


def parse(action: Action, data: Mapping[str, Any], required: Collection[str] = ()) -> Any:
    """The typed input, or the first field that is missing, or else the first that is invalid.

    `required` are fields that only this regulation, or this party, must fill in.
    """
    labels = {name: info.title or name for name, info in action.input.model_fields.items()}
    cleaned = {name: value for name, value in data.items() if value is not None and not _is_blank(value)}
    for name, info in action.input.model_fields.items():
        if (info.is_required() or name in required) and (name not in cleaned or cleaned[name] in ([], {}, ())):
            return Refused(f"missing:{name}", f"请填写“{labels[name]}”。")
    for name, value in cleaned.items():
        if not _is_storable(value):
            return Refused(f"invalid:{name}", f"“{labels.get(name, name)}”中有无法保存的字符，请重新输入。")
    try:
        return action.input.model_validate(cleaned)
    except ValidationError as error:
        errors = error.errors()
        missing = [item for item in errors if item["type"] == "missing"]
        item = (missing or errors)[0]
        name = ".".join(str(part) for part in item["loc"][:1])
        code = "missing" if missing else "invalid"
        if missing and len(item["loc"]) > 1:
            name = str(item["loc"][0])
        verb = "请填写" if missing else "请检查"
        return Refused(f"{code}:{name}", f"{verb}“{labels.get(name, name)}”：{_words(item)}。")


def _is_storable(value: Any) -> bool:
    """Whether every text in `value` can be kept."""
    match value:
        case str():
            return is_storable(value)
        case Mapping():
            return all(_is_storable(one) for pair in value.items() for one in pair)
        case list() | tuple():
            return all(map(_is_storable, value))
        case _:
            return True


def _is_blank(value: Any) -> bool:
    return isinstance(value, str) and not value.strip()


def _words(item: Any) -> str:
    """A validation message in plain words; the field's own message where it has one."""
    context = item.get("ctx") or {}
    match item["type"]:
        case "value_error":
            return str(context.get("error", item["msg"]))
        case "literal_error" | "enum":
            return "不在可选的范围内"
        case "extra_forbidden":
            return "没有这一项"
        case "string_too_long":
            return f"最多{context['max_length']}个字"
        case "greater_than_equal":
            return f"不能小于{context['ge']}"
        case "less_than_equal":
            return f"不能大于{context['le']}"
        case _:
            return "格式不对"


def _lost_race(error: IntegrityError) -> Refused:
    """Two people pressed at once: the constraint let one through, the other is told."""
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") or ""
    if name in {"one_case_per_external_number", "one_case_per_key"}:
        return Refused("already_done", "这件诉求已经提交过了，没有重复登记。")
    if name.startswith("one_"):
        return Refused("already_done", "这一步已经有人办过了，请刷新后查看。")
    raise error
