"""评价、回访、重办、核减、研判、办结、归档: what follows the answer."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

from pydantic import Field

from huying.base.clock import end_of_day, local_date
from huying.cases.commands import time_limits
from huying.cases.commands.applications import apply_for
from huying.cases.commands.assignments import assign
from huying.cases.commands.documents import next_document_no
from huying.cases.commands.endings import close_case
from huying.cases.commands.intake import Text
from huying.cases.commands.notices import tell_unit
from huying.cases.commands.proposals import lead_of, propose_when, tell_supervised
from huying.cases.commands.registry import Input, Take, action
from huying.cases.models import Callback, Case, Evaluation, Supervision
from huying.core import callback as core
from huying.core.exemption import ExemptionAsk, judge_exemption
from huying.core.verdict import Refused

Solved = Literal["yes", "partly", "no"]


class EvaluateInput(Input):
    rating: int = Field(ge=1, le=5, title="满意度")
    comment: str = Field(default="", max_length=2000, title="评价内容")
    solved: Solved | None = Field(default=None, title="问题是否解决")


@action(
    "case.evaluate", "评价", parties="citizen", takes=EvaluateInput, held_by="citizen",
    case_states=("feedback", "closed"),
)  # fmt: skip
def evaluate(take: Take, given: EvaluateInput) -> Refused | Mapping[str, Any]:
    """The requester's own rating, once a round; there is no default."""
    case, rule = take.case, take.policy.evaluation
    if case.anonymous:
        return Refused("no_evaluation_due", "匿名诉求不作满意度评价。", rule)
    if case.evaluations.filter(round=case.round).exists():
        return Refused("already_done", "本轮办理已经评价过了。", rule)
    if case.closed_at is not None and take.now >= end_of_day(
        local_date(case.closed_at) + timedelta(days=rule.window_days)
    ):
        return Refused("no_evaluation_due", f"办结已超过{rule.window_days}日，评价已经截止。", rule)
    row = Evaluation.objects.create(
        case=case, round=case.round, source="citizen", rating=given.rating, solved=given.solved or "",
        comment=given.comment, bad=core.is_bad(given.rating, rule.bad_up_to), at=take.now,
    )  # fmt: skip
    time_limits.end(case.limits.filter(name="evaluation"), at=take.now)
    return {"evaluation": row.pk, "rating": given.rating}


class CallBackInput(Input):
    method: Literal["phone", "visit", "site", "survey"] = Field(title="回访方式")
    result: Literal["reached", "unreachable", "declined"] = Field(title="回访结果")
    contacted: bool | None = Field(default=None, title="承办单位是否联系")
    solved: Solved | None = Field(default=None, title="问题是否解决")
    rating: int | None = Field(default=None, ge=1, le=5, title="满意度")
    trust: int | None = Field(default=None, ge=1, le=5, title="信任度")
    comment: str = Field(default="", max_length=2000, title="回访记录")


@action(
    "case.call_back", "回访", parties="caller", takes=CallBackInput, held_by="centre",
    case_states=("feedback", "closed"),
)  # fmt: skip
def call_back(take: Take, given: CallBackInput) -> Refused | Mapping[str, Any]:
    """The requester is asked by a person: contacted, solved, satisfied, trusting."""
    case, rule = take.case, take.policy.callback
    if case.anonymous:
        return Refused("no_evaluation_due", "匿名诉求没有联系方式，不作回访。", rule)
    if is_called_back(take, case) or case.evaluations.filter(round=case.round, source="callback").exists():
        return Refused("already_done", "本轮办理已经完成回访。", rule)
    refused = core.judge_items(given.model_dump(), rule)
    if refused:
        return refused
    row = Callback.objects.create(
        case=case, round=case.round, method=given.method, result=given.result, contacted=given.contacted,
        solved=given.solved or "", rating=given.rating, trust=given.trust, comment=given.comment, at=take.now,
        by=take.actor.id,
    )  # fmt: skip
    bad = given.rating is not None and core.is_bad(given.rating, rule.bad_up_to)
    bad_before = case.evaluations.filter(source="callback", bad=True).exclude(round=case.round).count()
    if given.result == "reached" and given.rating is not None:
        Evaluation.objects.create(
            case=case, round=case.round, source="callback", rating=given.rating, solved=given.solved or "",
            contacted=given.contacted, trust=given.trust, comment=given.comment, bad=bad, at=take.now,
        )  # fmt: skip
        _compare(take, given)
    if case.state == "closed" or not case.assignments.exists():
        if case.state == "feedback":
            close_case(take)
        return {"callback": row.pk, "result": given.result}
    outcome = core.judge_outcome(
        given.result,
        bad,
        bad_before,
        _tries(take),
        rule,
        take.policy.panel.after_bad if take.policy.panel else None,
    )
    _follow(take, outcome)
    return {"callback": row.pk, "result": given.result, "outcome": outcome}


