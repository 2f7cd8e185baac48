"""The form of an action at the desk: its typed input, with what the regulation and the tree offer to choose from."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import Model

from huying.cases.commands.registry import ACTIONS
from huying.cases.policies import policy_of
from huying.desk.choices import UNIT_FIELDS, choices_of, handling_units, suggestions_of
from huying.people.models import Platform
from huying.ui.forms import Look, Options, form_for
from huying.ui.words import WORDS

SELECTABLE = 120
"""More units than that are found by typing, not in a list."""
LISTED = 12
"""More units than that, and the one that leads is found quicker by typing part of its name."""
FIND_A_UNIT = "输入一两个字查找，再从列表中选。"
FEW = 6
Shown = Mapping[str, Any]


def action_form(
    action_id: str, platform: Platform, *, more: Mapping[str, Options] | None = None, **rest: Any
) -> type[forms.Form]:
    """The form class of an action on `platform`: `more` options of fields; `rest` goes to `ui.forms.form_for`."""
    takes = ACTIONS[action_id].input
    policy = policy_of(platform)
    choices = {name: Options(pairs) for name, pairs in choices_of(action_id, policy).items()}
    choices = {name: _few(name, options) for name, options in choices.items()}
    for name, words in suggestions_of(action_id, policy).items():
        choices[name] = Options([(word, "") for word in words], "suggest")
    named = UNIT_FIELDS & set(takes.model_fields)
    rest["hints"] = dict.fromkeys(named & {"lead"}, FIND_A_UNIT) | dict(rest.get("hints") or {})
    if named:
        choices |= _units(named, platform)
    if "flags" in takes.model_fields:
        choices["flags"] = Options(list(WORDS["flag"].items()), "checks")
    return form_for(takes, action_id=action_id, choices=choices | dict(more or {}), **rest)


def _few(name: str, options: Options) -> Options:
    """A few choices stand open as radio buttons; many, and those in groups, in a list."""
    is_short = len(options.pairs) <= FEW and all(isinstance(label, str) for _, label in options.pairs)
    return Options(options.pairs, "radio") if is_short and name != "channel" else options


def _units(fields: set[str] | frozenset[str], platform: Platform) -> dict[str, Options]:
    units = [(unit.path, unit.name) for unit in handling_units(platform)]
    one: Look = "select" if len(units) <= SELECTABLE else "suggest"
    many: Look = "checks" if len(units) <= SELECTABLE else "suggest"
    looks: dict[str, Look] = {
        "co": many, "attendees": many, "other_unit": "suggest", "lead": "suggest" if len(units) > LISTED else one,
    }  # fmt: skip
    return {name: Options(_proposals(units, looks.get(name, one)), looks.get(name, one)) for name in fields}


def _proposals(units: list[tuple[str, str]], look: Look) -> list[tuple[str, str]]:
    """A list of proposals shows what is filled in, so the name is only added where it says more."""
    return [(path, "" if look == "suggest" and name == path else name) for path, name in units]


def initial_of(action_id: str, record: Shown, target: Model | None) -> dict[str, Any]:
    """What a form begins with: what the case, the application or the platform's own proposal already says."""
    match action_id:
        case "case.accept":
            return {name: record[name] for name in ("kind", "category", "urgency", "complexity")}
        case "case.call_back":
            return {"method": "phone"}
        case "case.flag":
            return {"flags": record["flags"]}
        case "application.approve":
            data = getattr(target, "data", {})
            return {"unit": data.get("suggested_unit", ""), "workdays": data.get("workdays")}
        case "supervision.open":
            return _proposed(record["supervisions"], "method", "ground")
        case "clue.transfer":
            return _proposed(record["clues"], "ground", "to")
        case _:
            return {}


def _proposed(rows: list[dict[str, Any]], *names: str) -> dict[str, Any]:
    """The platform's first proposal that nobody has taken up."""
    found = next((row for row in rows if row["state"] == "proposed"), {})
    return {name: found[name] for name in names if name in found}
