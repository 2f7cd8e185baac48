"""The only writers. Importing this package registers every action of the catalogue."""

from huying.cases.commands import (
    after,
    applications,
    assessments,
    bulletins,
    check,
    clock,
    clues,
    concentrations,
    drafts,
    handling,
    intake,
    meetings,
    merge,
    publication,
    routing,
    sessions,
    settings,
    supervision,
    surveys,
    tasks,
)
from huying.cases.commands.perform import Done, perform
from huying.cases.commands.registry import ACTIONS, Action

__all__ = [
    "ACTIONS", "Action", "Done", "after", "applications", "assessments", "bulletins", "check", "clock", "clues",
    "concentrations", "drafts", "handling", "intake", "meetings", "merge", "perform", "publication", "routing",
    "sessions", "settings", "supervision", "surveys", "tasks",
]  # fmt: skip
