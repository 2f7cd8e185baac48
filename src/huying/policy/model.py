"""A regulation as typed, frozen values. One class a topic; `load` fills them from TOML.

Every rule carries its key, the article that it rests on (`cite`, as `source#article`) and its origin: `text` when
an article says so, `default` when the texts are silent and a decision (`decision`, an id of the list of
ambiguities or of an ADR) fills the gap.
"""

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Event = Literal["submission", "acceptance", "assignment", "claim"]
LimitName = Literal[
    "claim", "return", "transfer_up", "contact", "handle", "co_feedback", "extension_request",
    "decide", "check", "letter", "rework", "review", "evaluation", "long_unresolved", "immediate", "supervision",
]  # fmt: skip
RoundCause = Literal["first", "check_failed", "dissatisfied", "rework"]
Days = Annotated[int, Field(ge=0, le=366)]


class Value(BaseModel):
    """A frozen value that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Rule(Value):
    """What every rule carries."""

    key: str
    label: str
    cite: str = ""
    origin: Literal["text", "default"] = "text"
    decision: str = ""
    in_force_from: date | None = Field(default=None, alias="from")
    in_force_until: date | None = Field(default=None, alias="until")

    @model_validator(mode="after")
    def _rests_on_something(self) -> "Rule":
        if self.origin == "text" and not self.cite:
            raise ValueError('a rule of the text needs `cite`; what no text says needs origin = "default"')
        if self.origin == "default" and not self.decision:
            raise ValueError("a default needs `decision`, the id of the decision that filled the gap")
        return self


class YearNotice(Value):
    """One year's official notice: blocks of days off (first, last, name), make-up working days (day, name)."""

    year: int
    title: str
    holidays: tuple[tuple[date, date, str], ...] = ()
    makeup_days: tuple[tuple[date, str], ...] = ()


class Article(Value):
    """One article (or numbered item) of a legal text, to the letter."""

    id: str
    label: str
    heading: str = ""
    chapter: str = ""
    text: str


class Source(Value):
    """A legal text: who issued it, since when it holds, its articles."""

    id: str
    title: str
    issuer: str
    issued_on: date
    in_force_from: date
    in_force_until: date | None = None
    addressees: tuple[str, ...] = ()
    basis: tuple[str, ...] = ()
    link: str = ""
    sha256: str = ""
    articles: tuple[Article, ...] = ()

    @cached_property
    def by_id(self) -> Mapping[str, Article]:
        return {article.id: article for article in self.articles}


class UnitSpec(Value):
    """A unit of the tree as the regulation's data lists it. `path` is below the root, joined by `/`."""

    path: str
    name: str = ""
    kind: str
    handles: bool = False
    roles: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    superior: str = ""

    @property
    def display_name(self) -> str:
        return self.name or self.path.rsplit("/", 1)[-1]


class UnitTree(Value):
    """All units of a platform, and where a role lives when a story names no unit."""

    root: str
    units: tuple[UnitSpec, ...]
    role_home: Mapping[str, str] = {}


class Channel(Rule):
    """A way in. Its key is the public channel id."""


class Kind(Rule):
    """A kind of case: consult, help, complaint, report, suggestion."""

    confidential: bool = False
    """Reports of wrongdoing keep the requester's identity to the intake cell unless told otherwise."""
    masked: bool = False
    """Handling units see a masked name and phone."""


class Category(Rule):
    children: tuple[str, ...] = ()


class Redirect(Rule):
    """A matter that another body handles, with the words by which it may be recognised."""

    to: str
    words: tuple[str, ...] = ()


class Ground(Rule):
    """A ground on which a case is refused, or for a supervision or a clue."""

    words: tuple[str, ...] = ()
    """Words that let the platform suggest the ground at intake."""
    to: str = ""
    """Where such a matter belongs."""


class ActionRule(Rule):
    """That this regulation knows an action, and by which article."""

    roles: tuple[str, ...] = ()
    """Narrows the parties of the catalogue; empty leaves them."""
    kinds: tuple[str, ...] = ()
    """Only for cases of these kinds; empty means all."""


