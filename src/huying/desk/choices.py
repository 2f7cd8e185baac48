"""What a form offers to choose from: the regulation's words and the platform's units, never typed from memory."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from huying.people.models import Platform, Unit
from huying.policy.model import Conditional, Regulation, Rule, When
from huying.policy.words import METHODS, Words

Choices = list[tuple[str, Any]]
"""(value, label) pairs, or a group's label with its pairs."""
MEETINGS = ("协调会", "联席会议", "现场会", "专题会")
CONNECTED = ("已答复", "无人接听", "需要另行办理")
USUAL_FLAGS = ("urgent", "sensitive", "clue", "hot", "repeat", "group", "key", "night")
"""Flags that every platform sets; others only where a rule asks for them."""
UNIT_FIELDS = frozenset(
    {"lead", "co", "unit", "suggested_unit", "subject_unit", "attendees", "other_unit", "place_unit"}
)
"""Fields that name units, whatever the action."""


def choices_of(action_id: str, policy: Regulation) -> dict[str, Choices]:
    """Field by field, the only values that the action takes, with their labels."""
    return {
        field: list(make(policy)) for (action, field), make in FROM_THE_REGULATION.items() if action in (action_id, "*")
    }


def suggestions_of(action_id: str, policy: Regulation) -> dict[str, list[str]]:
    """Field by field, what a free text field proposes."""
    match action_id:
        case "case.redirect":
            return {"to": list(dict.fromkeys([*(one.to for one in policy.redirects), "110", "119", "120", "122"]))}
        case "meeting.hold":
            return {"kind": list(MEETINGS)}
        case "case.rework":
            return {"ground": [ground.label for ground in policy.supervision_grounds]}
        case "case.connect":
            return {"result": list(CONNECTED)}
        case _:
            return {}


def handling_units(platform: Platform) -> list[Unit]:
    """The units that cases are given to, in the order of the tree."""
    return list(Unit.objects.filter(platform=platform, handles=True).order_by("left").only("path", "name"))


def categories(policy: Regulation) -> Choices:
    """Every matter of the list under its field, by the same names as on the citizens' form."""
    return [
        (one.label, [(child, child) for child in one.children] or [(one.label, one.label)]) for one in policy.categories
    ]


def _rules(rules: Iterable[Rule]) -> Choices:
    return [(rule.key, rule.label) for rule in rules]


def _inspecting_units(policy: Regulation) -> Choices:
    return [(unit.path, unit.display_name) for unit in policy.tree.units if unit.kind in ("discipline", "oversight")]


FROM_THE_REGULATION: Mapping[tuple[str, str], Callable[[Regulation], Choices]] = {
    ("case.submit", "channel"): lambda policy: _rules(policy.channels),
    ("case.submit", "kind"): lambda policy: _rules(policy.kinds),
    ("case.submit", "category"): categories,
    ("case.accept", "kind"): lambda policy: _rules(policy.kinds),
    ("case.accept", "category"): categories,
    ("case.refuse", "ground"): lambda policy: _rules(policy.refusal_grounds),
    ("case.request_refusal", "ground"): lambda policy: _rules(policy.refusal_grounds),
    ("case.call_back", "method"): lambda policy: [
        (key, label) for key, label in CALLBACK_METHODS.items() if any(key in rule.methods for rule in policy.callbacks)
    ],
    ("case.dispatch", "procedure"): lambda policy: _rules(policy.procedures),
    ("case.submit", "source"): lambda policy: _rules(policy.hotlines),
    ("case.flag", "flags"): lambda policy: [(key, Words(policy).flag(key)) for key in flags_of(policy)],
    ("supervision.open", "method"): lambda policy: _rules(policy.supervision_methods),
    ("supervision.open", "ground"): lambda policy: _rules(policy.supervision_grounds),
    ("clue.transfer", "ground"): lambda policy: _rules((*policy.clue_grounds, *policy.supervision_grounds)),
    ("clue.transfer", "to"): _inspecting_units,
}
CALLBACK_METHODS = {key: METHODS[key] for key in ("phone", "visit", "site", "survey")}


def flags_of(policy: Regulation) -> list[str]:
    """The flags that may be set: the usual ones, and those that one of the rules asks about."""
    asked = [one for when in _conditions(policy) for one in when.flag]
    return list(dict.fromkeys([*USUAL_FLAGS, *(flag.key for flag in policy.flags), *asked]))


def knows(policy: Regulation, condition: str) -> bool:
    """Whether any rule depends on this condition (`mode`, `complexity` …): only then is it worth asking for."""
    return any(condition in when.conditions for when in _conditions(policy))


def _conditions(policy: Regulation) -> list[When]:
    rules = [rule for rule in policy.rules.values() if isinstance(rule, Conditional)]
    return [rule.when for rule in rules] + ([policy.evaluation.uncounted] if policy.evaluation.uncounted else [])


PLACES = ("district", "zone", "town", "street", "farm", "village", "community")
"""Kinds of units that are a place."""


def places(platform: Platform) -> list[str]:
    """The territorial units, for the place of a matter, in the order of the tree."""
    found = Unit.objects.filter(platform=platform, kind__in=PLACES).order_by("left")
    return list(found.values_list("path", flat=True))
