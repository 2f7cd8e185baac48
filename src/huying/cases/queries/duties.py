"""What the duty list (权责清单) proposes for a case. It fills in nothing by itself: the dispatcher takes it or not."""

from dataclasses import dataclass

from huying.cases.access import forbidden_spans
from huying.cases.models import Case
from huying.cases.policies import rules_of
from huying.core.duties import Find, propose, why
from huying.core.routing import is_forbidden
from huying.people.models import Platform, Unit
from huying.people.units import UnknownUnit, find_unit
from huying.policy.model import Duty


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
    policy, forbidden = rules_of(case), forbidden_spans(case)
    if not policy.duties:
        return []
    found = propose(
        policy,
        finder(case.platform),
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


def finder(platform: Platform) -> Find:
    """Looks up units of `platform` as the duty list asks for them."""

    def find(path: str) -> Unit | None:
        try:
            return find_unit(platform, path)
        except UnknownUnit:
            return None

    return find
