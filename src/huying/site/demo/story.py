"""How the demo's cases live: each history is a generator of steps, and every step is an action that somebody takes.

A step that is refused breaks the history; what the rules make of passing time (limits missed, nudges, supervisions
proposed) is not written here, it comes about by itself.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from huying.base.clock import local_date
from huying.cases.commands import Done
from huying.policy.model import UnitTree
from huying.site.demo.plan import Hours, Planned
from huying.site.demo.texts import City, Matter

Steps = Generator["Step", Done, Any]


@dataclass(frozen=True)
class Step:
    """One action to come: when, what, by whom (role and unit), with which input, on which case of the history."""

    at: datetime
    do: str
    role: str
    unit: str
    data: Mapping[str, Any]
    case: int
    person: int = 0
    target: Any = None
    channel: str = ""


@dataclass
class Told:
    """What one case of a history is about."""

    title: str
    content: str
    place: str
    kind: str
    category: str
    lead: str
    reply: str
    co: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


class Tale:
    """One history being lived: its moment, its chances and its texts."""

    def __init__(self, planned: Planned, hours: Hours, tree: UnitTree, persons: int, city: City) -> None:
        self.planned, self.hours, self.tree, self.city = planned, hours, tree, city
        self.rng = Random(planned.seed)
        self.at = planned.at
        self.case = 0
        self.numbers: dict[int, str] = {}
        self.person = self.rng.randrange(persons)
        self.persons = persons
        self.round = 1
        self.told = self._matter()
        self.contactable = True
        self.centre = tree.role_home["dispatcher"]

    # --- Texts ----------------------------------------------------------------------------------

    def say(self, name: str, /, **words: Any) -> str:
        """One of the phrases of that name."""
        text = self.rng.choice(self.city.phrases(name))
        return text.format_map({"n": self.rng.randint(2, 9), "p": short(self.told.place), "unit": "", **words})

    def fill(self, text: str, place: str) -> str:
        days = self.rng.choice(["这几天", "上周以来", "昨天", "这个月", "前天晚上", "最近一个星期"])
        return text.format_map({"p": short(place), "d": days, "n": self.rng.randint(2, 9)})

    def _place(self, where: str) -> str:
        data = self.city.data
        towns = {"urban": data["urban"], "rural": data["rural"]}.get(where, {**data["urban"], **data["rural"]})
        town = self.rng.choices(list(towns), list(towns.values()))[0]
        below = [unit.path for unit in self.tree.units if unit.path.startswith(f"{town}/")]
        village = [path for path in below if ("村" in path) == (where == "rural")] or below
        return self.rng.choice(village or [town])

    def _matter(self) -> Told:
        matter: Matter = self.rng.choice(self.city.matters)
        place = self._place(matter.where)
        title, content = self.rng.choice(matter.says)
        town = place.split("/")[0]
        lead = town if matter.unit == "@" else matter.unit
        co = town if matter.co == "@" else matter.co
        reply = self.fill(matter.reply, place)
        return Told(
            title, self.fill(content, place), place, matter.kind, matter.category, lead, reply, co if co != lead else ""
        )

    def special(self, name: str, *, where: str = "any") -> Mapping[str, Any]:
        """Take the text of this history from the special ones."""
        one: Mapping[str, Any] = self.rng.choice(self.city.special[name])
        place = self._place(where)
        content = one.get("content") or one["contents"][0]
        lead = one.get("unit") or one.get("lead") or self.centre
        self.told = Told(
            one["title"], self.fill(content, place), place, one.get("kind", "consult"), one.get("category", ""),
            lead, self.fill(one.get("reply", ""), place),
        )  # fmt: skip
        return one

    # --- Time -----------------------------------------------------------------------------------

    def soon(self, low: int = 10, high: int = 90) -> datetime:
        self.at = self.hours.soon(self.at + timedelta(seconds=self.rng.randint(1, 59)), self.rng.randint(low, high))
        return self.at

    def day(self, number: int) -> datetime:
        """Some office moment `number` working days on; today means soon."""
        if number <= 0:
            return self.soon()
        self.at = max(self.hours.on(self.at, number, self.rng), self.at + timedelta(seconds=30))
        return self.at

    def wait(self, minutes: int) -> datetime:
        self.at += timedelta(minutes=minutes, seconds=self.rng.randint(1, 50))
        return self.at

    def due(self, working_days: int) -> str:
        return self.hours.calendar.add_working_days(local_date(self.at), working_days).isoformat()

    # --- Single steps ---------------------------------------------------------------------------

    def act(self, do: str, role: str, home: str = "", /, *, target: Any = None, **data: Any) -> Steps:
        home = home or self.tree.role_home.get(role, "")
        done = yield Step(self.at, do, role, home, data, self.case, self.person, target)
        return done

    def submit(self, *, by: str = "", channel: str = "", grid: str = "", **extra: Any) -> Steps:
        """The matter comes in, by the telephone mostly."""
        told, channels = self.told, self.city.data["channels"]
        channel = channel or self.rng.choices(list(channels), list(channels.values()))[0]
        role = by or {
            "hotline_12345": "operator", "wechat": "citizen", "app": "citizen", "portal": "citizen",
            "grid": "grid_worker",
        }.get(channel, "channel")  # fmt: skip
        data = {
            "channel": channel, "kind": told.kind, "title": told.title, "content": told.content, "place": told.place,
            "category": told.category, **told.extra, **extra,
        }  # fmt: skip
        if role == "channel":
            data["external_no"] = f"{channel[:4].upper()}-{self.at:%m%d}-{self.rng.randrange(10**6):06}"
        home = grid or self.tree.role_home.get(role, "")
        done: Done = yield Step(self.at, "case.submit", role, home, data, self.case, self.person, None, channel)
        self.numbers[self.case] = done.case.number
        return done

    def dispatch(self, lead: str = "", co: tuple[str, ...] = (), *, quick: bool = False, **more: Any) -> Steps:
        self.soon(3, 15) if quick else self.soon(10, 100)
        self.told.lead = lead or self.told.lead
        return (
            yield from self.act(
                "case.dispatch", "dispatcher", lead=self.told.lead, co=list(co), note=self.say("dispatch_note"), **more
            )
        )

    def by_unit(self, do: str, /, **data: Any) -> Steps:
        return (yield from self.act(do, "handler", self.told.lead, **data))

    def claim(self, low: int = 15, high: int = 150) -> Steps:
        self.soon(low, high)
        return (yield from self.by_unit("case.claim"))

    def contact(self) -> Steps:
        self.soon(20, 160)
        if not self.contactable:
            data = {"method": "site", "result": "not_needed", "note": self.say("contact_none")}
        elif self.rng.random() < 0.08:
            data = {"method": "phone", "result": "unreachable", "note": self.say("contact_unreachable")}
        else:
            method = self.rng.choices(["phone", "visit", "site", "wechat"], [7, 2, 1, 1])[0]
            note = self.say("contact_again" if self.round > 1 else "contact_reached")
            data = {"method": method, "result": "reached", "note": note}
        return (yield from self.by_unit("case.contact", **data))

    def look(self) -> Steps:
        """What a thorough unit also does: it verifies, and tells how far it is."""
        if self.rng.random() < 0.6:
            self.soon(30, 200)
            finding = self.rng.choices(["true", "partly"], [5, 1])[0]
            note = self.say("verify" if finding == "true" else "verify_partly")
            yield from self.by_unit("case.verify", finding=finding, note=note)
        if self.rng.random() < 0.3:
            self.soon(20, 100)
            yield from self.by_unit("case.progress", content=self.say("progress"))

    def reply(self, days: int | None = None, outcome: str = "", content: str = "") -> Steps:
        self.day(self.rng.choice([0, 1, 1, 2, 2, 3]) if days is None else days)
        outcome = outcome or self.rng.choices(["solved", "partly", "explained", "planned"], [12, 2, 3, 1])[0]
        text = content or self.told.reply or self.say("progress")
        text = f"{self.say('again')}{text}" if self.round > 1 else text
        return (yield from self.by_unit("case.reply", content=text, outcome=outcome))

    def check(self, *, good: bool = True, again: bool = False, days: int = 0) -> Steps:
        self.day(days) if days else self.soon(20, 200)
        criteria = {"facts_clear": True, "basis_right": good, "handled_well": good or self.rng.random() < 0.5}
        if good:
            return (yield from self.act("check.pass", "checker", criteria=criteria, note=self.say("pass")))
        self.round += 1
        note = self.say("fail_again" if again else "fail")
        return (yield from self.act("check.fail", "checker", criteria=criteria, note=note))

    def call(self, rating: int = 0, days: int = 1, **more: Any) -> Steps:
        """The callback, which closes the case when the requester is content."""
        self.day(days)
        rating = rating or self.rng.choices([5, 4, 3], [6, 4, 1])[0]
        comment = self.say("call_bad" if rating <= 2 else "call_partly" if rating == 3 else "call_good")
        data = {
            "method": "phone", "result": "reached", "contacted": True, "rating": rating, "comment": comment,
            "solved": "no" if rating <= 2 else "partly" if rating == 3 else "yes",
            "trust": max(1, min(5, rating + self.rng.choice([0, 0, -1]))), **more,
        }  # fmt: skip
        return (yield from self.act("case.call_back", "caller", **data))

    def finish(self) -> Steps:
        """From the claimed order to the end, when all goes well."""
        yield from self.contact()
        yield from self.look()
        yield from self.reply()
        yield from self.check()
        if self.rng.random() < 0.25:
            self.wait(self.rng.randint(20, 240))
            yield from self.act("case.evaluate", "citizen", rating=self.rng.choice([4, 5, 5]), solved="yes",
                                comment=self.say("comment_good"))  # fmt: skip
        yield from self.call()
        yield from self.maybe_archive()

    def maybe_archive(self) -> Steps:
        if self.rng.random() < 0.5:
            self.day(self.rng.randint(3, 6))
            yield from self.act("case.archive", "dispatcher")

    def begin(self, **more: Any) -> Steps:
        """Submitted, dispatched, claimed."""
        yield from self.submit(**more)
        yield from self.dispatch()
        yield from self.claim()

    def new_round(self) -> Steps:
        """A further round at the same unit, up to its check."""
        yield from self.claim()
        yield from self.contact()
        yield from self.reply(2)
        yield from self.check()

    def supervise(self, method: str, ground: str, request: str, answer: str, /, *, days: int = 2, **more: Any) -> Steps:
        """A supervision from its opening to its end."""
        self.soon()
        done = yield from self.act("supervision.open", "supervisor", method=method, ground=ground,
                                   request=self.say(request), **more)  # fmt: skip
        self.day(days)
        yield from self.by_unit("supervision.respond", target=done.made, content=self.say(answer))
        self.soon(60, 300)
        yield from self.act("supervision.close", "supervisor", target=done.made, conclusion=self.say("conclude"))
        return done

    def settle(self, kind: str, opinion: str, /, *, days: int = 0, **more: Any) -> Steps:
        """The centre decides on what the unit asked for."""
        self.day(days)
        return (yield from self.act(f"application.{kind}", "dispatcher", opinion=opinion, **more))

    def bad_round(self) -> Steps:
        """A first round after which the requester is not content."""
        yield from self.begin()
        yield from self.contact()
        yield from self.reply(1, "partly")
        yield from self.check()
        if self.rng.random() < 0.4:
            self.wait(self.rng.randint(15, 60))
            yield from self.act("case.evaluate", "citizen", rating=1, solved="no", comment=self.say("comment_bad"))
        yield from self.call(self.rng.choice([1, 2]))
        self.round += 1


def short(path: str) -> str:
    """A place as people say it."""
    name = path.replace("/", "")
    for tail in ("居民委员会", "村民委员会", "居委会"):
        name = name.removesuffix(tail)
    return name.removesuffix("委会")


# --- The histories ------------------------------------------------------------------------------------------------

LIVES: dict[str, Callable[[Tale], Steps]] = {}


def life(run: Callable[[Tale], Steps]) -> Callable[[Tale], Steps]:
    LIVES[run.__name__] = run
    return run


@life
def ordinary(tale: Tale) -> Steps:
    yield from tale.submit()
    if tale.rng.random() < 0.15:
        tale.wait(20)
        yield from tale.act("case.supplement", "citizen", content=tale.say("supplement"))
    yield from tale.dispatch()
    yield from tale.claim()
    if tale.rng.random() < 0.08:
        tale.wait(30)
        yield from tale.act("case.urge", "citizen", content=tale.say("urge"))
    yield from tale.finish()


@life
def waiting(tale: Tale) -> Steps:
    yield from tale.submit()


@life
def accepted(tale: Tale) -> Steps:
    yield from tale.submit()
    tale.wait(15)
    urgency = tale.rng.choice(["normal", "urgent"])
    yield from tale.act("case.accept", "operator", urgency=urgency)
    tale.wait(4)
    yield from tale.act("case.flag", "operator", flags={"sensitive": True} if urgency == "urgent" else {"night": True})


@life
def dispatched(tale: Tale) -> Steps:
    yield from tale.submit()
    yield from tale.dispatch(quick=True)


@life
def in_hand(tale: Tale) -> Steps:
    yield from tale.begin()
    if tale.rng.random() < 0.7:
        yield from tale.contact()
        yield from tale.look()


@life
def to_check(tale: Tale) -> Steps:
    yield from tale.begin()
    yield from tale.contact()
    yield from tale.look()
    yield from tale.reply(2)


@life
def checked_late_now(tale: Tale) -> Steps:
    yield from tale.begin()
    yield from tale.contact()
    yield from tale.reply(7)


@life
def to_call(tale: Tale) -> Steps:
    yield from to_check(tale)
    yield from tale.check()
    if tale.rng.random() < 0.4:
        tale.day(1)
        yield from tale.act("case.call_back", "caller", method="phone", result="unreachable",
                            comment=tale.say("call_missed"))  # fmt: skip


@life
def refused(tale: Tale) -> Steps:
    one = tale.special("refused")
    yield from tale.submit()
    tale.wait(25)
    yield from tale.act("case.refuse", "operator", ground=one["ground"], basis=one["basis"], note=one["note"],
                        other_unit=one["other_unit"])  # fmt: skip


@life
def redirected(tale: Tale) -> Steps:
    one = tale.special("redirected", where="urban")
    yield from tale.submit(channel="hotline_12345")
    tale.wait(3)
    yield from tale.act("case.redirect", "operator", to=one["to"], note=one["note"])


@life
def withdrawn(tale: Tale) -> Steps:
    yield from tale.submit()
    if tale.rng.random() < 0.6:
        yield from tale.dispatch()
        yield from tale.claim()
    tale.wait(90)
    yield from tale.act("case.withdraw", "citizen", reason=tale.say("withdraw"))


@life
def answered(tale: Tale) -> Steps:
    tale.special("answered", where="urban")
    reply = tale.told.reply
    yield from tale.submit()
    tale.wait(6)
    yield from tale.act("case.answer", "operator", reply=reply)
    if tale.rng.random() < 0.5:
        yield from tale.call()
    else:
        tale.day(1)
        yield from tale.act("case.close", "dispatcher")


@life
def answered_today(tale: Tale) -> Steps:
    tale.special("answered", where="urban")
    reply = tale.told.reply
    yield from tale.submit()
    tale.wait(5)
    yield from tale.act("case.answer", "operator", reply=reply)


@life
def same_person(tale: Tale) -> Steps:
    one = tale.special("persistent", where="urban")
    yield from tale.submit(channel="hotline_12345")
    yield from tale.dispatch()
    yield from tale.claim()
    yield from tale.contact()
    for number in (1, 2):
        tale.day(1)
        tale.case, tale.told.content = number, tale.fill(one["contents"][number], tale.told.place)
        yield from tale.submit(channel="hotline_12345")
        tale.soon(5, 40)
        yield from tale.act("case.merge", "dispatcher", into=tale.numbers[0])
    tale.case = 0
    yield from tale.supervise("onsite", "same_person_repeat", "onsite_request", "onsite_answer", days=1,
                              attendees=[tale.told.lead, tale.centre], place=tale.told.place)  # fmt: skip
    yield from tale.reply(1, "solved")
    yield from tale.check()
    yield from tale.call(4)


@life
def several_persons(tale: Tale) -> Steps:
    one = tale.special("crowd", where="urban")
    first = tale.person
    yield from tale.submit()
    yield from tale.dispatch()
    yield from tale.claim()
    for number in (1, 2, 3):
        tale.soon(20, 120)
        tale.case, tale.told.content = number, tale.fill(one["contents"][number], tale.told.place)
        tale.person = (first + 7 * number) % tale.persons
        yield from tale.submit()
        tale.soon(5, 30)
        yield from tale.act("case.merge", "dispatcher", into=tale.numbers[0])
    tale.case, tale.person = 0, first
    yield from tale.contact()
    yield from tale.supervise("onsite", "several_persons", "onsite_request", "onsite_answer", days=1,
                              attendees=[tale.told.lead], place=tale.told.place)  # fmt: skip
    yield from tale.reply(1, "solved")
    yield from tale.check()
    yield from tale.call(5)


@life
def unmerged(tale: Tale) -> Steps:
    yield from tale.submit()
    tale.soon(5, 20)
    tale.case = 1
    yield from tale.submit()
    tale.soon(5, 20)
    yield from tale.act("case.merge", "dispatcher", into=tale.numbers[0])
    tale.soon(30, 90)
    yield from tale.act("case.unmerge", "dispatcher")
    for number in (0, 1):
        tale.case = number
        yield from tale.dispatch()
        yield from tale.claim()
        yield from tale.contact()
        yield from tale.reply(1)
        yield from tale.check()
        yield from tale.call()


@life
def overdue_now(tale: Tale) -> Steps:
    """Claimed, contacted, and then nothing: the whole ladder is climbed."""
    yield from tale.begin()
    yield from tale.contact()


@life
def unclaimed(tale: Tale) -> Steps:
    yield from tale.submit()
    yield from tale.dispatch()


@life
def overdue_supervised(tale: Tale) -> Steps:
    yield from tale.begin()
    yield from tale.contact()
    tale.day(7)
    yield from tale.supervise("phone", "overdue", "phone_request", "phone_answer", days=1)
    tale.day(2)
    yield from tale.supervise("letter", "overdue", "letter_request", "letter_answer", days=3, due=tale.due(5))
    yield from tale.reply(1, "solved")
    yield from tale.check()
    yield from tale.call(3)


@life
def supervised_now(tale: Tale) -> Steps:
    """The ladder is climbed and people act on it: letter sent and open, sometimes a clue with the inspectors."""
    yield from tale.begin()
    tale.day(9)
    yield from tale.act("supervision.open", "supervisor", method="phone", ground="overdue",
                        request=tale.say("phone_request"))  # fmt: skip
    tale.day(2)
    yield from tale.act("supervision.open", "supervisor", method="letter", ground="overdue",
                        request=tale.say("letter_request"), due=tale.due(5))  # fmt: skip
    tale.day(1)
    yield from tale.act("clue.transfer", "supervisor", ground="overdue", to=tale.tree.role_home["inspector"],
                        content=tale.say("clue_overdue"))  # fmt: skip


@life
def discipline(tale: Tale) -> Steps:
    yield from tale.begin()
    tale.day(14)
    inspectors = tale.tree.role_home["inspector"]
    done = yield from tale.act("clue.transfer", "supervisor", ground="overdue", to=inspectors,
                               content=tale.say("clue_overdue"))  # fmt: skip
    tale.day(3)
    yield from tale.act("clue.conclude", "inspector", target=done.made, opinion=tale.say("clue_opinion"))
    yield from tale.contact()
    yield from tale.reply(1)
    yield from tale.check()
    yield from tale.call()


@life
def bad_then_good(tale: Tale) -> Steps:
    yield from tale.bad_round()
    yield from tale.new_round()
    yield from tale.call(4)


@life
def second_round_now(tale: Tale) -> Steps:
    yield from tale.bad_round()
    yield from tale.claim()


@life
def reworked(tale: Tale) -> Steps:
    yield from tale.begin()
    yield from tale.finish()
    tale.day(2)
    yield from tale.act("case.rework", "supervisor", reason=tale.say("rework"), ground="poor_quality")
    tale.round += 1
    yield from tale.new_round()
    yield from tale.call(4)


def _exemption(tale: Tale) -> Steps:
    yield from tale.bad_round()
    yield from tale.claim()
    tale.soon(30, 120)
    signed = f"{tale.told.lead}主要负责人"
    return (
        yield from tale.by_unit(
            "case.request_exemption", reason=tale.say("exemption"), signed_by=signed, sealed=True,
            attachments=["核减说明.pdf"],
        )
    )  # fmt: skip


@life
def exempted(tale: Tale) -> Steps:
    yield from _exemption(tale)
    yield from tale.settle("approve", tale.say("exemption_yes"), days=1)


@life
def exemption_pending(tale: Tale) -> Steps:
    yield from _exemption(tale)


@life
def exemption_refused(tale: Tale) -> Steps:
    yield from _exemption(tale)
    yield from tale.settle("reject", tale.say("exemption_no"), days=1)
    yield from tale.contact()
    yield from tale.reply(1)
    yield from tale.check()
    yield from tale.call(3)


@life
def awaits_panel(tale: Tale) -> Steps:
    yield from tale.bad_round()
    yield from tale.new_round()
    yield from tale.call(1)


@life
def panel_exempt(tale: Tale) -> Steps:
    yield from awaits_panel(tale)
    tale.day(2)
    yield from tale.act("panel.conclude", "supervisor", conclusion="exempt", opinion=tale.say("panel_exempt"),
                        attendees=[tale.told.lead, tale.centre])  # fmt: skip


@life
def panel_letter(tale: Tale) -> Steps:
    yield from awaits_panel(tale)
    tale.day(2)
    inspectors = tale.tree.role_home["inspector"]
    done = yield from tale.act("panel.conclude", "supervisor", conclusion="unsatisfied",
                               opinion=tale.say("panel_unsatisfied"),
                               attendees=[tale.told.lead, tale.centre, inspectors])  # fmt: skip
    tale.day(3)
    yield from tale.by_unit("supervision.respond", target=done.made, content=tale.say("panel_answer"))
    tale.day(1)
    yield from tale.act("supervision.close", "supervisor", target=done.made, conclusion=tale.say("conclude"))
    tale.soon()
    yield from tale.act("case.close", "dispatcher")


def _ask_return(tale: Tale, phrase: str = "return_reason") -> tuple[str, Steps]:
    other = tale.told.co or tale.told.place.split("/")[0]
    other = other if other != tale.told.lead else tale.rng.choice(list(tale.city.data["urban"]))
    if other == tale.told.lead:
        other = next(unit for unit in tale.city.data["rural"] if unit != tale.told.lead)
    tale.soon(20, 120)
    return other, tale.by_unit("case.return", reason=tale.say(phrase, unit=other), suggested_unit=other)


@life
def returned_to_other(tale: Tale) -> Steps:
    yield from tale.submit()
    yield from tale.dispatch()
    other, asking = _ask_return(tale)
    yield from asking
    yield from tale.settle("approve", tale.say("return_yes", unit=other), unit=other)
    tale.told.lead = other
    yield from tale.claim()
    yield from tale.finish()


@life
def returned_to_queue(tale: Tale) -> Steps:
    yield from tale.submit()
    yield from tale.dispatch()
    other, asking = _ask_return(tale)
    yield from asking
    yield from tale.settle("approve", tale.say("return_back"))
    yield from tale.dispatch(other)
    yield from tale.claim()
    yield from tale.finish()


@life
def return_refused(tale: Tale) -> Steps:
    yield from tale.submit()
    yield from tale.dispatch()
    _, asking = _ask_return(tale)
    yield from asking
    yield from tale.settle("reject", tale.say("return_no"))
    yield from tale.claim()
    yield from tale.finish()


@life
def return_pending(tale: Tale) -> Steps:
    yield from tale.submit()
    yield from tale.dispatch(quick=True)
    _, asking = _ask_return(tale)
    yield from asking


@life
def tangled(tale: Tale) -> Steps:
    """Two units send it back; a meeting names who leads."""
    one = tale.special("tangled")
    yield from tale.submit()
    yield from tale.dispatch(one["lead"])
    for unit, other in ((one["lead"], one["other"]), (one["other"], one["lead"])):
        tale.told.lead = unit
        tale.soon(20, 120)
        yield from tale.by_unit("case.return", reason=tale.say("return_last", unit=other), suggested_unit=other)
        if unit == one["lead"]:
            yield from tale.settle("approve", tale.say("return_yes", unit=other), unit=other)
        else:
            yield from tale.settle("approve", tale.say("return_back"))
    tale.day(1)
    yield from tale.act("meeting.hold", "supervisor", kind="joint", attendees=[one["lead"], one["other"]],
                        minutes=tale.say("minutes", unit=one["lead"]), lead=one["lead"], co=[one["other"]],
                        tasks=["现场勘查", "制定方案", "组织施工"])  # fmt: skip
    inspectors = tale.tree.role_home["inspector"]
    tale.soon()
    done = yield from tale.act("clue.transfer", "supervisor", ground="shirking", to=inspectors,
                               content=tale.say("clue_shirking"))  # fmt: skip
    tale.told.lead = one["lead"]
    yield from tale.claim()
    yield from tale.contact()
    yield from _co_unit(tale, one["other"])
    tale.day(1)
    yield from tale.act("clue.conclude", "inspector", target=done.made, opinion=tale.say("clue_opinion"))
    yield from tale.reply(1, "solved")
    yield from tale.check()
    yield from tale.call(4)


def _co_unit(tale: Tale, unit: str) -> Steps:
    tale.soon(20, 90)
    yield from tale.act("case.claim", "handler", unit)
    tale.soon(30, 200)
    yield from tale.act("case.co_feedback", "handler", unit, content=tale.say("co_feedback"))


@life
def with_co_unit(tale: Tale) -> Steps:
    town = tale.told.place.split("/")[0]
    co = tale.told.co or (town if town != tale.told.lead else tale.centre)
    yield from tale.submit()
    yield from tale.dispatch(co=(co,), procedure="joint")
    yield from tale.claim()
    yield from _co_unit(tale, co)
    yield from tale.finish()


@life
def reassigned(tale: Tale) -> Steps:
    yield from tale.submit()
    yield from tale.dispatch()
    other, asking = _ask_return(tale)
    asking.close()
    yield from tale.act("case.reassign", "dispatcher", unit=other, reason=tale.say("reassign", unit=other))
    tale.told.lead = other
    yield from tale.claim()
    yield from tale.finish()


def _extension(tale: Tale, workdays: int) -> Steps:
    yield from tale.begin()
    yield from tale.contact()
    tale.day(1)
    return (
        yield from tale.by_unit(
            "case.request_extension", workdays=workdays, reason=tale.say("extension"),
            progress=tale.say("extension_progress"),
        )
    )  # fmt: skip


@life
def extended(tale: Tale) -> Steps:
    yield from _extension(tale, tale.rng.choice([3, 5, 8]))
    yield from tale.settle("approve", tale.say("extension_yes"))
    yield from tale.reply(5)
    yield from tale.check()
    yield from tale.call()


@life
def extension_pending(tale: Tale) -> Steps:
    yield from _extension(tale, 5)


@life
def extension_refused(tale: Tale) -> Steps:
    yield from _extension(tale, 10)
    yield from tale.settle("reject", tale.say("extension_no"))
    yield from tale.reply(1)
    yield from tale.check()
    yield from tale.call()


def _ledger(tale: Tale) -> Steps:
    yield from tale.begin()
    yield from tale.contact()
    tale.soon(60, 200)
    target = (local_date(tale.at) + timedelta(days=tale.rng.choice([120, 150, 180]))).isoformat()
    return (yield from tale.by_unit("case.request_ledger", plan=tale.say("ledger_plan"), target_date=target))


@life
def ledger_now(tale: Tale) -> Steps:
    yield from _ledger(tale)
    yield from tale.settle("approve", tale.say("ledger_yes"), days=1)


@life
def ledger_pending(tale: Tale) -> Steps:
    yield from _ledger(tale)


@life
def ledger_done(tale: Tale) -> Steps:
    yield from ledger_now(tale)
    yield from tale.reply(20, "solved")
    yield from tale.check()
    yield from tale.call(5)


@life
def failed_check(tale: Tale) -> Steps:
    yield from tale.begin()
    yield from tale.contact()
    yield from tale.reply(1)
    yield from tale.check(good=False)
    yield from tale.claim()
    yield from tale.contact()
    yield from tale.reply(1)
    yield from tale.check()
    yield from tale.call()


@life
def failed_twice(tale: Tale) -> Steps:
    yield from tale.begin()
    yield from tale.contact()
    yield from tale.reply(1)
    for again in (False, True):
        yield from tale.check(good=False, again=again)
        yield from tale.claim()
        yield from tale.contact()
        if not again:
            yield from tale.reply(1)
    yield from tale.supervise("letter", "poor_quality", "quality_request", "quality_answer", due=tale.due(5))
    yield from tale.reply(1)
    yield from tale.check()
    yield from tale.call(3)


@life
def contradicted(tale: Tale) -> Steps:
    yield from tale.begin()
    yield from tale.contact()
    yield from tale.reply(1, "solved")
    yield from tale.check()
    yield from tale.call(1)
    tale.round += 1
    yield from tale.supervise("onsite", "contradiction", "onsite_request", "onsite_answer", days=1,
                              attendees=[tale.told.lead], place=tale.told.place)  # fmt: skip
    yield from tale.new_round()
    yield from tale.call(4)


@life
def not_contacted(tale: Tale) -> Steps:
    yield from tale.begin()
    tale.soon()
    yield from tale.by_unit("case.contact", method="phone", result="reached", note=tale.say("contact_reached"))
    yield from tale.reply(1, "explained")
    yield from tale.check()
    yield from tale.call(2, contacted=False, comment=tale.say("call_no_contact"))
    tale.round += 1
    yield from tale.supervise("letter", "false_information", "false_request", "false_answer", due=tale.due(5))
    yield from tale.new_round()
    yield from tale.call(3)


@life
def unreachable(tale: Tale) -> Steps:
    yield from tale.begin()
    yield from tale.contact()
    yield from tale.reply(1)
    yield from tale.check()
    if tale.rng.random() < 0.3:
        tale.day(1)
        yield from tale.act("case.call_back", "caller", method="phone", result="declined",
                            comment=tale.say("call_declined"))  # fmt: skip
        return
    for _ in range(3):
        tale.day(1)
        yield from tale.act("case.call_back", "caller", method="phone", result="unreachable",
                            comment=tale.say("call_missed"))  # fmt: skip
    tale.day(1)
    yield from tale.act("case.evaluate", "citizen", rating=4, comment=tale.say("comment_good"))


@life
def immediate(tale: Tale) -> Steps:
    yield from tale.submit(urgency="immediate")
    yield from tale.dispatch(quick=True)
    yield from tale.claim(3, 10)
    tale.soon(3, 10)
    yield from tale.by_unit("case.contact", method="phone", result="reached", note=tale.say("contact_reached"))
    tale.soon(10, 30)
    yield from tale.by_unit("case.reply", content=tale.told.reply, outcome="solved")
    yield from tale.check()
    yield from tale.call(5)


@life
def urged_now(tale: Tale) -> Steps:
    yield from tale.begin()
    yield from tale.contact()
    tale.day(1)
    yield from tale.act("case.supplement", "citizen", content=tale.say("supplement"))
    tale.day(1)
    yield from tale.act("case.urge", "citizen", content=tale.say("urge"))


@life
def nudged(tale: Tale) -> Steps:
    yield from tale.begin()
    tale.day(2)
    yield from tale.act("case.nudge", "supervisor", note=tale.say("nudge"))


@life
def by_grid(tale: Tale) -> Steps:
    grid = tale.rng.choice(list(tale.city.data["grid"].values()))
    tale.told.content = tale.told.content.replace(short(tale.told.place), short(grid))
    tale.told.reply = tale.told.reply.replace(short(tale.told.place), short(grid))
    if tale.told.lead == tale.told.place.split("/")[0]:
        tale.told.lead = grid.split("/")[0]
    tale.told.place = grid
    yield from tale.submit(channel="grid", grid=grid)
    yield from tale.dispatch()
    yield from tale.claim()
    yield from tale.finish()


@life
def anonymous(tale: Tale) -> Steps:
    tale.contactable = False
    yield from tale.submit(anonymous=True, channel=tale.rng.choice(["hotline_12345", "portal"]))
    yield from tale.dispatch()
    yield from tale.claim()
    yield from tale.contact()
    yield from tale.look()
    yield from tale.reply()
    yield from tale.check()
    tale.soon(30, 200)
    yield from tale.act("case.close", "dispatcher")


@life
def accused(tale: Tale) -> Steps:
    one = tale.special("accused")
    tale.told.reply = tale.say("accused_reply")
    yield from tale.submit(subject_unit=one["subject"], confidential=True)
    tale.soon()
    inspectors = tale.tree.role_home["inspector"]
    done = yield from tale.act("clue.transfer", "supervisor", ground="work_style", to=inspectors,
                               content=tale.say("clue_style"))  # fmt: skip
    yield from tale.dispatch(tale.centre)
    yield from tale.claim()
    yield from tale.contact()
    tale.day(1)
    yield from tale.act("clue.conclude", "inspector", target=done.made, opinion=tale.say("clue_opinion"))
    yield from tale.reply(1, "explained")
    yield from tale.check()
    yield from tale.call(4)


@life
def reported_now(tale: Tale) -> Steps:
    yield from _ledger(tale)
    yield from tale.settle("approve", tale.say("ledger_yes"), days=1)
    tale.day(33)
    return (yield from tale.act("report.submit", "analyst", kind="special", content=tale.say("report")))


@life
def long_unresolved(tale: Tale) -> Steps:
    done = yield from reported_now(tale)
    tale.day(1)
    yield from tale.act("report.instruct", "executive", target=done.made, content=tale.say("instruct"),
                        unit=tale.told.lead, due=tale.due(5))  # fmt: skip
    tale.day(3)
    yield from tale.by_unit("supervision.respond", content=tale.say("instruct_answer"))
