"""Whole lives of cases, taken by actions on a set clock: the moulds from which `bulk` casts the rest."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from bench.words import Request
from huying.base.clock import LEGAL_ZONE
from huying.cases.commands import Done, clock, perform
from huying.cases.models import Case, Delivery
from huying.cases.policies import calendar_of
from huying.core.verdict import Refused
from huying.people.actors import Actor
from huying.people.models import Account, Grant, Platform, Unit
from huying.people.units import add_units, find_unit, open_platform
from huying.policy.load import load_regulation
from huying.policy.model import UnitSpec

REGULATION = "daye-2023"
UNITS = 60
CENTRE_ROLES = ("operator", "dispatcher", "checker", "caller")
CHECKED = {"criteria": {"facts_clear": True, "basis_right": True, "handled_well": True}}


class BadStory(RuntimeError):
    """A step of a mould was refused: the bench no longer fits the product."""


@dataclass(frozen=True)
class Cast:
    """Who acts: the staff of the centre and one handler in each of the handling units."""

    platform: Platform
    staff: dict[str, Actor]
    handlers: dict[str, Actor]

    @property
    def units(self) -> list[Unit]:
        return [actor.unit for actor in self.handlers.values() if actor.unit is not None]


@dataclass(frozen=True)
class Step:
    """An action `days` working days after the submission at `hour`, by a role."""

    days: int
    hour: float
    role: str
    action: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Story:
    """A kind of life: how often it happens, and whether it ends."""

    key: str
    share: float
    steps: tuple[Step, ...]
    channel: str = "portal"
    kind: str = "help"
    by: str = "citizen"
    anonymous: bool = False
    ended: bool = True
    ages: tuple[int, ...] = ()
    """For a life that goes on: how many working days ago it began."""


def _reply(days: int) -> tuple[Step, ...]:
    return (
        Step(days, 9, "handler", "case.claim", {}),
        Step(days, 10, "handler", "case.contact",
             {"method": "phone", "result": "reached", "note": "已向诉求人了解情况。"}),
        Step(days + 2, 11, "handler", "case.reply",
             {"content": "经现场核查，已安排人员处理，问题已经解决，并向诉求人作了说明。", "outcome": "solved"}),
        Step(days + 2, 14, "checker", "check.pass", CHECKED),
    )  # fmt: skip


def _call(days: int, rating: int) -> Step:
    data = {"method": "phone", "result": "reached", "contacted": True, "solved": "yes" if rating > 2 else "no",
            "rating": rating, "trust": rating, "comment": "电话回访"}  # fmt: skip
    return Step(days, 10, "caller", "case.call_back", data)


DISPATCH = Step(0, 10, "dispatcher", "case.dispatch", {})
STORIES = (
    Story("closed", 0.66, (DISPATCH, *_reply(1), _call(4, 5))),
    Story("hotline", 0.14, (DISPATCH, *_reply(1), _call(4, 4)), channel="hotline_12345", by="operator"),
    Story("reworked", 0.03, (DISPATCH, *_reply(1), _call(4, 1), *_reply(5), _call(8, 4))),
    Story("nameless", 0.04, (DISPATCH, *_reply(1), Step(4, 10, "dispatcher", "case.close", {})), anonymous=True),
    Story("answered", 0.05, (
        Step(0, 10, "operator", "case.answer", {"reply": "已向您说明相关规定和办理地点。"}), _call(1, 5),
    ), channel="hotline_12345", kind="consult", by="operator"),
    Story("received", 0.015, (), ended=False, ages=(1, 2)),
    Story("dispatched", 0.015, (DISPATCH,), ended=False, ages=(1, 2)),
    Story("in_hand", 0.03, (DISPATCH, *_reply(1)[:2]), ended=False, ages=(2, 3, 4)),
    Story("overdue", 0.003, (DISPATCH, *_reply(1)[:2]), ended=False, ages=(10, 14)),
    Story("checking", 0.007, (DISPATCH, *_reply(1)[:3]), ended=False, ages=(4, 5)),
    Story("feedback", 0.01, (DISPATCH, *_reply(1)), ended=False, ages=(4, 5)),
)  # fmt: skip


def open_city(folder: Any, now: datetime) -> Cast:
    """The platform of the regulation with its tree, filled up to `UNITS` handling units, and its staff."""
    policy = load_regulation(folder / REGULATION)
    platform = open_platform("bench", policy.info.platform_name, REGULATION, policy.tree)
    handling = Unit.objects.filter(platform=platform, handles=True).exclude(kind="centre").count()
    add_units(platform, [
        UnitSpec(path=f"测试承办单位{number:02}", kind="department", handles=True, roles=("handler", "leader"))
        for number in range(1, UNITS - handling + 1)
    ])  # fmt: skip
    centre = find_unit(platform, policy.info.competent_unit)
    for unit in Unit.objects.filter(platform=platform, handles=True).exclude(kind="centre").order_by("left"):
        _employ(unit, ("handler",), now)
    _employ(centre, CENTRE_ROLES, now)
    return the_cast(platform)


def the_cast(platform: Platform) -> Cast:
    """The staff that `open_city` employed."""
    grants = Grant.objects.filter(unit__platform=platform).select_related("unit", "account").order_by("unit__left")
    staff, handlers = {}, {}
    for grant in grants:
        unit = find_unit(platform, grant.unit.path)
        actor = Actor(id=f"account:{grant.account_id}", role=grant.role, platform=platform, unit=unit)
        if grant.role == "handler":
            handlers[unit.path] = actor
        else:
            staff[grant.role] = actor
    return Cast(platform, staff, handlers)


def _employ(unit: Unit, roles: Sequence[str], now: datetime) -> None:
    for role in roles:
        account = Account.objects.create(
            username=f"{role}-{unit.pk}", platform_id=unit.platform_id, display_name=f"{unit.name} {role}"
        )
        Grant.objects.create(account=account, unit=unit, role=role, since=now - timedelta(days=400), granted_by="bench")


def live(
    story: Story, cast: Cast, unit: Unit, request: Request, start: date, *, shift: timedelta = timedelta(),
    place: str = "", clock_runs: bool = True,
) -> Case:  # fmt: skip
    """Take every action of `story`, submitted on `start`; `shift` moves every moment within its day.

    Raises: BadStory when an action is refused.
    """
    calendar = calendar_of(cast.platform)

    def at(days: int, hour: float) -> datetime:
        midnight = datetime.combine(calendar.add_working_days(start, days), time.min, LEGAL_ZONE)
        return midnight + timedelta(hours=hour) + shift

    actors = {**cast.staff, "handler": cast.handlers[unit.path]}
    actors["citizen"] = Actor(id="citizen", role="citizen", platform=cast.platform)
    case = _do("case.submit", actors[story.by], at(0, 9), None, _submission(story, request, place)).case
    for step in story.steps:
        moment = at(step.days, step.hour)
        if clock_runs:
            clock.run_all_due(cast.platform, moment)
        data = {"lead": unit.path} if step.action == "case.dispatch" else step.data
        case = _do(step.action, actors[step.role], moment, case, data).case
    return case


def _submission(story: Story, request: Request, place: str) -> dict[str, Any]:
    data = {
        "channel": story.channel, "kind": story.kind, "title": request.title, "content": request.content,
        "place": place or "城区", "anonymous": story.anonymous,
    }  # fmt: skip
    return data if story.anonymous else {**data, "requester": {"name": request.name, "phone": request.phone}}


def _do(action: str, actor: Actor, now: datetime, case: Case | None, data: dict[str, Any]) -> Done:
    outcome = perform(action, actor=actor, now=now, case=case, data=data)
    if isinstance(outcome, Refused):
        raise BadStory(f"{action}：{outcome.code} {outcome.reason}")
    return outcome


def mark_delivered(cases: Sequence[int]) -> None:
    """What the worker of notices leaves behind: everything sent."""
    for delivery in Delivery.objects.filter(notice__case__in=cases, next_at__isnull=False):
        delivery.attempts, delivery.delivered_at, delivery.next_at = 1, delivery.next_at, None
        delivery.save()


def starts(story: Story, cast: Cast, now: datetime, days: int) -> list[date]:
    """The days on which moulds of `story` begin: for ended ones `days` of the last half year, else its ages."""
    calendar, today = calendar_of(cast.platform), now.astimezone(LEGAL_ZONE).date()
    if not story.ended:
        return [calendar.add_working_days(today, -age) for age in story.ages]
    first = calendar.add_working_days(today, -130)
    return [calendar.add_working_days(first, round(number * 110 / days)) for number in range(days)]


def cast_moulds(
    cast: Cast, now: datetime, request: Callable[[int], Request], *, days: int = 24
) -> dict[str, list[int]]:
    """One life for each story and day; gives the ids of the cases by story."""
    plan = sorted(((start, story) for story in STORIES for start in starts(story, cast, now, days)),
                  key=lambda one: one[0])  # fmt: skip
    moulds: dict[str, list[int]] = {story.key: [] for story in STORIES}
    unit = cast.units[0]
    for number, (start, story) in enumerate(plan):
        case = live(story, cast, unit, replace(request(number), phone=f"198{number:08d}"), start)
        moulds[story.key].append(case.pk)
    clock.run_all_due(cast.platform, now)
    mark_delivered([pk for story in moulds.values() for pk in story])
    return moulds
