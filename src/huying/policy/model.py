"""A regulation as typed, frozen values. One class a topic; `load` fills them from TOML.

Every rule carries its key, the article that it rests on (`cite`, as `source#article`) and its origin: `text` when
an article says so, `default` when the texts are silent and a decision (`decision`, an id of the list of
ambiguities or of an ADR) fills the gap.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

Event = Literal["submission", "acceptance", "assignment", "claim", "repeated_bad"]
LimitName = Literal[
    "claim", "return", "transfer_up", "contact", "handle", "co_feedback", "extension_request",
    "decide", "check", "letter", "rework", "review", "evaluation", "long_unresolved", "immediate", "supervision",
]  # fmt: skip
RoundCause = Literal["first", "check_failed", "dissatisfied", "rework", "review"]
RatingSource = Literal["citizen", "callback", "survey", "channel"]
"""Where a rating comes from."""
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

    opens: str = Field(default="", pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$")
    """From `HH:MM` on working days, where a desk keeps hours; outside them who registers must confirm it."""
    open_until: str = Field(default="", pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$")

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> "Channel":
        if (self.opens or self.open_until) and not "" < self.opens < self.open_until:
            raise ValueError("give both `opens` and `open_until`, the earlier first")
        return self


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


class RoleRule(Rule):
    """What a role sees: which cases, and how much of the requester."""

    scope: Literal["tree", "unit", "own", "all", "reports", "none"]
    identity: Literal["full", "intake", "masked", "hidden"]
    """`full`: clear unless confidential; `intake`: clear even then; `masked`; `hidden`."""


class When(Value):
    """The conditions of a rule. An empty condition always holds; the most specific row wins."""

    channel: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    level: tuple[str, ...] = ()
    """The kind of the unit concerned: village, town, department, centre …"""
    procedure: tuple[str, ...] = ()
    complexity: tuple[str, ...] = ()
    urgency: tuple[str, ...] = ()
    mode: tuple[str, ...] = ()
    flag: tuple[str, ...] = ()
    """Any of the case's flags."""
    cause: tuple[RoundCause, ...] = ()

    @cached_property
    def conditions(self) -> dict[str, tuple[str, ...]]:
        return {name: values for name, values in self if values}

    def holds(self, facts: Mapping[str, str]) -> bool:
        return all(
            any(one in values for one in facts.get(name, "").split())
            if name == "flag"
            else facts.get(name, "") in values
            for name, values in self.conditions.items()
        )

    def may_meet(self, other: "When") -> bool:
        """Whether some facts satisfy both."""
        mine, theirs = self.conditions, other.conditions
        return all(set(mine[name]) & set(theirs[name]) for name in mine.keys() & theirs.keys())


class Conditional(Rule):
    """A rule that holds only under conditions; of several that hold, the most specific one is taken."""

    when: When = When()


AnyRule = TypeVar("AnyRule", bound=Conditional)


def most_specific(rules: Iterable[AnyRule], facts: Mapping[str, str]) -> AnyRule | None:
    """The rule that holds for `facts` with the most conditions; None when none holds. Loading refuses ties."""
    holding = [rule for rule in rules if rule.when.holds(facts)]
    return max(holding, key=lambda rule: len(rule.when.conditions), default=None)


class ActionRule(Conditional):
    """That this regulation knows an action, when, and by which article."""

    roles: tuple[str, ...] = ()
    """Narrows the parties of the catalogue; empty leaves them."""
    levels: tuple[str, ...] = ()
    """Only parties whose unit is of one of these kinds; empty means any."""


class TimeLimitRule(Conditional):
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
    within: LimitName | None = None
    """Never ends later than that limit: a hop inside the citizen's date shrinks to what is left (decision C-1)."""

    @model_validator(mode="after")
    def _one_length(self) -> "TimeLimitRule":
        if self.starts != "previous" and (self.working_days is None) == (self.calendar_days is None):
            raise ValueError("give either `working_days` or `calendar_days`")
        return self


