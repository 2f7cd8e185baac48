"""接收、答复、不予受理、转办、受理、标注: what happens to a case before a unit has it."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field, field_validator

from huying.base import crypto
from huying.base.ids import clean_query_code, new_case_number, new_query_code
from huying.base.text import cut
from huying.cases import vault
from huying.cases.access import visible_cases
from huying.cases.commands import time_limits
from huying.cases.commands.assignments import assign
from huying.cases.commands.endings import end_case
from huying.cases.commands.notices import tell_citizen, tell_unit
from huying.cases.commands.registry import Input, Take, action
from huying.cases.models import (
    AnsweringSession,
    Case,
    CaseSubject,
    Contact,
    Link,
    Party,
    Reply,
    SearchMarks,
    Subject,
    Supplement,
)
from huying.cases.policies import regulation, version_on
from huying.cases.queries.time_limits import facts_of, source_rule
from huying.core.channels import is_open
from huying.core.form_fields import asked, category_of, missing
from huying.core.lifecycle import OPEN
from huying.core.screening import suggest
from huying.core.time_limits import choose, count
from huying.core.verdict import Refused
from huying.people.models import Unit
from huying.people.units import UnknownUnit, find_centre, find_unit, superior_of

Text = Annotated[str, Field(max_length=5000)]
Line = Annotated[str, Field(max_length=200)]
NOT_A_CATEGORY = "本平台没有这个事项分类，请从列表中重新选择。"
OUTCOMES = Literal["solved", "partly", "explained", "planned", "unsolvable"]


class Requester(BaseModel):
    """Who asks. Goes to the vault and nowhere else."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    name: str = Field(default="", max_length=60, title="姓名")
    phone: str = Field(default="", max_length=30, title="电话")
    email: str = Field(default="", max_length=120, title="电子邮箱")
    address: str = Field(default="", max_length=200, title="联系地址")
    id_number: str = Field(default="", max_length=30, title="证件号码")
    kind: Literal["", "individual", "enterprise"] = Field(default="", title="诉求人类型")
    organisation: str = Field(default="", max_length=100, title="企业名称")

    @field_validator("phone")
    @classmethod
    def _looks_like_a_phone(cls, value: str) -> str:
        digits = crypto.normalise_phone(value).lstrip("+")
        if value and not (digits.isdigit() and 5 <= len(digits) <= 15):
            raise ValueError("电话号码应为5至15位数字")
        return value

    @field_validator("email")
    @classmethod
    def _looks_like_an_address(cls, value: str) -> str:
        if value and (value.count("@") != 1 or "." not in value.split("@")[1]):
            raise ValueError("电子邮箱格式不对")
        return value


class SubmitInput(Input):
    channel: Line = Field(title="渠道")
    kind: Line = Field(title="诉求类型")
    title: Line = Field(title="标题")
    content: Text = Field(title="诉求内容")
    place: Line = Field(title="事发地点")
    requester: Requester | None = Field(default=None, title="诉求人")
    anonymous: bool = Field(default=False, title="匿名")
    confidential: bool | None = Field(default=None, title="保密")
    category: str = Field(default="", max_length=120, title="事项分类")
    subject_unit: str = Field(default="", max_length=200, title="被反映单位")
    urgency: Literal["", "normal", "urgent", "immediate"] = Field(default="", title="紧急程度")
    mode: Literal["", "oral", "written"] = Field(default="", title="方式")
    external_no: str = Field(default="", max_length=80, title="来源编号")
    source: str = Field(default="", max_length=40, title="来源热线")
    due: date | None = Field(default=None, title="来源渠道的办结期限")
    retaliation_over: str = Field(default="", max_length=40, title="因哪一件诉求受到打击报复")
    outside_hours: bool = Field(default=False, title="确认在开放时间以外登记")
    attachments: tuple[str, ...] = Field(default=(), title="附件")
    session: int | None = Field(default=None, title="接听场次")


