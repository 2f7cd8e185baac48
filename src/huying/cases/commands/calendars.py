"""A year's official calendar has come out: what was counted without it is counted anew.

Exactly the limits that are open, marked provisional and run into that year move; each says so in a step, the journal
and a notice. One case a transaction: killed in between, the next run goes on with what is still marked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from huying.base.clock import local_date, start_of_day
from huying.cases import journal
from huying.cases.commands import time_limits
from huying.cases.commands.exchange import queue_upstream
from huying.cases.commands.notices import notice_to, send, tell_citizen
from huying.cases.models import Case, JournalEntry, Notice, Report, TimeLimit
from huying.cases.models.case import OPEN_STATES
from huying.cases.policies import calendar_of, rules_of
from huying.cases.queries.time_limits import PROMISING, from_source, promise_of, source_rule
from huying.core.calendar import Calendar
from huying.core.recount import Bound, Recount, not_shorter, recount
from huying.core.time_limits import Due, count_before
from huying.people.actors import system
from huying.people.models import Platform, Unit
from huying.policy.model import TimeLimitRule

PAGE = 200
BEFORE_HANDLE = "before_handle"
NEW_YEAR = timedelta(days=14)
"""The notice of a year may name days at the end of the year before."""
NOTICE = "date_moved"
PARTIES = ("assignment__unit", "assignment__delegate", "application__decider", "supervision")


@dataclass
class Recounted:
    """What one page did: cases looked at, limits moved, limits whose date stands; `last` is where the next begins."""

    cases: int = 0
    moved: int = 0
    confirmed: int = 0
    last: int = 0


def count_provisional(platforms: Sequence[Platform]) -> int:
    """How many open limits of these platforms wait for a calendar."""
    return TimeLimit.objects.filter(case__platform__in=platforms, provisional=True, ended_at=None).count()


def recount_page(year: int, platforms: Sequence[Platform], *, now: datetime, after: int = 0) -> Recounted:
    """Count anew in the next page of cases after case `after`; none are left when `cases` is 0."""
    ids = list(_waiting(year, platforms).filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:PAGE])
    done = Recounted(last=ids[-1] if ids else after)
    for case_id in ids:
        with transaction.atomic():
            this = _Case(_lock(case_id), year, now)
            this.recount()
            done.cases += 1
            done.moved += this.moved
            done.confirmed += this.confirmed
    return done


def _waiting(year: int, platforms: Sequence[Platform]) -> QuerySet[Case]:
    """Cases with a provisional limit, a promise in that year, or something for the clock to do in it."""
    begins = start_of_day(date(year, 1, 1) - NEW_YEAR)
    limits = TimeLimit.objects.filter(case=OuterRef("pk"), ended_at=None)
    waits = Exists(limits.filter(Q(provisional=True) | Q(next_at__gte=begins)))
    return Case.objects.filter(platform__in=platforms).filter(
        waits | Q(due_at__gte=begins, state__in=OPEN_STATES)
    )  # fmt: skip


def _lock(case_id: int) -> Case:
    return Case.objects.select_for_update(of=("self",)).select_related("platform", "holder").get(pk=case_id)


@dataclass
class _Case:
    """One locked case, and what is to be told of it at the end."""

    case: Case
    year: int
    now: datetime
    moved: int = 0
    confirmed: int = 0
    source_governs: bool = False
    notices: list[Notice] = field(default_factory=list)
    entries: list[JournalEntry] = field(default_factory=list)

    def recount(self) -> None:
        """Each limit by itself, then the promise, then what hangs on it; then it is told and written down."""
        promised_at = self.case.due_at
        limits = self._open()
        self.by_name = {(limit.assignment_id, limit.name): limit for limit in limits}
        own = [limit for limit in limits if limit.start_event != BEFORE_HANDLE]
        handle_moved = False
        for limit in sorted(own, key=self._turn):
            if limit.provisional:
                before = limit.due_on
                self._recount(limit)
                handle_moved |= limit.name == "handle" and limit.due_on != before
        self._follow([limit for limit in limits if limit.start_event == BEFORE_HANDLE])
        self._reschedule(limits)
        if promised_at is not None and self.case.due_at is not None and promised_at != self.case.due_at:
            self._promise_moved(promised_at, with_limit=handle_moved)
        send(self.notices)
        journal.write(self.entries)
        if self.entries:
            queue_upstream([self.case], at=self.now)

    @property
    def calendar(self) -> Calendar:
        return calendar_of(self.case.platform)

    @property
    def today(self) -> date:
        return local_date(self.now)

    def _open(self) -> list[TimeLimit]:
        rows = TimeLimit.objects.filter(case=self.case, ended_at=None)
        limits = list(rows.select_related(*PARTIES).order_by("pk"))
        for limit in limits:
            limit.case = self.case
        return limits

    def _turn(self, limit: TimeLimit) -> tuple[int, int]:
        """A limit that starts when another is missed comes after it, one that stays within another after that one."""
        rule = rules_of(self.case).rules.get(limit.rule)
        is_within = isinstance(rule, TimeLimitRule) and rule.within is not None
        return 2 if is_within else 1 if limit.start_event.endswith("_missed") else 0, limit.pk

    # --- One limit ---

    def _recount(self, limit: TimeLimit) -> None:
        policy = rules_of(self.case)
        zero = self._day_zero(limit)
        found = recount(self._steps(limit), policy.rules, self.calendar, day_zero=zero, bound=self._bound(limit))
        if self.year not in found.years and not limit.day_zero.year <= self.year <= limit.due_on.year:
            return
        due_on = not_shorter(found.due.due_on, limit.due_on, self.today, self.calendar)
        self._by_what(limit)
        if limit.promised_on is not None:
            limit.promised_on = found.promised_on
        if due_on == limit.due_on:
            limit.provisional = found.provisional
            limit.save(update_fields=["provisional", "promised_on", "rule", "article"])
            if not found.provisional:
                self.confirmed += 1
                self._write(limit, "limit.confirmed", due_on=limit.due_on)
            return
        self._move(limit, found, due_on, zero)

    def _day_zero(self, limit: TimeLimit) -> date:
        """Day zero; for one that the missing of another started, the last day of that other.

        If that one was met late meanwhile, it is counted anew for this only: what is over stays as it was judged.
        """
        name = limit.start_event.removesuffix("_missed")
        if name == limit.start_event:
            return limit.day_zero
        missed = self.by_name.get((limit.assignment_id, name))
        if missed is not None:
            return missed.due_on
        over = TimeLimit.objects.filter(assignment=limit.assignment_id, name=name, provisional=True).first()
        if over is None or over.ended_at is None:
            return limit.day_zero
        last = recount(over.steps, rules_of(self.case).rules, self.calendar, day_zero=over.day_zero).due.due_on
        return min(last, local_date(over.ended_at))

    def _steps(self, limit: TimeLimit) -> list[dict[str, Any]]:
        """The steps of a limit, with the working days that it rested counted by the new calendar."""
        rests = iter(self._rests(limit) if any(step["event"] == "check" for step in limit.steps) else [])
        steps: list[dict[str, Any]] = []
        for step in limit.steps:
            if step["event"] == "check":
                steps.append({**step, "days": next(rests, step["days"])})
            elif step["event"] == "instruction" and step.get("days") is None:
                days = self._waited(datetime.fromisoformat(step["at"]))
                steps.append({**step, "days": days} if days is not None else step)
            else:
                steps.append(step)
        return steps

    def _waited(self, instructed_at: datetime) -> int | None:
        """How long a limit rested until an instruction that named no day; None for one that named it."""
        supervisions = self.case.supervisions.filter(method="instruction", opened_at=instructed_at)
        report = (
            Report.objects.filter(cases=self.case, state="instructed", at__lte=instructed_at).order_by("-at").first()
        )
        if report is None or supervisions.filter(due_on__isnull=False).exists():
            return None
        return self.calendar.working_days_between(local_date(report.at), local_date(instructed_at))

    def _rests(self, limit: TimeLimit) -> list[int]:
        """The working days of each check during which the unit's clock stood still."""
        rounds = TimeLimit.objects.filter(case=self.case, name=limit.name, assignment__role="lead", pk__lte=limit.pk)
        rests: list[int] = []
        for before, after in pairwise(rounds.order_by("pk")):
            if len(rests) < sum(step["event"] == "check" for step in after.steps) and before.ended_at is not None:
                rests.append(
                    self.calendar.working_days_between(local_date(before.ended_at), local_date(after.started_at))
                )
        return rests

    def _bound(self, limit: TimeLimit) -> Bound:
        """What keeps the first count in bounds: an outer limit; for the handling limit the hop before, the source."""
        rule = rules_of(self.case).rules.get(limit.rule)
        if isinstance(rule, TimeLimitRule) and rule.within is not None:
            outer = self.by_name.get((limit.assignment_id, rule.within)) or time_limits.handle_limit(self.case)
            started = local_date(limit.started_at)
            if outer is not None and outer.name == rule.within:
                last = outer.due_on
                return lambda due: replace(due, due_on=max(min(due.due_on, last), started))
        if limit.name != "handle":
            return lambda due: due
        return lambda due: self._by_source(limit, self._by_hop(limit, due))

    def _by_hop(self, limit: TimeLimit, due: Due) -> Due:
        """What a centre below handed on stays inside the date that it had itself, counted anew like this one."""
        if limit.assignment is None or not any(step["event"] == "within" for step in limit.steps):
            return due
        hops = TimeLimit.objects.filter(
            case=self.case, name=limit.name, assignment__role="lead", assignment__round=limit.assignment.round,
            pk__lt=limit.pk,
        )  # fmt: skip
        before = hops.select_related("assignment").order_by("-pk").first()
        if before is None:
            return due
        rules = rules_of(self.case).rules
        outer = recount(before.steps, rules, self.calendar, day_zero=before.day_zero, bound=self._bound(before)).due
        return replace(due, due_on=min(due.due_on, outer.due_on))

    def _by_source(self, limit: TimeLimit, due: Due) -> Due:
        """The source's date holds for the first round, and for what went on from it; what a person or a law gave is
        stronger."""
        self.source_governs = False
        source, begun = source_rule(self.case), limit.steps[0].get("rule")
        is_first = limit.assignment is None or limit.assignment.round == 1
        if source is None or not (is_first or any(step["event"] == "previous" for step in limit.steps)):
            return due
        if begun == time_limits.STATUTORY or (begun == time_limits.SET_AT_ASSIGNMENT and source.mode == "replaces"):
            return due
        governs = from_source(self.case, due)
        self.source_governs = governs is not None
        return replace(due, due_on=governs.due_on) if governs is not None else due

    def _move(self, limit: TimeLimit, found: Recount, due_on: date, zero: date) -> None:
        before, missed_at = limit.due_on, limit.missed_at
        limit.provisional = False  # the move marks it again if another year's notice is still missing
        step: dict[str, str | int] = {"event": "calendar", "rule": limit.rule, "year": self.year}
        if found.due.unit == "working" and self._ends(found.due) == due_on:
            step |= {"day_zero": found.due.day_zero.isoformat(), "days": found.due.days, "unit": found.due.unit}
        limit.day_zero = zero
        time_limits.move(limit, due_on, at=self.now, step=step, provisional=found.provisional)
        if limit.suspended:
            limit.next_at = None
        elif missed_at is not None and limit.due_at <= self.now:
            limit.missed_at = missed_at  # what was missed and still would be is not missed a second time
            time_limits.schedule_next(limit, after=self.now)
        limit.save(update_fields=["day_zero", "promised_on", "missed_at", "next_at", "rule", "article"])
        self._tell_moved(limit, before)

    def _ends(self, due: Due) -> date:
        """Where the last count by itself ends: what a bound cut short is not told as a count of days."""
        return self.calendar.add_working_days(due.day_zero, due.days)

    def _by_what(self, limit: TimeLimit) -> None:
        """Of two dates that both hold another one may govern now: the limit rests on its rule."""
        source = source_rule(self.case)
        if limit.name != "handle" or source is None:
            return
        own, theirs = str(limit.steps[0].get("rule", "")), f"source_limits.{source.key}"
        if limit.rule in (own, theirs):
            limit.rule = theirs if self.source_governs else own
            rule = rules_of(self.case).rules.get(limit.rule)
            limit.article = rule.cite if rule else limit.article

    # --- The promise and what hangs on it ---

    def _follow(self, limits: Sequence[TimeLimit]) -> None:
        """The promised date, and the limits that end so many days before it."""
        time_limits.refresh(self.case, at=self.now)
        if not limits:
            return
        before = {limit.pk: limit.due_on for limit in limits}
        promised, rules = self._promise(), rules_of(self.case).rules
        for limit in TimeLimit.objects.filter(pk__in=before, ended_at=None).select_related(*PARTIES):
            limit.case = self.case
            if limit.due_on != before[limit.pk]:
                self._tell_moved(limit, before[limit.pk])
            rule = rules.get(limit.rule)
            if not limit.provisional or promised is None or not isinstance(rule, TimeLimitRule):
                continue
            due = count_before(promised.due_on, rule.working_days or 0, self.calendar, not_before=self.today)
            limit.provisional = due.provisional or promised.provisional
            if not limit.provisional:
                limit.save(update_fields=["provisional"])
                if limit.due_on == before[limit.pk]:
                    self.confirmed += 1
                    self._write(limit, "limit.confirmed", due_on=limit.due_on)

    def _promise(self) -> Due | None:
        lead = self.case.assignments.filter(role="lead", state__in=PROMISING).select_related("unit").last()
        limits = {limit.name: limit for limit in lead.limits.all()} if lead else {}
        return promise_of(self.case, lead, limits)

    def _promise_moved(self, before: datetime, *, with_limit: bool) -> None:
        """The citizen is told; where no clock of a unit runs yet, the promise itself is what moved."""
        due_on = local_date(self.case.due_at) - timedelta(days=1)
        if not with_limit:
            self.moved += 1
            self.entries.append(journal.entry(
                self.case, "limit.moved", actor=system(self.case.platform), at=self.now, limit="handle",
                due_before=local_date(before) - timedelta(days=1), due_on=due_on, year=self.year,
            ))  # fmt: skip
        tell_citizen(self.case, NOTICE, at=self.now, limit="handle", due_on=due_on)

    def _reschedule(self, limits: Sequence[TimeLimit]) -> None:
        """When the clock looks at a limit again: its rungs are working days too, also of one that did not move."""
        waiting = [
            limit
            for limit in TimeLimit.objects.filter(pk__in=[one.pk for one in limits], next_at__gt=self.now)
            if limit.supervision_id is None
        ]
        for limit in waiting:
            limit.case = self.case
            time_limits.schedule_next(limit, after=self.now)
        time_limits.save_moments(waiting)

    # --- Telling ---

    def _tell_moved(self, limit: TimeLimit, before: date) -> None:
        self.moved += 1
        self._write(limit, "limit.moved", due_before=before, due_on=limit.due_on)
        for unit in self._whose(limit):
            self.notices.append(notice_to(self.case, unit, NOTICE, at=self.now, limit=limit.name, due_on=limit.due_on))

    def _whose(self, limit: TimeLimit) -> Iterator[Unit]:
        if limit.assignment is not None:
            yield limit.assignment.unit
            if limit.assignment.delegate is not None:
                yield limit.assignment.delegate
        elif limit.application is not None:
            yield limit.application.decider
        else:
            yield self.case.holder  # a date of the case itself is watched by the centre that has it

    def _write(self, limit: TimeLimit, action: str, **data: date) -> None:
        self.entries.append(journal.entry(
            self.case, action, actor=system(self.case.platform), at=self.now, rule=limit.rule, article=limit.article,
            limit=limit.name, limit_id=limit.pk, year=self.year, **data,
        ))  # fmt: skip
