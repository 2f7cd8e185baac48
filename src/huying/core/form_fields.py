"""填写要求: what a form asks for beyond what its action needs, and whether it was given.

The action itself takes what other platforms send; only a rule for everybody binds whoever takes it (ADR-0015).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from huying.policy.model import Category, FormField, Regulation

ABOUT_THE_REQUESTER = ("requester.", "told_")
"""Fields that make no sense for who stays anonymous: they say nothing of themselves and cannot be told."""
PRINTED = "registration_form"
"""The field of a rule that asks for a form to be printed, and for nothing to be filled in."""


def asked(policy: Regulation, action_id: str, facts: Mapping[str, str]) -> list[FormField]:
    """The rows that ask something of this action in a case with these facts, in the order of the data."""
    return [
        rule
        for rule in policy.form_fields
        if rule.action == action_id and rule.field != PRINTED and rule.when.holds(facts)
    ]


def missing(rows: Iterable[FormField], data: Mapping[str, Any], policy: Regulation) -> list[FormField]:
    """Those of `rows` that ask for something that `data` lacks; `anonymous` in it says that the requester is."""
    return [rule for rule in rows if rule.required and holds(rule, data, policy) and not value_of(data, rule.field)]


def holds(rule: FormField, data: Mapping[str, Any], policy: Regulation) -> bool:
    """Whether a row asks, with what else stands in the same form."""
    if rule.field.startswith(ABOUT_THE_REQUESTER) and data.get("anonymous"):
        return False
    if rule.outcomes and data.get("outcome", "") not in rule.outcomes:
        return False
    return all(_code(value_of(data, name), name, policy) in values for name, values in rule.given.items())


def _code(value: Any, name: str, policy: Regulation) -> str:
    category = category_of(policy, str(value)) if name == "category" else None
    return category.key if category else str(value)


def value_of(data: Mapping[str, Any], field: str) -> Any:
    """What a form holds in a field, `requester.kind` within another; "" for nothing."""
    value: Any = data
    for name in field.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    value = value.strip() if isinstance(value, str) else value
    return "" if value is None else value


def category_of(policy: Regulation, value: str) -> Category | None:
    """The field that a category is of: its key, its name, or one of the matters below it."""
    return next((one for one in policy.categories if value in (one.key, one.label, *one.children)), None)


def printed_form(policy: Regulation, facts: Mapping[str, str]) -> FormField | None:
    """The paper form that a case with these facts needs, None when it needs none."""
    return next((one for one in policy.form_fields if one.field == PRINTED and one.when.holds(facts)), None)
