"""What falls due: limits missed, ladders climbed. Swept by state, each at its own moment, however late the sweep is.

A stopped worker misses nothing: `next_at` of a limit stays in the past until somebody has dealt with it, and it moves
on in the transaction of the effects, so that nothing happens twice.
"""

import bisect
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import OperationalError, transaction
from django.db.models import Q, QuerySet, prefetch_related_objects

from huying.cases import journal
from huying.cases.commands import time_limits
from huying.cases.commands.exchange import queue_upstream
from huying.cases.commands.notices import notice_to, send
from huying.cases.commands.proposals import lead_of, propose
from huying.cases.models import Case, JournalEntry, Notice, Nudge, TimeLimit
from huying.cases.models.handling import ACTIVE_ASSIGNMENT
from huying.cases.policies import calendar_of
from huying.core.time_limits import rungs_at
from huying.people.actors import system
from huying.people.models import Platform
from huying.people.units import find_unit
from huying.policy.model import Escalation

PAGE = 500
GROUP = 20
"""Cases of one transaction: enough to share its cost, few enough that a person waits for less than a blink."""

log = logging.getLogger(__name__)


@dataclass
class Swept:
    """What one sweep did: limits dealt with, cases that could not be dealt with, cases left to whoever holds them."""

    handled: int = 0
    failed: list[int] = field(default_factory=list)
    held: int = 0


def run_due(platform: Platform | None, until: datetime, *, limit: int = 500) -> int:
    """Deal with what fell due up to and including `until`, in order of its moments; gives how many were dealt with.

    At most `limit` at a time. A case that somebody is working on is left for the next round. What goes wrong is raised.
    """
    handled = 0
    for case_id in _due_cases(platform, until, limit=limit):
        with transaction.atomic():
            handled += _deal_with(_lock([case_id]), until, at_most=limit - handled)
        if handled >= limit:
            break
    return handled


def run_all_due(platform: Platform, until: datetime) -> None:
    """Everything that falls due up to `until`, also what follows from it on the way."""
    while run_due(platform, until, limit=1):
        pass


def catch_up(case: Case, now: datetime) -> None:
    """What fell due in the locked `case` before somebody acts on it: a stopped worker changes no decision."""
    _deal_with([case], now)


def sweep(until: datetime, *, should_stop: Callable[[], bool] = lambda: False, together: int = GROUP) -> Swept:
    """Deal with all that fell due up to `until` on every platform: for a worker, however long it was away.

    Within a case everything happens in the order of its moments, also what follows on the way. Cases are taken
    `together` at a time in one transaction; one that goes wrong is undone by itself, logged, and tried again by the
    next sweep, so that it neither spoils nor starves the others. Several sweeps at once share the work: locked cases
    are passed over, and none is waited for. A sweep that is killed leaves the groups before done and nothing else.
    """
    done, after, seen = Swept(), None, set[int]()
    while not should_stop():
        rows = list(_due_rows(None, until, after)[:PAGE])
        if not rows:
            break
        after = rows[-1][:2]
        cases = [case_id for case_id in dict.fromkeys(row[2] for row in rows) if case_id not in seen]
        seen.update(cases)
        for first in range(0, len(cases), together):
            if should_stop():
                break
            _sweep_group(cases[first : first + together], until, done)
    return done


def _sweep_group(case_ids: list[int], until: datetime, done: Swept) -> None:
    """Deal with the cases together; if one goes wrong, with each by itself."""
    try:
        with transaction.atomic():
            locked = _lock(case_ids)
            handled = _deal_with(locked, until)
    except OperationalError:
        raise  # the database went away or chose us in a deadlock: the whole group is undone and comes again
    except Exception:
        if len(case_ids) > 1:
            for case_id in case_ids:
                _sweep_group([case_id], until, done)
            return
        # One broken case must not stop the clock of all the others; it stays due and is logged each time.
        log.exception("limits of case %s could not be dealt with", case_ids[0])
        done.failed += case_ids
        return
    done.handled += handled
    done.held += len(case_ids) - len(locked)


def _due_rows(
    platform: Platform | None, until: datetime, after: tuple[datetime, int] | None = None
) -> QuerySet[TimeLimit, tuple[datetime, int, int]]:
    """Moment, limit and case of what is due, in the order of the moments, from after the given one on."""
    due = TimeLimit.objects.filter(next_at__lte=until)
    if platform is not None:
        due = due.filter(case__platform=platform)
    if after is not None:
        moment, pk = after
        due = due.filter(Q(next_at__gt=moment) | Q(next_at=moment, pk__gt=pk), next_at__gte=moment)
    return due.order_by("next_at", "pk").values_list("next_at", "pk", "case_id")


def _due_cases(platform: Platform | None, until: datetime, *, limit: int) -> list[int]:
    return list(dict.fromkeys(case_id for _, _, case_id in _due_rows(platform, until)[:limit]))


def _lock(case_ids: list[int]) -> list[Case]:
    """Those of the cases that nobody else is working on, locked."""
    return list(
        Case.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("platform", "holder")
        .filter(pk__in=case_ids)
        .order_by("pk")
    )


