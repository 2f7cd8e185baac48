"""领导接听: which sessions there are, whose heads the figures propose for one, what was answered in them."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db.models import Count, QuerySet

from huying.cases.access import visible_cases
from huying.cases.models import AnsweringSession, Case
from huying.cases.policies import policy_of
from huying.cases.queries.concentrations import reach_over
from huying.cases.queries.indicators import Row
from huying.cases.queries.scorecard import candidates
from huying.core.assessment import Thresholds
from huying.core.periods import Period
from huying.people.actors import Actor
from huying.people.models import Platform

SCHEDULE = "session.schedule"
SCHEDULING = ("supervisor", "dispatcher")
READING = (*SCHEDULING, "operator", "analyst", "auditor", "executive", "leader", "unit_admin")
SIZE = 100


def holds_sessions(platform: Platform) -> bool:
    """Whether the platform's regulation knows of leaders answering calls."""
    return SCHEDULE in policy_of(platform).action_rules


def reads_sessions(actor: Actor) -> bool:
    """Whether the actor reads the list of sessions: the centre's people all, a unit its own."""
    return actor.unit is not None and actor.role in READING and holds_sessions(actor.platform)


def sessions_of(actor: Actor) -> list[AnsweringSession]:
    """The sessions of the reader's tree, the latest day first, with the count `answered` of cases they may open."""
    if not reads_sessions(actor):
        return []
    span = reach_over(actor)
    rows = AnsweringSession.objects.filter(platform=actor.platform, unit__left__range=(span.left, span.right))
    rows = rows.select_related("unit").order_by("-held_on", "-pk")[:SIZE]
    found = list(rows)
    counted = visible_cases(actor).filter(sessions__in=[one.pk for one in found]).values("sessions")
    answered = {row["sessions"]: row["found"] for row in counted.annotate(found=Count("pk")).order_by()}
    for one in found:
        one.answered = answered.get(one.pk, 0)  # type: ignore[attr-defined]
    return found


def find_session(actor: Actor, key: int) -> AnsweringSession | None:
    """The session with that key, if the reader's list has it."""
    if not reads_sessions(actor):
        return None
    span = reach_over(actor)
    rows = AnsweringSession.objects.filter(platform=actor.platform, unit__left__range=(span.left, span.right))
    return rows.select_related("unit").filter(pk=key).first()


def cases_in(actor: Actor, session: AnsweringSession) -> list[Case]:
    """The cases taken in during the session that the reader may open, newest first."""
    found = visible_cases(actor).filter(sessions=session).select_related("place_unit")
    return list(found.order_by("-submitted_at", "-pk")[:SIZE])


def held_on(platform: Platform, day: date) -> QuerySet[AnsweringSession]:
    """The sessions of that day."""
    return AnsweringSession.objects.filter(platform=platform, held_on=day).select_related("unit").order_by("pk")


def sessions_with(case: Case, actor: Actor) -> list[AnsweringSession]:
    """The sessions in which the case was taken in, for staff."""
    if actor.unit is None:
        return []
    return list(case.sessions.select_related("unit").order_by("held_on", "pk"))


def session_candidates(
    actor: Actor, period: Period, *, now: datetime, thresholds: Thresholds | None = None
) -> list[tuple[Row, Sequence[str]]]:
    """Units whose figures of the period are past any threshold, with why; for who schedules. A person decides."""
    if actor.role not in SCHEDULING or not reads_sessions(actor):
        return []
    return candidates(actor, period, now=now, thresholds=thresholds)
