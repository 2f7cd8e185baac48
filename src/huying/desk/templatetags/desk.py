"""Names of units for templates of the desk: `{% load desk %}`."""

from django import template

from huying.people.models import Platform
from huying.people.units import UnknownUnit, find_unit, full_name
from huying.policy.model import Regulation
from huying.ui import words

register = template.Library()


@register.filter
def unit_name(path: str | None, platform: Platform) -> str:
    """The unit at `path` as people call it, with the units above it but not the root."""
    if not path:
        return ""
    try:
        return full_name(find_unit(platform, path))
    except UnknownUnit:
        return path


@register.filter
def positive(days: int) -> int:
    """How many days, whichever way they are counted."""
    return abs(days)


@register.filter
def slug(action_id: str) -> str:
    """An action's id as the class of its form."""
    return action_id.replace(".", "-").replace("_", "-")


READING = {
    "name": "姓名", "phone": "电话", "email": "电子邮箱", "address": "地址", "id_number": "证件号码",
    "organisation": "企业名称",
    "masked_display": "页面显示", "intake": "受理", "callback": "回访", "handle": "办理", "notice": "通知",
    "check": "核对", "self": "本人查看", "survey": "第三方调查名单",
}  # fmt: skip


@register.filter
def plainly(what: str) -> str:
    """A reading of an identity with the words for its fields and its purpose."""
    for code, said in READING.items() if what.startswith("读取") else ():
        what = what.replace(code, said)
    return what


@register.filter
def who(actor_id: str) -> str:
    """Who acted, where it is nobody with a sign-in name."""
    kind = actor_id.partition(":")[0]
    return {"citizen": "诉求人", "system": "系统", "channel": "接口渠道"}.get(kind, actor_id)


@register.simple_tag
def action_word(policy: Regulation, action_id: str) -> str:
    """An action as the regulation calls it."""
    rule = policy.action_rules.get(action_id)
    return rule.label if rule else words.word(action_id, "action")


@register.simple_tag
def ground_word(policy: Regulation, ground: str) -> str:
    """The ground of a clue: one of its own, or one of supervision."""
    known = {rule.key: rule.label for rule in (*policy.supervision_grounds, *policy.clue_grounds)}
    return known.get(ground, ground)


@register.simple_tag
def event_word(policy: Regulation, action_id: str) -> str:
    """What happened: an action as the regulation calls it, what the clock did in the common words."""
    rule = policy.action_rules.get(action_id)
    return rule.label if rule else words.word(action_id, "event")


@register.simple_tag
def application_word(policy: Regulation, type_: str) -> str:
    """The type of an application, named as the regulation names the action that makes it."""
    return words.application_word(policy, type_)


@register.simple_tag
def flag_word(policy: Regulation, flag: str) -> str:
    """A mark as the regulation calls it, where it says something about it."""
    known = {rule.key: rule.label for rule in policy.flags}
    return known.get(flag) or words.word(flag, "flag")
