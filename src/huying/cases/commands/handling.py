"""联系、核查、进展、延期、挂账、协办反馈、答复: what the handling unit does."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from huying.base.clock import LEGAL_ZONE
from huying.cases.commands import time_limits
from huying.cases.commands.applications import apply_for, extension_rule, judge_extension_request
from huying.cases.commands.documents import next_document_no
from huying.cases.commands.endings import end_assignment, give_feedback
from huying.cases.commands.intake import OUTCOMES, Text
from huying.cases.commands.notices import tell_citizen, tell_unit
from huying.cases.commands.proposals import propose_by_count, propose_when
from huying.cases.commands.registry import Input, Take, action
from huying.cases.models import Assignment, Case, Contact, OfficialLetter, Reply, Verification
from huying.core.reply import ReplyFacts, adoption_of, judge_reply, state_after_reply
from huying.core.verdict import Refused

IN_HAND = {"case_states": ("handling",), "assignment_states": ("handling",)}


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


def _progress(take: Take) -> tuple[str, ...]:
    """What the citizen is told with the new date."""
    rule = extension_rule(take)
    return ("progress",) if rule is not None and rule.progress_required else ()


@action(
    "case.request_extension", "申请延期", parties="handler", takes=ExtensionInput, held_by="lead",
    also_requires=_progress, **IN_HAND,
)  # fmt: skip
def request_extension(take: Take, given: ExtensionInput) -> Refused | Mapping[str, Any]:
    """A later date is asked for; the limit moves only when it is granted."""
    rule = extension_rule(take)
    refused = judge_extension_request(take, given.workdays)
    if refused or rule is None:
        return refused or Refused("not_enabled", "本办理方式没有延期的规定。", take.rule)
    asked = apply_for(
        take, "extension", reason=given.reason, rule=rule, workdays=given.workdays, progress=given.progress
    )
    if not isinstance(asked, Refused):
        limit = time_limits.handle_limit(take.case)
        if limit is not None and limit.due_on == take.today:
            propose_when(take.case, "late_extension", at=take.now)
        propose_by_count(take, "extensions", take.case.applications.filter(type="extension").count())
    return asked


class ComplexInput(Input):
    reason: Text = Field(title="认定理由")


@action("case.request_complex", "申请认定复杂件", parties="handler", takes=ComplexInput, held_by="lead", **IN_HAND)
def request_complex(take: Take, given: ComplexInput) -> Refused | Mapping[str, Any]:
    """More complex than it looked: the longer limit, for the leader to approve before the shorter one ends."""
    rule, limit = take.policy.complexity, time_limits.handle_limit(take.case)
    assert rule is not None
    if take.case.complexity == "complex":
        return Refused("already_done", "这件诉求已经认定为复杂件。", rule)
    if limit is not None and take.now >= limit.due_at:
        return Refused("too_late", "办理期限已过，不能再申请认定复杂件。", rule)
    return apply_for(take, "complex", reason=given.reason, rule=rule)


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
        take, "ledger", reason=given.plan, rule=take.policy.ledger, target_date=given.target_date.isoformat()
    )


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


TOLD = "随答复一并告知诉求人。"


class ReplyInput(Input):
    content: Text = Field(title="答复内容")
    outcome: OUTCOMES = Field(title="办理结果")
    adoption: Literal["", "adopted", "partly", "not_adopted"] = Field(default="", title="采纳情况（意见建议）")
    facts: str = Field(default="", max_length=5000, title="查明的事实", description=TOLD)
    basis: str = Field(default="", max_length=2000, title="依据", description=TOLD)
    measures: str = Field(default="", max_length=5000, title="解决措施", description=TOLD)
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
    rule = take.policy.reply_rule(take.facts(assignment))
    refused = judge_reply(facts, take.policy.contact, rule) or take.store(given.attachments)
    if refused:
        return refused
    reply_state, case_state = state_after_reply(rule)
    row = Reply.objects.create(
        case=case, unit=assignment.unit, round=case.round, content=given.content, outcome=given.outcome,
        adoption=adoption_of(case.kind, given.outcome, given.adoption), state=reply_state, at=take.now,
        by=take.actor.id, facts=given.facts, basis=given.basis, measures=given.measures,
    )  # fmt: skip
    assignment.state = "submitted"
    assignment.save(update_fields=["state"])
    if reply_state != "unit_review":  # until then it is still in the unit's hands, on the unit's clock
        end_handling(take, assignment)
    time_limits.drop(assignment.limits.exclude(name__in=("handle", "immediate")), at=take.now)
    assignment.applications.filter(state="pending").exclude(type="exemption").update(
        state="lapsed", decided_at=take.now
    )
    case.state, case.outcome = case_state, given.outcome
    case.save(update_fields=["state", "outcome"])
    _hand_over(take, row)
    return {"reply": row.pk, "outcome": given.outcome}


def end_handling(take: Take, assignment: Assignment) -> None:
    """The unit has answered: its handling limit is met or missed."""
    time_limits.end_named(assignment, "handle", "immediate", at=take.now)


def _hand_over(take: Take, row: Reply) -> None:
    """A reply that left the unit: to the check, with a target for it, or to the citizen."""
    if take.case.state == "feedback":
        give_feedback(take, row)
    elif take.case.state == "checking":
        time_limits.start_named(take.case, "check", at=take.now, event="decision")


class ReviewInput(Input):
    note: str = Field(default="", max_length=2000, title="审核意见")


IN_REVIEW = {"on": "reply", "held_by": "lead", "case_states": ("handling",), "assignment_states": ("submitted",)}


@action("reply.approve", "单位审核同意", parties="leader", takes=ReviewInput, **IN_REVIEW)
def approve(take: Take, given: ReviewInput) -> Refused | Mapping[str, Any]:
    """The unit's leader stands for the reply: on to the check where the regulation wants one, else to the citizen."""
    row = _review(take, given)
    if row is None:
        return Refused("wrong_state", "没有待单位审核的答复。", take.rule)
    assert take.assignment is not None
    rule = take.policy.reply_rule(take.facts(take.assignment))
    row.state, take.case.state = ("checking", "checking") if rule.central_check else ("passed", "feedback")
    row.checked_at = None if rule.central_check else take.now
    row.save()
    take.case.save(update_fields=["state"])
    end_handling(take, take.assignment)
    _hand_over(take, row)
    return {"reply": row.pk}


