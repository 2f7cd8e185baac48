"""Histories that are data: a history of histories.toml is a list of steps, and here they come to life.

    steps = ["portal", {do = "case.transfer_up", by = "handler@{village}", after = "1d", with = {reason = "~beyond"}}]

A step says what is done (`do`), by whom (`by`: a role, at its home or at the unit after the @), how long after the
step before (`after`: `20-90m` of office time, `1-3d` working days, `15w` of any time) and `with` which input. A string,
or a table with `part`, stands for the steps of that name in parts.toml or in the [parts] of the city. `case` and
`person` number the cases and persons of a history, `as` and `on` name what a step made (a report, a supervision) for a
later one, `chance` leaves a step out now and then.

In the input `~name` is one of the phrases of that name, `{any = [...]}` one of several, and words in braces are what a
history is about: {place} {p} {d} {day} {n} {village} {town} {district} {centre} {lead} {decider} {number0} {due5},
the words of its matter, and the further keys of the table that named the part. `matter` names the group of matters to
choose from, `about` only those of a category, `place` a certain place.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import Any

from huying.base.clock import local_date
from huying.cases.commands import Done
from huying.policy.model import UnitSpec, UnitTree
from huying.site.demo.plan import Hours, Planned, span
from huying.site.demo.story import Step, Steps, short
from huying.site.demo.texts import City, Matter

WHEN = ("这几天", "上周以来", "这个月", "最近一个星期", "近半个月")
DAY = ("昨天", "前天", "前几天", "上周五", "上个星期")
Table = Mapping[str, Any]
ONLY_WORD = re.compile(r"\{(\w+)\}")
DUE = re.compile(r"(due|date)(\d+)")


class Place(str):
    """A unit's path, which in a sentence is said as people say it: `{lead.said}`."""

    said: str

    def __new__(cls, path: str, said: str) -> "Place":
        place = super().__new__(cls, path)
        place.said = said
        return place


