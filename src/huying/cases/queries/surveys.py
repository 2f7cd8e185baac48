"""第三方调查: which cases may be surveyed, the lists drawn, and what came back for each case of a list."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import MD5, Coalesce, Concat

from huying.base.clock import start_of_day
from huying.base.text import is_storable
from huying.cases import vault
from huying.cases.access import identity_view, is_centre_for, top_of, visible_cases
from huying.cases.models import Assignment, Callback, Case, Evaluation, Party, SurveyBatch
from huying.cases.models.handling import VISIBLE_ASSIGNMENT
from huying.cases.policies import policy_of, rules_of
from huying.cases.queries.time_limits import facts_of
from huying.core.surveys import Asked, place_of, serial_of
from huying.people.actors import Actor
from huying.people.models import Unit
from huying.people.units import full_name
from huying.policy.model import Regulation

READING = ("caller", "supervisor")
"""Who at a centre reads the lists. Only who calls back draws them, takes phones out and brings results in."""
MOST = 500
"""So many cases are on a list at most; more are drawn as several lists."""
LONGEST = 92
"""So many days a list is drawn from at most."""
PAGE = 50
DONE = ("reached", "declined")
ANSWERED = ("feedback", "closed")


def reads_surveys(actor: Actor) -> bool:
    """Whether the regulation knows surveys and the actor's role reads them."""
    return actor.unit is not None and actor.role in READING and "survey.draw" in policy_of(actor.platform).action_rules


def draws_surveys(actor: Actor) -> bool:
    """Whether the actor's role draws lists and brings results in."""
    rule = policy_of(actor.platform).action_rules.get("survey.draw")
    return reads_surveys(actor) and rule is not None and actor.role in (rule.roles or ("caller",))


# ---- drawing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Draw:
    """What a list is drawn from: days on which cases came in, how many at most, of which unit and those below it."""

    first: date
    last: date
    size: int
    label: str
    unit: Unit | None = None


def draw(actor: Actor, asked: Draw) -> list[int]:
    """The ids of the cases of a new list, picked by chance where there are more than wanted."""
    place = MD5(Concat(Value(f"{asked.label}|"), "number"))
    candidates = _candidates(actor, asked).annotate(place=place).order_by("place", "pk").select_related("holder")
    return list(islice(_fitting(actor, candidates), asked.size))


def _candidates(actor: Actor, asked: Draw) -> QuerySet[Case]:
    """Answered in those days, of somebody with a phone, not asked in this round, and on no list since its last task.

    What is confidential or anonymous is never handed out: to be surveyed is nobody's duty.
    """
    case = OuterRef("pk")
    open_ones = Q(state__in=ANSWERED, anonymous=False, confidential=False, awaits_panel=False)
    cases = visible_cases(actor).filter(
        open_ones, submitted_at__gte=start_of_day(asked.first),
        submitted_at__lt=start_of_day(asked.last + timedelta(days=1)),
    )  # fmt: skip
    if asked.unit is not None:
        span = (asked.unit.left, asked.unit.right)
        led = Assignment.objects.filter(case=case, role="lead", state__in=VISIBLE_ASSIGNMENT, unit_left__range=span)
        cases = cases.filter(Exists(led))
    leads = Assignment.objects.filter(case=case, role="lead").order_by("-pk")
    cases = cases.alias(begun=Coalesce(Subquery(leads.values("assigned_at")[:1]), F("submitted_at")))
    party = Party.objects.filter(
        case=case, part="requester", level__in=("open", "masked"), subject__wrapped_key__isnull=False,
        versions__has_key="phone",
    )  # fmt: skip
    listed = SurveyBatch.cases.through.objects.filter(case=case, surveybatch__at__gte=OuterRef("begun"))
    called = Callback.objects.filter(case=case, round=OuterRef("round"), result__in=DONE)
    rated = Evaluation.objects.filter(case=case, round=OuterRef("round"), source__in=("survey", "callback"))
    return cases.filter(Exists(party)).exclude(Exists(listed)).exclude(Exists(called)).exclude(Exists(rated))


def _fitting(actor: Actor, cases: QuerySet[Case]) -> Iterator[int]:
    """Those that their own rules let be surveyed, and the actor call back."""
    rows = cases.iterator(chunk_size=500)
    while chunk := list(islice(rows, 500)):
        leads = leads_of(chunk)
        for case in chunk:
            rule = rules_of(case).callback_rule(facts_of(case, leads.get(case.pk)))
            if "survey" in rule.methods and is_centre_for(actor, case):
                yield case.pk


def leads_of(cases: Iterable[Case]) -> dict[int, Assignment]:
    """The last visible lead of each case."""
    found = Assignment.objects.filter(case__in=[case.pk for case in cases], role="lead", state__in=VISIBLE_ASSIGNMENT)
    return {row.case_id: row for row in found.select_related("unit").order_by("pk")}


# ---- the lists -------------------------------------------------------------------------------------------------------