class Escalation(Conditional):
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
    """Who gets it: the receiver of a clue, or the unit that a proposed supervision or a notice goes to."""


class FlowRule(Rule):
    """流转方向: where a citizen's matter starts.

    `bottom_up`: at once at the lowest unit of its place whose kind is in `levels`, unless a unit is complained about or
    the text holds one of `screened_words`: then the top centre screens it first. `centre`: always in the centre's
    queue.
    """

    direction: Literal["bottom_up", "centre"]
    levels: tuple[str, ...] = ()
    screened_words: tuple[str, ...] = ()
    suggested_words: tuple[str, ...] = ()
    """Words by which the platform suggests that a matter is one for the top; it starts below all the same."""
    hop_keeps_clock: bool = False
    """What a centre below hands on stays inside the date that the centre above set (decision Z-7)."""


class ClaimRule(Rule):
    """签收. Not required: the first handling action is the claim."""

    required: bool


class TransferRule(Rule):
    """转请: to the level above, whose dispatcher decides. Late ones are taken and marked (decision C-3)."""

    grounds: tuple[str, ...] = ("beyond_power", "out_of_scope", "recusal")
    preliminary_check_levels: tuple[str, ...] = ()
    """Units of these kinds add what they found at the preliminary check."""


class ClosureRule(Rule):
    """办结申请 of a village; the level above judges it."""

    rejected: Literal["taken_over", "new_round"]


class RefusalRequestRule(Rule):
    """不予受理申请 of a village. Rejected, the decider's unit takes the lead unless it names another."""


class DelegateRule(Rule):
    """具体承办单位: a unit below carries out, the unit stays responsible and its clock goes on."""

    depth: int = 1


class SourceLimit(Rule):
    """来源渠道时限: matters of these channels keep the date that they came with.

    `replaces`: that date holds instead of the own one. `earlier`: both hold and the earlier governs. Without a date of
    their own the rules of the regulation `upper` give it, counted from the submission.
    """

    channels: tuple[str, ...]
    mode: Literal["replaces", "earlier"]
    upper: str = ""
    own_evaluation: bool = True
    """False: ratings are given at the source and imported; none is asked for here."""


class Procedure(Conditional):
    """转办、协办、呈办: how a case is dispatched. Its key is the public id."""

    suspended_by_report: bool = False
    """The limit rests from the report to the leader until the instruction (decision H-16)."""


class Hotline(Rule):
    """A hotline merged into a channel, with the unit whose matters it took. Its key is the number dialled."""

    channel: str = "hotline_12345"
    owner: str = ""


Decider = Literal["centre", "superior", "leader", "unit"]
"""Who decides: the platform's centre, the level above, the leader of the unit itself, or the unit that is named."""


class DecidedRule(Conditional):
    """What another decides on."""

    decider: Decider = "superior"
    decider_unit: str = ""
    decider_roles: tuple[str, ...] = ("dispatcher",)


class ReturnRule(DecidedRule):
    """退单: a return within its limit."""


class ConsentRule(Rule):
    """同意披露: nothing of who asks goes to the unit complained about without the requester's explicit consent."""


class Flag(Rule):
    """A mark that means something: who is told of it, and whether the case may be published."""

    notify: tuple[str, ...] = ()
    bars_publication: bool = False


class ContactRule(Rule):
    """Whether a reply needs a contact record of its round."""

    required: bool
    waived_when_anonymous: bool = True


class ReplyRule(Conditional):
    """Who looks at a reply before the requester does, and what must stand before it."""

    unit_review: bool
    central_check: bool
    verification_required: bool = False
    failed_check: Literal["new_round", "taken_over"] = "new_round"
    check_stops_clock: bool = False
    """The unit's clock rests while the centre checks; the citizen's goes on (decision H-9)."""