class Scene:
    """One history being lived: its moment, its chances, its words."""

    def __init__(
        self, planned: Planned, hours: Hours, tree: UnitTree, units: Mapping[str, UnitSpec], persons: int, city: City
    ) -> None:
        self.planned, self.hours, self.tree, self.units, self.city = planned, hours, tree, units, city
        self.rng = Random(planned.seed)
        self.at = planned.at
        self.persons, self.first = persons, self.rng.randrange(persons)
        self.person: dict[int, int] = {}
        self.channel: dict[int, str] = {}
        self.made: dict[str, Any] = {}
        self.script = next(one for one in city.scripts if one["name"] == planned.path.name)
        self.matter = self._matter(self.script["matter"], self.script.get("about", ""))
        self.words: dict[str, Any] = {}
        self._set_the_scene()

    def live(self) -> Steps:
        """The steps, each of which is told what came of it."""
        first = True
        for step, own in self._flat(self.script["steps"], {}):
            if not first:
                self._pass_time(step.get("after", ""))
            first = False
            if self.rng.random() >= step.get("chance", 1):
                continue
            done = yield self._step(step, own)
            self._learn(step, done)

    # --- Steps ----------------------------------------------------------------------------------

    def _flat(self, steps: Sequence[Any], own: Table) -> Iterator[tuple[Table, Table]]:
        for one in steps:
            if isinstance(one, str):
                yield from self._flat(self.city.parts[one], own)
            elif "part" in one:
                yield from self._flat(self.city.parts[one["part"]], {**own, **one})
            else:
                yield {**{key: own[key] for key in ("case", "person") if key in own}, **one}, own

    def _step(self, step: Mapping[str, Any], own: Mapping[str, Any]) -> Step:
        words = _Words({**self.words, **{key: self._say(value, self.words) for key, value in own.items()}}, self._date)
        do = step["do"]
        case = int(step.get("case", 0))
        data = self._say(step.get("with", {}), words)
        if do == "case.submit":
            self.person[case] = (self.first + 7 * int(step.get("person", 0))) % self.persons
            title, content = self.matter.says[(self.words["told"] + case) % len(self.matter.says)]
            data = {
                "kind": self.matter.kind, "category": self.matter.category, "title": title,
                "content": self._fill(content, words), "place": self.words["place"], **data,
            }  # fmt: skip
            self.channel[case] = data["channel"]
        role, _, home = step["by"].partition("@")
        home = self._fill(home, words) or self.tree.role_home.get(role, "")
        target = self.made[step["on"]] if "on" in step else None
        return Step(self.at, do, role, str(home), data, case, self.person[case], target, self.channel[case])

    def _learn(self, step: Mapping[str, Any], done: Done) -> None:
        if "as" in step:
            self.made[step["as"]] = done.made
        case = int(step.get("case", 0))
        if step["do"] == "case.submit":
            self.words[f"number{case}"] = done.case.number
        if case == 0:
            lead = done.case.assignments.filter(role="lead", ended_at=None).select_related("unit").last()
            if lead is not None:
                self.words["lead"] = self._place(lead.unit.path)
        decider = getattr(done.made, "decider", None)
        if decider is not None:
            self.words["decider"] = self._place(decider.path)

    # --- Time -----------------------------------------------------------------------------------

    def _pass_time(self, after: str) -> None:
        low, high, unit = span(after)
        number = self.rng.randint(low, high)
        later = self.at + timedelta(seconds=self.rng.randint(1, 59))
        if unit == "d" and number:
            self.at = max(self.hours.on(self.at, number, self.rng), later)
        elif unit == "w":
            self.at = later + timedelta(minutes=number)
        else:
            self.at = self.hours.soon(later, number)

    def _date(self, sort: str, days: int) -> str:
        today = local_date(self.at)
        calendar = self.hours.calendar
        day = calendar.add_working_days(today, days) if sort == "due" else today + timedelta(days=days)
        return day.isoformat()

    # --- Words ----------------------------------------------------------------------------------

    def _matter(self, group: str, about: str) -> Matter:
        return self.rng.choice([one for one in self.city.matters if one.group == group and about in ("", one.category)])

    def _set_the_scene(self) -> None:
        matter, units = self.matter, self.units
        path = self.script.get("place") or self.rng.choice(self.city.data["places"][matter.place])
        words = self.words
        words["place"] = self._place(path)
        words["p"], words["n"] = short(path), self.rng.randint(2, 9)
        words["d"], words["day"] = self.rng.choice(WHEN), self.rng.choice(DAY)
        words["serial"] = f"{self.at:%m%d}-{self.rng.randrange(10**5):05}"
        words["told"] = self.rng.randrange(len(matter.says))
        words["told_title"] = matter.says[words["told"]][0]
        parts = path.split("/")
        for end in range(1, len(parts) + 1):
            above = "/".join(parts[:end])
            words[units[above].kind] = self._place(above)
        if "district" in words and f"{words['district']}/center" in units:
            words["centre"] = self._place(f"{words['district']}/center")
        words["city"] = self._place(self.tree.role_home["dispatcher"])
        for key, value in matter.words.items():
            said = self._say(value, words)
            words[key] = self._place(said) if isinstance(said, str) and said in units else said
        words.setdefault("lead", words.get("to", ""))
        words["reply"] = self._fill(matter.reply, words)

    def _place(self, path: str) -> Place:
        unit = self.units[path]
        if path.rpartition("/")[2] != "center":
            return Place(path, short(path))
        return Place(path, f"{path.partition('/')[0]}{unit.display_name}" if "/" in path else unit.display_name)

    def _say(self, value: Any, words: Mapping[str, Any]) -> Any:
        if isinstance(value, Mapping):
            if set(value) == {"any"}:
                return self._say(self.rng.choice(value["any"]), words)
            return {key: self._say(one, words) for key, one in value.items()}
        if isinstance(value, list):
            return [self._say(one, words) for one in value]
        if not isinstance(value, str):
            return value
        if value.startswith("~"):
            return self._fill(self.rng.choice(self.city.phrases(value[1:])), words)
        only = ONLY_WORD.fullmatch(value)
        return words[only[1]] if only else self._fill(value, words)

    def _fill(self, text: str, words: Mapping[str, Any]) -> str:
        return text.format_map(words)


class _Words(dict[str, Any]):
    """The words of a step; `due5` is the day five working days on, `date30` the one thirty days on."""

    def __init__(self, words: Mapping[str, Any], date: Any) -> None:
        super().__init__(words)
        self.date = date

    def __missing__(self, key: str) -> Any:
        match = DUE.fullmatch(key)
        if match is None:
            raise KeyError(key)
        return self.date(match[1], int(match[2]))
