"""评价、回访、重办、核减、研判、办结、归档: what follows the answer."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Literal

from pydantic import Field

from huying.base.clock import end_of_day, local_date
from huying.cases import vault
from huying.cases.commands import time_limits
from huying.cases.commands.applications import DecideInput, apply_for, approves
from huying.cases.commands.assignments import assign
from huying.cases.commands.documents import next_document_no
from huying.cases.commands.endings import close_case
from huying.cases.commands.handling import bad_rounds
from huying.cases.commands.intake import Text
from huying.cases.commands.notices import tell_citizen, tell_unit
from huying.cases.commands.proposals import lead_of, propose_for_rating, propose_when, tell_supervised
from huying.cases.commands.registry import Input, Take, action
from huying.cases.models import Application, Callback, Case, Consent, Evaluation, Supervision
from huying.cases.queries.completeness import gaps_of
from huying.cases.queries.time_limits import source_rule
from huying.core import callback as core
from huying.core.exemption import ExemptionAsk, judge_exemption
from huying.core.routing import is_forbidden
from huying.core.verdict import Refused
from huying.policy.model import DissatisfiedRule, RatingSource, When

Solved = Literal["yes", "partly", "no"]


class EvaluateInput(Input):
    rating: int = Field(ge=1, le=5, title="满意度")
    comment: str = Field(default="", max_length=2000, title="评价内容")
    solved: Solved | None = Field(default=None, title="问题是否解决")


@action(
    "case.evaluate", "评价", parties="citizen channel", takes=EvaluateInput, held_by="citizen",
    case_states=("feedback", "closed"),
)  # fmt: skip
def evaluate(take: Take, given: EvaluateInput) -> Refused | Mapping[str, Any]:
    """The requester's own rating, once a round; there is no default. A source channel hands on what it was told."""
    case, rule = take.case, take.policy.evaluation
    source = source_rule(case)
    if take.actor.is_citizen and source is not None and not source.own_evaluation:
        return Refused("no_evaluation_due", "这件诉求由来源渠道开展满意度评价，请向来源渠道评价。", source)
    if case.anonymous:
        return Refused("no_evaluation_due", "匿名诉求不作满意度评价。", rule)
    if case.evaluations.filter(round=case.round).exists():
        return Refused("already_done", "本轮办理已经评价过了。", rule)
    if case.closed_at is not None and take.now >= end_of_day(
        local_date(case.closed_at) + timedelta(days=rule.window_days)
    ):
        return Refused("no_evaluation_due", f"办结已超过{rule.window_days}日，评价已经截止。", rule)
    name: RatingSource = "citizen" if take.actor.is_citizen else "channel"
    row = Evaluation.objects.create(
        case=case, round=case.round, source=name, rating=given.rating, solved=given.solved or "",
        comment=given.comment, bad=core.is_bad(given.rating, rule.bad_up_to), counted=_counts(take), at=take.now,
    )  # fmt: skip
    time_limits.end(case.limits.filter(name="evaluation"), at=take.now)
    if row.bad:
        _follow_bad(take, name)
    return {"evaluation": row.pk, "rating": given.rating}


def _counts(take: Take) -> bool:
    """Whether the figures take the rating: some matters are not judged by satisfaction (decision Q-9)."""
    uncounted = take.policy.evaluation.uncounted
    if uncounted is None:
        return True
    facts = take.facts()
    return not any(
        When(**{name: values}).holds(facts)
        for name, values in uncounted.conditions.items()  # any one of them is enough
    )


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
    case, rule = take.case, take.policy.callback_rule(take.facts())
    source: RatingSource = "survey" if given.method == "survey" else "callback"
    if case.anonymous:
        return Refused("no_evaluation_due", "匿名诉求没有联系方式，不作回访。", rule)
    if is_called_back(take, case) or case.evaluations.filter(round=case.round, source=source).exists():
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
    if given.result == "reached" and given.rating is not None:
        Evaluation.objects.create(
            case=case, round=case.round, source=source, rating=given.rating, solved=given.solved or "",
            contacted=given.contacted, trust=given.trust, comment=given.comment, bad=bad, counted=_counts(take),
            at=take.now,
        )  # fmt: skip
        _compare(take, given)
    outcome: str = "stay"
    if bad and (case.assignments.exists() or take.policy.dissatisfied.does in ("propose", "supervise")):
        outcome = _follow_bad(take, source)
    elif case.state == "feedback" and rule.closes and core.is_done(given.result, _tries(take), rule):
        close_case(take)
        outcome = "close"
    return {"callback": row.pk, "result": given.result, "outcome": outcome}


