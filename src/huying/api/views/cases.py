"""Staff: work lists, one case, why its limits end when they end, what may be done about it, and doing it."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from ninja import Field, Schema

from huying.api.actors import staff_actor
from huying.api.answers import NotDone, not_found
from huying.api.body import SentFiles, read_body, take_whole
from huying.base import clock
from huying.base.text import is_storable
from huying.cases.commands import perform
from huying.cases.commands.perform import Done
from huying.cases.commands.registry import Action
from huying.cases.offers import offers
from huying.cases.queries.limits import shown_limits
from huying.cases.queries.queues import CAP, count_of, find_queue, page_of, queues_of
from huying.cases.queries.record import case_record, find_case, stamp
from huying.cases.targets import find_target
from huying.core.verdict import Refused
from huying.people.actors import Actor


class Brief(Schema):
    number: str
    title: str
    state: str
    kind: str
    channel: str
    place: str
    submitted_at: str | None
    due_on: str | None = Field(None, description="办理期限的最后一天")
    version: int


class CasePage(Schema):
    queue: str
    cases: list[Brief]
    next_cursor: str = Field(description="下一页的游标；空表示没有下一页")


class QueueOut(Schema):
    key: str
    label: str
    count: int = Field(description=f"件数；超过 {CAP} 时为 {CAP + 1}")


class OfferRefused(Schema):
    code: str
    reason: str
    cite: str


class OfferOut(Schema):
    action: str
    label: str
    article: str
    target: int | None
    enabled: bool
    refused: OfferRefused | None


class DoneOut(Schema):
    number: str
    state: str
    version: int
    made: int | None = Field(None, description="办理中产生的申请、督办等的 id")
    query_code: str = Field("", description="查询码，只在提交时给出一次")


class PlatformDoneOut(Schema):
    action: str
    made: int | None = Field(None, description="办理中产生的通报、任务、评分等的 id")


class NumberOut(Schema):
    number: str


class StepOut(Schema):
    event: str
    rule: str
    article: str
    quote: str
    origin: str
    day_zero: str | None
    days: int | None
    unit: str
    due_on: str
    counted: list[dict[str, Any]]


class LimitOut(Schema):
    name: str
    label: str
    unit_name: str
    due_on: str
    started_at: str | None
    ended_at: str | None
    missed_at: str | None
    met: bool | None
    steps: list[StepOut]


def storable(*texts: str) -> None:
    if not all(map(is_storable, texts)):
        raise NotDone(Refused("invalid:query", "查询条件中有无法识别的字符。"))


def visible(actor: Actor, number: str) -> Any:
    case = find_case(actor, number) if is_storable(number) else None
    if case is None:
        raise not_found()
    return case


def queues(request: HttpRequest, role: str = "", unit: str = "") -> Any:
    actor, now = staff_actor(request, role, unit), clock.now()
    return [
        {"key": queue.key, "label": queue.label, "count": count_of(queue, actor, now=now)}
        for queue in queues_of(actor)
    ]  # fmt: skip


def cases(
    request: HttpRequest,
    queue: str = "all",
    search: str = "",
    state: str = "",
    kind: str = "",
    channel: str = "",
    cursor: str = "",
    role: str = "",
    unit: str = "",
) -> Any:
    storable(queue, search, state, kind, channel, cursor)
    actor = staff_actor(request, role, unit)
    found = find_queue(actor, queue)
    if found is None:
        raise NotDone(Refused("not_permitted", "您的身份没有这个工作列表。"))
    page = page_of(found, actor, now=clock.now(), cursor=cursor, search=search, state=state, kind=kind, channel=channel)
    return {"queue": found.key, "cases": [_brief(case) for case in page.cases], "next_cursor": page.next_cursor}


def _brief(case: Any) -> dict[str, Any]:
    return {
        "number": case.number, "title": case.title, "state": case.state, "kind": case.kind, "channel": case.channel,
        "place": case.place_text, "submitted_at": stamp(case.submitted_at), "due_on": last_day(case.due_at),
        "version": case.version,
    }  # fmt: skip


def last_day(due_at: Any) -> str | None:
    """`due_at` is the first instant too late, so the last day in time is the one before."""
    return clock.local_date(due_at - timedelta(microseconds=1)).isoformat() if due_at else None


def one_case(request: HttpRequest, number: str, role: str = "", unit: str = "") -> Any:
    actor = staff_actor(request, role, unit)
    return case_record(visible(actor, number), actor, now=clock.now())


def explain_case(request: HttpRequest, number: str, role: str = "", unit: str = "") -> Any:
    actor, now = staff_actor(request, role, unit), clock.now()
    shown = (one.explained for one in shown_limits(visible(actor, number), actor, now=now))
    return [
        {
            "name": one.limit.name, "label": one.label, "unit_name": one.unit_name,
            "due_on": one.limit.due_on.isoformat(), "started_at": stamp(one.limit.started_at),
            "ended_at": stamp(one.limit.ended_at), "missed_at": stamp(one.limit.missed_at), "met": one.limit.met,
            "steps": [_step(step) for step in one.steps],
        }
        for one in shown
    ]  # fmt: skip


def _step(step: Any) -> dict[str, Any]:
    return {
        "event": step.event, "rule": step.rule_label, "article": step.article, "quote": step.quote,
        "origin": step.origin, "day_zero": step.day_zero.isoformat() if step.day_zero else None, "days": step.days,
        "unit": step.unit, "due_on": step.due_on.isoformat(),
        "counted": [
            {"day": day.day.isoformat(), "number": day.number, "reason": day.reason} for day in step.counted
        ],
    }  # fmt: skip


def offers_of_case(request: HttpRequest, number: str, role: str = "", unit: str = "") -> Any:
    actor = staff_actor(request, role, unit)
    return [
        {
            "action": offer.action.id, "label": offer.label, "article": offer.article, "target": offer.target_id,
            "enabled": offer.enabled,
            "refused": {"code": offer.refused.code, "reason": offer.refused.reason, "cite": offer.refused.cite}
            if offer.refused
            else None,
        }
        for offer in offers(visible(actor, number), actor, now=clock.now())
    ]  # fmt: skip


def act(request: HttpRequest, action: Action, number: str, role: str, unit: str) -> Any:
    """Take an action as staff."""
    actor = staff_actor(request, role, unit)
    case = visible(actor, number)
    sent = read_body(request)
    version, target_id = take_whole(sent, "version"), take_whole(sent, "target")
    target = None
    if target_id is not None:
        target = find_target(action, case, target_id)
        if target is None:
            raise not_found()
    return done(
        perform(
            action.id,
            actor=actor,
            now=clock.now(),
            case=case,
            target=target,
            data=sent,
            version=version,
            files=SentFiles(request),
        ),
        actor,
    )


def act_on_the_platform(request: HttpRequest, action: Action | None, role: str, unit: str) -> Any:
    """Take an action that is taken on no case as staff."""
    actor = staff_actor(request, role, unit)
    if action is None:
        raise NotDone(Refused("not_enabled", "没有这项操作，或者它要在一件诉求上办理。"))
    outcome = perform(action.id, actor=actor, now=clock.now(), data=read_body(request), files=SentFiles(request))
    if isinstance(outcome, Refused):
        raise NotDone(outcome, actor.platform)
    return {"action": action.id, "made": outcome.made.pk if outcome.made is not None else None}


def done(outcome: Done | Refused, actor: Actor) -> dict[str, Any]:
    """What was done, or the refusal raised."""
    if isinstance(outcome, Refused):
        raise NotDone(outcome, actor.platform)
    made = outcome.made
    return {
        "number": outcome.case.number, "state": outcome.case.state, "version": outcome.case.version,
        "made": made.pk if made is not None and made != outcome.case else None,
        "query_code": str(outcome.extra.get("query_code", "")),
    }  # fmt: skip
