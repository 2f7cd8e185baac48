"""Words, dates, articles and form fields for templates: `{% load ui %}`."""

from datetime import date, datetime
from typing import Any

from django import template
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.html import conditional_escape, escape
from django.utils.safestring import SafeString, mark_safe

from huying.base.clock import LEGAL_ZONE
from huying.policy.model import Regulation, Rule
from huying.ui import words

register = template.Library()
WEEKDAYS = "一二三四五六日"


@register.filter
def word(value: Any, topic: str) -> str:
    """`{{ case.state|word:"case_state" }}`"""
    return words.word(value, topic)


@register.filter
def rule_word(key: str, of: Any) -> str:
    """A key in the regulation's own words: `{{ case.kind|rule_word:policy.kinds }}`"""
    return next((str(rule.label) for rule in of or () if rule.key == key), key)


@register.filter
def day(value: Any) -> str:
    """A day as a public servant writes it: `2026年1月5日（周一）`."""
    on = _as_date(value)
    return f"{on.year}年{on.month}月{on.day}日（周{WEEKDAYS[on.weekday()]}）" if on else ""


@register.filter
def short_day(value: Any) -> str:
    """`1月5日`."""
    on = _as_date(value)
    return f"{on.month}月{on.day}日" if on else ""


@register.filter
def moment(value: Any) -> str:
    """An instant in the legal zone, to the minute: `2026-01-05 09:30`."""
    if isinstance(value, str):
        value = parse_datetime(value) or value
    if isinstance(value, datetime):
        local = value.astimezone(LEGAL_ZONE) if value.tzinfo else value
        return local.strftime("%Y-%m-%d %H:%M")
    return str(value or "")


def _as_date(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.astimezone(LEGAL_ZONE).date() if value.tzinfo else value.date()
    if isinstance(value, date):
        return value
    try:
        return parse_date(str(value)[:10]) if value else None
    except ValueError:
        return None


@register.simple_tag
def article(policy: Regulation, cite: str) -> Any:
    """The article that `cite` names: `{% article policy cite as found %}` gives label, heading and text."""
    return policy.article(cite) if policy and cite else None


@register.simple_tag
def quote(policy: Regulation, cite: str) -> str:
    """A citation as an official writes it: the title of the text with its article."""
    return policy.quote(cite) if policy and cite else ""


@register.simple_tag
def role_word(policy: Regulation, role: str) -> str:
    """A role as the regulation calls it: who asks is 诉求人 here and 反映人 there."""
    rule = policy.role_rules.get(role)
    return rule.label if rule else words.word(role, "role")


@register.filter
def standing(rule: Rule | None) -> str:
    """What a rule rests on: the text, or a default of the platform by a decision."""
    if rule is None:
        return ""
    return f"条文没有规定，平台默认，依据决定 {rule.decision}" if rule.origin == "default" else "条文规定"


@register.filter
def is_kind(field: Any, kinds: str) -> bool:
    """Whether a bound field's widget is one of the named classes: `{{ field|is_kind:"CheckboxInput" }}`"""
    return type(field.field.widget).__name__ in kinds.split()


@register.filter
def needed(field: Any) -> bool:
    """Whether the action asks for this field."""
    return bool(getattr(field.field, "is_needed", False))


@register.filter
def found(value: Any, text: str) -> SafeString:
    """The value with every occurrence of what was looked for marked: `{{ article.text|found:q }}`"""
    if not text:
        return conditional_escape(value)
    value, at, parts = str(value), 0, []
    lower, wanted = value.casefold(), text.casefold()
    if len(lower) != len(value):  # letters that change their length would shift the marks
        return escape(value)
    while (place := lower.find(wanted, at)) >= 0:
        end = place + len(wanted)
        parts += [escape(value[at:place]), "<mark>", escape(value[place:end]), "</mark>"]
        at = end
    return mark_safe("".join([*parts, escape(value[at:])]))


@register.filter
def place(text: Any) -> str:
    """A place as people write it: the unit's path, then the address, without strokes in the path."""
    path, blank, address = str(text or "").partition(" ")
    return f"{path.replace('/', ' ')}{blank}{address}"


@register.filter
def size(value: int) -> str:
    """A file's size: `1.2 MB`."""
    return f"{value / 1_048_576:.1f} MB" if value >= 1_048_576 else f"{max(1, round(value / 1024))} KB"
