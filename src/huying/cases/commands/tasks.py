"""交办任务、线索素材: what units are asked to do, and send up, without a case to take it on."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field

from huying.cases import journal
from huying.cases.access import forbidden_spans, visible_cases
from huying.cases.commands import clock
from huying.cases.commands.clues import concluded
from huying.cases.commands.intake import Line, Text
from huying.cases.commands.perform import authorise, judge_states
from huying.cases.commands.registry import ACTIONS, Input, Take, action
from huying.cases.models import Assignment, Case, Clue, Material, Task
from huying.cases.queries.tasks import (
    INSPECTING,
    REPORTING,
    Box,
    counterparts_of,
    find_material,
    inspecting_units,
    is_below,
    tasks_in,
)
from huying.core.routing import Span, is_forbidden, judge_recusal
from huying.core.tasks import judge_close, judge_due, judge_kind, judge_report, kind_of
from huying.core.verdict import Refused
from huying.people.actors import Actor
from huying.people.models import Unit
from huying.policy.model import TaskKind

MOST_CASES = 50
MOST_UNITS = 100
Numbers = Annotated[tuple[Line, ...], Field(max_length=MOST_CASES)]
NO_TASK = Refused("not_found", "没有找到这项任务，请核对。")


class AssignInput(Input):
    kind: Line = Field(title="任务类型")
    title: Line = Field(title="任务名称")
    content: Text = Field(title="任务内容和要求")
    units: Annotated[tuple[Line, ...], Field(max_length=MOST_UNITS)] = Field(default=(), title="收件单位")
    due: date | None = Field(default=None, title="完成日期")
    cases: Numbers = Field(default=(), title="涉及的诉求")
    clue: int | None = Field(default=None, title="线索", ge=1, lt=2**63)
    draft: int | None = Field(default=None, title="拟交办的任务", ge=1, lt=2**63)


@action("task.assign", "交办任务", parties="dispatcher supervisor inspector leader", takes=AssignInput, on="platform")
def assign(take: Take, given: AssignInput) -> Refused | Mapping[str, Any]:
    """A task for each of the units; one that the platform drafted is sent by whoever may give it."""
    kind = judge_kind(given.kind, take.actor.role, take.policy)
    if isinstance(kind, Refused):
        return kind
    draft = _locked(take.actor, "given", given.draft) if given.draft else None
    if given.draft and draft is None:
        return NO_TASK
    if draft is not None and draft.state != "draft":
        return Refused("wrong_state", "这项任务已经交办过了。", take.rule)
    clue = _clue(take, kind, given)
    if isinstance(clue, Refused):
        return clue
    units = _units(take, kind, given)
    if isinstance(units, Refused):
        return units
    refused = judge_due(kind, given.due, take.today)
    if refused:
        return refused
    cases = _cases_of_draft(take.actor, draft, given) if draft else _cases(take.actor, given.cases)
    if isinstance(cases, Refused):
        return cases
    refused = _judge_recusal(take, units, [*cases, *([clue.case] if clue else [])]) or _judge_verifier(units, clue)
    if refused:
        return refused
    made = [_send(take, kind, given, unit, clue, draft if at == 0 else None) for at, unit in enumerate(units)]
    for task in made:
        task.cases.set(cases)
    take.made = made[0]
    return {"tasks": [task.pk for task in made], "kind": kind.key, "article": kind.cite}


def _send(take: Take, kind: TaskKind, given: AssignInput, unit: Unit, clue: Clue | None, draft: Task | None) -> Task:
    """The draft as it was edited, or a new task."""
    task = draft or Task(platform=take.platform, rule=f"task_kinds.{kind.key}", article=kind.cite)
    task.kind, task.title, task.content = kind.key, given.title, given.content
    task.unit, task.issued_by, task.due_on, task.clue = unit, take.actor.unit, given.due, clue
    task.state, task.at, task.by = "open", take.now, take.actor.id
    task.save()
    return task


def _units(take: Take, kind: TaskKind, given: AssignInput) -> list[Unit] | Refused:
    """The units that are to get the task; of a line without any named, all of its counterparts."""
    line = {unit.pk for unit in counterparts_of(take.actor)} if kind.to == "line" else set()
    if kind.to == "line" and not line:
        return Refused("not_permitted", "本单位没有县区的对口部门，不能按条线下发。", kind)
    if not given.units:
        return counterparts_of(take.actor) if line else Refused("missing:units", "请填写“收件单位”。", kind)
    found: dict[int, Unit] = {}
    for path in given.units:
        unit = take.unit(path, "units")
        if isinstance(unit, Refused):
            return unit
        if kind.to == "line" and unit.pk not in line:
            return Refused("not_permitted", f"“{unit.name}”不是本单位在县区的对口部门，请从对口部门中选择。", kind)
        if kind.to == "below" and not is_below(take.actor, unit):
            return Refused("not_permitted", f"“{unit.name}”不在您交办的范围内，请选择下级单位。", kind)
        if not set(unit.roles) & set(REPORTING):
            return Refused("invalid:units", f"“{unit.name}”没有办理人员，请选择它的下级单位。", kind)
        found[unit.pk] = unit
    if kind.on_clue and len(found) > 1:
        return Refused("invalid:units", "一条线索交一个单位核查，请只填写一个单位。", kind)
    return list(found.values())


def _clue(take: Take, kind: TaskKind, given: AssignInput) -> Clue | Refused | None:
    """The clue that is to be verified, its case locked, if the actor might conclude it themselves."""
    if not kind.on_clue:
        return Refused("invalid:clue", "这种任务不涉及线索。", kind) if given.clue else None
    if not given.clue:
        return Refused("missing:clue", "请从线索列表中选择要核查的线索。", kind)
    clue = concludable(take, given.clue)
    if not isinstance(clue, Refused) and clue.tasks.filter(state="open").exists():
        return Refused("already_done", "这条线索已经交有关单位核查，正在等待报告。", kind)
    return clue


def concludable(take: Take, pk: int) -> Clue | Refused:
    """The clue, if `clue.conclude` would be open to the actor now."""
    found = Clue.objects.filter(pk=pk, case__in=visible_cases(take.actor)).first()
    if found is None:
        return Refused("not_found", "没有找到这条线索，请核对。")
    case = visible_cases(take.actor, found.case_id).select_for_update(of=("self",)).get()
    case.platform = take.platform
    conclusion = Take(
        platform=take.platform,
        actor=take.actor,
        now=take.now,
        action=ACTIONS["clue.conclude"],
        rule=take.rule,
        case=case,
    )
    found.refresh_from_db()
    found.case = case
    return authorise(conclusion, found) or judge_states(conclusion) or found


def _cases(actor: Actor, numbers: Sequence[str]) -> list[Case] | Refused:
    """The cases with those numbers, all of which the actor must know of."""
    found = {case.number: case for case in visible_cases(actor).filter(number__in=numbers)} if numbers else {}
    unknown = next((number for number in numbers if number not in found), None)
    if unknown is not None:
        return Refused("invalid:cases", f"没有查到编号为“{unknown}”的诉求，请核对。")
    return list(found.values())


def _cases_of_draft(actor: Actor, draft: Task, given: AssignInput) -> list[Case] | Refused:
    """The cases that were chosen; where nobody chose, those of the draft that the actor knows of."""
    if "cases" in given.model_fields_set:
        return _cases(actor, given.cases)
    return list(visible_cases(actor).filter(tasks=draft).order_by("pk"))


def _judge_recusal(take: Take, units: Sequence[Unit], cases: Sequence[Case]) -> Refused | None:
    """No unit is told of a case that complains of it, or of one above it."""
    spans: list[Span] = [span for case in cases for span in forbidden_spans(case)]
    refused = (judge_recusal(unit.left, unit.name, spans, take.policy) for unit in units)
    return next((one for one in refused if one is not None), None)


def _judge_verifier(units: Sequence[Unit], clue: Clue | None) -> Refused | None:
    """Nobody verifies themselves: a unit that had the case in hand is not told of the clue."""
    if clue is None:
        return None
    had = [one for row in Assignment.objects.filter(case=clue.case_id) for one in (row.unit, row.delegate) if one]
    spans = [Span(unit.left, unit.right) for unit in had]
    concerned = next((unit for unit in units if is_forbidden(unit.left, spans)), None)
    if concerned is None:
        return None
    return Refused("recusal", f"“{concerned.name}”承办过这件诉求，不能核查自己的线索，请交其他单位核查。")


def _locked(actor: Actor, box: Box, pk: int) -> Task | None:
    """The task, locked, if the actor's unit got it or gave it."""
    return tasks_in(actor, box).filter(pk=pk).select_for_update(of=("self",)).first()


