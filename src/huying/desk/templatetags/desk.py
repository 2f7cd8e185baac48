"""Names of units for templates of the desk: `{% load desk %}`."""

from django import template

from huying.people.models import Platform
from huying.people.units import UnknownUnit, find_unit

register = template.Library()


@register.filter
def unit_name(path: str | None, platform: Platform) -> str:
    """The unit at `path` as people call it, with the units above it but not the root."""
    if not path:
        return ""
    try:
        unit = find_unit(platform, path)
    except UnknownUnit:
        return path
    above, _, _ = unit.path.rpartition("/")
    return f"{unit_name(above, platform)} {unit.name}" if above else unit.name


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
    "masked_display": "页面显示", "intake": "受理", "callback": "回访", "handle": "办理", "notice": "通知",
    "check": "核对", "self": "本人查看",
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
