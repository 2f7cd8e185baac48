"""Reads `regulations/<id>/*.toml` into typed values and refuses whatever is unclear.

Every table of a folder's files lands in one regulation, whichever file it stands in; the loader remembers the file
so that a problem can be told with file, key, reason and mend.
"""

import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from huying.policy.model import (
    Article,
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
    "info": "info", "channel": "channels", "kind": "kinds", "category": "categories", "redirect": "redirects",
    "refusal_ground": "refusal_grounds", "action": "actions", "role": "roles", "time_limit": "time_limits",
    "escalation": "escalations", "returns": "returns", "contact": "contact", "reply": "reply",
    "extension": "extension", "ledger": "ledger", "callback": "callback", "evaluation": "evaluation",
    "exemption": "exemption", "panel": "panel", "method": "supervision_methods",
    "supervision_ground": "supervision_grounds", "trigger": "triggers", "recusal": "recusal", "merge": "merge",
}  # fmt: skip
SINGLE = {
    "info", "returns", "contact", "reply", "extension", "ledger", "callback", "evaluation", "exemption", "panel",
    "recusal", "merge",
}  # fmt: skip


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


def load_regulation(folder: Path) -> Regulation:
    """The regulation whose data files lie in `folder`.

    Raises: UnclearRegulation with every problem found, when a file cannot be taken as it stands.
    """
    return _load(folder, _stamp(folder))


def load_notices(folder: Path) -> tuple[YearNotice, ...]:
    """The official year notices `calendar-<year>.toml` in `folder`."""
    return _notices(folder, _stamp(folder))


def _stamp(folder: Path) -> tuple[tuple[str, int], ...]:
    return tuple((path.name, path.stat().st_mtime_ns) for path in sorted(folder.glob("*.toml")))


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
def _load(folder: Path, _stamp: object) -> Regulation:
    if not (folder / "regulation.toml").is_file():
        raise UnclearRegulation([Problem(str(folder), "regulation.toml", "没有这个文件", "确认规定编号，或补上该文件")])
    problems: list[Problem] = []
    fields: dict[str, Any] = {}
    files: dict[str, str] = {}
    for path in sorted(folder.glob("*.toml")):
        if path.name in ("sources.toml", "units.toml"):
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
    sources = _sources(folder)
    parent = folder.parent / str(fields.get("info", {}).get("parent", "cn"))
    fields["sources"] = sources + (_sources(parent) if parent != folder else ())
    fields["tree"] = _tree(folder / "units.toml")
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


def _sources(folder: Path) -> tuple[Source, ...]:
    path = folder / "sources.toml"
    if not path.is_file():
        return ()
    raw = _read(path)
    heads = raw["source"] if isinstance(raw["source"], list) else [raw["source"]]
    articles: dict[str, list[Article]] = defaultdict(list)
    for row in raw.get("article", []):
        source_id = row.pop("source", heads[0]["id"])
        articles[source_id].append(Article.model_validate(row))
    return tuple(Source.model_validate({**head, "articles": articles[head["id"]]}) for head in heads)


def _tree(path: Path) -> UnitTree:
    raw = _read(path)
    units = [UnitSpec.model_validate(row) for row in raw.get("unit", [])]
    for group in raw.get("communities", []):
        units += [
            UnitSpec(path=f"{group['of']}/{name}", kind="community", roles=("grid_worker", "handler"))
            for name in group["names"]
        ]
    return UnitTree(root=raw["root"], units=tuple(units), role_home=raw.get("role_home", {}))


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
    yield from _ties(regulation, files.get("time_limits", "-"))
    yield from _loose_ends(regulation, files)
    yield from _unit_problems(regulation)


def _ties(regulation: Regulation, file: str) -> Iterator[Problem]:
    for one, other in combinations(regulation.time_limits, 2):
        same_place = one.limit == other.limit and (one.role == other.role or "any" in (one.role, other.role))
        if not same_place or len(one.when.conditions) != len(other.when.conditions):
            continue
        if one.when.may_meet(other.when):
            yield Problem(file, other.key, f"与“{one.key}”同样具体，会同时适用", "给其中一条加上条件（when）")


def _loose_ends(regulation: Regulation, files: Mapping[str, str]) -> Iterator[Problem]:
    names = {rule.limit for rule in regulation.time_limits}
    for rule in regulation.time_limits:
        for other in (rule.before, rule.starts_when_missed):
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
    if regulation.panel:
        named |= {f"panel.copy_to[{place}]": path for place, path in enumerate(regulation.panel.copy_to)}
    for key, path in {**named, "info.competent_unit": regulation.info.competent_unit}.items():
        if path not in paths:
            yield Problem("units.toml", key, f"规则所指的单位“{path}”不在单位表里", "补上该单位，或改正规则")
    for role, home in regulation.tree.role_home.items():
        if home and home not in paths:
            yield Problem("units.toml", f"role_home.{role}", f"没有单位“{home}”", "改成单位表里有的路径")
