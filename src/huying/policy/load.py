"""Reads `regulations/<id>/*.toml` into typed values and refuses whatever is unclear.

Every table of a folder's files lands in one regulation, whichever file it stands in; the loader remembers the file
so that a problem can be told with file, key, reason and mend.
"""

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from huying.policy.model import (
    Article,
    Conditional,
    Escalation,
    Regulation,
    Rule,
    Source,
    Trigger,
    UnitSpec,
    UnitTree,
    YearNotice,
)

TABLES = {  # table in a file → field of Regulation; a list of tables unless listed in SINGLE
    "info": "info", "channel": "channels", "hotline": "hotlines", "kind": "kinds", "category": "categories",
    "redirect": "redirects", "refusal_ground": "refusal_grounds", "action": "actions", "role": "roles",
    "flow": "flow", "claim": "claim", "procedure": "procedures", "time_limit": "time_limits",
    "source_limit": "source_limits", "escalation": "escalations", "returns": "returns", "transfer": "transfer",
    "closure": "closure", "refusal_request": "refusal_request", "delegate": "delegate", "contact": "contact",
    "reply": "replies", "extension": "extensions", "complexity": "complexity", "ledger": "ledger",
    "callback": "callbacks", "evaluation": "evaluation", "dissatisfied": "dissatisfied", "letter": "letter",
    "review": "reviews", "exemption": "exemption", "panel": "panel", "closing": "closing",
    "publication": "publication", "method": "supervision_methods", "supervision_ground": "supervision_grounds",
    "clue_ground": "clue_grounds", "trigger": "triggers", "instruction": "instruction", "recusal": "recusal",
    "merge": "merge", "consent": "consent", "flag": "flags", "duty": "duties", "own_list": "own_lists",
    "sign_in": "sign_in", "staff_change": "staff_change", "concentration": "concentrations", "task_kind": "task_kinds",
    "line": "lines", "upstream": "upstreams", "assessment": "assessment", "assessment_item": "assessment_items",
    "setting": "settings", "form_field": "form_fields",
}  # fmt: skip
LISTS = {
    "channel", "hotline", "kind", "category", "redirect", "refusal_ground", "action", "role", "procedure", "time_limit",
    "source_limit", "escalation", "reply", "extension", "callback", "review", "method", "supervision_ground",
    "clue_ground", "trigger", "duty", "own_list", "flag", "concentration", "task_kind", "line", "upstream",
    "assessment_item", "setting", "form_field",
}  # fmt: skip
SINGLE = TABLES.keys() - LISTS
TREE = ("units", "villages")
"""What the files of the tree of units begin with."""


@dataclass(frozen=True)
class Problem:
    """One unclear thing: where it stands, why it cannot be taken, how to mend it."""

    file: str
    key: str
    reason: str
    mend: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: {self.reason} → {self.mend}"


