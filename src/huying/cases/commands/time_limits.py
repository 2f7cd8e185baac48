"""The rows of time limits: started, moved, ended and cancelled by the commands that cause it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Case as Choose
from django.db.models import F, Q, QuerySet, Value, When

from huying.base.clock import end_of_day, local_date
from huying.cases.models import Application, Assignment, Case, Supervision, TimeLimit
from huying.cases.models.handling import ACTIVE_ASSIGNMENT
from huying.cases.policies import calendar_of, rules_of
from huying.cases.queries.time_limits import (
    PROMISING,
    facts_of,
    from_source,
    handle_limit,
    promise_of,
    source_rule,
    total_from,
)
from huying.core import time_limits as core
from huying.policy.model import Escalation, TimeLimitRule

__all__ = ["facts_of", "handle_limit", "total_from"]
SET_AT_ASSIGNMENT = "time_limits.set_at_assignment"
STATUTORY = "time_limits.statutory"
GIVEN = (SET_AT_ASSIGNMENT, STATUTORY)
"""Limits that a person gave, not a row of the regulation."""


def start_for_assignment(case: Case, assignment: Assignment, *, at: datetime, goes_on: bool = False) -> None:
    """The limits that run from an assignment, and those that lean on another limit of the case.

    `goes_on`: a centre below hands on what it was given, inside the date that it has.
    """
    policy, today = rules_of(case), local_date(at)
    facts, rows = facts_of(case, assignment), []
    for name in _names(policy.time_limits):
        rule = core.choose(policy.time_limits, name, assignment.role, facts)
        if rule is None or rule.before is not None:
            continue
        by_law = policy.rests_on_another_law(rule)
        if name == "handle" and assignment.role == "lead" and _is_given(assignment, by_law=by_law):
            continue
        if rule.starts == "submission" and name == "handle":
            rows.append(_from_submission(case, rule, assignment, at=at))
        elif name == "handle" and goes_on and (before := _before(case, name, assignment)):
            rows.append(_copy(case, rule, assignment, before, at=at))
        elif rule.starts in ("assignment", "acceptance"):
            rows.append(_by_rule(case, rule, today, at=at, event="assignment", assignment=assignment))
        elif rule.starts == "previous":
            rows += _gone_on(case, rule, assignment, at=at)
    if assignment.statutory_days is not None and assignment.role == "lead":
        rows.append(_statutory(case, assignment, at=at))
    elif assignment.limit_workdays is not None and assignment.role == "lead" and "handle" not in {r.name for r in rows}:
        rows.append(_set_at_assignment(case, assignment, at=at))
    handle = next((row for row in rows if row.name == "handle"), None)
    if handle is not None and handle.start_event != "previous":
        before = _before(case, "handle", assignment) if goes_on else None
        if before is not None and handle.due_on > before.due_on:
            _cut(handle, before.due_on, {"event": "within", "rule": before.rule}, at=at)
        _heed_source(case, handle, at=at)
    for row in rows:
        _keep_within(case, row, handle or handle_limit(case), facts, assignment.role, at=at)
    if assignment.role == "lead":
        drop(_waiting(case), at=at)
    TimeLimit.objects.bulk_create(rows)
    refresh(case, at=at)


def _is_given(assignment: Assignment, *, by_law: bool) -> bool:
    """Whether the handling limit was given with the assignment: a law goes before what a dispatcher sets."""
    return assignment.statutory_days is not None or (assignment.limit_workdays is not None and not by_law)


def _from_submission(case: Case, rule: TimeLimitRule, assignment: Assignment, *, at: datetime) -> TimeLimit:
    """The citizen's date: counted from the submission, and kept from hop to hop within a round."""
    before = _before(case, rule.limit, assignment)
    if before is not None:
        return _copy(case, rule, assignment, before, at=at)
    return _by_rule(
        case, rule, local_date(case.submitted_at), at=at, event="submission", assignment=assignment
    )  # fmt: skip


def _before(case: Case, name: str, assignment: Assignment) -> TimeLimit | None:
    """That limit of the lead before, in the same round."""
    rows = TimeLimit.objects.filter(case=case, name=name, assignment__role="lead", assignment__round=assignment.round)
    return rows.exclude(assignment=assignment).order_by("-pk").first()


def _copy(case: Case, rule: TimeLimitRule, assignment: Assignment, before: TimeLimit, *, at: datetime) -> TimeLimit:
    due = core.Due(before.day_zero, before.days, before.unit, before.due_on, before.provisional)
    row = _row(
        case, rule.limit, before.rule, before.article, due, at=at, event=before.start_event, soft=False,
        assignment=assignment,
    )  # fmt: skip
    row.steps, row.promised_on = before.steps, before.promised_on
    return row


