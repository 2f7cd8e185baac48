"""交办任务: who gives which kind to whom, what its report must say, when it is late."""

from collections.abc import Iterable, Mapping
from datetime import date

from huying.core.verdict import Refused
from huying.policy.model import BusinessLine, Regulation, TaskKind

ASKED: Mapping[str, str] = {"cause": "原因分析", "measures": "整改措施", "completed_on": "完成日期"}


def kinds_of(role: str, policy: Regulation) -> tuple[TaskKind, ...]:
    """The kinds of tasks that somebody of that role gives."""
    return tuple(kind for kind in policy.task_kinds if role in kind.roles)


def kind_of(key: str, policy: Regulation) -> TaskKind | None:
    """The kind with that key; None when the regulation no longer knows it."""
    return next((kind for kind in policy.task_kinds if kind.key == key), None)


def judge_kind(key: str, role: str, policy: Regulation) -> TaskKind | Refused:
    """The kind that is given, if the regulation knows it and somebody of that role gives it."""
    kind = kind_of(key, policy)
    if kind is None:
        return Refused("invalid:kind", "本平台的规定没有这种任务，请从任务类型中选择。")
    if role not in kind.roles:
        return Refused("not_permitted", f"您的身份不能交办“{kind.label}”。", kind)
    return kind


def judge_due(kind: TaskKind, due: date | None, today: date) -> Refused | None:
    """A day by which it is done, where the kind asks for one, and none that has passed."""
    if due is None:
        return Refused("missing:due", f"“{kind.label}”须限定完成日期，请填写。", kind) if kind.due_required else None
    if due < today:
        return Refused("invalid:due", "完成日期不能早于今天，请重新填写。", kind)
    return None


def judge_report(kind: TaskKind | None, given: Mapping[str, object], today: date) -> Refused | None:
    """What the kind asks of a report is there, and nothing was completed in the future."""
    for name in kind.asks if kind else ():
        if not given.get(name):
            return Refused(f"missing:{name}", f"请填写“{ASKED[name]}”：这类任务的报告须写明。", kind)
    completed_on = given.get("completed_on")
    if isinstance(completed_on, date) and completed_on > today:
        return Refused("invalid:completed_on", "完成日期不能晚于今天，完成以后再报告。", kind)
    return None


def judge_close(state: str, conclusion: str) -> Refused | None:
    """What was reported may be closed; what was not, only with the reason for taking it back."""
    if state == "closed":
        return Refused("wrong_state", "这项任务已经办结。")
    if state != "reported" and not conclusion:
        return Refused("missing:conclusion", "收件单位还没有报告，请写明撤回任务的原因。")
    return None


def line_of(path: str, policy: Regulation) -> BusinessLine | None:
    """The line of business that the unit at `path` heads."""
    return next((line for line in policy.lines if line.head == path), None)


def is_counterpart(path: str, line: BusinessLine) -> bool:
    """Whether the unit at `path` is the line's own department of a district, and nothing below one."""
    district, _, name = path.partition("/")
    return bool(district) and name in line.counterparts


def counterparts(line: BusinessLine, paths: Iterable[str]) -> list[str]:
    """Of the units at `paths`, the line's departments in the districts, in their order."""
    return [path for path in paths if is_counterpart(path, line)]


def is_late(state: str, due_on: date | None, reported_on: date | None, today: date) -> bool:
    """Whether the day has passed without a report, or the report came after it. The last day counts to its end."""
    if due_on is None or state == "draft":
        return False
    if reported_on is not None:
        return reported_on > due_on
    return state == "open" and today > due_on
