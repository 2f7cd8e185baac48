"""Which requirement of a regulation is true of the product, by which rules, and what would fail if it were not.

`regulations/<id>/requirements.toml` says it row by row; a story proves a row by naming it in its own `requirements:`, a
test by standing in the row. `page` sets them side by side; `problems` tells what cannot be so. No database is needed.
"""

import ast
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from huying.policy.model import Regulation
from huying.site.markdown import escape, table

State = Literal["works", "support", "organisational", "open"]
STATES: Mapping[str, str] = {
    "works": "works",
    "support": "support tier, later",
    "organisational": "organisational",
    "open": "**open**",
}
FILE = "requirements.toml"
TOP_LEVEL_KEY = re.compile(r"[A-Za-z_]\w*:")


class Requirement(BaseModel):
    """One requirement: where it stands, what it says, which rules carry it, whether it is true of the product."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    article: str
    says: str
    state: State
    tier: Literal["core", "support"] = "core"
    """What works of the support tier needs no proof of its own."""
    rules: tuple[str, ...] = ()
    """Rules of the regulation by `topic.key`."""
    tests: tuple[str, ...] = ()
    """Test nodes, where no story proves it or besides the stories."""
    note: str = ""


@dataclass
class Conformance:
    """The requirements of the `regulations` below `root`, and what proves them."""

    root: Path
    regulations: Sequence[Regulation]
    unreadable: list[str] = field(default_factory=list)
    """What could not be read, one line each; filled by reading."""

    @cached_property
    def requirements(self) -> Mapping[str, Sequence[Requirement]]:
        """The rows of each regulation that has any, by its id, in the order of its file."""
        found = {}
        for regulation in self.regulations:
            path = self._folder(regulation.info.id) / FILE
            if path.is_file():
                found[regulation.info.id] = list(self._rows(path))
        return found

    @cached_property
    def stories(self) -> Mapping[str, Sequence[Path]]:
        """The stories of all regulations that name a requirement, by its id."""
        found: dict[str, list[Path]] = defaultdict(list)
        for path in sorted(self.root.glob("regulations/*/cases/**/*.y*ml")):
            for name in self._named(path):
                found[name].append(path)
        return found

    @cached_property
    def tests(self) -> Mapping[str, frozenset[str]]:
        """The tests that stand in each file of tests, by its path below `root`."""
        named = {test.partition("::")[0] for rows in self.requirements.values() for row in rows for test in row.tests}
        files = {name: self.root / name for name in named}
        return {name: _tests_in(path) for name, path in files.items() if path.is_file() and path.suffix == ".py"}

    def name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def _folder(self, regulation_id: str) -> Path:
        return self.root / "regulations" / regulation_id

    def _rows(self, path: Path) -> Iterator[Requirement]:
        try:
            raw = tomllib.loads(path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            self.unreadable.append(f"{self.name(path)}: not TOML: {error}")
            return
        for unknown in sorted(set(raw) - {"requirement"}):
            self.unreadable.append(f"{self.name(path)}: unknown table `{unknown}`; use [[requirement]]")
        for place, row in enumerate(raw.get("requirement", []), 1):
            try:
                yield Requirement.model_validate(row)
            except ValidationError as error:
                for one in error.errors():
                    key = ".".join(map(str, one["loc"]))
                    self.unreadable.append(f"{self.name(path)}: {row.get('id', f'row {place}')}: {key}: {one['msg']}")

    def _named(self, path: Path) -> Sequence[str]:
        """The requirements that a story names. Of hundreds of files only these lines are parsed."""
        try:
            lines = _block(path.read_text(encoding="utf-8"), "requirements")
            named = (YAML(typ="safe", pure=True).load(lines) or {}).get("requirements") or []
        except (YAMLError, UnicodeDecodeError):
            named = None
        if not isinstance(named, list) or not all(isinstance(one, str) for one in named):
            self.unreadable.append(f"{self.name(path)}: `requirements` is no list of ids")
            return []
        return list(dict.fromkeys(named))


def _block(text: str, key: str) -> str:
    """The lines of a top-level key of a YAML file."""
    taken: list[str] = []
    for line in text.splitlines():
        if TOP_LEVEL_KEY.match(line):
            if taken:
                break
            if line.startswith(f"{key}:"):
                taken.append(line)
        elif taken:
            taken.append(line)
    return "\n".join(taken)


def _tests_in(path: Path) -> frozenset[str]:
    """`test_a`, or `TestB::test_a` in a class."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{one.name}" for one in node.body if isinstance(one, ast.FunctionDef)}
        elif isinstance(node, ast.FunctionDef):
            found.add(node.name)
    return frozenset(found)


# --- The page -----------------------------------------------------------------------------------------------------


