"""Living the plan: all histories in one order of time, every step an action through `perform`, with the clock set.

Nothing here writes a row of a case. What falls due between two steps is dealt with by the same sweep as in service.
"""

import contextlib
import heapq
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import IO, Any

from django.db import transaction

from huying.cases import attachments
from huying.cases.commands import Done, clock, perform
from huying.cases.policies import calendar_of, policy_of
from huying.core.verdict import Refused
from huying.people.actors import Actor
from huying.people.models import Platform
from huying.people.units import open_platform
from huying.policy.model import Regulation
from huying.site.demo.accounts import actors, make_accounts
from huying.site.demo.plan import Hours, Planned, plan
from huying.site.demo.script import Scene
from huying.site.demo.story import LIVES, Step, Tale
from huying.site.demo.tasks import give_tasks
from huying.site.demo.texts import City

PERSONS = 180
STEPS_A_COMMIT = 100
MOST_SHOWN = 3

Report = Callable[[float, int], None]


@dataclass(frozen=True)
class Followable:
    """A case that a visitor may follow: only its submission ever told the query code."""

    number: str
    query_code: str
    title: str


@dataclass
class Filled:
    """What a fill made, and every step that the rules refused (there should be none)."""

    cases: int = 0
    steps: int = 0
    shown: list[Followable] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


class _Placeholder:
    """A demo's attachment is a small made-up file."""

    def open(self, name: str) -> IO[bytes] | None:
        return io.BytesIO(attachments.placeholder(name))


def open_demo(city: City, regulation: Regulation, *, now: datetime) -> Platform:
    """The empty platform with its units and staff."""
    platform = open_platform(city.slug, regulation.info.platform_name, regulation.info.id, regulation.tree)
    make_accounts(platform, city, regulation.tree, since=now - timedelta(days=180))
    return platform


def fill(
    platform: Platform, city: City, *, now: datetime, cases: int, seed: str = "", report: Report | None = None
) -> Filled:
    """Let about `cases` cases live up to `now`. `report` is told how far it is (0 to 1) and the number of cases."""
    calendar = calendar_of(platform)
    planned = plan(city, now, calendar, cases=cases, seed=seed or city.data["seed"])
    return _Living(platform, city, planned, Hours(calendar), now).run(report or (lambda done, count: None))


class _Living:
    def __init__(self, platform: Platform, city: City, planned: list[Planned], hours: Hours, now: datetime) -> None:
        self.platform, self.city, self.planned, self.now = platform, city, planned, now
        self.begins = planned[0].at if planned else now
        self.staff = actors(platform, now)
        self.filled = Filled()
        self.candidates: dict[str, Followable] = {}
        self.people = _people(PERSONS, city)
        self.subjects: dict[int, Any] = {}
        self.cases: dict[tuple[int, int], Any] = {}
        tree = policy_of(platform).tree
        if city.scripts:
            units = {unit.path: unit for unit in tree.units}
            self.lives = [Scene(one, hours, tree, units, PERSONS, city).live() for one in planned]
        else:
            self.lives = [LIVES[one.path.name](Tale(one, hours, tree, PERSONS, city)) for one in planned]
        self.queue: list[tuple[datetime, int, Step]] = []

    def run(self, report: Report) -> Filled:
        for index, life in enumerate(self.lives):
            self._push(index, next(life, None))
        while self.queue:
            with transaction.atomic():
                for _ in range(STEPS_A_COMMIT):
                    if not self.queue:
                        break
                    self._next()
            if self.queue:
                passed = (self.queue[0][0] - self.begins) / max(self.now - self.begins, timedelta(seconds=1))
                report(min(passed, 1.0), self.filled.cases)
        clock.run_all_due(self.platform, self.now)
        self.filled.refused += give_tasks(self.platform, self.staff, now=self.now)
        shown = [self.candidates[name] for name in self.city.data["show"] if name in self.candidates]
        self.filled.shown = list({one.title: one for one in shown}.values())[:MOST_SHOWN]
        report(1.0, self.filled.cases)
        return self.filled

    def _push(self, index: int, step: Step | None) -> None:
        """A step that lies ahead of now is not taken: the case stands as it stands."""
        if step is not None and step.at <= self.now:
            heapq.heappush(self.queue, (step.at, index, step))

    def _next(self) -> None:
        at, index, step = heapq.heappop(self.queue)
        clock.run_all_due(self.platform, at)
        done = self._take(index, step)
        self.filled.steps += 1
        if isinstance(done, Refused):
            what = f"{self.planned[index].path.name} {at:%m-%d %H:%M} {step.do} {step.role}@{step.unit}"
            self.filled.refused.append(f"{what}：{done.code} {done.reason}")
            return
        with contextlib.suppress(StopIteration):
            self._push(index, self.lives[index].send(done))

    def _take(self, index: int, step: Step) -> Done | Refused:
        case = self.cases.get((index, step.case))
        data = {name: value for name, value in step.data.items() if value not in ("", [], None)}
        if step.do == "case.submit":
            case = None
            if not data.get("anonymous"):
                data["requester"] = self.people[step.person]
        done = perform(
            step.do, actor=self._actor(step, case), now=step.at, case=case, target=step.target, data=data,
            files=_Placeholder(),
        )  # fmt: skip
        if isinstance(done, Done) and step.do == "case.submit":
            self._remember(index, step, done)
        return done

    def _remember(self, index: int, step: Step, done: Done) -> None:
        self.cases[index, step.case] = done.case.pk
        self.filled.cases += 1
        if not step.data.get("anonymous"):
            self.subjects[step.person] = done.extra.get("subject_id")
        name = self.planned[index].path.name
        followable = Followable(done.extra["number"], done.extra["query_code"], str(step.data["title"]))
        if step.case == 0:
            self.candidates.setdefault(name, followable)

    def _actor(self, step: Step, case: int | None) -> Actor:
        if step.role == "citizen":
            mine = frozenset([case]) if case else frozenset()
            return Actor(
                id=f"citizen:{self.subjects.get(step.person) or 'new'}", role="citizen", platform=self.platform,
                subject_id=self.subjects.get(step.person), case_ids=mine,
            )  # fmt: skip
        if step.role == "channel":
            return Actor(id=f"channel:{step.channel}", role="channel", platform=self.platform, channel=step.channel)
        known = self.staff.get((step.role, step.unit))
        if known is not None:
            return known
        raise LookupError(f"演示没有“{step.role}”在“{step.unit}”的账号。")


def _people(number: int, city: City) -> list[dict[str, str]]:
    """Made-up persons. The numbers begin with 129, which no operator has."""
    data, rng, first = city.data["people"], Random(f"people{city.data['prefix']}"), int(city.data["phones"]) * 10**6
    names = [rng.choice(data["surnames"]) + rng.choice(data["given"]) for _ in range(number)]
    return [{"name": name, "phone": f"129{first + 7919 * n % 10**6:08d}"} for n, name in enumerate(names)]
