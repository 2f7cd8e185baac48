"""Which actions a page offers: the registry's, for this actor and this case now; a greyed one says why not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Model, Q

from huying.cases.access import visible_cases
from huying.cases.commands.perform import _judge_own, authorise, judge_states
from huying.cases.commands.registry import ACTIONS, Action, Take
from huying.cases.models import Application, Assignment, Case, Clue, Report, Supervision
from huying.cases.queries.time_limits import lead_assignment
from huying.core.verdict import Refused
from huying.people.actors import Actor


@dataclass(frozen=True)
class Offer:
    """One button: the action, its article, what it is taken on, and why it is greyed (None when it may be taken)."""

    action: Action
    label: str
    article: str
    target: Model | None
    refused: Refused | None
    needed: tuple[str, ...] = ()
    """Fields that only this regulation, or this party, must fill in."""

    @property
    def enabled(self) -> bool:
        return self.refused is None

    @property
    def target_id(self) -> int | None:
        return self.target.pk if self.target else None


def offers(case: Case, actor: Actor, *, now: datetime) -> list[Offer]:
    """The buttons of the case page, those that may be taken first.

    Actions that the regulation does not know, or that are another role's, are left out; those in a wrong state are
    greyed. Conditions on the input (limits, contact before reply) are told when the action is tried.
    """
    if not visible_cases(actor, case.pk).exists():
        return []
    mine: list[Assignment] = []
    if actor.unit is not None:
        of_unit = Q(unit=actor.unit) | Q(delegate=actor.unit)
        mine += Assignment.objects.filter(of_unit, case=case).select_related("unit").order_by("-pk")
    offered = [action for action in ACTIONS.values() if action.on != "platform" and actor.role in action.parties]
    lead = lead_assignment(case)
    targets = {on: _targets(on, case) for on in {action.on for action in offered}}
    found = [
        offer
        for action in offered
        for target in targets[action.on]
        if (offer := _offer(action, case, actor, target, now, mine, lead)) is not None
    ]
    return sorted(found, key=lambda offer: not offer.enabled)


def _targets(on: str, case: Case) -> Sequence[Model | None]:
    match on:
        case "application":
            return list(Application.objects.filter(case=case, state="pending").order_by("pk"))
        case "supervision":
            return list(Supervision.objects.filter(case=case).exclude(state="closed").order_by("pk"))
        case "clue":
            return list(Clue.objects.filter(case=case, state="transferred").order_by("pk"))
        case "report":
            return list(Report.objects.filter(cases=case, state="submitted").order_by("pk"))
        case _:
            return [None]


def _offer(
    action: Action,
    case: Case,
    actor: Actor,
    target: Model | None,
    now: datetime,
    mine: list[Assignment],
    lead: Assignment | None,
) -> Offer | None:
    take = Take(platform=actor.platform, actor=actor, now=now, action=action, rule=None, case=case)  # type: ignore[arg-type]
    take.of_unit, take.lead_of_page = mine, lead
    refused = authorise(take, target)
    if refused is not None:
        return None
    refused = _judge_own(take) or judge_states(take)
    needed = action.also_requires(take) if action.also_requires and refused is None else ()
    return Offer(action, take.rule.label, take.rule.cite, target, refused, needed)