class RoleRule(Rule):
    """What a role sees: which cases, and how much of the requester."""

    scope: Literal["tree", "unit", "own", "all", "reports", "none"]
    identity: Literal["full", "intake", "masked", "hidden"]
    """`full`: clear unless confidential; `intake`: clear even then; `masked`; `hidden`."""


class When(Value):
    """The conditions of a rule. An empty condition always holds; the most specific row wins."""

    channel: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    level: tuple[str, ...] = ()
    procedure: tuple[str, ...] = ()
    complexity: tuple[str, ...] = ()
    urgency: tuple[str, ...] = ()
    cause: tuple[RoundCause, ...] = ()

    @property
    def conditions(self) -> dict[str, tuple[str, ...]]:
        return {name: values for name, values in self if values}

    def holds(self, facts: Mapping[str, str]) -> bool:
        return all(facts.get(name, "") in values for name, values in self.conditions.items())

    def may_meet(self, other: "When") -> bool:
        """Whether some facts satisfy both."""
        mine, theirs = self.conditions, other.conditions
        return all(set(mine[name]) & set(theirs[name]) for name in mine.keys() & theirs.keys())


class TimeLimitRule(Rule):
    """A limit: its name, for whom, counted from what, how long."""

    limit: LimitName
    role: Literal["lead", "co", "any"] = "lead"
    starts: Event | Literal["previous", "decision", "closure"]
    """`previous`: goes on from the round before, same day zero."""
    starts_when_missed: LimitName | None = None
    """A limit whose missing starts this one on its own last day."""
    working_days: Days | None = None
    calendar_days: Days | None = None
    before: LimitName | None = None
    """Ends `working_days` before that limit instead of after a start."""
    soft: bool = False
    """A target: reminded and counted, never overdue."""
    optional: bool = False
    """A right that lapses (return, transfer, asking for an extension): never overdue."""
    when: When = When()

    @model_validator(mode="after")
    def _one_length(self) -> "TimeLimitRule":
        if self.starts != "previous" and (self.working_days is None) == (self.calendar_days is None):
            raise ValueError("give either `working_days` or `calendar_days`")
        return self


class Escalation(Rule):
    """What the clock does around a limit's last day.

    `after_working_days` 0: at 24:00 of the last day; n > 0: at 00:00 of the n-th working day after it; n < 0: at
    00:00 of that many working days before it.
    """

    limit: LimitName
    after_working_days: int
    does: Literal["notice", "nudge", "supervision", "clue"]
    template: str = ""
    method: str = ""
    """Of the supervision that is proposed; under the limit `supervision`, of the one whose date is watched."""
    ground: str = ""
    to: str = ""


class ReturnRule(Rule):
    """退单: a return within its limit, decided by the centre."""

    decider: Literal["centre", "superior"]


class ContactRule(Rule):
    """Whether a reply needs a contact record of its round."""

    required: bool
    waived_when_anonymous: bool = True


class ReplyRule(Rule):
    """Who looks at a reply before the requester does, and what must stand before it."""

    unit_review: bool
    central_check: bool
    verification_required: bool = False
    failed_check: Literal["new_round", "taken_over"] = "new_round"


class ExtensionRule(Rule):
    decider: Literal["centre", "superior"]
    max_working_days: int | None = None
    max_times: int | None = None
    max_total_working_days: int | None = None
    """Original limit plus extensions, from `total_from`."""
    total_from: Event = "claim"


class LedgerRule(Rule):
    """挂账: a reasonable matter that cannot be solved soon, with a plan and a date."""

    decider: Literal["centre", "superior"]


class CallbackRule(Rule):
    """回访: which cases must be called back, what is asked, and when it counts as tried."""

    required: bool
    items: tuple[str, ...]
    methods: tuple[str, ...]
    attempts: int
    attempt_days: int
    bad_up_to: int
    on_bad: Literal["rework_then_panel", "supervise", "propose", "none"]
    not_contacted_is: str = ""
    contradiction_is: bool = False