def _cut(row: TimeLimit, due_on: date, step: dict[str, Any], *, at: datetime) -> None:
    """Give a limit that is not written yet another last day; `step` says why."""
    row.due_on, row.due_at = due_on, end_of_day(due_on)
    row.steps = [*row.steps, {**step, "due_on": due_on.isoformat()}]
    row.next_at = _next_at(row, after=at)


def _heed_source(case: Case, row: TimeLimit, *, at: datetime) -> None:
    """The date of the source channel, where it governs (decisions C-7 and Q-2). A limit set at assignment is stronger,
    unless both hold and the earlier governs."""
    rule = source_rule(case)
    if rule is None or case.round > 1 or row.rule == STATUTORY:
        return
    if row.rule == SET_AT_ASSIGNMENT and rule.mode == "replaces":
        return
    due = from_source(case, core.Due(row.day_zero, row.days, row.unit, row.due_on, row.provisional))
    if due is None:
        return
    key = f"source_limits.{rule.key}"
    row.rule, row.article = key, rule.cite
    _cut(row, due.due_on, {"event": "source", "rule": key}, at=at)


def _keep_within(
    case: Case, row: TimeLimit, outer: TimeLimit | None, facts: Mapping[str, str], role: str, *, at: datetime
) -> None:
    """A hop inside another limit shrinks to what is left of it (decision C-1), and never ends before its own day."""
    rule = core.choose(rules_of(case).time_limits, row.name, role, facts)
    if rule is None or rule.within is None or outer is None or outer.name != rule.within:
        return
    due_on = max(min(row.due_on, outer.due_on), local_date(at))
    if due_on != row.due_on:
        _cut(row, due_on, {"event": "within", "rule": row.rule}, at=at)


def rechoose(case: Case, *, at: datetime) -> None:
    """Another rule holds after a change of the case's facts: its limits move to its length, from the same day zero.

    A date never gets shorter than the next working day (decision A-16).
    """
    policy = rules_of(case)
    waiting = _waiting(case).first()
    if waiting is not None:
        facts = facts_of(case) | {"level": case.holder.kind}
        rule = core.choose(policy.time_limits, "handle", "lead", facts)
        if rule is not None and rule.starts == "submission":
            _by_other_rule(case, waiting, rule, at=at)
    for assignment in case.assignments.filter(state__in=("dispatched", "handling")).select_related("unit"):
        facts = facts_of(case, assignment)
        rows = {row.name: row for row in assignment.limits.filter(ended_at=None)}
        for name in _names(policy.time_limits):
            rule, row = core.choose(policy.time_limits, name, assignment.role, facts), rows.get(name)
            if rule is None or rule.before is not None or rule.starts == "previous":
                continue
            if row is None:
                if rule.starts in ("assignment", "acceptance") and not assignment.limits.filter(name=name).exists():
                    zero = local_date(assignment.assigned_at)
                    start(case, rule, zero, at=at, event="assignment", assignment=assignment)
            else:
                _by_other_rule(case, row, rule, at=at)
    refresh(case, at=at)


def _by_other_rule(case: Case, row: TimeLimit, rule: TimeLimitRule, *, at: datetime) -> None:
    """Give an open limit the length of another rule, unless a person or a law had given it."""
    key = f"time_limits.{rule.key}"
    if row.rule == key or not row.rule.startswith("time_limits.") or row.rule in GIVEN:
        return
    calendar = calendar_of(case.platform)
    due = core.count(rule, row.day_zero, calendar)
    due_on = due.due_on
    if due_on < row.due_on:
        due_on = max(due_on, min(row.due_on, calendar.add_working_days(local_date(at), 1)))
    row.case, row.rule, row.article = case, key, rule.cite
    row.days, row.soft = due.days, rule.soft or rule.optional
    row.save(update_fields=["rule", "article", "days", "soft"])
    step = {"event": "reclassified", "rule": key, "day_zero": row.day_zero.isoformat(), "days": due.days}
    move(row, due_on, at=at, step=step, provisional=due.provisional)


def _waiting(case: Case) -> QuerySet[TimeLimit]:
    """The citizen's date while nobody has the case."""
    return case.limits.filter(assignment=None, application=None, supervision=None, name="handle", ended_at=None)


def start_for_claim(case: Case, assignment: Assignment, *, at: datetime) -> None:
    """The limits that run from the claim, unless they run already (started when the claim limit was missed)."""
    _start_from_claim(case, assignment, local_date(at), at=at, event="claim")