class ExtensionRule(DecidedRule):
    """延期."""

    max_working_days: int | None = None
    """Of one extension."""
    caps_defaults_only: bool = False
    """Dates that were set at assignment or by the source are free of that cap (decision C-8)."""
    max_times: int | None = None
    max_total_working_days: int | None = None
    """Original limit plus extensions, from `total_from`."""
    total_from: Event = "claim"
    progress_required: bool = False
    """The citizen is told the progress with the extension, so the unit writes it down when it asks."""


class ComplexRule(DecidedRule):
    """较为复杂: the longer limit, from the same day zero."""


class ReviewRule(DecidedRule):
    """复查、复核: the citizen applies; improper handling means a new round. Its key is the type of the application."""

    apply_days: int
    """Calendar days after the answer (or after the decision before) in which one may apply."""
    after: str = ""
    """The application that must have been decided first."""


class LedgerRule(DecidedRule):
    """挂账: a reasonable matter that cannot be solved soon, with a plan and a date."""


class CallbackRule(Conditional):
    """回访: which cases must be called back, what is asked, and when it counts as tried."""

    required: bool
    required_after_rework: bool = False
    """A round that was redone is called back before the case may be archived."""
    items: tuple[str, ...] = ()
    methods: tuple[str, ...] = ("phone", "visit", "site", "survey")
    attempts: int = 3
    attempt_days: int = 2
    bad_up_to: int = 2
    closes: bool = True
    """A callback that is done and not bad closes the case."""


class EvaluationRule(Rule):
    """评价 by the citizen."""

    window_days: int
    bad_up_to: int = 2
    uncounted: When | None = None
    """Cases whose ratings are kept and shown but stay out of the figures."""


class DissatisfiedRule(Rule):
    """不满意: what a bad rating leads to.

    `rework_then_panel`: a new round each time until `[panel]` is due; `supervise`: a supervision is opened, once a
    case, and the first `rounds` bad ones begin a new round; `propose`: a supervision is proposed for a person to judge.
    """

    sources: tuple[RatingSource, ...]
    does: Literal["rework_then_panel", "supervise", "propose", "none"]
    method: str = ""
    ground: str = "dissatisfied"
    rounds: int = 1
    due_working_days: int | None = None
    """The date that a supervision opened by the platform carries."""


class LetterRule(Rule):
    """正式函告: after `after_bad` rounds rated bad the unit reports in writing; the limit `letter` says until when."""

    after_bad: int


class ClosingRule(Rule):
    """办结: who closes a case."""

    roles: tuple[str, ...] = ("dispatcher", "unit_admin", "system")
    lead_unit: bool = True
    """The administrator of the unit that leads may close, besides those of the centres."""
    archive_after_evaluation: bool = False
    """A case is archived only once it was rated or called back, or nobody can rate it any more."""
    after_letter_roles: tuple[str, ...] = ()
    """Who of the centre settles a case after the formal letter; empty: the same as before."""


class PublicationRule(Rule):
    """公示公开: redacted, decided by a person."""

    objection_days: int = 0


class SignInRule(Rule):
    """登录职责: on which days a unit's administrators look at the platform."""

    every: Literal["day", "working_day"]
    roles: tuple[str, ...] = ("unit_admin",)


class StaffChangeRule(Rule):
    """变更报备: a change of leader or administrator is reported within `days` of its day (0: the same day)."""

    days: int = 0


class InstructionRule(Rule):
    """批示: who follows an instruction up."""

    supervised_by: str = ""


class Duty(Rule):
    """权责清单: a matter, where, who leads and who helps, and by which law.

    `lead` and `co` are unit paths; `{district}`, `{town}` and `{village}` in them stand for the place's own. `places`
    are units below which the row holds; none means everywhere that no other row of the matter names.
    """

    matter: str
    """A category, or a matter below one."""
    words: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    lead: str
    co: tuple[str, ...] = ()
    basis: str = ""


class OwnList(Rule):
    """What units of a level may be given at all (乡镇权责清单、村级自治事项清单): the matters, by name."""

    level: str
    matters: tuple[str, ...]


