"""平台设置: changed by those whom the regulation names, each change in the platform's journal."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from huying.cases.commands.intake import Line
from huying.cases.commands.registry import Input, Take, action
from huying.cases.models.setting import Setting
from huying.cases.queries.settings import district_of, may_change, rule_of
from huying.core.verdict import Refused
from huying.people.models import Unit
from huying.policy.model import SettingRule


class SettingInput(Input):
    key: Line = Field(title="设置项")
    value: int = Field(title="设为", ge=0, le=1_000_000)
    unit: str = Field(default="", max_length=200, title="区县", description="各区县分别设置的，不写则为本区县。")


@action("setting.change", "修改设置", parties="supervisor unit_admin leader admin", takes=SettingInput, on="platform")
def change(take: Take, given: SettingInput) -> Refused | Mapping[str, Any]:
    """A setting takes another value from now on; what was done before stays as it is."""
    rule = rule_of(take.platform, given.key)
    if rule is None:
        return Refused("invalid:key", f"没有“{given.key}”这项设置，请从列表中选择。", take.rule)
    district = _district(take, rule, given)
    if isinstance(district, Refused):
        return district
    if not may_change(take.actor, rule, district):
        return Refused("not_permitted", f"“{rule.label}”不由您所在的单位设置。", rule)
    least, most = (0, 1) if rule.type == "switch" else (rule.least, rule.most)
    if not least <= given.value <= most:
        said = "0（关）或1（开）" if rule.type == "switch" else f"{least}至{most}之间的整数"
        return Refused("invalid:value", f"“{rule.label}”应为{said}。", rule)
    where = {"platform": take.platform, "key": rule.key, "unit": district}
    before = Setting.objects.select_for_update().filter(**where).values_list("value", flat=True).first()
    row, _ = Setting.objects.update_or_create(
        **where, defaults={"value": given.value, "at": take.now, "by": take.actor.id}
    )  # fmt: skip
    take.made = row
    return {
        "setting": rule.key, "unit": district.path if district else "", "value": given.value,
        "before": rule.default if before is None else before,
    }  # fmt: skip


def _district(take: Take, rule: SettingRule, given: SettingInput) -> Unit | Refused | None:
    if rule.per != "district":
        return None if not given.unit else Refused("invalid:unit", "这项设置全平台一致，不分区县。", rule)
    if not given.unit:
        return district_of(take.actor)
    return take.unit(given.unit, "unit")
