"""No code knows the name of a place: what is special about a city stands in its folder of data."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from huying.policy.load import load_regulation

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "huying"
DEMO = SOURCE / "site" / "demo"
KINDS = ("*.py", "*.html", "*.js", "*.css", "*.toml", "*.sql", "*.txt", "*.json")
PLACES = ("district", "zone", "street", "farm")


def names() -> Iterator[str]:
    """Ids of the regulations, their cities' names, and the places right below them."""
    for folder in sorted(path.parent for path in (ROOT / "regulations").glob("*/regulation.toml")):
        tree = load_regulation(folder).tree
        yield folder.name
        yield tree.root
        yield folder.name.partition("-")[0]
        if tree.root.endswith(("市", "区", "县")) and len(tree.root) > 2:
            yield tree.root[:-1]
        yield from (unit.path for unit in tree.units if unit.kind in PLACES and "/" not in unit.path)


NAMES = sorted(set(names()), key=lambda one: (-len(one), one))
PATTERN = re.compile("|".join(map(re.escape, NAMES)), re.IGNORECASE)


def files() -> Iterator[Path]:
    for kind in KINDS:
        yield from (path for path in sorted(SOURCE.rglob(kind)) if DEMO not in path.parents)


def test_the_names_are_known() -> None:
    assert len(NAMES) > 60


@pytest.mark.parametrize("line", ["if city == '重庆市':", "policy('daye-2023')", "# as in 涪陵区", "# Huzhou does so"])
def test_a_name_would_be_found(line: str) -> None:
    assert PATTERN.search(line)


def test_no_source_file_names_a_place() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match[0]}"
        for path in files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (match := PATTERN.search(line))
    ]

    assert found == []