class ExemptionRule(DecidedRule):
    """核减: asked by the unit, signed and sealed."""

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
        "assignments", "transfers", "rejected_returns", "extensions", "late_extension",
    ]  # fmt: skip
    at_least: int = 1
    within_months: int | None = None
    does: Literal["supervision", "clue"] = "supervision"
    method: str = ""
    ground: str
    to: str = ""


class Concentration(Conditional):
    """集中反映: that many matters of one category in so many days, in one place or at one unit, within the platform.

    `alert` tells the centre and the unit of the place; `task` also drafts a task of `task_kind` for a person to send.
    """

    at_least: int
    within_days: int
    per: Literal["place", "unit"]
    persons: bool = False
    """Different requesters are counted, not cases."""
    does: Literal["alert", "task"] = "alert"
    task_kind: str = ""


class TaskKind(Rule):
    """交办任务 that is no case: who gives it to whom, and what its report must say. Its key is the public id."""

    roles: tuple[str, ...] = ("dispatcher", "supervisor")
    """Who gives it."""
    to: Literal["below", "line"] = "below"
    """Units below the giver, or only the counterparts of its line of business."""
    due_required: bool = False
    asks: tuple[Literal["cause", "measures", "completed_on"], ...] = ()
    """What the report must say besides its text."""
    on_clue: bool = False
    """It is to verify a clue, and its report becomes the opinion on it."""


class BusinessLine(Rule):
    """条线: a city department and its counterparts in the districts, by the last part of their paths."""

    head: str
    counterparts: tuple[str, ...]


class Upstream(Rule):
    """上级平台: what is sent to it, of which channels' cases. Its key is the name that the settings give an address."""

    channels: tuple[str, ...] = ()
    """Of these only; none means of every channel."""
    sends: Literal["every_change", "result"]
    """Each change, or the result alone, once a case has ended."""


class AssessmentRule(Rule):
    """考核 of units: how often, of which units."""

    every: Literal["", "quarter", "year"]
    """Empty: the text names no period, and nothing is drafted by itself."""
    kinds: tuple[str, ...] = ("department", "town")
    """Kinds of units that are assessed."""
    district_switch: str = ""
    """The setting by which each district decides whether its own units are assessed; empty: nobody decides."""


class AssessmentItem(Rule):
    """One item: a rate or a count of the figures, a score by a person with reasons, or the points given and taken."""

    by: Literal["indicator", "count", "person", "adjustments"]
    indicator: str = ""
    """A rate of the figures; of a count what is counted."""
    full_at: int = Field(default=0, ge=0)
    """So many bring all points of a count; 0: as many as the units of the class have on average."""
    weight: int = Field(default=0, ge=0)
    """Points at most; the adjustments have none."""


class SettingRule(Rule):
    """平台设置 that may be changed while the platform runs, and by whom."""

    type: Literal["switch", "number"] = "switch"
    default: int = 0
    least: int = 0
    most: int = 1
    """Bounds of a number."""
    per: Literal["platform", "district"] = "platform"
    units: tuple[str, ...] = ()
    """Units whose administrators change it; `{district}` stands for a district's own centre or oversight body."""
    roles: tuple[str, ...] = ("unit_admin", "admin")


class FormField(Conditional):
    """What the platform's own forms ask for beyond what an action needs, such as the facts in a reply.

    Other platforms and apps that send an action are not held to it, but for `everybody` and `coded`: what they send is
    never turned away for what is merely missing.
    """

    action: str
    field: str
    """A field of the action's input, `requester.kind` within another; `registration_form` is the form to be printed."""
    required: bool = True
    outcomes: tuple[str, ...] = ()
    """Only with one of these outcomes."""
    given: Mapping[str, tuple[str, ...]] = {}
    """Only where other fields of the same form have one of these values; a category by its key."""
    coded: bool = False
    """Only a value of the regulation's own list is taken where a case is accepted, whoever accepts it."""
    everybody: bool = False
    """Whoever takes the action is held to it: a reason for an exception, a law that must be named."""


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
    interpreter: str = ""
    parent: str = "cn"
    number_prefix: str = ""
    version: date | None = None
    """Since when this version of the data holds; None for the first one."""