# ---- report and close --------------------------------------------------------------


class ReportInput(Input):
    task: int = Field(title="任务", ge=1, lt=2**63)
    report: Text = Field(title="办理情况")
    cause: str = Field(default="", max_length=5000, title="原因分析")
    measures: str = Field(default="", max_length=5000, title="整改措施")
    completed_on: date | None = Field(default=None, title="完成日期")


@action("task.report", "报告任务", parties=" ".join(REPORTING), takes=ReportInput, on="platform")
def report(take: Take, given: ReportInput) -> Refused | Mapping[str, Any]:
    """The unit reports what it did; a clue that it was to verify is concluded with it."""
    task = _locked(take.actor, "mine", given.task)
    if task is None:
        return NO_TASK
    if task.state != "open":
        return Refused("wrong_state", "这项任务已经报告或者办结，不能重复报告。", take.rule)
    refused = judge_report(kind_of(task.kind, take.policy), given.model_dump(), take.today)
    if refused:
        return refused
    task.report, task.cause, task.measures = given.report, given.cause, given.measures
    task.completed_on, task.state = given.completed_on, "reported"
    task.reported_at, task.reported_by = take.now, take.actor.id
    task.save()
    if task.clue_id is not None:
        _conclude(take, task)
    take.made = task
    return {"task": task.pk, "kind": task.kind}


