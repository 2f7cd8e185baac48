"""热点: words that titles share, topics that suddenly come more often or have a season, matters that come again."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from huying.base.text import WORD

PARTICLES = frozenset("的了是在不有无没和与及就都也很到对被把给请问我你他她们这那个一吗呢吧啊")
"""A pair of characters with one of these is no topic."""


@dataclass(frozen=True)
class Surge:
    """What is asked for: the last `days` against the mean of the `before` days that came before them."""

    days: int = 3
    before: int = 28
    factor: float = 3.0
    """As many times the mean of a day."""
    least: int = 10
    """At least that many in the last days."""

    @property
    def all_days(self) -> int:
        return self.days + self.before

    def holds(self, recent: int, earlier: int) -> bool:
        """Whether `recent` cases after `earlier` ones are a surge; the last case that is needed counts."""
        return recent >= self.least and recent * self.before >= self.factor * earlier * self.days


@dataclass(frozen=True)
class Topic:
    """A surge: `word` is a category's key or two characters of titles."""

    word: str
    is_category: bool
    area: int | None
    recent: int
    earlier: int
    surge: Surge
    also: tuple[str, ...] = ()
    """Other words of the same titles."""

    @property
    def daily(self) -> float:
        """Cases a day now."""
        return round(self.recent / self.surge.days, 1)

    @property
    def daily_before(self) -> float:
        """Cases a day before."""
        return round(self.earlier / self.surge.before, 1)


@dataclass(frozen=True)
class Season:
    """When a month of last year stands out: against the mean month of the twelve that begin with it."""

    factor: float = 2.0
    """As many times the mean month, or more."""
    least: int = 10
    """At least that many in the month."""


@dataclass(frozen=True)
class Peak:
    """A topic that came so often in the same month of last year that it may come again."""

    topic: str
    count: int
    year: int
    """Cases in the twelve months that begin with that month."""
    season: Season

    @property
    def mean(self) -> float:
        """Cases in the mean month."""
        return round(self.year / 12, 1)


def seasonal_peaks(counted: Mapping[str, tuple[int, int]], season: Season) -> list[Peak]:
    """Peaks among `counted`: of each topic the cases of the month, and those of all twelve months; most first."""
    found = [
        Peak(topic, count, year, season)
        for topic, (count, year) in counted.items()
        if topic and count >= season.least and count * 12 >= season.factor * year
    ]
    return sorted(found, key=lambda one: (-one.count, one.topic))


def grams(title: str) -> set[str]:
    """The pairs of neighbouring Chinese characters in a title, without those that say nothing."""
    found: set[str] = set()
    for run in WORD.findall(unicodedata.normalize("NFKC", title)):
        if not run[0].isascii():
            pairs = (run[start : start + 2] for start in range(len(run) - 1))
            found.update(pair for pair in pairs if PARTICLES.isdisjoint(pair))
    return found


def surging_categories(counted: Mapping[tuple[str, int | None], tuple[int, int]], surge: Surge) -> list[Topic]:
    """Surges among `counted`: recent and earlier cases of each category in each area."""
    return _ordered(
        Topic(word, True, area, recent, earlier, surge)
        for (word, area), (recent, earlier) in counted.items()
        if word and surge.holds(recent, earlier)
    )


def surging_words(
    recent: Iterable[tuple[int, str, int | None]], earlier: Iterable[tuple[str, int | None]], surge: Surge
) -> list[Topic]:
    """Surges among the words of titles: `recent` are id, title and area of the last cases, `earlier` of those before.

    The words of a phrase come in the same cases: of words that share most of their cases the most frequent is told.
    """
    cases: dict[tuple[str, int | None], set[int]] = defaultdict(set)
    for pk, title, area in recent:
        for gram in grams(title):
            cases[gram, area].add(pk)
    cases = {key: found for key, found in cases.items() if len(found) >= surge.least}
    wanted: dict[int | None, set[str]] = defaultdict(set)
    for gram, area in cases:
        wanted[area].add(gram)
    before: dict[tuple[str, int | None], int] = defaultdict(int)
    for title, area in earlier:
        if area in wanted:
            for gram in grams(title) & wanted[area]:
                before[gram, area] += 1
    found = [
        Topic(gram, False, area, len(ids), before[gram, area], surge)
        for (gram, area), ids in cases.items()
        if surge.holds(len(ids), before[gram, area])
    ]
    return _ordered(_without_echoes(found, cases))


def _without_echoes(
    topics: Sequence[Topic], cases: Mapping[tuple[str, int | None], Set[int]], *, most: int = 4
) -> Iterator[Topic]:
    kept: dict[int | None, list[tuple[Topic, Set[int], list[str]]]] = defaultdict(list)
    for topic in sorted(topics, key=lambda one: (-one.recent, one.earlier, one.word)):
        ids = cases[topic.word, topic.area]
        same = next((one for one in kept[topic.area] if len(ids & one[1]) * 5 >= len(ids) * 4), None)
        if same is None:
            kept[topic.area].append((topic, ids, []))
        elif len(same[2]) < most:
            same[2].append(topic.word)
    for area in kept.values():
        for topic, _, also in area:
            yield replace(topic, also=tuple(also))


def _ordered(topics: Iterable[Topic]) -> list[Topic]:
    return sorted(topics, key=lambda one: (-one.recent, one.earlier, one.word, one.area or 0))