def _tries(take: Take) -> Sequence[Any]:
    times = take.case.callbacks.filter(round=take.case.round, result="unreachable").values_list("at", flat=True)
    return [local_date(at) for at in times]


def is_called_back(take: Take, case: Case) -> bool:
    """Whether the callback of this round is done: reached, declined, or tried often enough."""
    if case.callbacks.filter(round=case.round, result__in=("reached", "declined")).exists():
        return True
    return core.is_fulfilled(_tries(take), take.policy.callback_rule(take.facts()))


def _compare(take: Take, given: CallBackInput) -> None:
    """Where unit and requester contradict each other, a supervision is proposed."""
    reply = take.case.replies.filter(round=take.case.round).order_by("-pk").first()
    reached = take.case.contacts.filter(round=take.case.round, result="reached").exists()
    for what in core.contradictions(
        outcome=reply.outcome if reply else "", solved=given.solved or "", contacted=given.contacted,
        unit_reached=reached,
    ):  # fmt: skip
        propose_when(take.case, what, at=take.now)


def _follow_bad(take: Take, source: RatingSource) -> core.Outcome:
    """What a bad rating from that source leads to, as the regulation says."""
    case, rule, panel, letter = take.case, take.policy.dissatisfied, take.policy.panel, take.policy.letter
    lead = lead_of(case)
    if letter is not None and bad_rounds(case) >= letter.after_bad and lead is not None:
        last = case.assignments.filter(role="lead").select_related("unit").order_by("-pk")[0]
        if not last.limits.filter(name="letter").exists():
            time_limits.start_named(case, "letter", at=take.now, event="repeated_bad", assignment=last)
            tell_unit(case, lead, "formal_assignment", at=take.now, round=case.round)
    bad = case.evaluations.filter(bad=True, source__in=rule.sources).values("round").distinct().count()
    outcome = core.judge_bad(source, bad, rule, panel.after_bad if panel else None, is_closed=case.state == "closed")
    match outcome:
        case "rework":
            open_round(take, "dissatisfied", "formal_assignment")
        case "panel":
            case.awaits_panel = True
            case.save(update_fields=["awaits_panel"])
        case "supervise":
            _supervise(take, rule)
            if bad <= rule.rounds:
                open_round(take, "dissatisfied", "rework")
        case "propose":
            propose_for_rating(case, rule, at=take.now)
        case _:
            pass
    return outcome


def _supervise(take: Take, rule: DissatisfiedRule) -> None:
    """One supervision for the case, opened by the platform with its document and date (decisions Z-3 and Z-4)."""
    case = take.case
    if case.supervisions.filter(ground=rule.ground).exists():
        return
    row = Supervision.objects.create(
        case=case, unit=lead_of(case), issued_by_id=case.holder_id, method=rule.method, ground=rule.ground,
        rule=f"dissatisfied.{rule.key}", article=rule.cite, state="open", request=rule.label, at=take.now,
        opened_at=take.now, by="system", document_no=next_document_no(take, rule.method),
        due_on=take.calendar.add_working_days(take.today, rule.due_working_days) if rule.due_working_days else None,
    )  # fmt: skip
    time_limits.start_for_supervision(row, at=take.now)
    tell_supervised(row, at=take.now)
    take.made = row