class Regulation(Value):
    """Everything that one regulation says, ready to be asked."""

    info: RegulationInfo
    sources: tuple[Source, ...]
    tree: UnitTree
    channels: tuple[Channel, ...]
    hotlines: tuple[Hotline, ...] = ()
    kinds: tuple[Kind, ...]
    categories: tuple[Category, ...]
    redirects: tuple[Redirect, ...] = ()
    refusal_grounds: tuple[Ground, ...]
    actions: tuple[ActionRule, ...]
    roles: tuple[RoleRule, ...]
    flow: FlowRule
    claim: ClaimRule
    procedures: tuple[Procedure, ...] = ()
    time_limits: tuple[TimeLimitRule, ...]
    source_limits: tuple[SourceLimit, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    returns: ReturnRule | None = None
    transfer: TransferRule | None = None
    closure: ClosureRule | None = None
    refusal_request: RefusalRequestRule | None = None
    delegate: DelegateRule | None = None
    contact: ContactRule
    replies: tuple[ReplyRule, ...]
    extensions: tuple[ExtensionRule, ...] = ()
    complexity: ComplexRule | None = None
    ledger: LedgerRule | None = None
    callbacks: tuple[CallbackRule, ...]
    evaluation: EvaluationRule
    dissatisfied: DissatisfiedRule
    letter: LetterRule | None = None
    reviews: tuple[ReviewRule, ...] = ()
    exemption: ExemptionRule | None = None
    panel: PanelRule | None = None
    closing: ClosingRule
    publication: PublicationRule | None = None
    supervision_methods: tuple[SupervisionMethod, ...]
    supervision_grounds: tuple[Ground, ...]
    clue_grounds: tuple[Ground, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    instruction: InstructionRule | None = None
    recusal: RecusalRule
    merge: MergeRule
    consent: ConsentRule | None = None
    flags: tuple[Flag, ...] = ()
    duties: tuple[Duty, ...] = ()
    own_lists: tuple[OwnList, ...] = ()
    sign_in: SignInRule | None = None
    staff_change: StaffChangeRule | None = None
    concentrations: tuple[Concentration, ...] = ()
    task_kinds: tuple[TaskKind, ...] = ()
    lines: tuple[BusinessLine, ...] = ()
    upstreams: tuple[Upstream, ...] = ()
    assessment: AssessmentRule | None = None
    assessment_items: tuple[AssessmentItem, ...] = ()
    settings: tuple[SettingRule, ...] = ()
    form_fields: tuple[FormField, ...] = ()

    def reply_rule(self, facts: Mapping[str, str]) -> ReplyRule:
        """Who looks at a reply under these facts. Loading sees to it that one row always holds."""
        rule = most_specific(self.replies, facts)
        assert rule is not None
        return rule

    def callback_rule(self, facts: Mapping[str, str]) -> CallbackRule:
        """How a case with these facts is called back."""
        rule = most_specific(self.callbacks, facts)
        assert rule is not None
        return rule

    def extension_rule(self, facts: Mapping[str, str]) -> ExtensionRule | None:
        """The extension that a case with these facts may get; None when its procedure knows none."""
        return most_specific(self.extensions, facts)

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
        if article is None:
            return ""
        source_id = cite.partition("#")[0]
        title = next((one.title for one in self.sources if one.id == source_id), self.info.title)
        return f"{self.info.title if source_id == self.info.source else title}{article.label}"

    def rests_on_another_law(self, rule: Rule) -> bool:
        """Whether a rule's article is of another law or regulation than this one."""
        return rule.cite.partition("#")[0] not in ("", self.info.source)
