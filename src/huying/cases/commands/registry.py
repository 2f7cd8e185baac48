"""The registry of actions: each registered once, and every face of the product reads it here.

A command takes a `Take` (the locked case, the actor, the rules) and its typed input, and returns `Refused` or a dict
of ids and codes for the journal. `perform` does the rest: who, when, in which state, in which order refused.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import IO, Any, Literal, Protocol

from django.db.models import Model
from pydantic import BaseModel, ConfigDict

from huying.base.clock import local_date
from huying.cases import attachments
from huying.cases.access import forbidden_spans
from huying.cases.models import Assignment, Case
from huying.cases.policies import calendar_of, policy_of, rules_of
from huying.cases.queries.time_limits import facts_of, lead_assignment
from huying.core.calendar import Calendar
from huying.core.routing import Span, judge_recusal
from huying.core.verdict import Refused
from huying.people.actors import Actor
from huying.people.models import Platform, Unit
from huying.people.units import UnknownUnit, find_unit
from huying.policy.model import ActionRule, Regulation

Holder = Literal[
    "anyone", "citizen", "centre", "checker", "dispatcher", "overseer", "closer", "assignee", "lead", "co", "decider",
    "target", "top",
]  # fmt: skip
On = Literal["platform", "case", "application", "supervision", "clue", "report", "reply"]


class Files(Protocol):
    """Files that came with an action."""

    def open(self, name: str) -> IO[bytes] | None: ...


class NoFiles:
    """An action that came without files."""

    def open(self, name: str) -> IO[bytes] | None:
        return None


class Input(BaseModel):
    """The typed input of an action: the form, the API's body and a scenario's `with` in one."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class NoInput(Input):
    """An action that takes nothing."""


@dataclass
class Take:
    """Everything a command may know. The case is locked; `rule` is the regulation's word on this action."""

    platform: Platform
    actor: Actor
    now: datetime
    action: "Action"
    rule: ActionRule
    case: Case = None  # type: ignore[assignment]  # always set but for actions on the platform
    assignment: Assignment | None = None
    takes_up: bool = False
    """Where nobody must claim, the first handling action is the claim."""
    lead_of_page: Assignment | None = None
    """The lead's assignment, once looked up for all the buttons of a page."""
    of_unit: list[Assignment] | None = None
    """All assignments of the actor's unit, the latest first, once they were looked up."""
    target: Model | None = None
    made: Model | None = None
    """What the command made, for whoever wants to act on it next (an application, a supervision …)."""
    files: "Files" = field(default_factory=lambda: NoFiles())
    """The files that came with the action, by the names that its input gives."""
    extra: dict[str, Any] = field(default_factory=dict)
    """What goes back to the caller and nowhere else, such as the query code."""

    @cached_property
    def policy(self) -> Regulation:
        """The rules that the case keeps; without a case, those in force."""
        return rules_of(self.case) if self.case is not None else policy_of(self.platform, self.today)

    @cached_property
    def calendar(self) -> Calendar:
        return calendar_of(self.platform)

    @property
    def today(self) -> date:
        return local_date(self.now)

    @cached_property
    def forbidden(self) -> list[Span]:
        return forbidden_spans(self.case)

    def store(self, names: Iterable[str], purpose: str = "evidence") -> Refused | None:
        """Keep the files that the input names; refused when one is missing or not fit to be kept."""
        for name in names:
            file = self.files.open(name)
            if file is None:
                return Refused("invalid:attachments", f"没有收到附件“{name}”，请重新上传。", self.rule)
            try:
                attachments.store(
                    self.case,
                    file,
                    name=name,
                    actor=self.actor,
                    now=self.now,
                    action=self.action.id,
                    purpose=purpose,
                )
            except attachments.BadAttachment as bad:
                return Refused("invalid:attachments", bad.message_zh, self.rule)
        return None

    def facts(self, assignment: Assignment | None = None) -> dict[str, str]:
        """What conditions of rules may ask about: of the given assignment, else of the lead's."""
        if assignment is None and self.lead_of_page is not None:
            assignment = self.lead_of_page
        return facts_of(self.case, assignment or lead_assignment(self.case))

    def unit(self, path: str, name: str, *, handles: bool = False) -> Unit | Refused:
        """The unit that field `name` gives by `path`; refused when unknown, recused or not a handling unit."""
        try:
            unit = find_unit(self.platform, path)
        except UnknownUnit:
            return Refused(f"invalid:{name}", f"没有“{path}”这个单位，请从单位列表中选择。")
        if handles:
            recused = judge_recusal(unit.left, unit.name, self.forbidden, self.policy)
            if recused:
                return recused
            if not unit.handles:
                return Refused(f"invalid:{name}", f"“{unit.name}”不承办工单，请选择承办单位。")
        return unit


Run = Callable[[Take, Any], "Refused | Mapping[str, Any] | None"]


@dataclass(frozen=True)
class Action:
    """One action of the catalogue.

    `held_by` says which relation the actor must have to the case: `assignee`, `lead` and `co` by an assignment of
    their unit, `centre` by holding the case or sitting above, `dispatcher` also by leading it with units below,
    `overseer` by supervising, `closer` as the regulation names, `decider` of the application, `target` of a
    supervision.
    `unit_fields` are the inputs that name units: a unit that must keep out is `recusal` before anything else.
    """

    id: str
    label: str
    parties: tuple[str, ...]
    input: type[Input]
    run: Run
    on: On = "case"
    held_by: Holder = "anyone"
    case_states: tuple[str, ...] = ()
    ready: "Callable[[Take], Refused | None] | None" = None
    """A further condition that needs no input: a button that does not meet it is greyed."""
    also_requires: "Callable[[Take], tuple[str, ...]] | None" = None
    """Further fields that must be filled in, under the regulation or by this actor."""
    also_in: "Callable[[Take], tuple[str, ...]] | None" = None
    """Further states in which it may be taken, under the regulation or by this actor."""
    assignment_states: tuple[str, ...] = ()
    target_states: tuple[str, ...] = ()
    unit_fields: tuple[str, ...] = ()
    effect: str = ""


ACTIONS: dict[str, Action] = {}


def action(
    action_id: str, label: str, *, parties: str, takes: type[Input] = NoInput, **rest: Any
) -> Callable[[Run], Run]:
    """Register the command below as the one way to take `action_id`. `parties` is a list of roles by blanks."""

    def register(run: Run) -> Run:
        if action_id in ACTIONS:
            raise RuntimeError(f"{action_id} is registered twice")
        effect = (run.__doc__ or "").strip().splitlines()[0] if run.__doc__ else ""
        ACTIONS[action_id] = Action(
            id=action_id,
            label=label,
            parties=tuple(parties.split()),
            input=takes,
            run=run,
            effect=effect,
            **rest,
        )
        return run

    return register
