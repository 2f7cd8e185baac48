"""拟主动治理任务: from a forecast a task is drafted for the unit that will be asked; a person sends it."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from huying.cases.commands.intake import Line, Text
from huying.cases.commands.registry import Input, Take, action
from huying.cases.models import Task
from huying.cases.queries.concentrations import reach_over
from huying.core.verdict import Refused

PROACTIVE = "proactive"
"""The kind of task where none is named."""


class DraftInput(Input):
    unit: Line = Field(title="承办单位")
    title: Line = Field(title="任务名称")
    content: Text = Field(title="任务内容")
    kind: str = Field(default="", max_length=30, title="任务类型")


@action("task.draft", "拟主动治理任务", parties="supervisor dispatcher analyst", takes=DraftInput, on="platform")
def draft(take: Take, given: DraftInput) -> Refused | Mapping[str, Any]:
    """A task is drafted for a unit before anybody complains; nobody is told until a person sends it."""
    unit = take.unit(given.unit, "unit")
    if isinstance(unit, Refused):
        return unit
    if take.actor.unit is None or take.actor.unit.kind != "centre" or not reach_over(take.actor).holds(unit.left):
        return Refused("not_permitted", f"“{unit.name}”不在您的职责范围内。", take.rule)
    kind = given.kind or PROACTIVE
    if kind not in {one.key for one in take.policy.task_kinds}:
        return Refused("invalid:kind", "本平台没有这个任务类型。", take.rule)
    row = Task.objects.create(
        platform=take.platform, kind=kind, title=given.title, content=given.content, issued_by=take.actor.unit,
        unit=unit, state="draft", rule=f"actions.{take.action.id}", article=take.rule.cite, at=take.now,
        by=take.actor.id,
    )  # fmt: skip
    take.made = row
    return {"task": row.pk, "unit": unit.path, "kind": kind}