def start_when_missed(limit: TimeLimit, *, at: datetime) -> bool:
    """A limit that another one's missing starts: day zero is the last day of the one that ran out.

    Whether limits of the case may be others than before.
    """
    follows = any(rule.starts_when_missed == limit.name for rule in rules_of(limit.case).time_limits)
    if follows and limit.assignment is not None:
        _start_from_claim(limit.case, limit.assignment, limit.due_on, at=at, event=f"{limit.name}_missed")
        return True
    return False


def _start_from_claim(case: Case, assignment: Assignment, day_zero: date, *, at: datetime, event: str) -> None:
    policy, facts = rules_of(case), facts_of(case, assignment)
    running = set(assignment.limits.values_list("name", flat=True))
    rules = [core.choose(policy.time_limits, name, assignment.role, facts) for name in _names(policy.time_limits)]
    TimeLimit.objects.bulk_create([
        _by_rule(case, rule, day_zero, at=at, event=event, assignment=assignment)
        for rule in rules
        if rule is not None and rule.starts == "claim" and rule.limit not in running
    ])  # fmt: skip
    refresh(case, at=at)


def start(
    case: Case,
    rule: TimeLimitRule,
    day_zero: date,
    *,
    at: datetime,
    event: str,
    assignment: Assignment | None = None,
    application: Application | None = None,
) -> TimeLimit:
    """One new limit by `rule`, counted from `day_zero`."""
    limit = _by_rule(case, rule, day_zero, at=at, event=event, assignment=assignment, application=application)
    limit.save(force_insert=True)
    return limit


def start_for_case(case: Case, event: str, *, at: datetime, waits: bool = True) -> None:
    """The limits that run from the submission (or another event of the case itself).

    `waits`: nobody has the case yet, and the citizen's date runs all the same until somebody takes it over.
    """
    policy, facts = rules_of(case), facts_of(case)
    rules = [core.choose(policy.time_limits, name, "lead", facts) for name in _names(policy.time_limits)]
    rows = [
        _by_rule(case, rule, local_date(at), at=at, event=event)
        for rule in rules
        if rule is not None and rule.starts == event and rule.before is None and (rule.limit != "handle" or waits)
    ]
    for row in rows:
        if row.name == "handle":
            _heed_source(case, row, at=at)
    TimeLimit.objects.bulk_create(rows)
    refresh(case, at=at)


def start_named(
    case: Case,
    name: str,
    *,
    at: datetime,
    event: str,
    application: Application | None = None,
    assignment: Assignment | None = None,
    day_zero: date | None = None,
) -> None:
    """The limit `name` of the case's regulation from `day_zero` (the day of `at`), if the regulation has one."""
    policy = rules_of(case)
    rule = core.choose(policy.time_limits, name, "lead", facts_of(case, assignment))
    if rule is not None:
        start(
            case, rule, day_zero or local_date(at), at=at, event=event, application=application, assignment=assignment
        )


def start_for_supervision(supervision: Supervision, *, at: datetime) -> None:
    """The date that a supervision sets; missed, it may become a clue."""
    if supervision.due_on is None:
        return
    today = local_date(at)
    due = core.Due(today, (supervision.due_on - today).days, "calendar", supervision.due_on, False)
    limit = _row(
        supervision.case, "supervision", supervision.rule, supervision.article, due, at=at,
        event="supervision", soft=False,
    )  # fmt: skip
    limit.supervision = supervision
    limit.save(force_insert=True)


def end(limits: Iterable[TimeLimit], *, at: datetime) -> None:
    """Each limit still open is met or missed, once and for all."""
    for limit in limits:
        if limit.ended_at is None:
            limit.ended_at, limit.next_at = at, None
            limit.met = limit.missed_at is None and (limit.suspended or at < limit.due_at)
            limit.save(update_fields=["ended_at", "next_at", "met"])


def reopen(limits: Iterable[TimeLimit], *, at: datetime) -> None:
    """Each limit goes on as if it had not ended: what it watches is not over after all."""
    for limit in limits:
        limit.ended_at, limit.met = None, None
        limit.next_at = _next_at(limit, after=at)
        limit.save(update_fields=["ended_at", "met", "next_at"])


def drop(limits: QuerySet[TimeLimit], *, at: datetime) -> None:
    """Limits that lost their subject: one already missed stays missed, the others are neither met nor missed."""
    met = When(Q(missed_at__isnull=False), then=Value(False))
    limits.filter(ended_at__isnull=True).update(ended_at=at, next_at=None, met=Choose(met, default=F("met")))