@action(
    "case.submit",
    "提交诉求",
    parties="citizen grid_worker operator channel",
    takes=SubmitInput,
    on="platform",
)
def submit(take: Take, given: SubmitInput) -> Refused | Mapping[str, Any]:
    """A new case with its number and query code; the receipt tells what comes next."""
    policy = take.policy
    refused = _judge_choices(take, given) or _judge_asked(take, given, {"channel": given.channel, "kind": given.kind})
    if refused:
        return refused
    kind = policy.kind_rules[given.kind]
    subject_unit = take.unit(given.subject_unit, "subject_unit") if given.subject_unit else None
    if isinstance(subject_unit, Refused):
        return subject_unit
    before = _retaliated(take, given.retaliation_over) if given.retaliation_over else None
    if isinstance(before, Refused):
        return before
    session = _session(take, given.session) if given.session is not None else None
    if isinstance(session, Refused):
        return session
    place = _place(take, given.place)
    code = new_query_code()
    case = Case.objects.create(
        platform=take.platform,
        number=_free_number(take),
        query_code_hash=crypto.hash_query_code(clean_query_code(code) or "", settings.HUYING_KEYS.pepper),
        regulation=policy.info.id,
        rules_since=policy.info.version,
        kind=given.kind,
        channel=given.channel,
        category=given.category,
        urgency=given.urgency,
        mode=given.mode,
        confidential=before is not None or (kind.confidential if given.confidential is None else given.confidential),
        anonymous=given.anonymous,
        title=given.title,
        content=given.content,
        place_unit=place,
        place_text=given.place,
        holder=_holder(take),
        submitted_by=take.actor.id,
        external_no=given.external_no,
        source=given.source,
        requester_kind=given.requester.kind if given.requester else "",
        submitted_at=take.now,
    )
    take.case = case  # nobody else can know of it yet: it needs no lock
    SearchMarks.objects.create(case=case, platform=take.platform, grams=cut(f"{given.title} {given.content}"))
    case.source_due_on = given.due or _due_above(take)
    complained = [subject_unit] if subject_unit is not None else []
    if before is not None:
        complained += [one.unit for one in before.assignments.select_related("unit")]
        Link.objects.create(case=case, other=before, type="retaliation")
    for unit in {one.pk: one for one in complained}.values():
        CaseSubject.objects.create(case=case, unit=unit, unit_left=unit.left, unit_right=unit.right)
    _keep_requester(take, given, masked=kind.masked)
    refused = take.store(given.attachments)
    if refused:
        return refused
    if session is not None:
        session.cases.add(case)
    start_at = _lowest(take, place, screened=bool(complained))
    if policy.flow.direction == "bottom_up" and start_at is not None:
        case.flow = "bottom_up"
        if start_at.kind in policy.flow.levels:
            case.accepted_at, case.holder = take.now, start_at
        else:
            case.holder = start_at
    case.save(update_fields=["source_due_on", "flow", "accepted_at", "holder"])
    time_limits.start_for_case(take.case, "submission", at=take.now, waits=case.accepted_at is None)
    tell_citizen(take.case, "receipt", at=take.now)
    if case.accepted_at is not None and start_at is not None:
        assign(take, start_at, cause="first")
    take.made = take.case
    take.extra |= {"number": case.number, "query_code": code}
    return {"kind": given.kind, "channel": given.channel, **_outside_hours(take)}


def _outside_hours(take: Take) -> dict[str, bool]:
    """What the journal notes of a case that came in while its desk was closed; nothing else follows from it."""
    channel = next(one for one in take.policy.channels if one.key == take.case.channel)
    return {} if is_open(channel, take.now, take.calendar) else {"outside_hours": True}


