"""The demo's tasks: one of each kind that the regulation knows, reported by one unit and open at another; material."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from huying.base.clock import local_date
from huying.cases.access import visible_cases
from huying.cases.commands import perform
from huying.cases.policies import policy_of
from huying.cases.queries.supervisions import clues_of
from huying.cases.queries.tasks import gives, is_below, receivers_of, sends_material
from huying.core.verdict import Refused
from huying.people.actors import Actor
from huying.people.models import Platform, Unit
from huying.people.units import find_unit
from huying.policy.model import TaskKind

Staff = Mapping[tuple[str, str], Actor]
TOLD: Mapping[str, tuple[str, str]] = {
    "general": ("核对平台基本信息", "请核对本单位在平台上的联系人、电话和职责，有变动的及时更新，核对后报告。"),
    "guidance": ("规范答复用语", "答复诉求应当引用政策依据，写明办理经过和下一步安排，请对照检查近期答复。"),
    "rectification": ("路灯集中问题整改", "近期路灯不亮的投诉较多，请分析原因，采取措施，限期整改。"),
    "proactive": ("汛前排查下水井盖", "往年入汛后井盖、积水诉求集中，请在汛前主动排查，能修的先修。"),
    "verification": ("核查办理情况", "请核查有关工作的落实情况，写明事实和处理建议。"),
}
REPORT = {
    "report": "已逐项核对并整改，情况属实，后续按月复查。", "cause": "设施老化，巡查间隔过长。",
    "measures": "更换损坏设施，巡查改为每周一次。",
}  # fmt: skip
MOST = 2


def give_tasks(platform: Platform, staff: Staff, *, now: datetime) -> list[str]:
    """Give the tasks and send the material; what was refused, one line each."""
    return [
        f"{what}：{outcome.code} {outcome.reason}"
        for what, outcome in _steps(platform, staff, now)
        if isinstance(outcome, Refused)
    ]


def _steps(platform: Platform, staff: Staff, now: datetime) -> Iterator[tuple[str, object]]:
    due = (local_date(now) + timedelta(days=5)).isoformat()
    for kind in policy_of(platform).task_kinds:
        title, content = TOLD.get(kind.key, (kind.label, kind.label))
        data = {"kind": kind.key, "title": title, "content": content, "due": due}
        if kind.on_clue:
            yield from _verified(platform, staff, now, data)
            continue
        giver, units = _giver(staff, kind)
        if giver is None:
            continue
        given = perform("task.assign", actor=giver, now=now, data=data | {"units": [unit.path for unit in units]})
        yield f"task.assign {kind.key}", given
        reporter = _reporter(staff, units[0])
        if not isinstance(given, Refused) and reporter is not None and len(units) > 1:
            done = {"completed_on": local_date(now).isoformat()} if "completed_on" in kind.asks else {}
            asked = {name: REPORT[name] for name in ("report", *kind.asks) if name in REPORT}
            told = asked | done | {"task": given.made.pk if given.made else 0}
            yield f"task.report {kind.key}", perform("task.report", actor=reporter, now=now, data=told)
    for sender in [one for one in staff.values() if one.role == "leader" and sends_material(one)][:1]:
        cases = list(visible_cases(sender).filter(subjects__isnull=True).order_by("-pk")[:MOST])
        sent = {
            "title": "本行业诉求办理情况梳理", "text": "反映集中的问题见所附诉求，建议列入专项督查。",
            "cases": [case.number for case in cases],
        }  # fmt: skip
        yield "material.submit", perform("material.submit", actor=sender, now=now, data=sent)


def _giver(staff: Staff, kind: TaskKind) -> tuple[Actor | None, list[Unit]]:
    """Who gives such a task to units whose people can sign in, and those units."""
    here = {path for _, path in staff}
    for actor in staff.values():
        if kind in gives(actor):
            units = [unit for unit in receivers_of(actor, kind) if unit.path in here and _reporter(staff, unit)]
            if units:
                return actor, units[:MOST]
    return None, []


def _reporter(staff: Staff, unit: Unit) -> Actor | None:
    return staff.get(("handler", unit.path)) or staff.get(("leader", unit.path))


def _verified(platform: Platform, staff: Staff, at: datetime, data: dict[str, str]) -> Iterator[tuple[str, object]]:
    """A clue that waits goes to a department that never had its case."""
    inspector = next((one for (role, _), one in staff.items() if role == "inspector"), None)
    clue = next(iter(clues_of(inspector, ["transferred"])), None) if inspector else None
    if inspector is None or clue is None:
        return
    had = set(clue.case.assignments.values_list("unit__path", flat=True))
    had |= set(clue.case.subjects.values_list("unit__path", flat=True))
    for path in dict.fromkeys(path for role, path in staff if role == "handler"):
        unit = find_unit(platform, path)
        if "/" not in path and path not in had and unit.kind == "department" and is_below(inspector, unit):
            sent = data | {"units": [path], "clue": clue.pk}
            yield "task.assign verification", perform("task.assign", actor=inspector, now=at, data=sent)
            return