@action("reply.reject", "单位审核退回", parties="leader", takes=ReviewInput, **IN_REVIEW)
def reject(take: Take, given: ReviewInput) -> Refused | Mapping[str, Any]:
    """Back to the handler in the same round; the unit's clock never stopped."""
    row = _review(take, given)
    if row is None:
        return Refused("wrong_state", "没有待单位审核的答复。", take.rule)
    assert take.assignment is not None
    row.state = "failed"
    row.save()
    take.assignment.state = "handling"
    take.assignment.save(update_fields=["state"])
    time_limits.refresh(take.case, at=take.now)
    return {"reply": row.pk}


def _review(take: Take, given: ReviewInput) -> Reply | None:
    row = take.case.replies.filter(state="unit_review").select_related("unit").order_by("-pk").first()
    if row is not None:
        row.review_note, row.reviewed_at, row.reviewed_by = given.note, take.now, take.actor.id
    return row


class LetterInput(Input):
    content: Text = Field(title="办理情况")


def _letter_due(take: Take) -> Refused | None:
    """Once a round, after as many rounds rated bad as the regulation says."""
    rule = take.policy.letter
    assert rule is not None
    if take.case.letters.filter(round=take.case.round).exists():
        return Refused("already_done", "本轮办理已经函告。", rule)
    if bad_rounds(take.case) < rule.after_bad:
        return Refused("wrong_state", f"经{rule.after_bad}次办理仍为差评的，才需要正式函告。", rule)
    return None


@action(
    "case.official_letter", "正式函告", parties="leader", takes=LetterInput, held_by="lead",
    case_states=("feedback", "closed"), ready=_letter_due,
)  # fmt: skip
def official_letter(take: Take, given: LetterInput) -> Mapping[str, Any]:
    """After repeated bad ratings the unit reports in writing what it did; the centre then settles the case."""
    case, assignment = take.case, take.assignment
    assert assignment is not None
    row = OfficialLetter.objects.create(
        case=case, unit=assignment.unit, round=case.round, document_no=next_document_no(take, "official_letter"),
        content=given.content, at=take.now, by=take.actor.id,
    )  # fmt: skip
    time_limits.end(case.limits.filter(name="letter"), at=take.now)
    tell_unit(case, case.holder, "decided", at=take.now, type="official_letter", decision="received")
    return {"letter": row.pk}


def bad_rounds(case: Case) -> int:
    """How many rounds were rated bad."""
    return case.evaluations.filter(bad=True).values("round").distinct().count()