def _judge_asked(take: Take, given: Input, facts: Mapping[str, str]) -> Refused | None:
    """What the regulation asks of everybody who takes this action, whichever way it came in."""
    rows = [rule for rule in asked(take.policy, take.action.id, facts) if rule.everybody]
    for rule in missing(rows, given.model_dump(), take.policy) if rows else ():
        return Refused(f"missing:{rule.field.partition('.')[0]}", f"请填写“{rule.label}”。", rule)
    return None


def _lowest(take: Take, place: Unit | None, *, screened: bool) -> Unit | None:
    """Where a citizen's matter starts under a bottom-up regulation (自下而上).

    The lowest unit of its place; the centre of a district when only that is known; None for the top centre's queue:
    a unit is complained about, the text is to be screened by a person first, or somebody of the staff took it in.
    """
    flow = take.policy.flow
    if flow.direction != "bottom_up" or not take.actor.is_citizen or screened or place is None:
        return None
    text = f"{take.case.title}{take.case.content}"
    screened = any(word in text for word in flow.screened_words)
    if screened or any(word in text for word in flow.suggested_words):
        take.case.flags = {**take.case.flags, "top_down_suggested": True}
        take.case.save(update_fields=["flags"])
    if screened:
        return None
    if place.kind in flow.levels and place.handles:
        return place
    centre = superior_of(place) if place.kind != "district" else find_centre(place)
    return centre if centre is not None and centre.kind == "centre" else None


def _due_above(take: Take) -> date | None:
    """The date that the rules of the platform above give a matter of this channel that brought none (decision Q-2)."""
    rule = source_rule(take.case)
    if rule is None or not rule.upper:
        return None
    above = regulation(rule.upper, version_on(rule.upper, take.today))
    limit = choose(above.time_limits, "handle", "lead", facts_of(take.case))
    return count(limit, take.today, take.calendar).due_on if limit and limit.starts == "submission" else None


def _retaliated(take: Take, number: str) -> Case | Refused:
    """The earlier case over which the requester suffers: one of their own."""
    case = visible_cases(take.actor).filter(number=number).first() if take.actor.is_citizen else None
    return case or Refused("invalid:retaliation_over", "没有找到您原来的诉求，请核对编号。", take.rule)


def _session(take: Take, key: int) -> AnsweringSession | Refused:
    """The session of today that a case is taken in for."""
    if take.actor.role != "operator":
        return Refused("not_permitted", "接听场次只由话务员登记来电时填写。", take.rule)
    found = AnsweringSession.objects.filter(platform=take.platform, pk=key, held_on=take.today).first()
    return found or Refused("invalid:session", "今天没有这个接听场次，请从列表中选择，或者不选。", take.rule)


def _free_number(take: Take) -> str:
    """A number that no case has. Two draws of one day meet rarely; the one that comes second draws again."""
    number = new_case_number(take.today)
    while Case.objects.filter(number=number).exists():
        number = new_case_number(take.today)
    return number


def _judge_choices(take: Take, given: SubmitInput) -> Refused | None:
    policy = take.policy
    if given.channel not in {channel.key for channel in policy.channels}:
        return Refused("invalid:channel", "本平台没有这个受理渠道。", take.rule)
    if take.actor.channel and given.channel != take.actor.channel:
        return Refused("not_permitted", "这个接口密钥只能提交本渠道的诉求。", take.rule)
    if given.kind not in policy.kind_rules:
        return Refused("invalid:kind", "本平台没有这个诉求类型。", take.rule)
    if given.source and policy.hotlines and given.source not in {one.key for one in policy.hotlines}:
        return Refused("invalid:source", "没有这条整合的热线，请从列表中选择。", take.rule)
    if given.due is not None and take.actor.role not in ("operator", "channel"):
        return Refused("not_permitted", "来源渠道的期限只能由接入渠道或者话务员填写。", take.rule)
    return None


def _place(take: Take, text: str) -> Unit | None:
    """The territorial unit that `text` names, alone or before an address (a town, then a road)."""
    for path in (text, text.partition(" ")[0]):
        try:
            return find_unit(take.platform, path)
        except UnknownUnit:
            continue
    return None