def _conclude(take: Take, task: Task) -> None:
    """The report becomes the opinion on the clue, unless the inspectors gave theirs in the meantime."""
    found = Clue.objects.get(pk=task.clue_id)
    case = Case.objects.select_for_update(of=("self",)).get(pk=found.case_id)
    case.platform = take.platform
    found.refresh_from_db()
    if found.state != "transferred":
        return
    clock.catch_up(case, take.now)
    entry = concluded(found, task.report)
    case.version += 1
    case.save(update_fields=["version"])
    journal.record(
        case,
        "clue.conclude",
        actor=take.actor,
        at=take.now,
        rule=task.rule,
        article=task.article,
        task=task.pk,
        **entry,
    )


class CloseInput(Input):
    task: int = Field(title="任务", ge=1, lt=2**63)
    conclusion: str = Field(default="", max_length=5000, title="审核意见")


@action("task.close", "任务办结", parties="dispatcher supervisor inspector leader", takes=CloseInput, on="platform")
def close(take: Take, given: CloseInput) -> Refused | Mapping[str, Any]:
    """Whoever gives such tasks closes one that was reported, or takes back one that was not, with the reason."""
    task = _locked(take.actor, "given", given.task)
    if task is None:
        return NO_TASK
    refused = judge_close(task.state, given.conclusion)
    if refused:
        return Refused(refused.code, refused.reason, take.rule)
    before, task.state = task.state, "closed"
    task.conclusion, task.closed_at, task.closed_by = given.conclusion, take.now, take.actor.id
    task.issued_by = task.issued_by or take.actor.unit
    task.save()
    take.made = task
    return {"task": task.pk, "kind": task.kind, "before": before}


# ---- material ----------------------------------------------------------------------


class MaterialInput(Input):
    to: str = Field(default="", max_length=200, title="报送单位")
    title: Line = Field(title="标题")
    period: str = Field(default="", max_length=60, title="所属时段")
    text: Text = Field(title="办理情况和线索、素材")
    cases: Numbers = Field(default=(), title="涉及的诉求")


@action("material.submit", "报送线索素材", parties="handler leader unit_admin", takes=MaterialInput, on="platform")
def submit_material(take: Take, given: MaterialInput) -> Refused | Mapping[str, Any]:
    """What a unit found in its line of business goes to those who inspect, with the cases that show it."""
    to = _inspectors(take, given.to)
    if isinstance(to, Refused):
        return to
    cases = _cases(take.actor, given.cases)
    if isinstance(cases, Refused):
        return cases
    refused = _judge_recusal(take, [to], cases)
    if refused:
        return refused
    assert take.actor.unit is not None
    row = Material.objects.create(
        platform=take.platform, unit=take.actor.unit, to=to, title=given.title, period=given.period, text=given.text,
        at=take.now, by=take.actor.id,
    )  # fmt: skip
    row.cases.set(cases)
    take.made = row
    return {"material": row.pk}


def _inspectors(take: Take, path: str) -> Unit | Refused:
    """The unit named, if it inspects; none named, the one that the regulation's inspectors sit in."""
    unit = take.unit(path or take.policy.tree.role_home.get("inspector", ""), "to")
    if isinstance(unit, Refused):
        return unit
    if unit.kind not in INSPECTING or unit.pk not in {one.pk for one in inspecting_units(take.actor)}:
        return Refused("invalid:to", "线索素材应当报送督查机构或者纪检监察机关，请从列表中选择。", take.rule)
    return unit


def mark_material_read(actor: Actor, pk: int, *, now: datetime) -> bool:
    """The unit that was sent the material has read it. Not an action: nothing about the material changes."""
    found = find_material(actor, pk)
    if found is None or actor.unit is None or found.to_id != actor.unit.pk:
        return False
    return bool(Material.objects.filter(pk=found.pk, read_at__isnull=True).update(read_at=now))
