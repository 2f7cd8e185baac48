"""The demo's own data: which cities it can show, who may sign in there, what people ask and what is said to it.

A city's demo is a folder of `samples` by the name of its regulation: demo.toml, matters.toml and, unless its histories
are written in story.py, histories.toml. What several cities say in the same words stands beside the folders.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parent / "samples"


class NoSuchCity(Exception):
    """A city of that name has no demo. The text lists those that have one."""


@dataclass(frozen=True)
class Matter:
    """Something that people ask: its ways of being said, and the answer of the unit whose duty it is.

    `unit` is a path, or `@` for the town or street of the place. `group` is what a history asks for; `place` a group of
    places; `words` are further words of its own that the steps of a history may use.
    """

    kind: str
    category: str
    says: tuple[tuple[str, str], ...]
    reply: str = ""
    unit: str = ""
    where: str = ""
    co: str = ""
    group: str = ""
    place: str = ""
    words: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class City:
    """One city's demo: its regulation, and what its folder says."""

    id: str

    @cached_property
    def data(self) -> Mapping[str, Any]:
        own, common = read(f"{self.id}/demo"), read("common")
        return {**common, **own, "roles": {**common["roles"], **own.get("roles", {})}}

    @property
    def slug(self) -> str:
        return str(self.data["slug"])

    @cached_property
    def matters(self) -> tuple[Matter, ...]:
        return tuple(
            Matter(**{**one, "says": tuple((title, content) for title, content in one["says"])})
            for one in read(f"{self.id}/matters")["matter"]
        )

    @cached_property
    def special(self) -> Mapping[str, Any]:
        """The texts of histories that are written in story.py."""
        return read(f"{self.id}/special")

    @cached_property
    def scripts(self) -> Sequence[Mapping[str, Any]]:
        """The histories of histories.toml; none for a city whose histories are written in story.py."""
        return self._histories.get("history", ())

    @cached_property
    def parts(self) -> Mapping[str, Sequence[Any]]:
        """Steps that several histories take in the same way, by name."""
        return {**read("parts")["parts"], **self._histories.get("parts", {})}

    @cached_property
    def _histories(self) -> Mapping[str, Any]:
        return read(f"{self.id}/histories") if (SAMPLES / self.id / "histories.toml").is_file() else {}

    def phrases(self, name: str) -> list[str]:
        """The ways of saying something at one step of the work, in this city's words if it has its own."""
        own = self._histories.get("phrases", {})
        return list(own[name] if name in own else read("phrases")[name])


@lru_cache(maxsize=64)
def read(name: str) -> Mapping[str, Any]:
    """One of the data files, by its name without the ending."""
    with (SAMPLES / f"{name}.toml").open("rb") as file:
        return tomllib.load(file)


@lru_cache(maxsize=1)
def cities() -> tuple[City, ...]:
    """Every city that has a demo."""
    return tuple(City(file.parent.name) for file in sorted(SAMPLES.glob("*/demo.toml")))


def find_cities(names: str) -> tuple[City, ...]:
    """The cities of a list with commas; all of them for an empty one. Raises: NoSuchCity."""
    wanted = [name.strip() for name in names.replace("，", ",").split(",") if name.strip()]
    known = {city.id: city for city in cities()}
    wrong = [name for name in wanted if name not in known]
    if wrong:
        raise NoSuchCity(f"没有“{'、'.join(wrong)}”的演示。可以选的有：{'、'.join(known)}（几个之间用逗号）。")
    return tuple(known[name] for name in dict.fromkeys(wanted)) or cities()