class UnclearRegulation(Exception):
    """The data of a regulation cannot be taken as they stand."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


def load_regulation(folder: Path, version: date | None = None) -> Regulation:
    """The regulation whose data files lie in `folder`, as it stands since `version` (None: in its first version).

    Versions are folders `versions/<date>`: each of their files takes the place of the file of that name before it.

    Raises: UnclearRegulation with every problem found, when a file cannot be taken as it stands.
    """
    return _load(folder, version, _stamp(folder))


def load_notices(folder: Path) -> tuple[YearNotice, ...]:
    """The official year notices `calendar-<year>.toml` in `folder`."""
    return _notices(folder, _stamp(folder))


def find_versions(folder: Path) -> tuple[date, ...]:
    """The days from which later versions of the regulation in `folder` hold, in order."""
    days = (_day(path.name) for path in folder.glob("versions/*/"))
    return tuple(sorted(day for day in days if day is not None))


def _day(name: str) -> date | None:
    """The day that a folder is named by; None for one that is no version (a copy half made, a typing error)."""
    try:
        day = date.fromisoformat(name)
    except ValueError:
        return None
    return day if day.isoformat() == name else None


def _files_of(folder: Path, version: date | None) -> dict[str, Path]:
    files = {path.name: path for path in sorted(folder.glob("*.toml"))}
    for since in find_versions(folder):
        if version is not None and since <= version:
            files |= {path.name: path for path in sorted((folder / "versions" / since.isoformat()).glob("*.toml"))}
    return files


def _stamp(folder: Path) -> tuple[tuple[str, int], ...]:
    files = sorted((*folder.glob("*.toml"), *folder.glob("versions/*/*.toml")))
    return tuple((str(path), path.stat().st_mtime_ns) for path in files)


@lru_cache(maxsize=8)
def _notices(folder: Path, _stamp: object) -> tuple[YearNotice, ...]:
    return tuple(_year_notice(path) for path in sorted(folder.glob("calendar-*.toml")))


def _year_notice(path: Path) -> YearNotice:
    raw = _read(path)
    try:
        return YearNotice(
            year=raw["year"],
            title=raw["notice"],
            holidays=tuple((row["from"], row["until"], row["name"]) for row in raw.get("holiday", [])),
            makeup_days=tuple((row["on"], row["name"]) for row in raw.get("makeup", [])),
        )
    except KeyError as missing:
        raise UnclearRegulation([Problem(path.name, str(missing), "缺少这一项", "按其他年度的日历文件补齐")]) from None


@lru_cache(maxsize=16)
def _load(folder: Path, version: date | None, _stamp: object) -> Regulation:
    if not (folder / "regulation.toml").is_file():
        raise UnclearRegulation([Problem(str(folder), "regulation.toml", "没有这个文件", "确认规定编号，或补上该文件")])
    problems: list[Problem] = []
    fields: dict[str, Any] = {}
    files: dict[str, str] = {}
    held = _files_of(folder, version)
    for path in held.values():
        if path.name == "requirements.toml" or path.name.startswith(("sources", *TREE)):
            continue
        for table, value in _read(path).items():
            if table not in TABLES:
                problems.append(Problem(path.name, table, "不认识的表名", f"可用的表名：{'、'.join(TABLES)}"))
            elif table in SINGLE and TABLES[table] in fields:
                problems.append(Problem(path.name, table, f"已在 {files[table]} 中写过", "合并为一处"))
            elif table in SINGLE:
                fields[TABLES[table]], files[table] = value, path.name
            else:
                fields.setdefault(TABLES[table], []).extend(value)
                files[table] = path.name
    sources = _sources(held["sources.toml"]) if "sources.toml" in held else ()
    parent = folder.parent / str(fields.get("info", {}).get("parent", "cn"))
    fields["sources"] = sources + (_sources(parent / "sources.toml") if parent != folder else ())
    if isinstance(fields.get("info"), dict):
        # The day from which these files hold, also when a later day was asked for: a case keeps it.
        since = (one for one in find_versions(folder) if version is not None and one <= version)
        fields["info"]["version"] = max(since, default=None)
    fields["tree"] = read_tree(held[name] for start in TREE for name in sorted(held) if name.startswith(start))
    by_field = {TABLES[table]: name for table, name in files.items()}
    try:
        regulation = Regulation.model_validate(fields)
    except ValidationError as error:
        problems += [_from_pydantic(item, by_field, fields) for item in error.errors()]
        raise UnclearRegulation(problems) from None
    problems += list(_unclear(regulation, by_field))
    if problems:
        raise UnclearRegulation(problems)
    return regulation


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UnclearRegulation([Problem(path.name, "-", f"不是合法的 TOML：{error}", "改正该行")]) from None


def _sources(path: Path) -> tuple[Source, ...]:
    if not path.is_file():
        return ()
    raw = _read(path)
    if not raw:
        return ()  # emptied by a version: whatever still cites it is told
    heads = raw["source"] if isinstance(raw["source"], list) else [raw["source"]]
    articles: dict[str, list[Article]] = defaultdict(list)
    for row in raw.get("article", []):
        source_id = row.pop("source", heads[0]["id"])
        articles[source_id].append(Article.model_validate(row))
    return tuple(Source.model_validate({**head, "articles": articles[head["id"]]}) for head in heads)


def read_tree(paths: Iterable[Path]) -> UnitTree:
    """The tree that stands in TOML files: `root`, `[role_home]`, rows `[[unit]]`, and `[[group]]` of many units alike.

    A group has `below` (a path or several), `names`, and what its units share. A name is a text or a table with `name`,
    `as` (the path segment when it is another) and `aliases`.

    Raises: UnclearRegulation.
    """
    root = ""
    homes: dict[str, str] = {}
    units: list[UnitSpec] = []
    for path in paths:
        raw = _read(path)
        unknown = set(raw) - {"root", "role_home", "unit", "group"}
        if unknown:
            raise UnclearRegulation(
                [
                    Problem(path.name, one, "不认识的表名", "只用 root、role_home、unit、group")
                    for one in sorted(unknown)
                ]
            )
        root, homes = raw.get("root", root), homes | raw.get("role_home", {})
        try:
            units += [UnitSpec.model_validate(row) for row in raw.get("unit", [])]
            for number, group in enumerate(raw.get("group", []), 1):
                units += _group(path, number, dict(group))
        except ValidationError as error:
            raise UnclearRegulation(
                [Problem(path.name, ".".join(map(str, one["loc"])), one["msg"], "按说明改正") for one in error.errors()]
            ) from None
    if not root:
        raise UnclearRegulation([Problem("units.toml", "root", "没有根", "写上城市名称")])
    return UnitTree(root=root, units=tuple(units), role_home=homes)


def _group(path: Path, number: int, group: dict[str, Any]) -> Iterator[UnitSpec]:
    below, names = group.pop("below", ""), group.pop("names", None)
    if not isinstance(names, list):
        raise UnclearRegulation([Problem(path.name, f"group[{number}]", "没有 names", "列出单位名称")])
    for above in below if isinstance(below, list) else [below]:
        for one in names:
            row = {"name": one} if isinstance(one, str) else dict(one)
            last = row.pop("as", row.get("name", ""))
            yield UnitSpec.model_validate({**group, **row, "path": f"{above}/{last}" if above else last})


def _from_pydantic(item: Mapping[str, Any], files: Mapping[str, str], fields: Mapping[str, Any]) -> Problem:
    where = item["loc"]
    topic = str(where[0])
    key = ".".join(map(str, where))
    value = fields.get(topic)
    if isinstance(value, list) and len(where) > 1 and isinstance(where[1], int):
        row = value[where[1]]
        key = f"{topic}[{row.get('key', where[1])}]" + "".join(f".{part}" for part in where[2:])
    mends = {
        "missing": "补上这一项",
        "extra_forbidden": "删去，或改成认识的名字",
        "literal_error": "改成所列的值之一",
    }
    return Problem(files.get(topic, "-"), key, item["msg"], mends.get(item["type"], "按该项的说明改正"))


def _unclear(regulation: Regulation, files: Mapping[str, str]) -> Iterator[Problem]:
    """What the types cannot see: citations, duplicate keys, ties, limits and units that dangle."""
    for topic, value in regulation:
        rules = [rule for rule in (value if isinstance(value, tuple) else (value,)) if isinstance(rule, Rule)]
        seen: set[str] = set()
        for rule in rules:
            where = files.get(topic, "-")
            if rule.cite and regulation.article(rule.cite) is None:
                yield Problem(where, rule.key, f"引用“{rule.cite}”找不到条文", "改成 sources.toml 里有的条号")
            if rule.key in seen:
                yield Problem(where, rule.key, "键重复", "每条规则用一个键")
            seen.add(rule.key)
    yield from _ties(regulation, files)
    yield from _loose_ends(regulation, files)
    yield from _unit_problems(regulation)


def _ties(regulation: Regulation, files: Mapping[str, str]) -> Iterator[Problem]:
    groups: dict[tuple[str, str], list[Conditional]] = defaultdict(list)
    for limit in regulation.time_limits:
        for role in ("lead", "co") if limit.role == "any" else (limit.role,):
            groups["time_limits", f"{limit.limit}.{role}"].append(limit)
    groups["replies", ""] += regulation.replies
    groups["callbacks", ""] += regulation.callbacks
    groups["extensions", ""] += regulation.extensions
    for (topic, _), rules in groups.items():
        for one, other in combinations(rules, 2):
            as_specific = len(one.when.conditions) == len(other.when.conditions)
            if as_specific and one.when.may_meet(other.when):
                yield Problem(
                    files.get(topic, "-"), other.key, f"与“{one.key}”同样具体，会同时适用", "给其中一条加上条件（when）"
                )
    for topic in ("replies", "callbacks"):
        if all(rule.when.conditions for rule in getattr(regulation, topic)):
            yield Problem(files.get(topic, "-"), topic, "没有一条不带条件的规则", "写一条其他情形都适用的规则")


def _loose_ends(regulation: Regulation, files: Mapping[str, str]) -> Iterator[Problem]:
    names = {rule.limit for rule in regulation.time_limits}
    for rule in regulation.time_limits:
        for other in (rule.before, rule.starts_when_missed, rule.within):
            if other and other not in names:
                yield Problem(files.get("time_limits", "-"), rule.key, f"所依的期限“{other}”没有规定", "补上该期限")
    watched = {rule.limit for rule in regulation.escalations}
    for limit in regulation.time_limits:
        if not (limit.soft or limit.optional) and limit.limit not in watched:
            yield Problem(
                files.get("time_limits", "-"),
                limit.key,
                "没有人看着这个期限",
                "在 supervision.toml 加 escalation",
            )
    grounds = {rule.key for rule in regulation.supervision_grounds}
    proposing: tuple[Escalation | Trigger, ...] = (*regulation.escalations, *regulation.triggers)
    for fired in proposing:
        where = files.get("triggers", "-")
        if fired.method and fired.method not in regulation.methods:
            yield Problem(where, fired.key, f"没有督办方式“{fired.method}”", "用 [[method]] 里的键")
        if fired.ground and fired.ground not in grounds:
            yield Problem(where, fired.key, f"没有督办事由“{fired.ground}”", "用 [[supervision_ground]] 里的键")


def _unit_problems(regulation: Regulation) -> Iterator[Problem]:
    paths: set[str] = set()
    for unit in regulation.tree.units:
        for path in (unit.path, *unit.aliases):
            if path in paths:
                yield Problem("units.toml", path, "单位路径重复", "每个单位一个路径")
            paths.add(path)
    for unit in regulation.tree.units:
        above = unit.path.rpartition("/")[0]
        if above and above not in paths:
            yield Problem("units.toml", unit.path, f"上级单位“{above}”不存在", "先列出上级单位")
    proposing: tuple[Escalation | Trigger, ...] = (*regulation.escalations, *regulation.triggers)
    named = {f"{rule.key}.to": rule.to for rule in proposing if rule.to}
    decided = (
        *regulation.extensions,
        *regulation.reviews,
        regulation.complexity,
        regulation.ledger,
        regulation.returns,
    )
    named |= {f"{rule.key}.decider_unit": rule.decider_unit for rule in decided if rule and rule.decider == "unit"}
    if regulation.instruction and regulation.instruction.supervised_by:
        named["instruction.supervised_by"] = regulation.instruction.supervised_by
    named |= {f"{one.key}.owner": one.owner for one in regulation.hotlines if one.owner}
    named |= {f"{one.key}.head": one.head for one in regulation.lines}
    for line in regulation.lines:
        for name in line.counterparts:
            if not any(path.partition("/")[2] == name for path in paths):
                yield Problem("units.toml", line.key, f"没有一个区县有对口部门“{name}”", "写对口部门路径的末段")
    if regulation.panel:
        named |= {f"panel.copy_to[{place}]": path for place, path in enumerate(regulation.panel.copy_to)}
    for key, path in {**named, "info.competent_unit": regulation.info.competent_unit}.items():
        if path not in paths:
            yield Problem("units.toml", key, f"规则所指的单位“{path}”不在单位表里", "补上该单位，或改正规则")
    for role, home in regulation.tree.role_home.items():
        if home and home not in paths:
            yield Problem("units.toml", f"role_home.{role}", f"没有单位“{home}”", "改成单位表里有的路径")