def _holder(take: Take) -> Unit:
    """The centre whose queue the case enters: the operator's own, else the platform's."""
    unit = take.actor.unit
    if unit is not None and take.actor.role == "operator":
        return unit
    return find_unit(take.platform, take.policy.info.competent_unit)


def _keep_requester(take: Take, given: SubmitInput, *, masked: bool) -> None:
    if given.anonymous:
        vault.attach(take.case, None, part="requester", level="anonymous")
        return
    fields = given.requester.model_dump(exclude={"kind"}) if given.requester else {}
    if given.requester and given.requester.kind == "individual":
        del fields["organisation"]
    fields = {name: value for name, value in fields.items() if value}
    if fields:
        subject = vault.keep(take.platform, fields, now=take.now)
    elif take.actor.is_citizen and take.actor.subject_id is not None:
        subject = Subject.objects.get(pk=take.actor.subject_id)
    elif take.actor.is_citizen:
        subject = vault.keep(take.platform, {}, now=take.now)
    else:
        return
    level = "confidential" if take.case.confidential else "masked" if masked else "open"
    vault.attach(take.case, subject, part="requester", level=level)
    take.extra["subject_id"] = subject.pk


class SupplementInput(Input):
    content: Text = Field(title="补充内容")
    attachments: tuple[str, ...] = Field(default=(), title="附件")


@action(
    "case.supplement",
    "补充材料",
    parties="citizen",
    takes=SupplementInput,
    held_by="citizen",
    case_states=OPEN,
)
def supplement(take: Take, given: SupplementInput) -> Refused | Mapping[str, Any]:
    """More material from the requester; the clock does not move."""
    row = Supplement.objects.create(case=take.case, kind="supplement", content=given.content, at=take.now)
    return take.store(given.attachments) or {"supplement": row.pk}


class WithdrawInput(Input):
    reason: str = Field(default="", max_length=500, title="撤回原因")


@action("case.withdraw", "撤回", parties="citizen", takes=WithdrawInput, held_by="citizen", case_states=OPEN)
def withdraw(take: Take, given: WithdrawInput) -> Mapping[str, Any]:
    """The case ends; a supervision that is open goes on."""
    if given.reason:
        Supplement.objects.create(case=take.case, kind="withdrawal", content=given.reason, at=take.now)
    end_case(take, "withdrawn")
    return {}


class UrgeInput(Input):
    content: str = Field(default="", max_length=500, title="催办内容")


@action(
    "case.urge", "催办", parties="citizen", takes=UrgeInput, held_by="citizen",
    case_states=("received", "handling", "checking"),
)  # fmt: skip
def urge(take: Take, given: UrgeInput) -> Mapping[str, Any]:
    """The requester asks to hurry; the handling unit sees it."""
    row = Supplement.objects.create(case=take.case, kind="urge", content=given.content, at=take.now)
    return {"supplement": row.pk}


class AnswerInput(Input):
    reply: Text = Field(title="答复内容")
    knowledge: str = Field(default="", max_length=200, title="知识库条目")


@action(
    "case.answer",
    "在线答复",
    parties="operator",
    takes=AnswerInput,
    held_by="centre",
    case_states=("received",),
)
def answer(take: Take, given: AnswerInput) -> Mapping[str, Any]:
    """Answered by the operator at once; nothing is dispatched."""
    assert take.actor.unit is not None
    _answered(take, take.actor.unit, given.reply)
    return {}


def _answered(take: Take, unit: Unit, content: str) -> None:
    """An answer given at once, by the operator or by the unit on the line."""
    Reply.objects.create(
        case=take.case, unit=unit, round=take.case.round, content=content, outcome="explained",
        state="passed", at=take.now, checked_at=take.now, by=take.actor.id,
    )  # fmt: skip
    take.case.state, take.case.outcome = "feedback", "explained"
    take.case.accepted_at = take.case.accepted_at or take.now
    take.case.save(update_fields=["state", "outcome", "accepted_at"])
    time_limits.end(take.case.limits.filter(assignment=None, application=None, supervision=None), at=take.now)
    tell_citizen(take.case, "replied", at=take.now)


