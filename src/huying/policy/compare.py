"""Two regulations side by side, topic by topic: what each says, on which article, and where they differ in effect.

Labels are each city's own and never make a difference; neither does whether an article says it or a default: what
counts is what the platform does.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from huying.policy.model import ActionRule, Regulation, Rule, TimeLimitRule, When
from huying.policy.words import LIMITS, TOPICS, Words

MANY = 6
"""More rules than that without conditions are told as one list of their labels."""


@dataclass(frozen=True)
class Statement:
    """What one rule of a regulation says: its label, what it comes to, the article's own label and where that stands on
    the page of the regulation."""

    label: str
    said: tuple[str, ...] = ()
    article: str = ""
    anchor: str = ""
    is_default: bool = False
    substance: str = ""
    """What two statements are compared by."""


@dataclass(frozen=True)
class Point:
    """One line of the comparison: what both say on it."""

    label: str
    one: tuple[Statement, ...]
    other: tuple[Statement, ...]

    @property
    def differs(self) -> bool:
        """Whether the platform does something else: neither words nor standing alone make a difference."""
        if bool(self.one) != bool(self.other):
            return True
        is_same = sorted(one.substance for one in self.one) == sorted(one.substance for one in self.other)
        return not is_same and _shown(self.one) != _shown(self.other)


@dataclass(frozen=True)
class Topic:
    """A group of points."""

    key: str
    label: str
    points: tuple[Point, ...]

    @property
    def differing(self) -> int:
        return sum(point.differs for point in self.points)


Parties = Mapping[str, Sequence[str]]


def compare(one: Regulation, other: Regulation, parties: Parties | None = None) -> tuple[Topic, ...]:
    """Everything that `one` and `other` say, topic by topic; points on which both are silent are left out.

    `parties` are the roles of the catalogue that may take an action where a regulation does not narrow them.
    """
    sides = _Side(one, parties or {}), _Side(other, parties or {})
    topics = []
    for key, label, makers in TOPICS_OF_COMPARISON:
        points = [point for make in makers for point in make(*sides) if point.one or point.other]
        if points:
            topics.append(Topic(key, label, tuple(points)))
    return tuple(topics)


class _Side:
    """One of the two regulations, able to word its rules."""

    def __init__(self, policy: Regulation, parties: Parties) -> None:
        self.policy, self.parties, self.words = policy, parties, Words(policy)

    def rules(self, field: str) -> tuple[Any, ...]:
        value = getattr(self.policy, field)
        return value if isinstance(value, tuple) else () if value is None else (value,)

    def state(self, rule: Rule) -> Statement:
        article = self.policy.article(rule.cite)
        source, _hash, part = rule.cite.partition("#")
        said = [*self.who(rule), *self.words.of(rule)] if isinstance(rule, ActionRule) else self.words.of(rule)
        return Statement(
            label=rule.label,
            said=tuple(said),
            article=article.label if article else "",
            anchor=f"a-{part}" if source == self.policy.info.source and part else "",
            is_default=rule.origin == "default",
            substance=f"{type(rule).__name__} {self._substance(rule)}",
        )

    def who(self, rule: ActionRule) -> list[str]:
        roles = [role for role in rule.roles or self.parties.get(rule.key, ()) if self.words.has_role(role)]
        return ["、".join(self.words.role(role) for role in roles)] if roles else []

    def _substance(self, rule: Rule) -> str:
        kept = rule.model_dump(
            exclude={
                "key",
                "label",
                "cite",
                "origin",
                "decision",
                "in_force_from",
                "in_force_until",
                "words",
                "template",
            }
        )
        return repr(kept)


Make = Callable[[_Side, _Side], Iterator[Point]]


def _whole(*fields: str) -> Make:
    """One point for each field: all its rules together."""

    def make(one: _Side, other: _Side) -> Iterator[Point]:
        for field in fields:
            yield Point(TOPICS[field], _all(one, field), _all(other, field))

    return make


def _all(side: _Side, field: str) -> tuple[Statement, ...]:
    rules = side.rules(field)
    if len(rules) > MANY:
        return (Statement(f"共{len(rules)}项", ("、".join(rule.label for rule in rules),), substance=repr(len(rules))),)
    return tuple(side.state(rule) for rule in rules)


def _keyed(field: str) -> Make:
    """One point for each key that either has."""

    def make(one: _Side, other: _Side) -> Iterator[Point]:
        mine = {rule.key: rule for rule in one.rules(field)}
        theirs = {rule.key: rule for rule in other.rules(field)}
        for key in dict.fromkeys([*mine, *theirs]):
            label = (mine.get(key) or theirs[key]).label
            yield Point(label, _one(one, mine.get(key)), _one(other, theirs.get(key)))

    return make


def _one(side: _Side, rule: Rule | None) -> tuple[Statement, ...]:
    return (side.state(rule),) if rule is not None else ()


def _listed(field: str) -> Make:
    """One point for a field whose rules are a mere list: those only one has come first, those of both are counted."""

    def make(one: _Side, other: _Side) -> Iterator[Point]:
        mine = {rule.key: rule for rule in one.rules(field)}
        theirs = {rule.key: rule for rule in other.rules(field)}
        both = [key for key in mine if key in theirs]
        title = TOPICS[field]
        if both:
            yield Point(f"{title}：两地都有", _list(one, mine, both), _list(other, theirs, both))
        for side, label in ((one, "仅前者"), (other, "仅后者")):
            keys = [key for key in (mine if side is one else theirs) if key not in both]
            if keys:
                listed = _list(side, mine if side is one else theirs, keys)
                yield Point(f"{title}：{label}", *((listed, ()) if side is one else ((), listed)))

    return make


def _list(side: _Side, rules: Mapping[str, Rule], keys: list[str]) -> tuple[Statement, ...]:
    labels = "；".join(rules[key].label for key in keys)
    return (Statement(f"{len(keys)}项", (labels,), substance="、".join(sorted(keys))),)


def _actions(*keys: str) -> Make:
    """One point for each action: who may take it, where the regulation knows it."""

    def make(one: _Side, other: _Side) -> Iterator[Point]:
        for key in keys:
            mine, theirs = one.policy.action_rules.get(key), other.policy.action_rules.get(key)
            rule = mine or theirs
            if rule is not None:
                yield Point(rule.label, _one(one, mine), _one(other, theirs))

    return make


def _limits(*names: str) -> Make:
    """One point for each limit; a co-unit's apart."""

    def make(one: _Side, other: _Side) -> Iterator[Point]:
        for name in names:
            yield Point(f"{LIMITS[name]}期限", _of_limit(one, name), _of_limit(other, name))

    return make