def batches_of(actor: Actor) -> QuerySet[SurveyBatch]:
    """The lists of the actor's centre and of those below it, the newest first."""
    found = SurveyBatch.objects.filter(platform=actor.platform)
    if not reads_surveys(actor) or actor.unit is None:
        return found.none()
    top = top_of(actor.unit)
    return found.filter(unit__left__range=(top.left, top.right)).select_related("unit").order_by("-at", "-id")


def find_batch(actor: Actor, key: int) -> SurveyBatch | None:
    return batches_of(actor).filter(pk=key).first() if key < 2**63 else None


@dataclass(frozen=True)
class Counted:
    """A list with how many of its cases the reader may know of, and for how many of those there is a result."""

    batch: SurveyBatch
    cases: int
    answered: int


def counted(actor: Actor, batches: Sequence[SurveyBatch]) -> list[Counted]:
    """Each list with its counts."""
    seen = visible_cases(actor).filter(survey_batches__in=batches)
    cases = dict(seen.order_by().values_list("survey_batches").annotate(n=Count("pk")))
    results = Callback.objects.filter(batch__in=batches, result__in=DONE, case__in=visible_cases(actor))
    answered = dict(results.order_by().values_list("batch").annotate(n=Count("case", distinct=True)))
    return [Counted(one, cases.get(one.pk, 0), answered.get(one.pk, 0)) for one in batches]


def members(batch: SurveyBatch) -> list[int]:
    """The ids of the cases in the order of their numbers on the list."""
    found = SurveyBatch.cases.through.objects.filter(surveybatch=batch).order_by("pk")
    return list(found.values_list("case_id", flat=True))


def member(batch: SurveyBatch, ids: Sequence[int], serial: str) -> int | None:
    """The case that a number of the list means."""
    place = place_of(serial, batch.pk)
    return ids[place - 1] if place is not None and 1 <= place <= len(ids) else None


@dataclass(frozen=True)
class Line:
    """One case of a list as the desk shows it."""

    serial: str
    case: Case
    lead: Assignment | None
    result: Callback | None


def lines_of(actor: Actor, batch: SurveyBatch, page: int) -> tuple[list[Line], bool]:
    """One page of a list, without what the actor must not know of; whether there are more."""
    ids = members(batch)
    part = list(enumerate(ids, 1))[(page - 1) * PAGE : page * PAGE]
    cases = visible_cases(actor).in_bulk([pk for _, pk in part])
    leads, results = leads_of(cases.values()), results_of(batch, cases)
    lines = [
        Line(serial_of(batch.pk, place), cases[pk], leads.get(pk), results.get(pk)) for place, pk in part if pk in cases
    ]
    return lines, len(ids) > page * PAGE


def results_of(batch: SurveyBatch, ids: Iterable[int]) -> dict[int, Callback]:
    """The last result of each case."""
    return {row.case_id: row for row in Callback.objects.filter(batch=batch, case__in=list(ids)).order_by("pk")}


# ---- what is handed out ----------------------------------------------------------------------------------------------


def waiting(actor: Actor, batch: SurveyBatch) -> list[tuple[str, Case]]:
    """The cases of a list that are still to be asked, with their numbers."""
    ids = members(batch)
    done = Callback.objects.filter(batch=batch, result__in=DONE).values("case_id")
    still = visible_cases(actor).filter(pk__in=ids, state__in=ANSWERED, anonymous=False, confidential=False)
    cases = still.exclude(pk__in=done).in_bulk()
    return [(serial_of(batch.pk, place), cases[pk]) for place, pk in enumerate(ids, 1) if pk in cases]


def hand_out(actor: Actor, batch: SurveyBatch, *, now: datetime) -> list[Asked]:
    """What leaves the platform for each case still to be asked: its number here, a phone, who handled it, the category.

    Each phone is read through the vault, which logs it as given out for the survey. Left out: whoever asked to be
    kept confidential since, and those whose phone the actor may not read.
    """
    found = waiting(actor, batch)
    leads = leads_of(case for _, case in found)
    parties = {
        party.case_id: party
        for party in Party.objects.filter(case__in=[case.pk for _, case in found], part="requester").select_related(
            "subject"
        )
    }
    rows = []
    with transaction.atomic():
        for serial, case in found:
            party, lead = parties.get(case.pk), leads.get(case.pk)
            if party is None or party.level == "confidential" or identity_view(actor, case, party) != "clear":
                continue
            read = vault.read(case, ["phone"], actor=actor, purpose="survey", now=now, party=party)
            if read.get("phone"):
                rows.append(Asked(serial, read["phone"], full_name(lead.unit) if lead else "", _matter(case)))
    return rows


def _matter(case: Case) -> str:
    """The category in the regulation's words; what was typed freely might name somebody, so it stays here."""
    policy = rules_of(case)
    for rule in policy.categories:
        if case.category in (rule.key, rule.label):
            return str(rule.label)
        if case.category in rule.children:
            return case.category
    return _kind(case, policy)


def _kind(case: Case, policy: Regulation) -> str:
    rule = policy.kind_rules.get(case.kind)
    return str(rule.label) if rule else ""


def is_label_free(platform_id: int, label: str) -> bool:
    """Whether no list of the platform bears that name."""
    return is_storable(label) and not SurveyBatch.objects.filter(platform_id=platform_id, label=label).exists()