def _tries(take: Take) -> Sequence[Any]:
    times = take.case.callbacks.filter(round=take.case.round, result="unreachable").values_list("at", flat=True)
    return [local_date(at) for at in times]


def is_called_back(take: Take, case: Case) -> bool:
    """Whether the callback of this round is done: reached, declined, or tried often enough."""
    if case.callbacks.filter(round=case.round, result__in=("reached", "declined")).exists():
        return True
    return core.is_fulfilled(_tries(take), take.policy.callback)


def _compare(take: Take, given: CallBackInput) -> None:
    """Where unit and requester contradict each other, a supervision is proposed."""
    reply = take.case.replies.filter(round=take.case.round).order_by("-pk").first()
    reached = take.case.contacts.filter(round=take.case.round, result="reached").exists()
    for what in core.contradictions(
        outcome=reply.outcome if reply else "", solved=given.solved or "", contacted=given.contacted,
        unit_reached=reached,
    ):  # fmt: skip
        propose_when(take.case, what, at=take.now)


def _follow(take: Take, outcome: core.Outcome) -> None:
    match outcome:
        case "close":
            close_case(take)
        case "rework":
            open_round(take, "dissatisfied", "formal_assignment")
        case "panel":
            take.case.awaits_panel = True
            take.case.save(update_fields=["awaits_panel"])
        case _:
            pass


def open_round(take: Take, cause: str, template: str, note: str = "") -> None:
    """A new round at the unit that led the last one."""
    lead = lead_of(take.case)
    assert lead is not None
    take.case.round += 1
    take.case.closed_at = None
    take.case.save(update_fields=["round", "closed_at"])
    time_limits.reopen(take.case.limits.filter(name="long_unresolved"), at=take.now)
    assignment = assign(take, lead, cause=cause, note=note)
    if template == "formal_assignment":
        assignment.document_no = next_document_no(take, template)
        assignment.save(update_fields=["document_no"])
    tell_unit(take.case, lead, template, at=take.now, round=take.case.round, document_no=assignment.document_no)


class ReworkInput(Input):
    reason: Text = Field(title="退回理由")
    ground: str = Field(max_length=60, title="事由")


@action(
    "case.rework", "退回重办", parties="dispatcher supervisor checker", takes=ReworkInput, held_by="centre",
    case_states=("feedback", "closed"),
)  # fmt: skip
def rework(take: Take, given: ReworkInput) -> Refused | Mapping[str, Any]:
    """Back to the unit for another round."""
    if lead_of(take.case) is None:
        return Refused("wrong_state", "这件诉求没有交办过单位，不能退回重办。", take.rule)
    take.case.awaits_panel = False
    take.case.save(update_fields=["awaits_panel"])
    open_round(take, "rework", "rework", f"{given.ground}：{given.reason}")
    # The ground is typed: it goes with the reason to the unit and not into the journal, which nobody can correct.
    return {"round": take.case.round}


class ExemptionInput(Input):
    reason: Text = Field(title="核减理由")
    signed_by: str = Field(max_length=60, title="签字的主要领导")
    sealed: bool = Field(title="已加盖公章")
    attachments: tuple[str, ...] = Field(title="核减说明（附件）")