def open_round(take: Take, cause: str, template: str, note: str = "") -> None:
    """A new round at the unit that led the last one; what was answered at once goes to the dispatcher."""
    lead = lead_of(take.case)
    take.case.round += 1
    take.case.closed_at = None
    take.case.save(update_fields=["round", "closed_at"])
    time_limits.reopen(take.case.limits.filter(name="long_unresolved"), at=take.now)
    if lead is None or is_forbidden(lead.left, take.forbidden):  # whom a merged case complains of begins no round
        take.case.state = "received"
        take.case.save(update_fields=["state"])
        time_limits.refresh(take.case, at=take.now)
        return
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
    take.case.awaits_panel, take.case.archived = False, False
    take.case.save(update_fields=["awaits_panel", "archived"])
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
    return apply_for(take, "exemption", reason=given.reason, rule=rule, signed=True, sealed=True)


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


class ReviewInput(Input):
    reason: Text = Field(title="申请理由")


BY_CITIZEN = {"parties": "citizen", "takes": ReviewInput, "held_by": "citizen", "case_states": ("feedback", "closed")}


@action("case.request_review", "申请复查", **BY_CITIZEN)
def request_review(take: Take, given: ReviewInput) -> Refused | Mapping[str, Any]:
    """The citizen wants the handling looked at again."""
    return _ask_review(take, "review", given.reason)


@action("case.request_re_review", "申请复核", **BY_CITIZEN)
def request_re_review(take: Take, given: ReviewInput) -> Refused | Mapping[str, Any]:
    """The citizen does not accept the review: a higher body looks once more."""
    return _ask_review(take, "re_review", given.reason)


def _ask_review(take: Take, type_: str, reason: str) -> Refused | Mapping[str, Any]:
    """One each, in its days after the answer or after the decision before (decision H-12)."""
    case, rule = take.case, next((one for one in take.policy.reviews if one.key == type_), None)
    if rule is None:
        return Refused("not_enabled", "本平台的规定没有这种申请。", take.rule)
    if case.applications.filter(type=type_).exists():
        return Refused("already_done", "已经提出过这种申请。", rule)
    since = case.replies.filter(state="passed").order_by("-pk").values_list("checked_at", "at").first()
    start = (since[0] or since[1]) if since else case.closed_at
    if rule.after:
        before = case.applications.filter(type=rule.after).exclude(state="pending").first()
        if before is None or before.decided_at is None:
            return Refused("wrong_state", "须在复查作出决定后才能申请复核。", rule)
        start = before.decided_at
    if start is not None and take.now >= end_of_day(local_date(start) + timedelta(days=rule.apply_days)):
        return Refused("too_late", f"已过申请期限，应当在{rule.apply_days}日内提出。", rule)
    return apply_for(take, type_, reason=reason, rule=rule, limit="review")


@approves("review")
@approves("re_review")
def _approve_review(take: Take, application: Application, given: DecideInput) -> Refused | Mapping[str, Any]:
    """复查、复核: handling was improper, so the unit begins anew."""
    if take.case.state not in ("feedback", "closed"):
        return Refused("wrong_state", "这件诉求正在办理，不能退回重办。", take.rule)
    open_round(take, "review", "rework", given.opinion)
    tell_citizen(take.case, "rework", at=take.now)
    return {"round": take.case.round}


def _is_evaluated(take: Take) -> bool:
    """Rated or called back, or nobody can rate it any more."""
    case, rule = take.case, take.policy.evaluation
    if case.closed_at is None or case.anonymous or is_called_back(take, case):
        return True
    over = take.now >= end_of_day(local_date(case.closed_at) + timedelta(days=rule.window_days))
    return over or case.evaluations.filter(round=case.round).exists()


class CloseInput(Input):
    outcome: Literal["", "solved", "partly", "explained", "planned", "unsolvable"] = Field(default="", title="办理结果")
    told_by: Literal["", "written", "phone", "face_to_face"] = Field(default="", title="告知方式")
    told_on: date | None = Field(default=None, title="告知日期")
    attachments: tuple[str, ...] = Field(default=(), title="书面材料")