@dataclass
class _Round:
    """What happens to some limits, in its order: written together at the end, by one statement for each kind of row."""

    limits: dict[int, TimeLimit] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    nudges: list[tuple[Nudge, JournalEntry]] = field(default_factory=list)
    entries: list[JournalEntry] = field(default_factory=list)

    def write(self, at: datetime) -> None:
        time_limits.save_moments(list(self.limits.values()))
        send(self.notices)
        Nudge.objects.bulk_create([nudge for nudge, _ in self.nudges])
        for nudge, entry in self.nudges:
            entry.data["nudge"] = nudge.pk
        journal.write(self.entries)
        changed = {entry.case_id for entry in self.entries}
        cases = {limit.case_id: limit.case for limit in self.limits.values() if limit.case_id in changed}
        queue_upstream(cases.values(), at=at)


def _deal_with(cases: Sequence[Case], until: datetime, *, at_most: int | None = None) -> int:
    """Every limit of the locked `cases` that fell due, in each case in the order of the moments, also what follows."""
    handled, by_id = 0, {case.pk: case for case in cases}
    while by_id and (at_most is None or handled < at_most):
        due = list(
            TimeLimit.objects.filter(case__in=by_id, next_at__lte=until).order_by("next_at", "pk")[:at_most]
        )  # fmt: skip
        if due:  # mostly, before an action, there is none
            prefetch_related_objects(due, "assignment__unit", "application__decider", "supervision")
        changed: set[int] = set()
        this = _Round()
        while due and (at_most is None or handled < at_most):
            limit = due.pop(0)
            if limit.case_id in changed:  # what happened before may have moved it: it is read again
                continue
            limit.case = by_id[limit.case_id]
            if _reach(limit, limit.next_at or until, this):
                changed.add(limit.case_id)
            elif limit.next_at is not None and limit.next_at <= until:
                bisect.insort(due, limit, key=_moment)
            handled += 1
        this.write(until)
        by_id = {pk: by_id[pk] for pk in changed}
    return handled


def _moment(limit: TimeLimit) -> tuple[datetime | None, int]:
    return limit.next_at, limit.pk


def _reach(limit: TimeLimit, moment: datetime, this: _Round) -> bool:
    """What happens to `limit` at `moment`; whether other limits of its case may have changed by it."""
    case, changed = limit.case, False
    rungs = rungs_at(time_limits.ladder_of(limit), limit.due_on, calendar_of(case.platform), at=moment)
    missed = limit.due_at <= moment and limit.missed_at is None
    this.limits[limit.pk] = limit
    if missed and not limit.soft:
        limit.missed_at = moment
        if not rungs:
            rungs = [rung for rung in time_limits.ladder_of(limit) if rung.after_working_days == 0]
        this.entries.append(journal.entry(
            case, "limit.missed", actor=system(case.platform), at=moment, rule=limit.rule, article=limit.article,
            limit=limit.name, due_on=limit.due_on,
        ))  # fmt: skip
        changed = time_limits.start_when_missed(limit, at=moment)
    for rung in rungs:
        _climb(case, limit, rung, moment, this)
    time_limits.schedule_next(limit, after=moment)
    return (limit.name == "review" and _renew_review(limit, moment)) or changed


def _climb(case: Case, limit: TimeLimit, rung: Escalation, moment: datetime, this: _Round) -> None:
    """One rung of the ladder: a notice, a nudge, or a proposal that a person opens or sends."""
    assignment = limit.assignment
    unit = assignment.unit if assignment else limit.application.decider if limit.application else lead_of(case)
    if rung.to and rung.does in ("notice", "nudge"):
        unit = find_unit(case.platform, rung.to)
    key = f"escalations.{rung.key}"
    made: dict[str, int] = {}
    nudge: Nudge | None = None
    if rung.does == "notice" and unit is not None:
        this.notices.append(notice_to(case, unit, rung.template, at=moment, limit=limit.name, due_on=limit.due_on))
        made = {"limit": limit.pk}
    elif rung.does == "nudge" and unit is not None:
        nudge = Nudge(case=case, unit=unit, at=moment, by="system")
        this.notices.append(notice_to(case, unit, "nudge", at=moment))
    elif rung.does in ("supervision", "clue"):
        leads = assignment is not None and assignment.role == "lead" and assignment.state in ACTIVE_ASSIGNMENT
        proposed = propose(case, rung, key, at=moment, lead=unit if leads else None)
        made = {rung.does: proposed.pk} if proposed else {}
    if made or nudge:
        action = {"notice": "notice.sent", "nudge": "case.nudge", "supervision": "supervision.proposed"}
        entry = journal.entry(
            case, action.get(rung.does, "clue.proposed"), actor=system(case.platform), at=moment, rule=key,
            article=rung.cite, **made,
        )  # fmt: skip
        this.entries.append(entry)
        if nudge:
            this.nudges.append((nudge, entry))


def _renew_review(limit: TimeLimit, moment: datetime) -> bool:
    """A ledger is looked at again every so often while it lasts (decision D-5)."""
    if limit.due_at > moment or not limit.case.ledger:
        return False
    time_limits.end([limit], at=moment)
    time_limits.start_named(limit.case, "review", at=moment, event="ledger", day_zero=limit.due_on)
    return True