@action(
    "case.request_exemption", "申请核减", parties="handler", takes=ExemptionInput, held_by="lead",
    case_states=("handling",), assignment_states=("dispatched", "handling"),
)  # fmt: skip
def request_exemption(take: Take, given: ExemptionInput) -> Refused | Mapping[str, Any]:
    """The unit holds the demand unreasonable: a statement signed by its main leader and sealed."""
    rule, assignment = take.policy.exemption, take.assignment
    assert rule is not None and assignment is not None
    until = take.calendar.add_working_days(local_date(assignment.assigned_at), rule.working_days)
    ask = ExemptionAsk(
        bad_rating_stands=assignment.cause == "dissatisfied"
        or take.case.evaluations.filter(bad=True, counted=True).exists(),
        ask_until=end_of_day(until),
        signed_by=given.signed_by,
        sealed=given.sealed,
        now=take.now,
    )
    refused = judge_exemption(ask, rule) or take.store(given.attachments, "statement")
    if refused:
        return refused
    return apply_for(take, "exemption", reason=given.reason, decider=rule.decider, signed=True, sealed=True)


class PanelInput(Input):
    conclusion: Literal["exempt", "unsatisfied"] = Field(title="研判结论")
    opinion: Text = Field(title="研判意见")
    attendees: tuple[str, ...] = Field(title="参加单位")


@action(
    "panel.conclude",
    "分析研判",
    parties="supervisor",
    takes=PanelInput,
    held_by="centre",
    case_states=("feedback",),
)
def conclude_panel(take: Take, given: PanelInput) -> Refused | Mapping[str, Any]:
    """After the second bad callback: closed and deducted, or confirmed and supervised by letter."""
    rule, case = take.policy.panel, take.case
    assert rule is not None
    if not case.awaits_panel:
        last = case.callbacks.order_by("-at", "-pk").first()
        if last is not None and case.meetings.filter(kind="panel", at__gte=last.at).exists():
            return Refused("already_done", "这次回访不满意已经研判过了。", rule)
        return Refused("wrong_state", "书面交办后仍不满意的工单才需要研判。", rule)
    case.meetings.create(
        kind="panel", attendees=list(given.attendees), minutes=given.opinion, at=take.now, by=take.actor.id
    )
    case.awaits_panel = False
    case.save(update_fields=["awaits_panel"])
    if given.conclusion == "exempt":
        case.evaluations.filter(bad=True).update(counted=False)
        close_case(take)
        return {"conclusion": "exempt"}
    supervision = Supervision.objects.create(
        case=case, unit=lead_of(case), issued_by=take.actor.unit, method="letter", ground="dissatisfied",
        rule=f"panel.{rule.key}", article=rule.cite, state="open", request=given.opinion,
        due_on=take.calendar.add_working_days(take.today, rule.letter_working_days), at=take.now,
        opened_at=take.now, by=take.actor.id, document_no=next_document_no(take, "letter"),
    )  # fmt: skip
    time_limits.start_for_supervision(supervision, at=take.now)
    tell_supervised(supervision, at=take.now, copy_to=rule.copy_to)
    take.made = supervision
    return {"conclusion": "unsatisfied", "supervision": supervision.pk}


class CloseInput(Input):
    outcome: Literal["", "solved", "partly", "explained", "planned", "unsolvable"] = Field(default="", title="办理结果")


@action(
    "case.close", "办结", parties="dispatcher unit_admin system", takes=CloseInput, held_by="centre",
    case_states=("feedback",),
)  # fmt: skip
def close(take: Take, given: CloseInput) -> Refused | Mapping[str, Any]:
    """The case is done: every dispatched order called back first."""
    case = take.case
    if case.awaits_panel:
        return Refused("wrong_state", "诉求人两次不满意，须先组织分析研判。", take.policy.panel)
    refused = core.judge_closing(
        called_back=is_called_back(take, case), was_dispatched=case.assignments.exists(),
        contactable=not case.anonymous, rule=take.policy.callback,
    )  # fmt: skip
    if refused:
        return refused
    if given.outcome:
        case.outcome = given.outcome
        case.save(update_fields=["outcome"])
    close_case(take)
    return {"outcome": case.outcome}


@action(
    "case.archive", "归档", parties="dispatcher unit_admin system", held_by="centre",
    case_states=("closed", "refused", "redirected", "withdrawn"),
)  # fmt: skip
def archive(take: Take, given: Any) -> Refused | Mapping[str, Any]:
    """The file is sealed."""
    if take.case.archived:
        return Refused("already_done", "这件诉求已经归档。", take.rule)
    take.case.archived = True
    take.case.save(update_fields=["archived"])
    return {}
