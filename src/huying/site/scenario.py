"""Scenarios: stories that an official can read and a machine can run, through the same actions as pages and API.

Each file runs on its own empty platform in one transaction that is rolled back, so that a run leaves nothing behind.
Files are read as YAML 1.2; dates are text.
"""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import jmespath
from django.db import transaction
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from huying.base.clock import LEGAL_ZONE
from huying.cases import attachments
from huying.cases.commands import Done, clock, perform
from huying.cases.policies import calendar_of, policy_of, regulation, use_calendar
from huying.cases.queries.identity import reveal
from huying.cases.queries.record import case_record, find_case
from huying.cases.vault import find_subject
from huying.core.verdict import Refused
from huying.people.actors import Actor
from huying.people.models import Platform
from huying.people.units import UnknownUnit, add_units, find_unit, forget_units, open_platform
from huying.policy.load import UnclearRegulation
from huying.policy.model import UnitSpec

BEGINNING = datetime(2000, 1, 1, tzinfo=LEGAL_ZONE)


class BadScenario(Exception):
    """The file cannot be run: what, where and what to do."""


@dataclass
class Result:
    """How one scenario went: its file, its title, and what differed (nothing when it holds)."""

    path: Path
    title: str
    differences: list[str] = field(default_factory=list)
    requirements: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.differences


def find_scenarios(paths: Iterable[Path]) -> list[Path]:
    """The scenario files among `paths`, folders searched through."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(one for one in path.rglob("*.y*ml") if one.suffix in (".yaml", ".yml"))
        elif path.is_file():
            found.append(path)
        else:
            raise BadScenario(f"{path}：没有这个文件或文件夹，请检查路径。")
    return found


def run_scenarios(paths: Iterable[Path]) -> Iterator[Result]:
    """Run the files one after another; what the stories ask and the product answers otherwise is told, not raised.

    The platform of a regulation is opened once; each story starts on it empty: a savepoint takes back the one before.
    """
    with transaction.atomic():
        platforms: dict[str, Platform] = {}
        for path in paths:
            yield run_scenario(path, platforms)
        transaction.set_rollback(True)


def run_scenario(path: Path, platforms: dict[str, Platform] | None = None) -> Result:
    """Run one file. `platforms` are empty platforms by regulation; one that is missing is opened and put there."""
    platforms = {} if platforms is None else platforms
    try:
        story = _read(path)
    except BadScenario as bad:
        return Result(path, path.stem, [str(bad)])
    result = Result(path, str(story.get("title", path.stem)), requirements=tuple(story.get("requirements") or ()))
    is_whole = not transaction.get_connection().in_atomic_block
    try:
        with transaction.atomic():
            _tell(story, result, platforms)
            transaction.set_rollback(is_whole)
    finally:
        if story.get("setup"):
            for platform in platforms.values():
                use_calendar(platform, None)
            forget_units()
        if is_whole:
            platforms.clear()
            forget_units()
    return result


def _tell(story: Mapping[str, Any], result: Result, platforms: dict[str, Platform]) -> None:
    """Run one story and take it back. Whatever goes wrong in it is a difference of this story: the run goes on."""
    try:
        with transaction.atomic():
            platform = _platform(result.path, str(story["regulation"]), platforms)
        with transaction.atomic():
            _Story(story, result, platform).run()
            transaction.set_rollback(True)
    except BadScenario as bad:
        result.differences.append(str(bad))
    except Exception as error:
        result.differences.append(f"运行中出错：{type(error).__name__}：{error}")


def _platform(path: Path, regulation_id: str, platforms: dict[str, Platform]) -> Platform:
    if regulation_id not in platforms:
        try:
            policy = regulation(regulation_id)
        except UnclearRegulation as unclear:
            raise BadScenario(f"{path}：规定“{regulation_id}”不可用：{unclear}") from None
        platforms[regulation_id] = open_platform(
            f"story-{regulation_id[:30]}-{uuid4().hex[:12]}", policy.info.platform_name, regulation_id, policy.tree
        )
    return platforms[regulation_id]


def _read(path: Path) -> dict[str, Any]:
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 2)
    try:
        story = yaml.load(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        raise BadScenario(f"{path}：不是合法的 YAML：{error}") from None
    if not isinstance(story, dict) or "regulation" not in story or not isinstance(story.get("steps"), list):
        raise BadScenario(f"{path}：缺少 regulation 或 steps。")
    return _texts(story)


def _texts(value: Any) -> Any:
    """Dates and times count as their text."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): _texts(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_texts(one) for one in value]
    return value


