"""集中反映: many matters of one category from one place, or at one unit, are told to the centre and to that unit.

Looked for a few minutes after the fact by what the journal says was submitted, accepted or given to a unit since the
last look, and never in the transaction of somebody who submits. A look asks for the cases of one category in the days
of one rule, by an index, and no more than `MOST` of them.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from huying.base.clock import local_date, start_of_day
from huying.cases import journal
from huying.cases.commands.notices import tell_unit
from huying.cases.models import (
    Assignment,
    Case,
    CaseSubject,
    Concentration,
    ConcentrationLook,
    JournalEntry,
    Link,
    Party,
    Task,
)
from huying.cases.models.handling import VISIBLE_ASSIGNMENT
from huying.cases.policies import policy_of
from huying.cases.queries.indicators import ANSWERED_FOR, label_of, last_lead
from huying.cases.queries.time_limits import facts_of
from huying.core.concentrations import Gathering, Member, gathering_of, still_stands
from huying.people.actors import system
from huying.people.models import Platform, Unit
from huying.people.units import find_unit, superior_of
from huying.policy.model import Concentration as Rule

MOST = 300
"""Cases of one look: enough for any number that a rule asks for."""
PAGE = 500
DAY = timedelta(days=1)
FIRST = DAY
"""How far back the first look of a platform goes."""
OVERLAP = timedelta(minutes=2)
"""An action's moment is when it began; what was committed after a later one is looked at again."""
LOOKED_AT = ("case.submit", "case.accept", "case.dispatch", "case.reassign", "application.approve")
"""After these a case may have a category, a place or a unit that it had not before."""
NO_MATTER = ("refused", "redirected", "withdrawn")
"""States of what nobody asks for any more. What was merged counts: somebody asked."""
CONDITIONS = ("channel", "kind", "category", "complexity", "urgency", "mode")
"""What a rule may ask of a case; the others are about one unit's task."""
TEMPLATE = "concentration"


def look_everywhere(now: datetime, *, should_stop: Callable[[], bool] = lambda: False) -> int:
    """Look on every platform at what came since its last look; gives how many concentrations were found or grew."""
    found = 0
    for platform in Platform.objects.order_by("pk"):
        while not should_stop() and policy_of(platform, local_date(now)).concentrations:
            count, more = look_at_new(platform, now)
            found += count
            if not more:
                break
    return found


@transaction.atomic
def look_at_new(platform: Platform, now: datetime) -> tuple[int, bool]:
    """One page of what came since the last look: how many concentrations were found or grew, and whether more waits.

    The mark moves on in the same transaction: a look that is killed is made again. One look at a time.
    """
    ConcentrationLook.objects.get_or_create(platform=platform, defaults={"until": now - FIRST})
    mark = ConcentrationLook.objects.select_for_update(skip_locked=True).filter(platform=platform).first()
    if mark is None or mark.until >= now:
        return 0, False
    came = JournalEntry.objects.filter(platform=platform, action__in=LOOKED_AT, case__isnull=False)
    new = came.filter(at__gt=mark.until, at__lte=now).order_by("at").values_list("at", flat=True)
    until = new[PAGE - 1 : PAGE].first() or now
    ids = came.filter(at__gte=mark.until - OVERLAP, at__lte=until).values_list("case_id", flat=True)
    cases = Case.objects.select_related("platform", "place_unit").filter(pk__in=set(ids))
    found = look_at(cases.order_by("submitted_at", "pk"), now)
    mark.until = until
    mark.save(update_fields=["until"])
    return len(found), until < now


def look(case: Case, now: datetime) -> list[Concentration]:
    """The concentrations that `case` is part of and that are new, or have grown, at `now`."""
    return look_at([case], now)