def end_named(assignment: Assignment, *names: str, at: datetime) -> None:
    end(assignment.limits.filter(name__in=names), at=at)


def move(limit: TimeLimit, due_on: date, *, at: datetime, step: dict[str, Any], provisional: bool) -> None:
    """Give a limit a later last day; `step` says by which decision."""
    limit.due_on, limit.due_at = due_on, end_of_day(due_on)
    limit.provisional = limit.provisional or provisional
    limit.missed_at = None
    limit.steps = [*limit.steps, {**step, "due_on": due_on.isoformat(), "at": at.isoformat()}]
    limit.next_at = _next_at(limit, after=at)
    limit.save(update_fields=["due_on", "due_at", "provisional", "missed_at", "steps", "next_at"])


def refresh(case: Case, *, at: datetime) -> None:
    """Bring the promised date, and the limits that lean on it, up to date."""
    assignments = list(case.assignments.filter(state__in=PROMISING).select_related("unit").order_by("pk"))
    limits: dict[int | None, dict[str, TimeLimit]] = defaultdict(dict)
    for limit in TimeLimit.objects.filter(assignment__in=assignments):
        limit.case = case  # else moving it reads the case again
        limits[limit.assignment_id][limit.name] = limit
    lead = next((one for one in reversed(assignments) if one.role == "lead"), None)
    held = limits[lead.pk] if lead else {row.name: row for row in _waiting(case)}
    promised = promise_of(case, lead, held)
    due_at = promised.due_at if promised else None
    if case.due_at != due_at:
        case.due_at = due_at
        case.save(update_fields=["due_at"])
    if promised is None:
        return
    policy, calendar, today = rules_of(case), calendar_of(case.platform), local_date(at)
    new = []
    for assignment in assignments:
        if assignment.state not in ACTIVE_ASSIGNMENT:
            continue
        facts = facts_of(case, assignment)
        for name in _names(policy.time_limits):
            rule = core.choose(policy.time_limits, name, assignment.role, facts)
            if rule is None or rule.before != "handle":
                continue
            due = core.count_before(promised.due_on, rule.working_days or 0, calendar, not_before=today)
            due = replace(due, provisional=due.provisional or promised.provisional)
            row = limits[assignment.pk].get(name)
            if row is None:
                new.append(_row(
                    case, rule.limit, f"time_limits.{rule.key}", rule.cite, due, at=at, event="before_handle",
                    soft=rule.soft or rule.optional, assignment=assignment,
                ))  # fmt: skip
            # One that ran out comes to life again only by a promise moved far enough, not by the passing of days.
            elif row.ended_at is None and row.due_on != due.due_on and (due.due_on > today or row.due_at > at):
                step = {"event": "before_handle", "rule": row.rule}
                move(row, due.due_on, at=at, step=step, provisional=due.provisional)
    TimeLimit.objects.bulk_create(new)


def ladder_of(limit: TimeLimit) -> tuple[Escalation, ...]:
    """The rungs of the clock's ladder for this limit; of a supervision's, those for its method."""
    rungs = [rung for rung in rules_of(limit.case).escalations if rung.limit == limit.name]
    if any(rung.when.conditions for rung in rungs):
        facts = facts_of(limit.case, limit.assignment)
        rungs = [rung for rung in rungs if rung.when.holds(facts)]
    if limit.supervision is None:
        return tuple(rungs)
    return tuple(rung for rung in rungs if rung.method in ("", limit.supervision.method))


def _next_at(limit: TimeLimit, *, after: datetime) -> datetime | None:
    if limit.suspended:
        return None
    ladder, calendar = ladder_of(limit), calendar_of(limit.case.platform)
    upcoming = core.next_moment(ladder, limit.due_on, calendar, after=after)
    if not limit.soft and limit.missed_at is None:
        due = max(limit.due_at, after + timedelta(microseconds=1))
        return min(due, upcoming) if upcoming else due
    return upcoming


def schedule_next(limit: TimeLimit, *, after: datetime) -> None:
    """When the clock looks at this limit again; `save_moments` writes it."""
    limit.next_at = _next_at(limit, after=after)


def save_moments(limits: Sequence[TimeLimit]) -> None:
    """Write when each limit was missed and when the clock looks at it again: all of them by one statement."""
    if limits:
        with connection.cursor() as cursor:
            cursor.execute(_SAVE_MOMENTS, [
                [one.pk for one in limits], [one.missed_at for one in limits], [one.next_at for one in limits]
            ])  # fmt: skip


