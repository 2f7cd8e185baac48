"""The only writers. Importing this package registers every action of the catalogue."""

from huying.cases.commands import (
    after,
    applications,
    bulletins,
    check,
    clock,
    clues,
    handling,
    intake,
    meetings,
    merge,
    publication,
    routing,
    supervision,
)
from huying.cases.commands.perform import Done, perform
from huying.cases.commands.registry import ACTIONS, Action

__all__ = [
    "ACTIONS", "Action", "Done", "after", "applications", "bulletins", "check", "clock", "clues", "handling",
    "intake", "meetings", "merge", "perform", "publication", "routing", "supervision",
]  # fmt: skip
