"""Taking over the cases of an old system: as history, with their own times, or as new submissions.

History is written in bulk, with the rows that the actions would have given, and one journal entry `case.imported` a
case: the journal tells what this platform saw, so the dates of the old system stand in the entry's data. A case is
known by its number in the old system; what is known already is never written again.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, get_args

from django.db import DataError, IntegrityError, transaction

from huying.base.clock import local_date
from huying.base.ids import new_case_number
from huying.base.text import cut
from huying.cases import journal, vault
from huying.cases.commands import time_limits
from huying.cases.commands.handling import OUTCOMES
from huying.cases.commands.intake import Requester
from huying.cases.commands.perform import perform
from huying.cases.models import Assignment, Case, Reply, SearchMarks
from huying.cases.policies import policy_of
from huying.core.lifecycle import CASE_STATES, OPEN
from huying.core.verdict import Refused
from huying.people.actors import Actor
from huying.people.models import Platform, Unit
from huying.people.units import find_unit
from huying.policy.model import Regulation

IMPORTER = "import"
LONGEST_TITLE, LONGEST_CONTENT, LONGEST_PLACE, LONGEST_CATEGORY, LONGEST_NUMBER = 200, 5000, 200, 120, 80
STATES = frozenset(CASE_STATES) - {"merged"}  # a merged case hangs on another, which an old number cannot name
ENDED = STATES - frozenset(OPEN)
ASSIGNMENT_AT = {
    "handling": "dispatched", "checking": "submitted", "feedback": "done", "closed": "done", "refused": "cancelled",
    "redirected": "cancelled", "withdrawn": "cancelled",
}  # fmt: skip
REPLY_AT = {"checking": "checking", "feedback": "passed", "closed": "passed"}
TRIES = 5
ROWS_FAULT = (DataError, IntegrityError)


@dataclass(frozen=True)
class OldCase:
    """One case of the old system, in the words of this platform."""

    external_no: str
    channel: str
    kind: str
    title: str
    content: str
    submitted_at: datetime
    category: str = ""
    urgency: str = ""
    place: str = ""
    place_unit: Unit | None = None
    state: str = "closed"
    archived: bool = False
    unit: Unit | None = None
    dispatched_at: datetime | None = None
    claimed_at: datetime | None = None
    replied_at: datetime | None = None
    closed_at: datetime | None = None
    reply: str = ""
    outcome: str = ""
    note: str = ""
    requester: Mapping[str, str] = field(default_factory=dict)
    anonymous: bool = False
    submitted_by: str = ""
    facts: Mapping[str, str | bool] = field(default_factory=dict)
    """What else is worth keeping, in values nobody can be named by; it goes into the journal."""


Failure = tuple[OldCase, str]


def importer(platform: Platform) -> Actor:
    """Whoever imports, as an actor: the machine room, not a person of the desk."""
    return Actor(id=IMPORTER, role="system", platform=platform)


def known_numbers(platform: Platform, cases: Iterable[OldCase]) -> set[tuple[str, str]]:
    """Which of `cases` the platform has already, as (channel, number in the old system)."""
    cases = list(cases)
    found = Case.objects.filter(
        platform=platform,
        channel__in={case.channel for case in cases},
        external_no__in={case.external_no for case in cases},
    )
    return set(found.values_list("channel", "external_no"))


def judge_old_case(old: OldCase, policy: Regulation, *, mode: Literal["history", "new"], now: datetime) -> list[str]:
    """Why `old` cannot be taken over, in words that say what to mend; empty when it can."""
    problems = []
    if not old.external_no or len(old.external_no) > LONGEST_NUMBER:
        problems.append(f"来源编号应为1至{LONGEST_NUMBER}个字，请补上或核对映射")
    for name, value, longest in (
        ("标题", old.title, LONGEST_TITLE), ("诉求内容", old.content, LONGEST_CONTENT),
        ("地点", old.place, LONGEST_PLACE), ("事项分类", old.category, LONGEST_CATEGORY),
    ):  # fmt: skip
        if len(value) > longest:
            problems.append(f"{name}有{len(value)}个字，最多{longest}个字，请缩短")
    if not old.content:
        problems.append("标题和诉求内容都是空的，请补上")
    if old.channel not in {channel.key for channel in policy.channels}:
        problems.append(f"规定里没有渠道“{old.channel}”，请改映射的 codes.channel 或 defaults.channel")
    if old.kind not in policy.kind_rules:
        problems.append(f"规定里没有诉求类型“{old.kind}”，请改映射的 codes.kind")
    problems += _judge_requester(old)
    if mode == "history":
        problems += _judge_history(old, now)
    return problems


def _judge_requester(old: OldCase) -> list[str]:
    if not old.requester or old.anonymous:
        return []
    try:
        Requester.model_validate(dict(old.requester))
    except ValueError:
        return ["诉求人的姓名、电话或邮箱格式不对，请核对（电话应为5至15位数字）"]
    return []


def _judge_history(old: OldCase, now: datetime) -> list[str]:
    problems = []
    if old.state not in STATES:
        problems.append(f"不能以“{old.state}”状态导入，可用：{'、'.join(sorted(STATES))}")
    if old.outcome and old.outcome not in get_args(OUTCOMES):
        problems.append(f"没有办理结果“{old.outcome}”，可用：{'、'.join(get_args(OUTCOMES))}")
    if old.state in ("handling", "checking") and old.unit is None:
        problems.append("还在办理的诉求须有承办单位，请补上单位或改状态")
    if old.state == "checking" and not old.reply:
        problems.append("待质检的诉求须有答复内容，请补上答复或改状态")
    for name, at in (
        ("提交时间", old.submitted_at), ("派单时间", old.dispatched_at), ("签收时间", old.claimed_at),
        ("答复时间", old.replied_at), ("办结时间", old.closed_at),
    ):  # fmt: skip
        if at is not None and (at > now or at.year < 1990):
            problems.append(f"{name}是{at:%Y-%m-%d}，不合理，请核对时间列和时间格式")
    return problems


# ---- as history ----------------------------------------------------------------------


def write_history(platform: Platform, cases: Sequence[OldCase], *, actor: Actor, now: datetime) -> list[Failure]:
    """Write `cases` with their own times, all in one transaction; gives those that the database would not take.

    The caller has judged them and left out what is known. If another import was faster with one of them, it is left
    out here too. One that fails does not take the others with it; trouble that is no row's fault is raised.
    """
    try:
        with transaction.atomic():
            _write(platform, cases, actor=actor, now=now)
        return []
    except ROWS_FAULT as error:
        if len(cases) == 1:
            return _one_failed(platform, cases[0], error)
    middle = len(cases) // 2
    return [
        failure
        for half in (cases[:middle], cases[middle:])
        for failure in write_history(platform, half, actor=actor, now=now)
    ]


def _one_failed(platform: Platform, old: OldCase, error: Exception) -> list[Failure]:
    if isinstance(error, IntegrityError) and known_numbers(platform, [old]):
        return []
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return [(old, f"数据库未接受：{reason}")]


def _write(platform: Platform, olds: Sequence[OldCase], *, actor: Actor, now: datetime) -> None:
    policy = policy_of(platform)
    centre = find_unit(platform, policy.info.competent_unit)
    numbers = _fresh_numbers([local_date(old.submitted_at) for old in olds])
    cases = Case.objects.bulk_create(
        _case(platform, policy, centre, old, number) for old, number in zip(olds, numbers, strict=True)
    )
    pairs = list(zip(cases, olds, strict=True))
    SearchMarks.objects.bulk_create(
        SearchMarks(case=case, platform=platform, grams=cut(f"{old.title} {old.content}")) for case, old in pairs
    )
    assignments = Assignment.objects.bulk_create(
        _assignment(case, old, old.unit) for case, old in pairs if old.unit is not None and case.state in ASSIGNMENT_AT
    )
    Reply.objects.bulk_create(
        _reply(case, old, centre) for case, old in pairs if old.reply and case.state in REPLY_AT
    )  # fmt: skip
    by_case = {assignment.case_id: assignment for assignment in assignments}
    _keep_requesters(pairs, policy, now=now)
    for case in cases:
        _start_limits(case, by_case.get(case.pk), now=now)
    told = [(case, {"mode": "history", **_told(old)}) for case, old in pairs]
    journal.record_many("case.imported", told, actor=actor, at=now)


def _fresh_numbers(days: Sequence[date]) -> list[str]:
    """One unused case number for each day given. Eight random digits do collide among thousands of one day."""
    numbers: list[str] = []
    taken: set[str] = set()
    for _ in range(TRIES):
        drawn = [new_case_number(day) for day in days]
        taken = set(Case.objects.filter(number__in=drawn).values_list("number", flat=True))
        numbers = []
        for day, number in zip(days, drawn, strict=True):
            while number in taken:
                number = new_case_number(day)
            taken.add(number)
            numbers.append(number)
        if not Case.objects.filter(number__in=numbers).exists():
            break
    return numbers


def _case(platform: Platform, policy: Regulation, centre: Unit, old: OldCase, number: str) -> Case:
    is_accepted = old.state != "received" and (old.unit is not None or bool(old.reply))
    return Case(
        platform=platform, number=number, regulation=policy.info.id,
        rules_since=policy.info.version, state=old.state, kind=old.kind,
        channel=old.channel, category=old.category, urgency=old.urgency, anonymous=old.anonymous,
        confidential=policy.kind_rules[old.kind].confidential, archived=old.archived and old.state == "closed",
        outcome=_outcome(old), title=old.title, content=old.content, place_unit=old.place_unit, place_text=old.place,
        holder=centre, submitted_by=old.submitted_by or IMPORTER, external_no=old.external_no,
        submitted_at=old.submitted_at, closed_at=old.closed_at if old.state == "closed" else None,
        accepted_at=(old.dispatched_at or old.submitted_at) if is_accepted else None,
    )  # fmt: skip


def _outcome(old: OldCase) -> str:
    return (old.outcome or "explained") if old.reply and old.state in REPLY_AT else ""


def _assignment(case: Case, old: OldCase, unit: Unit) -> Assignment:
    state = ASSIGNMENT_AT[case.state]
    if state == "dispatched" and old.claimed_at is not None:
        state = "handling"
    return Assignment(
        case=case, unit=unit, unit_left=unit.left, unit_right=unit.right, role="lead", state=state, round=1,
        note=old.note, assigned_at=old.dispatched_at or old.submitted_at, claimed_at=old.claimed_at,
        ended_at=old.closed_at if state in ("done", "cancelled") else None,
    )  # fmt: skip


def _reply(case: Case, old: OldCase, centre: Unit) -> Reply:
    """The old answer. Without a time of its own it stands at the latest moment that the old system told."""
    state = REPLY_AT[case.state]
    told = [at for at in (old.closed_at, old.claimed_at, old.dispatched_at, old.submitted_at) if at is not None]
    at = old.replied_at or max(told)
    return Reply(
        case=case, unit=old.unit or centre, round=1, content=old.reply, outcome=_outcome(old), state=state, at=at,
        checked_at=at if state == "passed" else None, by=IMPORTER, check_note="" if old.unit else old.note,
    )  # fmt: skip


def _keep_requesters(pairs: Sequence[tuple[Case, OldCase]], policy: Regulation, *, now: datetime) -> None:
    """Who asked goes to the vault, as closely kept as the kind wants."""
    named = [(case, old) for case, old in pairs if old.requester and not old.anonymous]
    subjects = vault.keep_many(named[0][0].platform, [old.requester for _, old in named], now=now) if named else []
    vault.attach_many([(case, None, "anonymous") for case, old in pairs if old.anonymous], part="requester")
    vault.attach_many(
        [(case, subject, _level(case, policy)) for (case, _), subject in zip(named, subjects, strict=True)],
        part="requester",
    )


def _level(case: Case, policy: Regulation) -> str:
    return "confidential" if case.confidential else "masked" if policy.kind_rules[case.kind].masked else "open"


def _start_limits(case: Case, assignment: Assignment | None, *, now: datetime) -> None:
    """A case still open runs on under the regulation's limits, counted from the import; an ended one has none."""
    if case.state in ("received", "handling", "checking"):
        time_limits.start_for_case(case, "submission", at=now)
    if case.state != "handling" or assignment is None:
        return
    time_limits.start_for_assignment(case, assignment, at=now)
    if assignment.state == "handling":
        time_limits.end_named(assignment, "claim", at=now)
        time_limits.start_for_claim(case, assignment, at=now)


