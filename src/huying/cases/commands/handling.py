"""联系、核查、进展、延期、挂账、协办反馈、答复: what the handling unit does."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from huying.base.clock import LEGAL_ZONE
from huying.cases.commands import time_limits
from huying.cases.commands.applications import apply_for, judge_extension_request
from huying.cases.commands.endings import end_assignment
from huying.cases.commands.intake import Text
from huying.cases.commands.notices import tell_citizen
from huying.cases.commands.registry import Input, Take, action
from huying.cases.models import Contact, Reply, Verification
from huying.core.reply import ReplyFacts, judge_reply, state_after_reply
from huying.core.verdict import Refused

IN_HAND = {"case_states": ("handling",), "assignment_states": ("handling",)}
OUTCOMES = Literal["solved", "partly", "explained", "planned", "unsolvable"]


class ContactInput(Input):
    method: Literal[
        "phone", "visit", "site", "sms", "wechat", "email", "letter", "online", "in_person", "video", "other"
    ] = Field(title="联系方式")
    result: Literal["reached", "unreachable", "not_needed"] = Field(title="联系结果")
    note: Text = Field(title="联系情况")
    at: datetime | None = Field(default=None, title="联系时间")


@action("case.contact", "联系诉求人", parties="handler", takes=ContactInput, held_by="assignee", **IN_HAND)
def contact(take: Take, given: ContactInput) -> Refused | Mapping[str, Any]:
    """A record that the requester was contacted, or that it was tried."""
    assert take.assignment is not None
    at = given.at or take.now
    if at.tzinfo is None:
        at = at.replace(tzinfo=LEGAL_ZONE)
    if at > take.now:
        return Refused("invalid:at", "联系时间不能晚于现在。", take.rule)
    row = Contact.objects.create(
        case=take.case, unit=take.assignment.unit, round=take.case.round, method=given.method, result=given.result,
        note=given.note, at=at, by=take.actor.id,
    )  # fmt: skip
    time_limits.end_named(take.assignment, "contact", at=take.now)
    return {"contact": row.pk, "result": given.result}


# JSON and YAML write the first of the three as they write a truth value.
Finding = Annotated[
    Literal["true", "partly", "untrue"], BeforeValidator(lambda given: "true" if given is True else given)
]


class VerifyInput(Input):
    finding: Finding = Field(title="核查结论")
    note: Text = Field(title="核查情况")
    attachments: tuple[str, ...] = Field(default=(), title="附件")


@action("case.verify", "核查记录", parties="handler", takes=VerifyInput, held_by="assignee", **IN_HAND)
def verify(take: Take, given: VerifyInput) -> Refused | Mapping[str, Any]:
    """What the unit found when it looked."""
    assert take.assignment is not None
    row = Verification.objects.create(
        case=take.case, unit=take.assignment.unit, round=take.case.round, finding=given.finding, note=given.note,
        at=take.now, by=take.actor.id,
    )  # fmt: skip
    return take.store(given.attachments) or {"verification": row.pk, "finding": given.finding}


class ProgressInput(Input):
    content: Text = Field(title="阶段性进展")


@action("case.progress", "阶段性进展", parties="handler", takes=ProgressInput, held_by="assignee", **IN_HAND)
def progress(take: Take, given: ProgressInput) -> Mapping[str, Any]:
    """The citizen is told how far it is."""
    assert take.assignment is not None
    tell_citizen(take.case, "progress", at=take.now, content=given.content, unit=take.assignment.unit.name)
    return {}


class ExtensionInput(Input):
    workdays: int = Field(ge=1, le=9999, title="延长工作日数")
    reason: Text = Field(title="延期理由")
    progress: str = Field(default="", max_length=2000, title="目前进展")


@action("case.request_extension", "申请延期", parties="handler", takes=ExtensionInput, held_by="lead", **IN_HAND)
def request_extension(take: Take, given: ExtensionInput) -> Refused | Mapping[str, Any]:
    """A later date is asked for; the limit moves only when it is granted."""
    assert take.policy.extension is not None
    return judge_extension_request(take, given.workdays) or apply_for(
        take, "extension", reason=given.reason, decider=take.policy.extension.decider, workdays=given.workdays,
        progress=given.progress,
    )  # fmt: skip


class LedgerInput(Input):
    plan: Text = Field(title="解决方案")
    target_date: date = Field(title="计划解决日期")


@action("case.request_ledger", "申请挂账", parties="handler", takes=LedgerInput, held_by="lead", **IN_HAND)
def request_ledger(take: Take, given: LedgerInput) -> Refused | Mapping[str, Any]:
    """Reasonable but not soon solvable: a plan and a date, for the centre to approve."""
    assert take.policy.ledger is not None
    if given.target_date <= take.today:
        return Refused("invalid:target_date", "计划解决日期应当晚于今天。", take.policy.ledger)
    if take.case.ledger:
        return Refused("already_done", "这件诉求已经挂账。", take.policy.ledger)
    return apply_for(
        take, "ledger", reason=given.plan, decider=take.policy.ledger.decider,
        target_date=given.target_date.isoformat(),
    )  # fmt: skip


class CoFeedbackInput(Input):
    content: Text = Field(title="协办意见")


@action("case.co_feedback", "协办反馈", parties="handler", takes=CoFeedbackInput, held_by="co", **IN_HAND)
def co_feedback(take: Take, given: CoFeedbackInput) -> Refused | Mapping[str, Any]:
    """The co-unit's part, handed to the lead."""
    assignment = take.assignment
    assert assignment is not None
    time_limits.end_named(assignment, "co_feedback", "contact", at=take.now)
    assignment.note = f"{assignment.note}\n{given.content}".strip()
    assignment.save(update_fields=["note"])
    end_assignment(take, assignment, "done")
    return {"assignment": assignment.pk}