class _MadeUpFiles:
    """An attachment in a story is a file name, for which a small file is made."""

    def open(self, name: str) -> IO[bytes] | None:
        return io.BytesIO(attachments.placeholder(name))


@dataclass
class _Person:
    """A citizen of the story: the phone and name that the story gave them, and what they hold."""

    requester: dict[str, str] = field(default_factory=dict)
    subject_id: Any = None
    case_ids: set[int] = field(default_factory=set)


class _Story:
    def __init__(self, story: Mapping[str, Any], result: Result, platform: Platform) -> None:
        self.story, self.result, self.platform = story, result, platform
        self.now = BEGINNING
        self.things: dict[str, Any] = {}
        self.last_case: Any = None
        self.people: dict[str, _Person] = {}
        self._set_up(platform, story.get("setup") or {})

    def _set_up(self, platform: Platform, setup: Mapping[str, Any]) -> None:
        unknown = set(setup) - {"units", "people", "subjects", "subject_lists", "holidays", "makeup_days"}
        if unknown:
            raise BadScenario(f"{self.result.path}：setup 中有不认识的项：{'、'.join(sorted(unknown))}")
        units = [
            UnitSpec(path=one, kind="department", handles=True, roles=("handler", "leader"))
            if isinstance(one, str)
            else UnitSpec.model_validate({"kind": "department", "handles": True, **one})
            for one in setup.get("units") or []
        ]
        if units:
            add_units(platform, units)
        people = setup.get("people") or []
        if isinstance(people, dict):
            people = [{"id": name, **(value or {})} for name, value in people.items()]
        for one in people:
            name = str(one.get("id") or one.get("as") or one.get("name"))
            self.people[name] = _Person({k: str(v) for k, v in one.items() if k in ("name", "phone", "email")})
        off = {date.fromisoformat(_day(one)): "本地" for one in setup.get("holidays") or []}
        on = {date.fromisoformat(_day(one)): "本地" for one in setup.get("makeup_days") or []}
        if off or on:
            use_calendar(platform, calendar_of(platform).with_days(off, on))

    def run(self) -> None:
        for number, step in enumerate(self.story["steps"], 1):
            where = f"第{number}步"
            if not isinstance(step, dict):
                raise BadScenario(f"{where}：应为“键: 值”的形式，现在是“{step}”。")
            try:
                self._step(where, step)
            except BadScenario:
                raise
            except Exception as error:
                action = f" {step['do']}" if "do" in step else ""
                raise BadScenario(f"{where}{action}：运行中出错：{type(error).__name__}：{error}") from error

    def _step(self, where: str, step: Mapping[str, Any]) -> None:
        unknown = set(step) - {"at", "by", "do", "with", "as", "on", "expect", "see", "refused", "note"}
        if unknown:
            raise BadScenario(f"{where}：不认识的项：{'、'.join(sorted(unknown))}")
        if "at" in step:
            self._let_time_pass(where, str(step["at"]))
        where = f"{where} {step.get('do') or ''}".strip()
        on = self._named(where, str(step["on"])) if "on" in step else self.last_case
        if "do" in step:
            self._do(where, step, on)
            if str(step["do"]) == "case.submit" and "on" not in step:
                on = self.last_case
        case = self._case_of(on)
        if "expect" in step:
            if case is None:
                raise BadScenario(f"{where}：还没有诉求件可以核对。")
            self._compare(where, case_record(self._fresh(case), None, now=self.now), step["expect"])
        if "see" in step:
            self._see(where, self._actor(where, str(step["by"])), case, step["see"])

    def _let_time_pass(self, where: str, text: str) -> None:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise BadScenario(f"{where}：at 应为“2026-03-02 09:00”的形式，现在是“{text}”。") from None
        at = at if at.tzinfo else at.replace(tzinfo=LEGAL_ZONE)
        if at < self.now:
            raise BadScenario(f"{where}：时间不能倒流（{text}）。")
        clock.run_all_due(self.platform, at)
        self.now = at

    def _do(self, where: str, step: Mapping[str, Any], on: Any) -> None:
        actor = self._actor(where, str(step.get("by", "")))
        data = self._data(where, step.get("with") or {})
        action = str(step["do"])
        case = None if action == "case.submit" else self._case_of(on)
        target = on if case is not None and on is not case else None
        if case is None and action != "case.submit":
            raise BadScenario(f"{where}：还没有诉求件。")
        if actor.role == "channel" and not actor.channel:  # the interface by which the case came
            actor = replace(actor, channel=case.channel if case is not None else str(data.get("channel", "")))
        outcome = perform(action, actor=actor, now=self.now, case=case, target=target, data=data, files=_MadeUpFiles())
        wanted = step.get("refused")
        if isinstance(outcome, Refused):
            if wanted is None:
                self.result.differences.append(f"{where}：被拒绝（{outcome.code}）：{outcome.reason}")
            elif outcome.code != wanted:
                self.result.differences.append(f"{where}：应以 {wanted} 拒绝，实际为 {outcome.code}：{outcome.reason}")
            return
        if wanted is not None:
            self.result.differences.append(f"{where}：应以 {wanted} 拒绝，实际办成了")
        self._remember(step, actor, outcome)

    def _remember(self, step: Mapping[str, Any], actor: Actor, outcome: Done) -> None:
        if str(step["do"]) == "case.submit":
            self.last_case = outcome.case
            person = self._person(str(step["by"]))
            if person is not None:
                person.case_ids.add(outcome.case.pk)
                person.subject_id = outcome.extra.get("subject_id", person.subject_id)
                person.requester |= (step.get("with") or {}).get("requester") or {}
        if "as" in step:
            self.things[str(step["as"])] = outcome.made or outcome.case

    def _data(self, where: str, given: Any) -> dict[str, Any]:
        """A case's name inside `with` stands for that case."""
        if not isinstance(given, dict):
            raise BadScenario(f"{where}：with 应为“键: 值”的形式，现在是“{given}”。")
        data = dict(given)
        if isinstance(data.get("requester"), dict):  # a phone that is written without quotes is a number to YAML
            data["requester"] = {key: str(one) for key, one in data["requester"].items() if one is not None}
        if isinstance(data.get("into"), str) and data["into"] in self.things:
            data["into"] = self.things[data["into"]].number
        if isinstance(data.get("retaliation_over"), str) and data["retaliation_over"] in self.things:
            data["retaliation_over"] = self.things[data["retaliation_over"]].number
        if isinstance(data.get("cases"), list):
            data["cases"] = [self.things[one].number if one in self.things else one for one in map(str, data["cases"])]
        return data

    def _actor(self, where: str, by: str) -> Actor:
        match = re.fullmatch(r"([a-z_]+)(?::([^@]+))?(?:@(.+))?", by)
        if match is None:
            raise BadScenario(f"{where}：by 应为“角色[:姓名][@单位]”，现在是“{by}”。")
        role, name, path = match.groups()
        if role == "citizen":
            person = self._person(by) or _Person()
            phone = person.requester.get("phone", "")
            if person.subject_id is None and phone:
                subject = find_subject(self.platform, phone=phone)
                person.subject_id = subject.pk if subject else None
            return Actor(
                id=by, role=role, platform=self.platform, subject_id=person.subject_id,
                case_ids=frozenset(person.case_ids),
            )  # fmt: skip
        if path is None:
            path = policy_of(self.platform).tree.role_home.get(role, policy_of(self.platform).info.competent_unit)
        try:
            unit = find_unit(self.platform, path)
        except UnknownUnit:
            raise BadScenario(f"{where}：没有“{path}”这个单位。") from None
        return Actor(
            id=f"person:{name}" if name else by, role=role, platform=self.platform, unit=unit,
            channel=name or "" if role == "channel" else "",
        )  # fmt: skip

    def _person(self, by: str) -> _Person | None:
        if not by.startswith("citizen"):
            return None
        return self.people.setdefault(by.partition(":")[2].partition("@")[0], _Person())

    def _named(self, where: str, name: str) -> Any:
        if name not in self.things:
            raise BadScenario(f"{where}：前面没有以 as 命名的“{name}”。")
        return self.things[name]

    def _case_of(self, thing: Any) -> Any:
        if thing is None or thing.__class__.__name__ == "Case":
            return thing
        if hasattr(thing, "case"):
            return thing.case
        return thing.cases.first()

    def _fresh(self, case: Any) -> Any:
        case.refresh_from_db()
        return case

    def _see(self, where: str, viewer: Actor, case: Any, wanted: Any) -> None:
        if case is None:
            raise BadScenario(f"{where}：还没有诉求件可以查看。")
        seen = find_case(viewer, case.number)
        if wanted == "not_found":
            if seen is not None:
                self.result.differences.append(f"{where}：不应看到这件诉求，实际看到了")
        elif seen is None:
            self.result.differences.append(f"{where}：应能看到这件诉求，实际看不到")
        else:
            record = case_record(seen, viewer, now=self.now)
            # A page shows staff a masked number until they ask for it; what they may ask for, they see.
            record["requester"] = reveal(seen, viewer, now=self.now) or record["requester"]
            self._compare(where, record, wanted)

    def _compare(self, where: str, record: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
        for key, value in wanted.items():
            try:
                actual = jmespath.search(key, record)
            except jmespath.exceptions.JMESPathTypeError as error:
                self.result.differences.append(f"{where}：{key} 应为 {value!r}，实际无法取值：{error}")
                continue
            except jmespath.exceptions.JMESPathError as error:
                raise BadScenario(f"{where}：“{key}”不是合法的 JMESPath：{error}") from None
            if not self._matches(actual, value):
                self.result.differences.append(f"{where}：{key} 应为 {value!r}，实际为 {actual!r}")

    def _matches(self, actual: Any, wanted: Any) -> bool:
        if isinstance(wanted, dict) and len(wanted) == 1:
            ((test, value),) = wanted.items()
            match test:
                case "contains":
                    return (
                        actual is not None and any(self._same(one, value) for one in actual)
                        if isinstance(actual, list)
                        else isinstance(actual, str) and str(value) in actual
                    )
                case "not":
                    return not self._matches(actual, value)
                case "count":
                    return isinstance(actual, list | dict | str) and len(actual) == int(value)
                case "matches":
                    return actual is not None and re.search(str(value), str(actual)) is not None
        return self._same(actual, wanted)

    def _same(self, actual: Any, wanted: Any) -> bool:
        if isinstance(wanted, list) and isinstance(actual, list):
            return len(wanted) == len(actual) and all(map(self._same, actual, wanted))
        if isinstance(wanted, str) and wanted in self.things and actual == getattr(self.things[wanted], "number", None):
            return True
        return bool(actual == wanted)


def _day(one: Any) -> str:
    return str(one.get("on") or one.get("day")) if isinstance(one, dict) else str(one)
