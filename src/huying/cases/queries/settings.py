"""平台设置: what holds now, and who may change it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from huying.cases.models.setting import Setting
from huying.cases.policies import policy_of
from huying.core.assessment import Thresholds
from huying.people.actors import Actor
from huying.people.models import Account, Platform, Unit
from huying.policy.model import SettingRule

DISTRICT = "{district}"
OF_A_DISTRICT = ("centre", "oversight", "government")
"""Units that speak for their district."""
COMPLAINTS, SATISFACTION, LATE = "attention_complaints", "attention_satisfaction", "attention_late"
INTERVIEW_WORST, INTERVIEW_LATE = "interview_worst", "interview_late"
TOPIC_CASES, TOPIC_DAYS = "topic_cases", "topic_days"
SAMPLE, BONUS = "sample_rate", "bonus_typical_case"
USUAL: Mapping[str, int] = {
    COMPLAINTS: 10, SATISFACTION: 80, LATE: 10, INTERVIEW_WORST: 5, INTERVIEW_LATE: 10, TOPIC_CASES: 10,
    TOPIC_DAYS: 30, SAMPLE: 5, BONUS: 2,
}  # fmt: skip
"""What the code reads of the whole platform, and the value where a regulation lists no such setting."""


def rule_of(platform: Platform, key: str) -> SettingRule | None:
    """The rule of a setting under the platform's regulation."""
    return next((rule for rule in policy_of(platform).settings if rule.key == key), None)


def setting_of(platform: Platform, key: str, unit: Unit | None = None) -> int:
    """The value that holds now, for the district `unit` where each has its own: what was set, else the default.

    Where the regulation lists no such setting, the usual value. Raises: LookupError for a key that nobody knows.
    """
    rule = rule_of(platform, key)
    if rule is None:
        return USUAL[key]
    district = unit if rule.per == "district" else None
    row = Setting.objects.filter(platform=platform, key=key, unit=district).first()
    return rule.default if row is None else row.value


def values_of(platform: Platform, *keys: str) -> list[int]:
    """The values of several settings of the whole platform, in the order of `keys`."""
    found = {key: USUAL[key] for key in keys}
    listed = {rule.key: rule.default for rule in policy_of(platform).settings if rule.key in found}
    if listed:
        found |= listed
        found |= dict(Setting.objects.filter(platform=platform, key__in=listed, unit=None).values_list("key", "value"))
    return [found[key] for key in keys]


def thresholds_of(platform: Platform) -> Thresholds:
    """Above or below what a unit is proposed for attention, as the platform has it set."""
    complaints, satisfaction, late = values_of(platform, COMPLAINTS, SATISFACTION, LATE)
    return Thresholds(complaints, Decimal(satisfaction), Decimal(late))


def assessed_areas(platform: Platform) -> list[str] | None:
    """Paths of the districts whose own units are assessed; None where that is not for each district to decide."""
    assessment = policy_of(platform).assessment
    rule = rule_of(platform, assessment.district_switch) if assessment and assessment.district_switch else None
    if rule is None:
        return None
    districts = Unit.objects.filter(platform=platform, kind="district").order_by("left")
    values = dict(
        Setting.objects.filter(platform=platform, key=rule.key).exclude(unit=None).values_list("unit_id", "value")
    )
    return [unit.path for unit in districts if values.get(unit.pk, rule.default)]


# ---- who changes what ------------------------------------------------------------------------------


def may_change(actor: Actor, rule: SettingRule, district: Unit | None = None) -> bool:
    """Whether the actor may change the setting, of that district where each has its own."""
    unit = actor.unit
    if unit is None or actor.role not in rule.roles:
        return False
    if rule.per == "district":
        own = district_of(actor)
        return DISTRICT in rule.units and own is not None and district is not None and own.pk == district.pk
    return unit.path in rule.units or not rule.units


def district_of(actor: Actor) -> Unit | None:
    """The district that the actor's unit speaks for."""
    unit = actor.unit
    if unit is None or unit.kind not in OF_A_DISTRICT or unit.parent is None or unit.parent.kind != "district":
        return None
    return unit.parent


@dataclass(frozen=True)
class Shown:
    """A setting as the page shows it: what holds, since when, by whom."""

    rule: SettingRule
    district: Unit | None
    value: int
    row: Setting | None
    by: str


def settings_of(actor: Actor) -> Sequence[Shown]:
    """The settings that the actor may change, in the order of the regulation."""
    district, found = district_of(actor), []
    for rule in policy_of(actor.platform).settings:
        of = district if rule.per == "district" else None
        if may_change(actor, rule, of):
            row = Setting.objects.filter(platform=actor.platform, key=rule.key, unit=of).first()
            found.append(Shown(rule, of, rule.default if row is None else row.value, row, _name(row)))
    return found


def changes_settings(actor: Actor) -> bool:
    """Whether there is any that the actor may change; asks nothing of the database but the unit's parent."""
    rules = policy_of(actor.platform).settings
    return any(actor.role in rule.roles for rule in rules) and any(
        may_change(actor, rule, district_of(actor) if rule.per == "district" else None) for rule in rules
    )


def _name(row: Setting | None) -> str:
    """Who set it; the account's name where it is one."""
    kind, _, key = row.by.partition(":") if row else ("", "", "")
    if kind == "account" and key.isdigit():
        return str(Account.objects.filter(pk=int(key)).first() or row.by if row else "")
    return row.by if row else ""