def _told(old: OldCase) -> dict[str, str | bool]:
    """The dates of the old system, and what is odd about them."""
    told: dict[str, str | bool] = {"external_no": old.external_no, "submitted_at": old.submitted_at.isoformat()}
    for name in ("dispatched_at", "claimed_at", "replied_at", "closed_at"):
        at = getattr(old, name)
        if at is not None:
            told[name] = at.isoformat()
            if at < old.submitted_at:
                told[f"{name.removesuffix('_at')}_before_submitted"] = True
    if old.reply and old.replied_at is None:
        told["reply_time_unknown"] = True
    return {**old.facts, **told}


# ---- as new submissions --------------------------------------------------------------


def submit_new(platform: Platform, cases: Sequence[OldCase], *, now: datetime, dispatch: bool = False) -> list[Failure]:
    """Submit each of `cases` as if it came in now, by `case.submit`; with `dispatch`, to its unit by `case.dispatch`.

    All in one transaction; a refused one does not take the others with it. What the old system did with a case (its
    times, state, replies) is history and does not come along; its dates stand in the journal.
    """
    failures: list[Failure] = []
    with transaction.atomic():
        for old in cases:
            reason = _submit(platform, old, now=now, dispatch=dispatch)
            if reason:
                failures.append((old, reason))
    return failures