def _of_limit(side: _Side, name: str) -> tuple[Statement, ...]:
    return tuple(side.state(rule) for rule in side.policy.time_limits if rule.limit == name)


def _handling(one: _Side, other: _Side) -> Iterator[Point]:
    """The handling limit kind by kind, each with what depends on channel, level and complexity; then later rounds."""
    labels = {kind.key: kind.label for side in (other, one) for kind in side.policy.kinds}
    for key in dict.fromkeys(kind.key for side in (one, other) for kind in side.policy.kinds):
        mine = [_for_kind(side, key) if key in side.policy.kind_rules else () for side in (one, other)]
        yield Point(f"办理期限：{labels[key]}", *mine)
    yield Point("办理期限：退回、重办", *(_later(side) for side in (one, other)))


def _for_kind(side: _Side, kind: str) -> tuple[Statement, ...]:
    rules = [rule for rule in _first_round(side) if rule.when.kind == () or kind in rule.when.kind]
    exact = [_without_kind(rule) for rule in rules if rule.when.kind]
    kept = [rule for rule in rules if rule.when.kind or _without_kind(rule) not in exact]
    return tuple(side.state(rule.model_copy(update={"when": When(**_without_kind(rule))})) for rule in kept)


def _first_round(side: _Side) -> list[TimeLimitRule]:
    return [
        rule
        for rule in side.policy.time_limits
        if rule.limit == "handle"
        and rule.role in ("lead", "any")
        and (not rule.when.cause or "first" in rule.when.cause)
    ]


def _without_kind(rule: TimeLimitRule) -> dict[str, Any]:
    return {name: values for name, values in rule.when.conditions.items() if name != "kind"}


def _later(side: _Side) -> tuple[Statement, ...]:
    return tuple(
        side.state(rule)
        for rule in side.policy.time_limits
        if rule.limit == "handle" and rule.when.cause and "first" not in rule.when.cause
    )


def _lists(one: _Side, other: _Side) -> Iterator[Point]:
    """How many matters the duty lists hold."""
    for field in ("duties", "own_lists"):
        yield Point(TOPICS[field], *(_counted(side, field) for side in (one, other)))


def _counted(side: _Side, field: str) -> tuple[Statement, ...]:
    rules = side.rules(field)
    if not rules:
        return ()
    return (Statement(f"{len(rules)}项", substance=str(len(rules)), is_default=all(_is_default(one) for one in rules)),)


def _is_default(rule: Rule) -> bool:
    return rule.origin == "default"


def _shown(statements: Sequence[Statement]) -> list[tuple[str, ...]]:
    return sorted(one.said for one in statements)


TOPICS_OF_COMPARISON: Sequence[tuple[str, str, Sequence[Make]]] = (
    ("channels", "受理渠道", (_keyed("channels"), _whole("hotlines", "source_limits"))),
    ("kinds", "诉求类型与范围", (_keyed("kinds"), _keyed("categories"), _whole("redirects"))),
    ("flow", "流转", (
        _whole("flow", "claim", "delegate"), _keyed("procedures"),
        _actions("case.answer", "case.connect", "case.dispatch", "case.reassign", "case.delegate", "meeting.hold"),
    )),
    ("refusal", "不予受理", (
        _actions("case.refuse", "case.redirect", "case.request_refusal"), _whole("refusal_request"),
        _listed("refusal_grounds"),
    )),
    ("limits", "办理期限", (
        _handling, _limits("immediate", "claim", "contact", "co_feedback", "decide", "long_unresolved", "supervision"),
    )),
    ("transfer", "退单、转请、申请办结", (
        _actions("case.return", "case.transfer_up", "case.request_closure"),
        _whole("returns", "transfer", "closure"), _limits("return", "transfer_up"),
    )),
    ("extension", "延期、复杂件、挂账", (
        _whole("extensions"), _limits("extension_request"), _whole("complexity", "ledger"),
    )),
    ("reply", "联系、答复与审核", (_whole("contact", "replies"), _limits("check"))),
    ("evaluation", "评价与回访", (_actions("case.evaluate", "case.call_back"), _whole("evaluation", "callbacks"))),
    ("bad", "评为不满意以后", (
        _whole("dissatisfied", "letter", "panel", "exemption", "reviews"), _limits("letter", "rework", "review"),
    )),
    ("closing", "办结与公开", (_whole("closing", "publication"), _actions("case.archive", "case.publish"))),
    ("supervision", "督办与线索", (
        _keyed("supervision_methods"), _listed("supervision_grounds"), _listed("clue_grounds"), _keyed("triggers"),
        _keyed("escalations"), _whole("instruction"),
    )),
    ("people", "角色、回避与职责", (
        _keyed("roles"), _whole("recusal", "consent", "merge", "flags", "sign_in", "staff_change"),
    )),
    ("lists", "事项清单", (_lists,)),
)  # fmt: skip
