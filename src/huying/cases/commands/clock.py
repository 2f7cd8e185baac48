"""What falls due: limits missed, ladders climbed. Swept by state, each at its own moment, however late the sweep is.

A stopped worker misses nothing: `next_at` of a limit stays in the past until somebody has dealt with it, and it moves
on in the transaction of the effects, so that nothing happens twice.
"""

from datetime import datetime

from django.db import transaction

from huying.cases import journal
from huying.cases.commands import time_limits
from huying.cases.commands.notices import tell_unit
from huying.cases.commands.proposals import lead_of, propose
from huying.cases.models import Case, Nudge, TimeLimit
from huying.cases.policies import calendar_of
from huying.core.time_limits import rungs_at
from huying.people.actors import system
from huying.people.models import Platform
from huying.policy.model import Escalation


def run_due(platform: Platform | None, until: datetime, *, limit: int = 500) -> int:
    """Deal with what fell due up to and including `until`, in order of its moments; gives how many were dealt with.

    At most `limit` at a time, so that a long stop is worked off in short transactions. A case that somebody is working
    on is left for the next round.
    """
    due = TimeLimit.objects.filter(next_at__lte=until)
    if platform is not None:
        due = due.filter(case__platform=platform)
    handled = 0
    for pk, case_id in list(due.order_by("next_at", "pk").values_list("pk", "case_id")[:limit]):
        handled += _deal_with(pk, case_id, until)
    return handled


def run_all_due(platform: Platform, until: datetime) -> None:
    """Everything that falls due up to `until`, also what follows from it on the way."""
    while run_due(platform, until, limit=1):
        pass


@transaction.atomic
def _deal_with(pk: int, case_id: int, until: datetime) -> bool:
    case = (
        Case.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("platform", "holder")
        .filter(pk=case_id)
        .first()
    )
    if case is None:
        return False
    limit = TimeLimit.objects.select_related("assignment__unit", "supervision").filter(pk=pk).first()
    if limit is None or limit.next_at is None or limit.next_at > until:
        return False
    limit.case = case
    _reach(limit, limit.next_at)
    return True


def _reach(limit: TimeLimit, moment: datetime) -> None:
    """What happens to `limit` at `moment`."""
    case = limit.case
    rungs = rungs_at(time_limits.ladder_of(limit), limit.due_on, calendar_of(case.platform), at=moment)
    missed = limit.due_at <= moment and limit.missed_at is None
    if missed and not limit.soft:
        limit.missed_at = moment
        limit.save(update_fields=["missed_at"])
        if not rungs:
            rungs = [rung for rung in time_limits.ladder_of(limit) if rung.after_working_days == 0]
        journal.record(
            case, "limit.missed", actor=system(case.platform), at=moment, rule=limit.rule, article=limit.article,
            limit=limit.name, due_on=limit.due_on,
        )  # fmt: skip
        time_limits.start_when_missed(limit, at=moment)
    for rung in rungs:
        _climb(case, limit, rung, moment)
    time_limits.schedule_next(limit, after=moment)
    if limit.name == "review":
        _renew_review(limit, moment)


def _climb(case: Case, limit: TimeLimit, rung: Escalation, moment: datetime) -> None:
    """One rung of the ladder: a notice, a nudge, or a proposal that a person opens or sends."""
    unit = limit.assignment.unit if limit.assignment else lead_of(case)
    key = f"escalations.{rung.key}"
    made: dict[str, int] = {}
    if rung.does == "notice" and unit is not None:
        tell_unit(case, unit, rung.template, at=moment, limit=limit.name, due_on=limit.due_on)
        made = {"limit": limit.pk}
    elif rung.does == "nudge" and unit is not None:
        made = {"nudge": Nudge.objects.create(case=case, unit=unit, at=moment, by="system").pk}
        tell_unit(case, unit, "nudge", at=moment)
    elif rung.does in ("supervision", "clue"):
        proposed = propose(case, rung, key, at=moment)
        made = {rung.does: proposed.pk} if proposed else {}
    if made:
        action = {"notice": "notice.sent", "nudge": "case.nudge", "supervision": "supervision.proposed"}
        journal.record(
            case, action.get(rung.does, "clue.proposed"), actor=system(case.platform), at=moment, rule=key,
            article=rung.cite, **made,
        )  # fmt: skip


def _renew_review(limit: TimeLimit, moment: datetime) -> None:
    """A ledger is looked at again every so often while it lasts (decision D-5)."""
    if limit.due_at <= moment and limit.case.ledger:
        time_limits.end([limit], at=moment)
        time_limits.start_named(limit.case, "review", at=moment, event="ledger")
