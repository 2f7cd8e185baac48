"""各环节用时 of a case that went through several hands: who had it from when to when, and whose hop made it late."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.db.models import Q

from huying.base.clock import local_date
from huying.cases.models import Application, Assignment, Case, JournalEntry, TimeLimit
from huying.cases.policies import calendar_of, rules_of
from huying.cases.queries.record import CENTRE_ROLES
from huying.core.hops import Hop, Judged, Stretch, judge_hops
from huying.core.time_limits import choose
from huying.people.actors import Actor
from huying.people.models import Unit
from huying.people.units import known_unit

Part = Literal["queue", "lead", "decide"]
HANDING = ("transfer_up", "return", "refusal", "closure")
"""Applications while which the case lies with who decides."""
LIMIT_OF: Mapping[str, str] = {"transferred": "transfer_up", "taken_over": "transfer_up", "returned": "return"}
"""By which limit a hop is judged whose assignment ended so."""
SEES_ALL = (*CENTRE_ROLES, "inspector")


@dataclass(frozen=True)
class Held:
    """Who had the case, in which part: waiting to be handed out, handling it, or deciding on an application."""

    part: Part
    unit: Unit
    row: int = 0


@dataclass(frozen=True)
class Shown:
    """One hop with its unit; `caused` says that it made the case late."""

    hop: Hop[Held]
    caused: bool


def went_through_hands(record: Mapping[str, Any]) -> bool:
    """Whether a record tells of more than one hop: only then are they worth asking the database for."""
    leads = [one for one in record["assignments"] if one["role"] == "lead" and one["round"] == record["round"]]
    return len(leads) > 1 or any(one["type"] in HANDING for one in record["applications"])


def hops_of(case: Case, viewer: Actor, *, now: datetime) -> tuple[Judged[Held], list[Shown]] | None:
    """The hops of the present round: all of them for who sees all assignments, else those of the viewer's units."""
    judged = judged_hops(case, now=now)
    if judged is None:
        return None
    caused = judged.caused()
    shown = [Shown(hop, hop in caused) for hop in judged.hops if _may_see(viewer, hop.key.unit)]
    return (judged, shown) if shown else None


def _may_see(viewer: Actor, unit: Unit) -> bool:
    if viewer.role in SEES_ALL:
        return True
    return viewer.unit is not None and viewer.unit.holds(unit)


def judged_hops(case: Case, *, now: datetime) -> Judged[Held] | None:
    """How the working days of the round fell to those who had the case; None before anybody leads."""
    leads = list(
        Assignment.objects.filter(case=case, role="lead", round=case.round)
        .select_related("unit").order_by("assigned_at", "pk")
    )  # fmt: skip
    if not leads:
        return None
    limits: dict[int, dict[str, TimeLimit]] = {}
    decides: dict[int | None, TimeLimit] = {}
    for row in TimeLimit.objects.filter(
        Q(assignment__in=leads) | Q(application__case=case, name="decide"), case=case
    ):  # fmt: skip
        if row.application_id is not None:
            decides[row.application_id] = row
        elif row.assignment_id is not None:
            limits.setdefault(row.assignment_id, {})[row.name] = row
    last = leads[-1]
    handle = limits.get(last.pk, {}).get("handle")
    end = min(now, (handle.ended_at if handle else None) or last.ended_at or now)
    moments = sorted(_moments(case, leads, limits, decides), key=lambda one: one[0])
    stretches = [
        Stretch(held, local_date(at), limit) for at, held, limit in moments if at <= end or held == Held(*_key(last))
    ]
    due_on = (handle.promised_on or handle.due_on) if handle else None
    calendar = calendar_of(case.platform)
    return judge_hops(
        stretches, end=max(local_date(end), stretches[-1].since), due_on=due_on, leads=Held(*_key(last)),
        calendar=calendar,
    )  # fmt: skip


def _key(one: Assignment) -> tuple[Part, Unit, int]:
    return "lead", one.unit, one.pk


def _moments(
    case: Case, leads: list[Assignment], limits: Mapping[int, Mapping[str, TimeLimit]],
    decides: Mapping[int | None, TimeLimit],
) -> list[tuple[datetime, Held, int | None]]:  # fmt: skip
    """When the case came to whom, and by how many days that hop is judged."""
    prompt = _prompt_days(case)
    senders = _senders(case)
    found: list[tuple[datetime, Held, int | None]] = []
    before = case.submitted_at if case.round == 1 else leads[0].assigned_at
    if leads[0].assigned_at > before:
        found.append((before, Held("queue", senders.get(leads[0].assigned_at, case.holder)), prompt))
    asked: dict[int | None, list[Application]] = {}
    for one in Application.objects.filter(
        case=case, assignment__in=leads, type__in=HANDING
    ).select_related("decider").order_by("at", "pk"):  # fmt: skip
        asked.setdefault(one.assignment_id, []).append(one)
    for place, lead in enumerate(leads):
        held = Held(*_key(lead))
        own = limits.get(lead.pk, {}).get(LIMIT_OF.get(lead.state, ""))
        found.append((lead.assigned_at, held, own.days if own else None))
        for one in asked.get(lead.pk, ()):
            decide = decides.get(one.pk)
            found.append((one.at, Held("decide", one.decider, one.pk), decide.days if decide else prompt))
            if one.state in ("rejected", "lapsed") and one.decided_at is not None and lead.ended_at != one.decided_at:
                found.append((one.decided_at, held, own.days if own else None))
        following = leads[place + 1].assigned_at if place + 1 < len(leads) else None
        if lead.ended_at is not None and (following or lead.ended_at) > lead.ended_at:
            sender = senders.get(following, case.holder) if following else case.holder
            found.append((lead.ended_at, Held("queue", sender, lead.pk), prompt))
    return found


def _senders(case: Case) -> dict[datetime, Unit]:
    """Which unit handed the case out at which moment."""
    rows = JournalEntry.objects.filter(case=case, action="case.dispatch").values_list("at", "unit_path")
    units = ((at, known_unit(case.platform, path)) for at, path in rows)
    return {at: unit for at, unit in units if unit is not None}


def _prompt_days(case: Case) -> int | None:
    """How many days “promptly” is, where a hop has no limit of its own: as the regulation's rule for decisions says."""
    rule = choose(rules_of(case).time_limits, "decide", "any", {"channel": case.channel, "kind": case.kind})
    return rule.working_days if rule else None