def look_at(cases: Iterable[Case], now: datetime) -> list[Concentration]:
    """As `look` for each; of cases of one day, one category and one unit only the first asks."""
    seen: set[tuple[str, str, int, object]] = set()
    found = []
    for case in cases:
        if not case.category or case.state in NO_MATTER:
            continue
        for rule in policy_of(case.platform, local_date(now)).concentrations:
            if not rule.when.holds(facts_of(case)):
                continue
            unit = _unit_of(case, rule)
            if unit is None or (key := (rule.key, case.category, unit.pk, local_date(case.submitted_at))) in seen:
                continue
            seen.add(key)
            with transaction.atomic():
                one = _look_at_group(case, rule, unit, now)
            if one is not None:
                found.append(one)
    return found


# ---- one group -------------------------------------------------------------------------


def _unit_of(case: Case, rule: Rule) -> Unit | None:
    """The unit of the case's place; or the one that answers for who leads it, or led it last."""
    if rule.per == "place":
        return case.place_unit
    lead = Case.objects.filter(pk=case.pk).values_list(_lead(), flat=True).first()
    unit = Unit.objects.select_related("platform", "parent").filter(pk=lead).first() if lead else None
    while unit is not None and unit.kind in _small(case.platform) and unit.parent is not None:
        unit = unit.parent
    return unit


def _small(platform: Platform) -> tuple[str, ...]:
    """Kinds of units for which the one above answers, where the regulation lets it carry out or close for them."""
    policy = policy_of(platform)
    return ANSWERED_FOR if policy.delegate is not None or policy.closure is not None else ()


def _lead() -> Coalesce:
    """The unit that leads a case, or the one that it was merged into."""
    leads = Assignment.objects.filter(case=OuterRef("other"), role="lead", state__in=VISIBLE_ASSIGNMENT)
    merged = Link.objects.filter(case=OuterRef("pk"), type="merged")
    main = merged.annotate(lead=Subquery(leads.order_by("-pk").values("unit_id")[:1])).values("lead")[:1]
    return Coalesce(last_lead(), Subquery(main))


def _answers_for(unit: Unit) -> list[int]:
    """The unit, and the sections and villages for which it answers."""
    small = _small(unit.platform)
    below = Q(parent=unit) | Q(parent__parent=unit, parent__kind__in=small)
    return [unit.pk, *Unit.objects.filter(below, kind__in=small).values_list("pk", flat=True)]


def told(platform: Platform, unit: Unit) -> list[Unit]:
    """Who is told of a concentration at `unit`: the unit, its nearest centre and the platform's own."""
    above = superior_of(unit)
    while above.kind != "centre" and superior_of(above).pk != above.pk:
        above = superior_of(above)
    top = find_unit(platform, policy_of(platform).info.competent_unit)
    return list({one.pk: one for one in (unit, above, top)}.values())


def _look_at_group(case: Case, rule: Rule, unit: Unit, now: datetime) -> Concentration | None:
    units = told(case.platform, unit)
    gathered = gathering_of(rule, _members(case, rule, unit, units))
    if gathered is None:
        return None
    ids = [one.case for one in gathered.members]
    same = Concentration.objects.filter(unit=unit, category=case.category, rule=rule.key)
    fresh = set(ids) - set(same.filter(cases__in=ids).values_list("cases", flat=True))
    if not fresh:
        return None
    last = same.order_by("-last_at", "-pk").first()
    if last is not None and still_stands(rule, local_date(last.last_at), local_date(now)):
        return _grow(last, rule, fresh, now)
    return _found(case, rule, units, gathered, now)


