"""Checking regulations' data as a lawyer would want it checked: everything resolves, nothing ties, nothing dangles."""

from pathlib import Path

from huying.policy.load import Problem, UnclearRegulation, load_notices, load_regulation


def find_regulations(folder: Path) -> list[Path]:
    """The folders below `folder` that hold a regulation."""
    return sorted(path.parent for path in folder.glob("*/regulation.toml"))


def check_folder(folder: Path) -> tuple[list[Problem], int, int]:
    """(what is unclear, number of rules, how many of them are defaults) of the regulation in `folder`."""
    try:
        regulation = load_regulation(folder)
        load_notices(folder.parent / regulation.info.parent)
    except UnclearRegulation as unclear:
        return unclear.problems, 0, 0
    defaults = sum(rule.origin == "default" for rule in regulation.rules.values())
    return [], len(regulation.rules), defaults
