"""What the platform's own forms ask for: which fields they show, which they mark, and what they refuse (ADR-0015)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from huying.cases.commands.intake import NOT_A_CATEGORY
from huying.core.calendar import Calendar
from huying.core.channels import is_open
from huying.core.form_fields import asked, category_of, missing
from huying.core.verdict import Refused
from huying.policy.model import Channel, FormField, Regulation
from huying.policy.words import SAID, Words
from huying.ui.forms import PART

ONLY_WHERE_ASKED: Mapping[str, tuple[str, ...]] = {
    "case.submit": ("requester.kind", "requester.organisation"),
    "case.accept": ("reason", "basis"),
    "case.reply": ("facts", "basis", "measures"),
    "case.close": ("told_by", "told_on"),
}
"""Fields that a form leaves out unless the regulation asks for them."""
CODED = ("case.submit", "case.accept")
"""Actions whose form at the desk takes a category of the list and no other."""


@dataclass(frozen=True)
class Asked:
    """What the regulation makes of a form: fields to leave out, fields it needs, and a hint with the article."""

    leave_out: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    hints: Mapping[str, str] = field(default_factory=dict)


def asked_of(action_id: str, policy: Regulation, facts: Mapping[str, str], about: Mapping[str, str]) -> Asked:
    """For the form of an action in a case with these facts; `about` says of fields what the hint should begin with."""
    rows = asked(policy, action_id, facts)
    hidden = set(ONLY_WHERE_ASKED.get(action_id, ())) - {rule.field for rule in rows}
    required = [rule for rule in rows if rule.required]
    return Asked(
        tuple(map(_flat, hidden)),
        tuple(_flat(rule.field) for rule in required if not (rule.outcomes or rule.given)),
        {_flat(rule.field): about.get(_flat(rule.field), "") + _hint(rule, policy) for rule in required},
    )


def _flat(name: str) -> str:
    return name.replace(".", PART)


def _hint(rule: FormField, policy: Regulation) -> str:
    """When the field must be filled in and by which article, where that is not always."""
    words = Words(policy)
    when = "，".join(filter(None, (SAID["FormField.outcomes"](words, rule), SAID["FormField.given"](words, rule))))
    article = policy.article(rule.cite)
    label = f"（{article.label}）" if article else ""
    return f"{when}必须填写{label}。" if when else f"必须填写{label}。"


def judge_asked(
    action_id: str, policy: Regulation, facts: Mapping[str, str], data: Mapping[str, Any], *, anonymous: bool = False
) -> list[Refused]:
    """Everything that the form lacks, each at its field, with the article."""
    rows = asked(policy, action_id, facts)
    given = {"anonymous": anonymous} | dict(data)
    return [
        Refused(f"missing:{rule.field}", f"请填写“{rule.label}”（{policy.quote(rule.cite)}）。", rule)
        for rule in missing(rows, given, policy)
    ]


def judge_category(action_id: str, policy: Regulation, data: Mapping[str, Any]) -> list[Refused]:
    """A category that is not of the list, where the form offers nothing but the list."""
    category = str(data.get("category") or "")
    if action_id not in CODED or not category or category_of(policy, category) is not None:
        return []
    return [Refused("invalid:category", NOT_A_CATEGORY, policy.action_rules.get(action_id))]


def closed_now(policy: Regulation, now: datetime, calendar: Calendar) -> list[Channel]:
    """The channels whose desks keep hours and are closed now."""
    return [one for one in policy.channels if not is_open(one, now, calendar)]


def judge_hours(closed: Iterable[Channel], data: Mapping[str, Any]) -> list[Refused]:
    """Outside the hours of a desk who registers confirms that this is meant."""
    channel = next((one for one in closed if one.key == data.get("channel")), None)
    if channel is None or data.get("outside_hours"):
        return []
    hours = f"工作日{channel.opens}至{channel.open_until}"
    reason = f"现在不在“{channel.label}”的开放时间（{hours}）。确认要登记的，请勾选后再登记。"
    return [Refused("missing:outside_hours", reason, channel)]