def _members(case: Case, rule: Rule, unit: Unit, units: Sequence[Unit]) -> list[Member]:
    """The cases like `case` in the days around it. None that complains of anybody who would be told of it."""
    on, days = local_date(case.submitted_at), rule.within_days
    rows = Case.objects.filter(
        platform=case.platform, category=case.category, submitted_at__gte=start_of_day(on - (days - 1) * DAY),
        submitted_at__lt=start_of_day(on + days * DAY),
    ).exclude(state__in=NO_MATTER)  # fmt: skip
    rows = rows.filter(**{
        f"{name}__in": values for name, values in rule.when.conditions.items() if name in CONDITIONS
    })  # fmt: skip
    for one in units:
        rows = rows.exclude(
            Exists(CaseSubject.objects.filter(case=OuterRef("pk"), unit_left__lte=one.left, unit_right__gte=one.left))
        )
    if rule.per == "place":
        rows = rows.filter(place_unit=unit)
    else:
        rows = rows.alias(lead=_lead()).filter(lead__in=_answers_for(unit))
    person = Party.objects.filter(case=OuterRef("pk"), part="requester").values("subject_id")[:1]
    found = rows.order_by("-submitted_at", "-pk").values_list("pk", Subquery(person), "submitted_at")[:MOST]
    return [Member(pk, str(who) if who else None, local_date(at)) for pk, who, at in found]


def _found(case: Case, rule: Rule, units: Sequence[Unit], gathered: Gathering, now: datetime) -> Concentration:
    unit, *centres = units
    row = Concentration.objects.create(
        platform=case.platform, rule=rule.key, article=rule.cite, category=case.category, unit=unit,
        since=gathered.since, count=gathered.count, at=now, last_at=now,
    )  # fmt: skip
    row.cases.set([one.case for one in gathered.members])
    for one in units:
        tell_unit(
            _newest_for(row, one), one, TEMPLATE, at=now, concentration=row.pk, category=row.category, count=row.count,
        )  # fmt: skip
    if rule.does == "task":
        _draft(row, rule, centres[0] if centres else unit, now)
    journal.record_for_platform(
        case.platform, "concentration.found", actor=system(case.platform), at=now, rule=f"concentrations.{rule.key}",
        article=rule.cite, concentration=row.pk, unit=unit.path, count=row.count,
    )  # fmt: skip
    return row


def _grow(row: Concentration, rule: Rule, fresh: set[int], now: datetime) -> Concentration:
    row.cases.add(*fresh)
    persons = Party.objects.filter(case__concentrations=row, part="requester", subject__isnull=False)
    counted = persons.aggregate(found=Count("subject", distinct=True))["found"] if rule.persons else row.cases.count()
    row.count, row.last_at = counted, now
    row.save(update_fields=["count", "last_at"])
    for draft in Task.objects.filter(concentration=row, state="draft"):
        draft.cases.add(*_for_a_task(row))
    return row


def _newest_for(row: Concentration, unit: Unit) -> Case:
    """The newest case that the unit works on, else the newest of all: a notice hangs on a case."""
    cases = row.cases.order_by("-submitted_at", "-pk")
    theirs = Assignment.objects.filter(
        case=OuterRef("pk"), unit_left__range=(unit.left, unit.right), state__in=VISIBLE_ASSIGNMENT
    )
    case = cases.filter(Exists(theirs)).first() or cases.first()
    assert case is not None
    return case


def _draft(row: Concentration, rule: Rule, centre: Unit, now: datetime) -> Task:
    """A task for the unit, for a person to read, change and send. It names no case and nobody who asked."""
    word = label_of(policy_of(row.platform), "category", row.category)
    counted = f"{row.count}{'人' if rule.persons else '件'}"
    task = Task.objects.create(
        platform=row.platform, kind=rule.task_kind, title=f"“{word}”问题集中反映的整改",
        content=(
            f"自{row.since:%Y年%-m月%-d日}起{rule.within_days}日内，{row.unit}“{word}”的诉求达到{counted}，反映集中。"
            "请分析原因，采取措施，限期整改，并报告原因、措施和完成时间。"
        ),
        issued_by=centre, unit=row.unit, state="draft", concentration=row, rule=f"concentrations.{rule.key}",
        article=rule.cite, at=now, by="system",
    )  # fmt: skip
    task.cases.set(_for_a_task(row))
    return task


def _for_a_task(row: Concentration) -> list[int]:
    """The cases to name to the unit: not those whose requester asked to be kept secret."""
    return list(row.cases.filter(confidential=False).values_list("pk", flat=True))