def _submit(platform: Platform, old: OldCase, *, now: datetime, dispatch: bool) -> str:
    try:
        with transaction.atomic():
            done = _perform_submit(platform, old, now)
            if isinstance(done, Refused):
                return "" if done.code == "already_done" else f"{done.reason}（{done.code}）"
            if dispatch and old.unit is not None and old.unit.handles:
                centre = find_unit(platform, policy_of(platform).info.competent_unit)
                sender = Actor(id=IMPORTER, role="dispatcher", platform=platform, unit=centre)
                order = {"lead": old.unit.path, "note": old.note[:2000]}
                sent = perform("case.dispatch", actor=sender, now=now, case=done, data=order)
                if isinstance(sent, Refused):
                    transaction.set_rollback(True)
                    return f"{sent.reason}（{sent.code}）"
            journal.record(done, "case.imported", actor=importer(platform), at=now, mode="new", **_told(old))
    except ROWS_FAULT as error:
        return f"数据库未接受：{str(error).strip().splitlines()[0]}"
    return ""


def _perform_submit(platform: Platform, old: OldCase, now: datetime) -> Case | Refused:
    data = {
        "channel": old.channel, "kind": old.kind, "title": old.title, "content": old.content, "place": old.place,
        "category": old.category, "urgency": old.urgency, "anonymous": old.anonymous,
        "external_no": old.external_no, "requester": dict(old.requester) or None,
    }  # fmt: skip
    actor = Actor(id=IMPORTER, role="channel", platform=platform, channel=old.channel)
    for attempt in range(TRIES):
        try:
            done = perform("case.submit", actor=actor, now=now, data=data)
        except IntegrityError:  # the number drawn was taken: draw another
            if attempt == TRIES - 1:
                raise
            continue
        return done if isinstance(done, Refused) else done.case
    raise AssertionError("unreachable")


def new_ones(cases: Iterable[OldCase], known: Collection[tuple[str, str]]) -> list[OldCase]:
    """Those of `cases` that are not known yet."""
    return [case for case in cases if (case.channel, case.external_no) not in known]