class ReplyInput(Input):
    content: Text = Field(title="答复内容")
    outcome: OUTCOMES = Field(title="办理结果")
    attachments: tuple[str, ...] = Field(default=(), title="附件")


@action("case.reply", "提交答复", parties="handler", takes=ReplyInput, held_by="lead", **IN_HAND)
def reply(take: Take, given: ReplyInput) -> Refused | Mapping[str, Any]:
    """The unit's answer: to its leader or to the check where the regulation wants that, else to the citizen."""
    assignment, case = take.assignment, take.case
    assert assignment is not None
    open_co = case.assignments.filter(role="co", round=case.round, state__in=("dispatched", "handling")).count()
    facts = ReplyFacts(
        contacted=case.contacts.filter(round=case.round).exists(),
        verified=case.verifications.filter(round=case.round).exists(),
        anonymous=case.anonymous,
        co_units_open=open_co,
    )
    refused = judge_reply(facts, take.policy.contact, take.policy.reply) or take.store(given.attachments)
    if refused:
        return refused
    reply_state, case_state = state_after_reply(take.policy.reply)
    row = Reply.objects.create(
        case=case, unit=assignment.unit, round=case.round, content=given.content, outcome=given.outcome,
        state=reply_state, at=take.now, by=take.actor.id,
    )  # fmt: skip
    assignment.state = "submitted"
    assignment.save(update_fields=["state"])
    time_limits.end_named(assignment, "handle", "immediate", at=take.now)
    time_limits.drop(assignment.limits.exclude(name__in=("handle", "immediate")), at=take.now)
    assignment.applications.filter(state="pending").exclude(type="exemption").update(
        state="lapsed", decided_at=take.now
    )
    case.state, case.outcome = case_state, given.outcome
    case.save(update_fields=["state", "outcome"])
    if case_state == "feedback":
        give_feedback(take, row)
    return {"reply": row.pk, "outcome": given.outcome}


def give_feedback(take: Take, row: Reply) -> None:
    """The reply reaches the citizen; the unit's task is done and the watch over the case ends."""
    take.case.state = "feedback"
    take.case.save(update_fields=["state"])
    take.case.assignments.filter(state="submitted").update(state="done", ended_at=take.now)
    time_limits.end(take.case.limits.filter(name="long_unresolved"), at=take.now)
    if take.case.ledger:
        take.case.ledger = False
        take.case.save(update_fields=["ledger"])
        time_limits.drop(take.case.limits.filter(name="review"), at=take.now)
    tell_citizen(take.case, "replied", at=take.now, reply=row.pk)