class ConnectInput(Input):
    unit: Line = Field(title="接听单位")
    result: Line = Field(title="通话结果")
    reply: str = Field(default="", max_length=5000, title="答复内容")


ANSWERED = ("answered", "solved", "explained", "已答复")
"""Results of a call put through after which nothing is left to do."""


@action(
    "case.connect", "三方通话直办", parties="operator", takes=ConnectInput, held_by="centre", case_states=("received",),
    unit_fields=("unit",),
)  # fmt: skip
def connect(take: Take, given: ConnectInput) -> Refused | Mapping[str, Any]:
    """The call is put through to the unit: answered by it at once, or the case goes on."""
    unit = take.unit(given.unit, "unit", handles=True)
    if isinstance(unit, Refused):
        return unit
    case, answered = take.case, given.result in ANSWERED or bool(given.reply)
    Contact.objects.create(
        case=case, unit=unit, round=case.round, method="phone", result="reached" if answered else "unreachable",
        note=f"三方通话：{given.result}", at=take.now, by=take.actor.id,
    )  # fmt: skip
    if not answered:
        return {"unit": unit.path, "answered": False}
    content = given.reply or f"已在三方通话中由{unit.name}当场答复。"
    _answered(take, unit, content)
    return {"unit": unit.path, "answered": True}


def _screened_below(take: Take) -> tuple[str, ...]:
    """Screening comes before handling; what went to the lowest unit by itself is screened there."""
    return ("handling",) if take.case.flow == "bottom_up" else ()


class RefuseInput(Input):
    ground: Line = Field(title="不予受理事由")
    basis: str = Field(max_length=500, title="依据")
    other_unit: str = Field(default="", max_length=200, title="应向哪个单位反映")
    note: Text = Field(title="解释说明")


@action(
    "case.refuse", "不予受理", parties="operator dispatcher", takes=RefuseInput, held_by="centre",
    case_states=("received",), also_in=_screened_below,
)  # fmt: skip
def refuse(take: Take, given: RefuseInput) -> Refused | Mapping[str, Any]:
    """Not accepted; the requester is told the ground, its basis and where to turn."""
    if given.ground not in {ground.key for ground in take.policy.refusal_grounds}:
        return Refused("invalid:ground", "请选择规定的不予受理事由。", take.rule)
    take.case.ground, take.case.ground_note = given.ground, given.note
    take.case.save(update_fields=["ground", "ground_note"])
    end_case(take, "refused")
    tell_citizen(
        take.case, "refused", at=take.now, ground=given.ground, basis=given.basis, other_unit=given.other_unit,
        note=given.note,
    )  # fmt: skip
    return {"ground": given.ground}


class RedirectInput(Input):
    to: Line = Field(title="转往")
    note: Text = Field(title="说明")


@action(
    "case.redirect", "转其他渠道", parties="operator dispatcher", takes=RedirectInput, held_by="centre",
    case_states=("received",), also_in=_screened_below,
)  # fmt: skip
def redirect(take: Take, given: RedirectInput) -> Mapping[str, Any]:
    """Passed on to another body; no limit runs here any more and the requester is told."""
    take.case.ground_note = given.note
    take.case.save(update_fields=["ground_note"])
    end_case(take, "redirected")
    tell_citizen(take.case, "redirected", at=take.now, to=given.to, note=given.note)
    # A body of the regulation's list names nobody; what else was typed might.
    listed = {*(one.to for one in take.policy.redirects), "110", "119", "120", "122"}
    return {"to": given.to if given.to in listed else "other"}


