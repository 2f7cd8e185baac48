"""What the duty list (权责清单) proposes for a case. It fills in nothing by itself: the dispatcher takes it or not."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from huying.cases.access import forbidden_spans, top_of
from huying.cases.models import Case
from huying.cases.policies import rules_of
from huying.core.duties import Find, propose, why
from huying.core.routing import Span, is_forbidden
from huying.people.models import Platform, Unit
from huying.people.units import UnknownUnit, find_unit, known_unit
from huying.policy.model import Duty

SHOWN = 2
"""So many rows of the duty list are shown to who dispatches."""


@dataclass(frozen=True)
class ProposedUnits:
    """One row of the list for one case: who would lead and help, and why (one line each, ready to be shown)."""

    rule: Duty
    lead: Unit | None
    """None while the place is not known well enough: `why` says what should be found out."""
    co: tuple[Unit, ...]
    why: tuple[str, ...]


def proposals_for(case: Case) -> list[ProposedUnits]:
    """What the list of the case's own rules proposes, the best first; empty where there is no list or nothing fits.

    A unit that must keep out of the case is neither proposed to lead nor to help.
    """
    return _proposed(case, forbidden_spans(case), finder(case.platform)) if rules_of(case).duties else []


def _proposed(case: Case, forbidden: Iterable[Span], find: Find) -> list[ProposedUnits]:
    policy, forbidden = rules_of(case), list(forbidden)
    found = propose(
        policy,
        find,
        category=case.category,
        text=f"{case.title}\n{case.content}",
        place=case.place_unit.path if case.place_unit else "",
    )
    shown = []
    for one in found:
        lead = find_unit(case.platform, one.lead) if one.lead else None
        if lead is not None and is_forbidden(lead.left, forbidden):
            continue
        co = (find_unit(case.platform, path) for path in one.co)
        kept = tuple(unit for unit in co if not is_forbidden(unit.left, forbidden))
        shown.append(ProposedUnits(one.rule, lead, kept, why(one, policy)))
    return shown


@dataclass(frozen=True)
class Choice:
    """What the list proposed first when a case was dispatched, and whether the dispatcher chose otherwise."""

    rule: Duty
    lead: Unit
    differs: bool


def judge_choice(case: Case, chosen: Unit, forbidden: Iterable[Span]) -> Choice | None:
    """How the unit chosen compares with those shown; None where the list proposed none.

    A part of a proposed unit is that unit; a centre that the unit belongs to is only on the way to it. Asked at every
    dispatch, so units are looked up in memory alone.
    """
    if not rules_of(case).duties:
        return None
    find: Find = partial(known_unit, case.platform)
    shown = [one for one in _proposed(case, forbidden, find)[:SHOWN] if one.lead is not None]
    if not shown:
        return None
    agrees = any(one.lead is not None and _is_or_leads_to(chosen, one.lead) for one in shown)
    assert shown[0].lead is not None
    return Choice(shown[0].rule, shown[0].lead, not agrees)


def _is_or_leads_to(chosen: Unit, proposed: Unit) -> bool:
    return proposed.holds(chosen) or (chosen.kind == "centre" and top_of(chosen).holds(proposed))


def finder(platform: Platform) -> Find:
    """Looks up units of `platform` as the duty list asks for them."""

    def find(path: str) -> Unit | None:
        try:
            return find_unit(platform, path)
        except UnknownUnit:
            return None

    return find
