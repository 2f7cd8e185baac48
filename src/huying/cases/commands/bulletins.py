"""通报、加分扣分: what a supervisor tells units, and counts for or against one, without a case to take it on."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field, field_validator

from huying.cases.access import visible_cases
from huying.cases.commands.intake import Line
from huying.cases.commands.registry import Input, Take, action
from huying.cases.models.bulletin import Bulletin, ScoreAdjustment
from huying.cases.queries.registers import oversees_unit
from huying.core.verdict import Refused

MOST_POINTS = 100


class BulletinInput(Input):
    period: str = Field(max_length=60, title="通报的时段")
    content: Annotated[str, Field(max_length=20_000)] = Field(title="通报内容")


@action("bulletin.publish", "通报", parties="supervisor", takes=BulletinInput, on="platform")
def publish(take: Take, given: BulletinInput) -> Mapping[str, Any]:
    """A bulletin on a period, for every unit below whoever issues it."""
    assert take.actor.unit is not None
    row = Bulletin.objects.create(
        platform=take.platform, issued_by=take.actor.unit, period=given.period, content=given.content, at=take.now,
        by=take.actor.id,
    )  # fmt: skip
    take.made = row
    return {"bulletin": row.pk}


class AdjustInput(Input):
    unit: Line = Field(title="单位")
    points: Decimal = Field(title="分值", description="加分为正数，扣分为负数。", max_digits=6, decimal_places=2)
    reason: str = Field(max_length=2000, title="理由")
    case: str = Field(default="", max_length=80, title="依据的工单")

    @field_validator("points")
    @classmethod
    def _worth_writing_down(cls, value: Decimal) -> Decimal:
        if value == 0 or abs(value) > MOST_POINTS:
            raise ValueError(f"分值应在-{MOST_POINTS}到{MOST_POINTS}之间，且不为0")
        return value


@action("score.adjust", "加分扣分", parties="supervisor", takes=AdjustInput, on="platform")
def adjust(take: Take, given: AdjustInput) -> Refused | Mapping[str, Any]:
    """Points for or against a unit in the assessment, with the reason."""
    unit = take.unit(given.unit, "unit")
    if isinstance(unit, Refused):
        return unit
    if not oversees_unit(take.actor, unit):
        return Refused("not_permitted", f"“{unit.name}”不在您督办的范围内。", take.rule)
    case = visible_cases(take.actor).filter(number=given.case).first() if given.case else None
    if given.case and case is None:
        return Refused("invalid:case", "没有查到这个编号的工单，请核对。", take.rule)
    row = ScoreAdjustment.objects.create(
        platform=take.platform, unit=unit, case=case, points=given.points, reason=given.reason, at=take.now,
        by=take.actor.id,
    )  # fmt: skip
    take.made = row
    return {"adjustment": row.pk, "unit": unit.path, "points": f"{given.points.normalize():f}"}
