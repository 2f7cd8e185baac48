"""What the platform proposes when a trigger fires or the clock's ladder is climbed. A person opens or sends it."""

from datetime import datetime

from huying.base.clock import LEGAL_ZONE
from huying.cases.access import forbidden_spans
from huying.cases.commands.notices import tell_unit
from huying.cases.commands.registry import Take
from huying.cases.models import Case, Clue, Link, Party, Supervision
from huying.cases.models.handling import ACTIVE_ASSIGNMENT
from huying.cases.policies import rules_of
from huying.core.routing import is_forbidden
from huying.core.supervision import ReportOf, fires
from huying.people.models import Unit
from huying.people.units import find_unit
from huying.policy.model import DissatisfiedRule, Escalation, Trigger


def lead_of(case: Case) -> Unit | None:
    """The unit that leads now, or led last."""
    leads = case.assignments.filter(role="lead").select_related("unit").order_by("-pk")
    lead = leads.filter(state__in=ACTIVE_ASSIGNMENT).first() or leads.first()
    return lead.unit if lead else None


def open_lead_of(case: Case) -> Unit | None:
    """The same, unless the case (or one merged into it) complains of that unit: it must not hear of it."""
    lead = lead_of(case)
    return None if lead is None or is_forbidden(lead.left, forbidden_spans(case)) else lead


def propose(
    case: Case, rule: Trigger | Escalation, key: str, *, at: datetime, lead: Unit | None = None
) -> Supervision | Clue | None:
    """A proposed supervision or a drafted clue, once for a case, ground and method; None when it stands already.

    `lead` is the unit that leads, where it is known.
    """
    if rule.does == "clue":
        return _draft_clue(case, rule, key, at=at)
    standing = Supervision.objects.filter(case=case, ground=rule.ground, method=rule.method)
    if standing.exclude(state="closed").exists():
        return None
    unit = find_unit(case.platform, rule.to) if rule.to else lead or lead_of(case)
    return Supervision.objects.create(
        case=case, unit=unit, issued_by_id=case.holder_id, method=rule.method, ground=rule.ground,
        rule=key, article=rule.cite, state="proposed", at=at, by="system",
    )  # fmt: skip


def _draft_clue(case: Case, rule: Trigger | Escalation, key: str, *, at: datetime) -> Clue | None:
    to = find_unit(case.platform, rule.to)
    if Clue.objects.filter(case=case, ground=rule.ground, to_unit=to).exists():
        return None
    return Clue.objects.create(
        case=case,
        to_unit=to,
        ground=rule.ground,
        state="proposed",
        rule=key,
        article=rule.cite,
        at=at,
        by="system",
    )


def propose_for_rating(case: Case, rule: DissatisfiedRule, *, at: datetime) -> None:
    """A bad rating is put before a person, who judges the demand and the handling (decision C-13)."""
    standing = Supervision.objects.filter(case=case, ground=rule.ground, method=rule.method)
    if not standing.exclude(state="closed").exists():
        Supervision.objects.create(
            case=case, unit=lead_of(case), issued_by_id=case.holder_id, method=rule.method, ground=rule.ground,
            rule=f"dissatisfied.{rule.key}", article=rule.cite, state="proposed", at=at, by="system",
        )  # fmt: skip


def propose_when(case: Case, what: str, *, at: datetime) -> None:
    """Fire every trigger of that kind."""
    for trigger in rules_of(case).triggers:
        if trigger.when == what:
            propose(case, trigger, f"triggers.{trigger.key}", at=at)


def propose_by_count(take: Take, what: str, count: int) -> None:
    """Fire the triggers of that kind whose number is reached."""
    for trigger in take.policy.triggers:
        if trigger.when == what and count >= trigger.at_least:
            propose(take.case, trigger, f"triggers.{trigger.key}", at=take.now)


def propose_for_repeats(main: Case, *, at: datetime) -> None:
    """Look at all cases merged into `main`: one person often, or several persons, with the same problem."""
    merged = list(Link.objects.filter(other=main, type="merged").values_list("case_id", flat=True))
    family = Case.objects.filter(pk__in=[main.pk, *merged])
    persons = dict(
        Party.objects.filter(case__in=family, part="requester", subject__isnull=False).values_list(
            "case_id", "subject_id"
        )
    )
    reports = [
        ReportOf(str(persons[pk]) if pk in persons else None, submitted_at.astimezone(LEGAL_ZONE))
        for pk, submitted_at in family.values_list("pk", "submitted_at")
    ]
    for trigger in rules_of(main).triggers:
        if trigger.when not in ("same_person", "several_persons") or not fires(trigger, reports):
            continue
        # One for a case and ground, also after it was closed: a further report does not reopen what was looked at.
        if not Supervision.objects.filter(case=main, ground=trigger.ground).exists():
            propose(main, trigger, f"triggers.{trigger.key}", at=at)


def tell_supervised(supervision: Supervision, *, at: datetime, copy_to: tuple[str, ...] = ()) -> None:
    """The unit gets the supervision; others get a copy."""
    case = supervision.case
    if supervision.unit is not None:
        tell_unit(case, supervision.unit, "supervision", at=at, method=supervision.method)
    for copied in (find_unit(case.platform, path) for path in copy_to):
        if not is_forbidden(copied.left, forbidden_spans(case)):
            tell_unit(case, copied, "supervision", at=at, method=supervision.method, copy=1)
