"""What the screening suggests for a case that waits, each with the form that would carry it out, filled in."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from huying.cases.policies import rules_of
from huying.cases.queries.screening import suggestions
from huying.core.screening import Suggestion
from huying.desk.actor import DeskRequest
from huying.policy.model import Regulation

FILLED = {
    "case.refuse": ("ground", "basis", "other_unit"),
    "case.redirect": ("to",),
}
"""Fields of a form that a link may fill in; whoever sends the form still decides."""
PREFIX = "fill."


@dataclass(frozen=True)
class Hint:
    """One suggestion in words, its article, and the form it leads to ("" when the reader may not send that form)."""

    text: str
    urgent: bool
    words: tuple[str, ...]
    cite: str
    label: str
    address: str


def hints_of(request: DeskRequest, case: Any, offered: dict[str, str]) -> Iterator[Hint]:
    """The suggestions for `case`, for who may screen it; `offered` labels the actions that may be taken."""
    if not offered.keys() & {"case.refuse", "case.redirect", "case.accept", "case.dispatch"}:
        return
    policy = rules_of(case)
    for one in suggestions(case):
        action_id, given = _form(one, policy)
        label = offered.get(action_id, "")
        address = ""
        if label:
            filled = urlencode({PREFIX + name: value for name, value in given.items() if value})
            key = f"{action_id}-0".replace(".", "-")
            address = f"{reverse('desk_do', args=[case.number, action_id])}?{filled}#{key}"
        cite = one.rule.cite if one.rule else ""
        yield Hint(_text(one), one.what == "emergency", one.words, cite, label, address)


def filled_in(request: DeskRequest, action_id: str) -> dict[str, str]:
    """What the link of a hint gives the form of `action_id`."""
    given = {name: request.GET.get(PREFIX + name, "")[:500] for name in FILLED.get(action_id, ())}
    return {name: value for name, value in given.items() if value}


def _form(one: Suggestion, policy: Regulation) -> tuple[str, dict[str, str]]:
    """The action that would follow the suggestion, and what its form is filled with."""
    match one.what:
        case "redirect":
            return "case.redirect", {"to": one.to}
        case "outside_area":
            return "", {}
        case ground:
            basis = policy.quote(one.rule.cite) if one.rule else ""
            return "case.refuse", {"ground": ground, "basis": basis, "other_unit": one.to}


def _text(one: Suggestion) -> str:
    match one.what:
        case "redirect":
            return f"可能属于其他渠道：建议转往{one.to}"
        case "outside_area":
            return "地点没有对上本平台的乡镇、街道，请核对是否在受理区域内"
        case "emergency":
            return f"疑似紧急情况：请让诉求人立即拨打{one.to}"
        case _:
            label = one.rule.label if one.rule else one.what
            return f"可能不予受理：{label}"
