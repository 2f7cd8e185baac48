"""通报、加分扣分: what a supervisor tells units, and counts for or against one, without a case to take it on."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from huying.cases.access import visible_cases
from huying.cases.commands.intake import Line
from huying.cases.commands.registry import Input, Take, action
from huying.cases.models import Case
from huying.cases.models.bulletin import Bulletin, ScoreAdjustment
from huying.cases.models.handling import VISIBLE_ASSIGNMENT
from huying.cases.queries.registers import oversees_unit
from huying.cases.queries.settings import BONUS, rule_of, setting_of
from huying.core.verdict import Refused
from huying.people.models import Unit

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
    ground: Literal["", "typical_case"] = Field(
        default="", title="加分事由", description="典型案例奖励加分的，分值按平台设置，须写明工单。"
    )

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
    if given.ground:
        refused = _judge_bonus(take, given, case, unit)
        if refused:
            return refused
    row = ScoreAdjustment.objects.create(
        platform=take.platform, unit=unit, case=case, points=given.points, reason=given.reason, at=take.now,
        by=take.actor.id, ground=given.ground,
    )  # fmt: skip
    take.made = row
    return {"adjustment": row.pk, "unit": unit.path, "points": f"{given.points.normalize():f}"}


def _judge_bonus(take: Take, given: AdjustInput, case: Case | None, unit: Unit) -> Refused | None:
    """The bonus for a typical case: the points that are set, once a case, to a unit that had a part in it."""
    if rule_of(take.platform, BONUS) is None:
        return Refused("invalid:ground", "本平台的规定没有典型案例奖励加分。", take.rule)
    bonus = setting_of(take.platform, BONUS)
    if case is None:
        return Refused("missing:case", "典型案例加分请填写案例的工单编号。", take.rule)
    if given.points != bonus:
        return Refused("invalid:points", f"典型案例奖励加{bonus}分（见平台设置），请按此填写。", take.rule)
    handled = case.assignments.filter(state__in=VISIBLE_ASSIGNMENT, unit_left__range=(unit.left, unit.right))
    if not handled.exists():
        return Refused("invalid:case", f"“{unit.name}”没有办理过这件工单，不能以它加分。", take.rule)
    if ScoreAdjustment.objects.filter(unit=unit, case=case, ground=given.ground).exists():
        return Refused("already_done", f"“{unit.name}”已经因这件典型案例加过分。", take.rule)
    return None