@action(
    "case.close", "办结", parties="dispatcher unit_admin system", takes=CloseInput, held_by="closer",
    case_states=("feedback",),
)  # fmt: skip
def close(take: Take, given: CloseInput) -> Refused | Mapping[str, Any]:
    """The case is done: every dispatched order called back first."""
    case = take.case
    if case.awaits_panel:
        return Refused("wrong_state", "诉求人两次不满意，须先组织分析研判。", take.policy.panel)
    refused = core.judge_closing(
        called_back=is_called_back(take, case), was_dispatched=case.assignments.exists(),
        contactable=not case.anonymous, rule=take.policy.callback_rule(take.facts()),
    )  # fmt: skip
    if refused is None and given.told_on is not None and given.told_on > take.today:
        refused = Refused("invalid:told_on", "告知日期不能晚于今天。", take.rule)
    refused = refused or take.store(given.attachments)
    if refused:
        return refused
    if given.outcome:
        case.outcome = given.outcome
        case.save(update_fields=["outcome"])
    if given.told_by:
        answer = case.replies.filter(state="passed").order_by("-pk").first()
        if answer is not None:
            answer.told_by, answer.told_on = given.told_by, given.told_on
            answer.save(update_fields=["told_by", "told_on"])
    close_case(take)
    return {"outcome": case.outcome}


def _may_archive(take: Take) -> Refused | None:
    """Once, after the callbacks and ratings that the regulation waits for, and with nothing missing in the file."""
    if take.case.archived:
        return Refused("already_done", "这件诉求已经归档。", take.rule)
    if take.policy.closing.archive_after_evaluation and not _is_evaluated(take):
        return Refused("callback_missing", "还没有评价或回访，评价期满后才能归档。", take.policy.closing)
    again = take.policy.callback_rule(take.facts())
    redone = take.case.state == "closed" and take.case.round > 1 and not take.case.anonymous
    if again.required_after_rework and redone and not is_called_back(take, take.case):
        return Refused("callback_missing", "整改后还没有再次回访，不能归档。", again)
    gaps = gaps_of(take.case)
    if gaps:
        reason = "归档材料不完整：" + "；".join(gap.text for gap in gaps) + "。"
        return Refused("wrong_state", reason, take.rule)
    return None


@action(
    "case.archive", "归档", parties="dispatcher unit_admin system", held_by="closer",
    case_states=("closed", "refused", "redirected", "withdrawn"), ready=_may_archive,
)  # fmt: skip
def archive(take: Take, given: Any) -> Mapping[str, Any]:
    """The file is sealed."""
    take.case.archived = True
    take.case.save(update_fields=["archived"])
    return {}


class ConsentInput(Input):
    agrees: bool = Field(title="同意向被反映单位说明身份")
    note: str = Field(default="", max_length=500, title="说明")


@action(
    "case.consent", "是否同意披露身份", parties="citizen", takes=ConsentInput, held_by="citizen",
    case_states=("received", "handling", "checking", "feedback", "closed"),
)  # fmt: skip
def consent(take: Take, given: ConsentInput) -> Mapping[str, Any]:
    """The requester agrees to be named to the unit complained about, or takes it back; the latest word holds."""
    Consent.objects.create(case=take.case, agrees=given.agrees, note=given.note, at=take.now)
    return {"agrees": given.agrees}


class DiscloseInput(Input):
    purpose: Text = Field(title="披露的必要性")


def _consented(take: Take) -> Refused | None:
    said = take.case.consents.order_by("-pk").first()
    if said is not None and said.agrees:
        return None
    return Refused("not_permitted", "诉求人没有同意披露身份，不得向被反映单位提供或者透露。", take.policy.consent)


@action(
    "case.disclose", "向被反映单位说明诉求人身份", parties="dispatcher", takes=DiscloseInput, held_by="centre",
    ready=_consented,
)  # fmt: skip
def disclose(take: Take, given: DiscloseInput) -> Mapping[str, Any]:
    """The centre reads the identity to tell it to the unit complained about: only with consent, and logged."""
    take.extra["requester"] = vault.read(
        take.case, ["name", "phone"], actor=take.actor, purpose="disclosure", now=take.now
    )
    return {}
