"""领导接听: the head of a unit is scheduled to answer calls at the hotline; calls of that day hang on the session."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import Field

from huying.cases.commands.intake import Line
from huying.cases.commands.registry import Input, Take, action
from huying.cases.models import AnsweringSession
from huying.cases.queries.concentrations import reach_over
from huying.core.verdict import Refused


class ScheduleInput(Input):
    unit: Line = Field(title="接听单位")
    leader: str = Field(max_length=60, title="接听的负责人")
    held_on: date = Field(title="接听日期")
    reason: str = Field(default="", max_length=2000, title="安排的理由")


@action("session.schedule", "安排接听", parties="supervisor dispatcher", takes=ScheduleInput, on="platform")
def schedule(take: Take, given: ScheduleInput) -> Refused | Mapping[str, Any]:
    """The head of a unit answers calls on a day; one session a unit and day."""
    unit = take.unit(given.unit, "unit")
    if isinstance(unit, Refused):
        return unit
    if not reach_over(take.actor).holds(unit.left):
        return Refused("not_permitted", f"“{unit.name}”不在您的职责范围内。", take.rule)
    if given.held_on < take.today:
        return Refused("invalid:held_on", "接听日期已经过去，请选择今天或者以后的日期。", take.rule)
    row = AnsweringSession.objects.create(
        platform=take.platform, unit=unit, leader=given.leader, held_on=given.held_on, reason=given.reason,
        at=take.now, by=take.actor.id,
    )  # fmt: skip
    take.made = row
    return {"session": row.pk, "unit": unit.path, "held_on": given.held_on}