class EvaluationRule(Rule):
    """评价 by the citizen."""

    window_days: int
    bad_up_to: int


class ExemptionRule(Rule):
    """核减: asked by the unit, signed and sealed."""

    decider: Literal["centre", "superior"]
    working_days: int
    signed: bool
    sealed: bool


class PanelRule(Rule):
    """研判 after the second bad callback."""

    after_bad: int
    letter_working_days: int
    copy_to: tuple[str, ...] = ()


class SupervisionMethod(Rule):
    due_required: bool = False
    attendees_required: bool = False


class Trigger(Rule):
    """A fact that makes the platform propose a supervision or a clue; a person opens it."""

    when: Literal[
        "same_person", "several_persons", "contradiction", "not_contacted", "failed_checks", "returns",
        "assignments",
    ]  # fmt: skip
    at_least: int = 1
    within_months: int | None = None
    does: Literal["supervision", "clue"] = "supervision"
    method: str = ""
    ground: str
    to: str = ""


class RecusalRule(Rule):
    """The unit complained about, and every unit below it, neither handles nor sees the case."""


class MergeRule(Rule):
    """并单: the earliest case keeps the clock."""


class RegulationInfo(Value):
    """What a regulation says of itself and of the platform that runs on it."""

    id: str
    title: str
    platform_name: str
    hotline: str = ""
    source: str
    competent_unit: str
    parent: str = "cn"
    number_prefix: str = ""


class Regulation(Value):
    """Everything that one regulation says, ready to be asked."""

    info: RegulationInfo
    sources: tuple[Source, ...]
    tree: UnitTree
    channels: tuple[Channel, ...]
    kinds: tuple[Kind, ...]
    categories: tuple[Category, ...]
    redirects: tuple[Redirect, ...]
    refusal_grounds: tuple[Ground, ...]
    actions: tuple[ActionRule, ...]
    roles: tuple[RoleRule, ...]
    time_limits: tuple[TimeLimitRule, ...]
    escalations: tuple[Escalation, ...]
    returns: ReturnRule | None = None
    contact: ContactRule
    reply: ReplyRule
    extension: ExtensionRule | None = None
    ledger: LedgerRule | None = None
    callback: CallbackRule
    evaluation: EvaluationRule
    exemption: ExemptionRule | None = None
    panel: PanelRule | None = None
    supervision_methods: tuple[SupervisionMethod, ...]
    supervision_grounds: tuple[Ground, ...]
    triggers: tuple[Trigger, ...]
    recusal: RecusalRule
    merge: MergeRule

    @cached_property
    def action_rules(self) -> Mapping[str, ActionRule]:
        return {rule.key: rule for rule in self.actions}

    @cached_property
    def role_rules(self) -> Mapping[str, RoleRule]:
        return {rule.key: rule for rule in self.roles}

    @cached_property
    def kind_rules(self) -> Mapping[str, Kind]:
        return {rule.key: rule for rule in self.kinds}

    @cached_property
    def methods(self) -> Mapping[str, SupervisionMethod]:
        return {rule.key: rule for rule in self.supervision_methods}

    @cached_property
    def rules(self) -> Mapping[str, Rule]:
        """Every rule by `topic.key`, in the order of the files."""
        found: dict[str, Rule] = {}
        for topic, value in self:
            for rule in value if isinstance(value, tuple) else (value,):
                if isinstance(rule, Rule):
                    found[f"{topic}.{rule.key}"] = rule
        return found

    def article(self, cite: str) -> Article | None:
        """The article that `cite` (`source#article`) names, or None when it resolves to nothing."""
        source_id, _, article_id = cite.partition("#")
        for source in self.sources:
            if source.id == source_id:
                return source.by_id.get(article_id)
        return None

    def quote(self, cite: str) -> str:
        """A citation as an official would write it: the title and the article's own label; empty when there is none."""
        article = self.article(cite)
        return f"{self.info.title}{article.label}" if article else ""
