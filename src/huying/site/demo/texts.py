"""The demo's own data: which platform, who may sign in, what people ask and what is said to it."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parent / "samples"


@dataclass(frozen=True)
class Matter:
    """Something that people ask: its ways of being said, the unit whose duty it is, and that unit's answer.

    `unit` is a path, or `@` for the town or street of the place.
    """

    kind: str
    category: str
    unit: str
    where: str
    says: tuple[tuple[str, str], ...]
    reply: str
    co: str = ""


@lru_cache(maxsize=8)
def read(name: str) -> Mapping[str, Any]:
    """One of the data files, by its name without the ending."""
    with (SAMPLES / f"{name}.toml").open("rb") as file:
        return tomllib.load(file)


@lru_cache(maxsize=1)
def matters() -> tuple[Matter, ...]:
    """Everything that the demo's people ask."""
    return tuple(
        Matter(**{**one, "says": tuple((title, content) for title, content in one["says"])})
        for one in read("matters")["matter"]
    )


def phrases(name: str) -> list[str]:
    """The ways of saying something at one step of the work."""
    return list(read("phrases")[name])
