"""What the platform does about each article of its regulation, worded once in a process for each regulation."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from huying.cases.commands import ACTIONS
from huying.policy.model import ActionRule, Article, Regulation, Rule, Source
from huying.policy.words import TOPICS, Words

ORDER: Sequence[str] = (
    "channels", "hotlines", "kinds", "categories", "redirects", "refusal_grounds", "actions", "flow", "claim",
    "procedures", "delegate", "time_limits", "source_limits", "returns", "transfer", "closure", "refusal_request",
    "flags", "recusal", "consent", "merge", "contact", "replies", "extensions", "complexity", "ledger", "evaluation",
    "callbacks", "dissatisfied", "letter", "reviews", "exemption", "panel", "closing", "publication", "escalations",
    "triggers", "supervision_methods", "supervision_grounds", "clue_grounds", "instruction", "roles", "sign_in",
    "staff_change", "duties", "own_lists",
)  # fmt: skip
"""The topics as they come up in the life of a case."""
LONG = 12
"""A topic with more rules than that is folded."""


@dataclass(frozen=True)
class Entry:
    """One rule in words: what, for whom, how long; `decision` where it is a default."""

    label: str
    said: tuple[str, ...]
    decision: str = ""

    @property
    def is_default(self) -> bool:
        return bool(self.decision)

    @property
    def text(self) -> str:
        return " ".join((self.label, *self.said))


@dataclass(frozen=True)
class Group:
    """The rules of one topic."""

    heading: str
    entries: tuple[Entry, ...]

    @property
    def is_plain(self) -> bool:
        """Whether the labels say it all, so that they may stand in one line."""
        return not any(entry.said for entry in self.entries)

    @property
    def is_long(self) -> bool:
        return len(self.entries) > LONG


@dataclass(frozen=True)
class Block:
    """A piece of an article's text with the rules that rest on it; `part` is the numbered part that it is."""

    text: str
    groups: tuple[Group, ...] = ()
    part: Article | None = None

    @property
    def count(self) -> int:
        return sum(len(group.entries) for group in self.groups)


@dataclass(frozen=True)
class Section:
    """An article, piece by piece, with what the platform does about each."""

    article: Article
    blocks: tuple[Block, ...]

    @property
    def count(self) -> int:
        return sum(block.count for block in self.blocks)


@dataclass(frozen=True)
class Book:
    """The whole regulation: every article in order, then what no article says."""

    source: Source | None
    sections: tuple[Section, ...]
    rest: Block

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        blocks = [*(block for section in self.sections for block in section.blocks), self.rest]
        return tuple(entry for block in blocks for group in block.groups for entry in group.entries)

    @cached_property
    def rules(self) -> int:
        return len(self.entries)

    @cached_property
    def defaults(self) -> int:
        return sum(entry.is_default for entry in self.entries)

    def search(self, text: str) -> "Book":
        """Only what holds `text`: a piece that does with all its rules, else its rules that do."""
        text = text.casefold()
        found = [one for section in self.sections if (one := _matching(section, text)) is not None]
        return Book(self.source, tuple(found), Block("", _holding(self.rest.groups, text)))


_books: dict[str, tuple[Regulation, Book]] = {}


def book_of(policy: Regulation) -> Book:
    """The book of `policy`; made anew only when another version of the regulation is in force."""
    kept = _books.get(policy.info.id)
    if kept is None or kept[0] is not policy:
        kept = _books[policy.info.id] = (policy, make_book(policy))
    return kept[1]


def make_book(policy: Regulation) -> Book:
    """Every article of the regulation's own text, each rule beside the very part that it cites."""
    words = Words(policy)
    source = next((one for one in policy.sources if one.id == policy.info.source), None)
    articles = {one.id: one for one in (source.articles if source else ())}
    cited: dict[str, dict[str, list[Entry]]] = defaultdict(lambda: defaultdict(list))
    for name, rule in policy.rules.items():
        where, _hash, article_id = rule.cite.partition("#")
        own = article_id if source is not None and where == source.id and article_id in articles else ""
        cited[own][name.partition(".")[0]].append(_entry(words, rule))
    groups = {article_id: _groups(by_topic) for article_id, by_topic in cited.items()}
    parts: dict[str, list[Article]] = defaultdict(list)
    for one in articles.values():
        parts[_within(one.id, articles)].append(one)
    sections = tuple(Section(one, tuple(_blocks(one, parts, groups))) for one in parts[""])
    return Book(source, sections, Block("", groups.get("", ())))


def _within(article_id: str, articles: Collection[str]) -> str:
    """The nearest article whose text holds this part (12 of 12.5); empty for what stands alone."""
    above = article_id.rpartition(".")[0]
    while above and above not in articles:
        above = above.rpartition(".")[0]
    return above


def _blocks(
    article: Article, parts: Mapping[str, Sequence[Article]], groups: Mapping[str, tuple[Group, ...]]
) -> Iterator[Block]:
    """The pieces of an article: its own words before, between and after its parts, and the parts' own pieces."""
    at, own = 0, groups.get(article.id, ())
    named = article if "." in article.id else None
    lost: tuple[Group, ...] = ()
    found = []
    for part in parts.get(article.id, ()):
        place = article.text.find(part.text, at)
        if place < 0:  # the part is not told in the very words: its rules stand with the whole
            lost += groups.get(part.id, ())
            continue
        found.append((at, place, part))
        at = place + len(part.text)
    own += lost
    first = True
    for before, place, part in found:
        lead = article.text[before:place].strip()
        if lead or (first and own):
            yield Block(lead, own if first else (), named if first else None)
            first = False
        yield from _blocks(part, parts, groups)
    tail = article.text[at:].strip()
    if tail or first:
        yield Block(tail, own if first else (), named if first else None)


def _entry(words: Words, rule: Rule) -> Entry:
    said = words.of(rule)
    if isinstance(rule, ActionRule):
        known = ACTIONS.get(rule.key)
        roles = rule.roles or (known.parties if known else ())
        said = ["、".join(words.role(role) for role in roles if words.has_role(role)), *said]
    decision = rule.decision if rule.origin == "default" else ""
    return Entry(rule.label, tuple(one for one in said if one and one != rule.label), decision)


def _groups(by_topic: Mapping[str, list[Entry]]) -> tuple[Group, ...]:
    topics = sorted(by_topic, key=lambda topic: ORDER.index(topic) if topic in ORDER else len(ORDER))
    return tuple(Group(TOPICS.get(topic, topic), tuple(by_topic[topic])) for topic in topics)


def _matching(section: Section, text: str) -> Section | None:
    article = section.article
    if text in f"{article.label} {article.heading}".casefold():
        return section
    told = [
        block if text in block.text.casefold() else replace(block, text="", groups=_holding(block.groups, text))
        for block in section.blocks
    ]
    blocks = tuple(block for block in told if block.text or block.groups)
    return Section(article, blocks) if blocks else None


def _holding(groups: Iterable[Group], text: str) -> tuple[Group, ...]:
    kept = [
        replace(group, entries=tuple(entry for entry in group.entries if text in entry.text.casefold()))
        for group in groups
    ]
    return tuple(group for group in kept if group.entries)
