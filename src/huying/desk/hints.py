"""What the screening suggests for a case that waits, each with the form that would carry it out, filled in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from huying.cases.policies import rules_of
from huying.cases.queries.duties import SHOWN, proposals_for
from huying.cases.queries.screening import suggestions
from huying.core.screening import Suggestion
from huying.desk.actor import DeskRequest
from huying.desk.forms import SEVERAL
from huying.people.models import Unit
from huying.policy.model import Regulation

FILLED = {
    "case.dispatch": ("lead", "co"),
    "case.refuse": ("ground", "basis", "other_unit"),
    "case.redirect": ("to",),
    "case.flag": ("flags",),
}
"""Fields of a form that a link may fill in; whoever sends the form still decides."""
PREFIX = "fill."
MOST = 20


@dataclass(frozen=True)
class Hint:
    """One suggestion in words, its article, and the form it leads to ("" when the reader may not send that form)."""

    text: str
    urgent: bool
    words: tuple[str, ...]
    cite: str
    label: str
    address: str
    why: tuple[str, ...] = ()
    mark: str = ""
    """The form that marks the case with it, where accepting it in spite of that asks for a reason."""


def hints_of(request: DeskRequest, case: Any, offered: dict[str, str]) -> Iterator[Hint]:
    """The suggestions for `case`, for who may screen it; `offered` labels the actions that may be taken."""
    if not offered.keys() & {"case.refuse", "case.redirect", "case.accept", "case.dispatch"}:
        return
    policy = rules_of(case)
    if "case.dispatch" in offered:
        yield from _proposed(case, policy, offered["case.dispatch"])
    for one in suggestions(case):
        action_id, given = _form(one, policy)
        label = offered.get(action_id, "")
        address = ""
        if label:
            address = _address(case, action_id, given)
        cite = one.rule.cite if one.rule else ""
        mark = _mark(case, policy, one) if "case.flag" in offered else ""
        yield Hint(_text(one), one.what == "emergency", one.words, cite, label, address, mark=mark)


def _mark(case: Any, policy: Regulation, one: Suggestion) -> str:
    """The form that confirms a ground as seen; "" where the regulation knows no such mark, or it stands already."""
    known = any("excluded" in rule.when.flag for rule in policy.form_fields)
    if not known or case.flags.get("excluded") or one.what not in {ground.key for ground in policy.refusal_grounds}:
        return ""
    on = [name for name, is_on in case.flags.items() if is_on]
    return _address(case, "case.flag", {"flags": [*on, "excluded"]})


def _proposed(case: Any, policy: Regulation, label: str) -> Iterator[Hint]:
    """Who would lead and help by the duty list, and why."""
    for one in proposals_for(case)[:SHOWN]:
        text, address = "权责清单有这一事项，还不能确定主办单位", ""
        if one.lead is not None:
            helping = f"，{'、'.join(_in_full(unit) for unit in one.co)}协办" if one.co else ""
            text = f"按权责清单，建议由{_in_full(one.lead)}主办{helping}"
            given = {"lead": one.lead.path, "co": [unit.path for unit in one.co]}
            address = _address(case, "case.dispatch", given)
        yield Hint(text, False, (), one.rule.cite, label, address, one.why)


def _in_full(unit: Unit) -> str:
    """A unit with what it lies in, but not the root: `某区 某局`."""
    above = unit.path.rpartition("/")[0]
    return f"{above.replace('/', ' ')} {unit.name}" if above else unit.name


def _address(case: Any, action_id: str, given: Mapping[str, Any]) -> str:
    """The form of an action, filled in."""
    filled = urlencode({PREFIX + name: value for name, value in given.items() if value}, doseq=True)
    key = f"{action_id}-0".replace(".", "-")
    return f"{reverse('desk_do', args=[case.number, action_id])}?{filled}#{key}"


def filled_in(request: DeskRequest, action_id: str) -> dict[str, Any]:
    """What the link of a hint gives the form of `action_id`."""
    given: dict[str, Any] = {}
    for name in FILLED.get(action_id, ()):
        values = [value[:500] for value in request.GET.getlist(PREFIX + name) if value][:MOST]
        if values:
            given[name] = values if name in (*SEVERAL, "flags") else values[0]
    return given


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