class AcceptInput(Input):
    kind: str = Field(default="", max_length=20, title="诉求类型")
    category: str = Field(default="", max_length=120, title="事项分类")
    urgency: Literal["", "normal", "urgent", "immediate"] = Field(default="", title="紧急程度")
    complexity: Literal["", "normal", "complex"] = Field(default="", title="复杂程度")
    reason: str = Field(default="", max_length=2000, title="受理理由")
    basis: Line = Field(default="", title="法律依据")


@action(
    "case.accept", "受理", parties="operator dispatcher", takes=AcceptInput, held_by="centre",
    case_states=("received",),
)  # fmt: skip
def accept(take: Take, given: AcceptInput) -> Refused | Mapping[str, Any]:
    """Accepted, with what the screening found; it waits to be dispatched."""
    facts = take.facts()
    refused = _judge_asked(take, given, facts)
    if refused:
        return refused
    if given.kind and given.kind not in take.policy.kind_rules:
        return Refused("invalid:kind", "本平台没有这个诉求类型。", take.rule)
    coded = next((rule for rule in asked(take.policy, take.action.id, facts) if rule.coded), None)
    if coded is not None and given.category and category_of(take.policy, given.category) is None:
        return Refused("invalid:category", NOT_A_CATEGORY, coded)
    if take.case.accepted_at is not None:
        return Refused("already_done", "这件诉求已经受理。", take.rule)
    for name in ("kind", "category", "urgency", "complexity"):
        if getattr(given, name):
            setattr(take.case, name, getattr(given, name))
    if given.kind:
        _protect_as(take, given.kind)
    take.case.accepted_at, take.case.accept_reason, take.case.accept_basis = take.now, given.reason, given.basis
    take.case.save(update_fields=["kind", "category", "urgency", "complexity", "confidential", "accepted_at",
                                  "accept_reason", "accept_basis"])  # fmt: skip
    time_limits.rechoose(take.case, at=take.now)
    return {"kind": take.case.kind, **_overridden(take)}


def _overridden(take: Take) -> dict[str, Any]:
    """For the journal: that a case marked as outside the scope was accepted, and which grounds its words suggest."""
    if not take.case.accept_reason or not take.case.flags.get("excluded"):
        return {}
    text = f"{take.case.title} {take.case.content}"
    grounds = {ground.key for ground in take.policy.refusal_grounds}
    found = [one.what for one in suggest(text, place_known=True, policy=take.policy) if one.what in grounds]
    return {"overridden": found or ["excluded"]}


def _protect_as(take: Take, kind: str) -> None:
    """A kind found at screening protects the requester as if it had been given at once, and never less than before."""
    rule = take.policy.kind_rules[kind]
    take.case.confidential = take.case.confidential or rule.confidential
    level = "confidential" if take.case.confidential else "masked" if rule.masked else ""
    if level:
        Party.objects.filter(case=take.case, part="requester", level__in=("open", "masked")).update(level=level)


class FlagInput(Input):
    flags: dict[str, bool] = Field(title="标注")

    @field_validator("flags")
    @classmethod
    def _short_names(cls, value: dict[str, bool]) -> dict[str, bool]:
        if any(not name or len(name) > 30 for name in value):
            raise ValueError("标注名称应为1至30个字")
        return value


@action("case.flag", "标注", parties="operator dispatcher", takes=FlagInput, held_by="centre", case_states=OPEN)
def flag(take: Take, given: FlagInput) -> Mapping[str, Any]:
    """Marks such as urgent, sensitive or clue, recorded and listed."""
    take.case.flags = {**take.case.flags, **given.flags}
    take.case.save(update_fields=["flags"])
    for mark in take.policy.flags:
        if given.flags.get(mark.key):
            for path in mark.notify:
                tell_unit(take.case, find_unit(take.platform, path), "supervision", at=take.now, flag=mark.key)
    time_limits.rechoose(take.case, at=take.now)
    return {"flags": sorted(name for name, on in given.flags.items() if on)}
