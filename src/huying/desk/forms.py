"""The form of an action at the desk: its typed input, with what the regulation and the tree offer to choose from."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.db.models import Model
from django.urls import reverse

from huying.cases.commands.registry import ACTIONS
from huying.cases.policies import policy_of
from huying.core.publication import draft
from huying.desk.choices import UNIT_FIELDS, choices_of, handling_units, knows, suggestions_of
from huying.people.models import Platform, Unit
from huying.policy.model import Regulation
from huying.ui.form_fields import asked_of
from huying.ui.forms import Look, Options, form_for

SELECTABLE = 120
"""More units than that are found by typing, not in a list."""
LISTED = 12
"""More units than that, and the one that leads is found quicker by typing part of its name."""
SEARCHED = 600
"""More units than that, and a page does not carry them all: they are asked for while one types."""
SEVERAL = ("co", "attendees")
"""Fields that take several units."""
FIND_A_UNIT = "输入一两个字查找，再从列表中选。"
FEW = 6
Shown = Mapping[str, Any]


def action_form(
    action_id: str,
    platform: Platform,
    *,
    policy: Regulation | None = None,
    facts: Mapping[str, str] | None = None,
    more: Mapping[str, Options] | None = None,
    leave_out: Iterable[str] = (),
    needed: Iterable[str] = (),
    **rest: Any,
) -> type[forms.Form]:
    """The form class of an action on `platform`: `more` options of fields; `rest` goes to `ui.forms.form_for`.

    `policy` are the rules that the case keeps, where they are not today's, `facts` what they may ask about. Fields that
    none of its rules asks about are left out.
    """
    takes = ACTIONS[action_id].input
    policy = policy or policy_of(platform)
    choices = {name: Options(pairs) for name, pairs in choices_of(action_id, policy).items() if pairs}
    choices = {name: _few(name, options) for name, options in choices.items()}
    for name, words in suggestions_of(action_id, policy).items():
        choices[name] = Options([(word, "") for word in words], "suggest")
    named = UNIT_FIELDS & set(takes.model_fields)
    rest["hints"] = dict(rest.get("hints") or {})
    wanted = asked_of(
        action_id, policy, facts or {}, {name: info.description or "" for name, info in takes.model_fields.items()}
    )
    rest["hints"] = {**wanted.hints, **rest["hints"]}
    if named:
        choices |= _units(named, platform)
        typed = {name for name in named if choices[name].look in ("suggest", "several")}
        rest["hints"] = dict.fromkeys(typed, FIND_A_UNIT) | rest["hints"]
    if "flags" in choices:
        choices["flags"] = Options(choices["flags"].pairs, "checks")
    hidden = {*leave_out, *_not_asked(action_id, policy), *wanted.leave_out}
    return form_for(
        takes,
        action_id=action_id,
        choices=choices | dict(more or {}),
        leave_out=hidden,
        needed={*needed, *wanted.needed},
        **rest,
    )


def _not_asked(action_id: str, policy: Regulation) -> Iterable[str]:
    """Fields of an action that this regulation has no rule for."""
    match action_id:
        case "case.dispatch" if not policy.procedures:
            return ("procedure",)
        case "case.accept" if not knows(policy, "complexity"):
            return ("complexity",)
        case "case.call_back":
            items = {item for rule in policy.callbacks for item in rule.items}
            watched = {"contacted"} if any(rule.when == "not_contacted" for rule in policy.triggers) else set()
            return tuple({"contacted", "trust"} - items - watched)
        case "case.submit":
            asked = {
                "mode": knows(policy, "mode"), "source": policy.hotlines, "due": policy.source_limits,
                "external_no": policy.source_limits,
            }  # fmt: skip
            return tuple(name for name, is_asked in asked.items() if not is_asked)
        case "case.transfer_up" if policy.transfer and not policy.transfer.preliminary_check_levels:
            return ("preliminary_check",)
        case _:
            return ()


def _few(name: str, options: Options) -> Options:
    """A few choices stand open as radio buttons; many, and those in groups, in a list."""
    is_short = len(options.pairs) <= FEW and all(isinstance(label, str) for _, label in options.pairs)
    return Options(options.pairs, "radio") if is_short and name != "channel" else options


def _units(fields: set[str] | frozenset[str], platform: Platform) -> dict[str, Options]:
    """Options of the fields that name units: a list of all, or where they are very many, a search while one types."""
    if Unit.objects.filter(platform=platform, handles=True)[: SEARCHED + 1].count() > SEARCHED:
        address = reverse("desk_units")
        return {
            name: Options([], "several" if name in SEVERAL else "suggest", source=f"{address}?field={name}")
            for name in fields
        }
    units = [(unit.path, unit.name) for unit in handling_units(platform)]
    one: Look = "select" if len(units) <= SELECTABLE else "suggest"
    many: Look = "checks" if len(units) <= SELECTABLE else "several"
    looks: dict[str, Look] = dict.fromkeys(SEVERAL, many)
    looks |= {"other_unit": "suggest", "lead": "suggest" if len(units) > LISTED else one}
    return {name: Options(proposals(units, looks.get(name, one)), looks.get(name, one)) for name in fields}


def proposals(units: Iterable[tuple[str, str]], look: Look = "suggest") -> list[tuple[str, str]]:
    """A list of proposals shows what is filled in, so the name is only added where it says more."""
    return [(path, "" if look in ("suggest", "several") and path.endswith(name) else name) for path, name in units]


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
        case "case.publish":
            passed = [one["content"] for one in record["replies"] if one["state"] == "passed"]
            given = {"title": record["title"], "content": record["content"], "reply": passed[-1] if passed else ""}
            return {name: draft(text) for name, text in given.items()}
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