def page(known: Conformance, made: str) -> str:
    """The page: totals first, what is open, then a table for each regulation. `made` is the mark of generated pages."""
    listed = [one for one in known.regulations if one.info.id in known.requirements]
    parts = [
        "# Conformance",
        "",
        made,
        "",
        "What each text asks for, and what shows that the product does it. A row that *works* has a story or a test",
        "that would fail were the rule wrong; *support tier, later* is a register or a report that comes later; what",
        "is *organisational* is done by people and not by a program; *open* is not yet true. Stories are run by",
        "`huying scenario run`, tests by `make test`.",
        "",
        _totals(known, listed),
        *_open_rows(known, listed),
        *(line for regulation in listed for line in _section(known, regulation)),
    ]
    return "\n".join(parts)


def _totals(known: Conformance, listed: Iterable[Regulation]) -> str:
    rows, sums = [], Counter[str]()
    for regulation in listed:
        count = Counter(row.state for row in known.requirements[regulation.info.id])
        sums.update(count)
        name = regulation.info.id
        rows.append([f"[{name}](#{name})", *_numbers(count)])
    return table(["", "all", *(STATES[state] for state in get_args(State))], [*rows, ["all", *_numbers(sums)]])


def _numbers(count: Counter[str]) -> list[str]:
    return [str(count.total()), *(str(count[state]) for state in get_args(State))]


def _open_rows(known: Conformance, listed: Iterable[Regulation]) -> Iterator[str]:
    rows = [row for regulation in listed for row in known.requirements[regulation.info.id] if row.state == "open"]
    if rows:
        yield "\n## What is open\n"
        yield table(["Requirement", "中文", "Why"], [[row.id, escape(row.says), escape(row.note)] for row in rows])


def _section(known: Conformance, regulation: Regulation) -> Iterator[str]:
    name = regulation.info.id
    rows = [
        [
            row.id,
            escape(row.says),
            _article(row, regulation),
            "<br>".join(f"`{key}`" for key in row.rules) or "—",
            "<br>".join(_proofs(known, row)) or "—",
            STATES[row.state] + (f"<br>{escape(row.note)}" if row.note else ""),
        ]
        for row in known.requirements[name]
    ]
    yield f"\n## {name}\n"
    yield f"{regulation.info.title}. Its rules: [rules-{name}.md](rules-{name}.md).\n"
    yield table(["Requirement", "中文", "Article", "Rules", "Stories and tests", "State"], rows)


def _article(row: Requirement, regulation: Regulation) -> str:
    article = regulation.article(row.article)
    return escape(article.label) if article else escape(row.article)


def _proofs(known: Conformance, row: Requirement) -> Iterator[str]:
    for path in known.stories.get(row.id, ()):
        yield f"[{path.stem}](../{known.name(path)})"
    for test in row.tests:
        file, _, name = test.partition("::")
        yield f"[{name or file}](../{file})"


# --- What must hold -----------------------------------------------------------------------------------------------


def problems(known: Conformance) -> Iterator[str]:
    """What cannot be so, one line each: where, what, and what to do."""
    ids = {row.id for rows in known.requirements.values() for row in rows}
    times = Counter(row.id for rows in known.requirements.values() for row in rows)
    for regulation in known.regulations:
        for row in known.requirements.get(regulation.info.id, ()):
            where = f"regulations/{regulation.info.id}/{FILE}: {row.id}"
            if times[row.id] > 1:
                yield f"{where}: stands {times[row.id]} times; one row a requirement"
            for problem in _problems_of(known, row, regulation):
                yield f"{where}: {problem}"
    for name, paths in sorted(known.stories.items()):
        if name not in ids:
            for path in paths:
                yield f"{known.name(path)}: requirement {name} stands in no {FILE}; correct the id or add the row"
    yield from known.unreadable


def _problems_of(known: Conformance, row: Requirement, regulation: Regulation) -> Iterator[str]:
    if regulation.article(row.article) is None:
        yield f"`{row.article}` resolves to no article; use one of a sources.toml"
    for key in row.rules:
        if key not in regulation.rules:
            yield f"no rule `{key}`; docs/rules-{regulation.info.id}.md lists them"
    for test in row.tests:
        file, _, name = test.partition("::")
        if name.partition("[")[0] not in known.tests.get(file, ()):
            yield f"no test `{test}`; write tests/<folder>/test_<topic>.py::test_<name>"
    if row.state == "works" and row.tier == "core" and not row.tests and not known.stories.get(row.id):
        yield "works, but no story and no test shows it; name one, or say what is true"
    if row.state in ("open", "support") and not row.note:
        yield f"{row.state} without a `note`; say what is missing"