_SAVE_MOMENTS = """
UPDATE cases_timelimit SET missed_at = new.missed_at, next_at = new.next_at
  FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) AS new (id, missed_at, next_at)
 WHERE cases_timelimit.id = new.id
"""


def _by_rule(
    case: Case, rule: TimeLimitRule, day_zero: date, *, at: datetime, event: str, assignment: Assignment | None = None,
    application: Application | None = None,
) -> TimeLimit:  # fmt: skip
    due = core.count(rule, day_zero, calendar_of(case.platform))
    return _row(
        case, rule.limit, f"time_limits.{rule.key}", rule.cite, due, at=at, event=event,
        soft=rule.soft or rule.optional, assignment=assignment, application=application,
    )  # fmt: skip


def _row(
    case: Case, name: str, rule: str, article: str, due: core.Due, *, at: datetime, event: str, soft: bool,
    assignment: Assignment | None = None, application: Application | None = None,
) -> TimeLimit:  # fmt: skip
    limit = TimeLimit(
        case=case, assignment=assignment, application=application, name=name, rule=rule, article=article,
        start_event=event, day_zero=due.day_zero, days=due.days, unit=due.unit, due_on=due.due_on,
        due_at=due.due_at, soft=soft, provisional=due.provisional, started_at=at,
        steps=[{"event": event, "rule": rule, "day_zero": due.day_zero.isoformat(), "days": due.days,
                "unit": due.unit, "due_on": due.due_on.isoformat()}],
    )  # fmt: skip
    # On the ledger the ordinary limit does not count, in a new round neither.
    limit.suspended = name == "handle" and case.ledger
    if name != "supervision":
        limit.next_at = _next_at(limit, after=at)
    else:
        limit.next_at = due.due_at
    return limit


def _gone_on(case: Case, rule: TimeLimitRule, assignment: Assignment, *, at: datetime) -> list[TimeLimit]:
    """A limit that goes on from the round before: same day zero, same last day.

    Where the unit's clock rested while the reply was checked, its last day is later by the working days of the check;
    the citizen stays promised the day before (decision H-9).
    """
    before = (
        TimeLimit.objects.filter(case=case, name=rule.limit, assignment__role="lead")
        .exclude(assignment=assignment)
        .order_by("-pk")
        .first()
    )
    if before is None:
        return []
    due = core.Due(before.day_zero, before.days, before.unit, before.due_on, before.provisional)
    limit = _row(
        case, rule.limit, f"time_limits.{rule.key}", rule.cite, due, at=at, event="previous", soft=False,
        assignment=assignment,
    )  # fmt: skip
    limit.steps = [*before.steps, {"event": "previous", "rule": limit.rule, "due_on": due.due_on.isoformat()}]
    calendar = calendar_of(case.platform)
    if rules_of(case).reply_rule(facts_of(case, assignment)).check_stops_clock and before.ended_at is not None:
        rested = calendar.working_days_between(local_date(before.ended_at), local_date(at))
        counted = calendar.count(before.due_on, rested)
        limit.promised_on = before.promised_on or before.due_on
        limit.due_on, limit.due_at = counted.day, end_of_day(counted.day)
        limit.provisional = limit.provisional or counted.provisional
        limit.steps = [
            *limit.steps,
            {"event": "check", "rule": limit.rule, "days": rested, "due_on": limit.due_on.isoformat()},
        ]
        limit.next_at = _next_at(limit, after=at)
    return [limit]


def _set_at_assignment(case: Case, assignment: Assignment, *, at: datetime) -> TimeLimit:
    policy = rules_of(case)
    due = core.count_working_days(local_date(at), assignment.limit_workdays or 0, calendar_of(case.platform))
    return _row(
        case, "handle", SET_AT_ASSIGNMENT, policy.action_rules["case.dispatch"].cite, due, at=at,
        event="assignment", soft=False, assignment=assignment,
    )  # fmt: skip


def _statutory(case: Case, assignment: Assignment, *, at: datetime) -> TimeLimit:
    """A limit of another law goes before every other (decision A-07)."""
    days = assignment.statutory_days or 0
    today = local_date(at)
    due = core.Due(today, days, "calendar", today + timedelta(days=days), False)
    return _row(
        case, "handle", STATUTORY, assignment.legal_basis[:60], due, at=at, event="assignment", soft=False,
        assignment=assignment,
    )  # fmt: skip


def _names(rules: Iterable[TimeLimitRule]) -> list[str]:
    return list(dict.fromkeys(rule.limit for rule in rules))
