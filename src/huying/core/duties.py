"""权责清单: whose duty a matter is in its place, and whether the list is fit to be worked by.

The list only ever proposes; a dispatcher decides. A row without places holds wherever no other row of its matter does;
`{district}`, `{town}` and `{village}` in it stand for those of the place. Nothing goes to a town or a village whose own
list (乡镇权责清单、村级自治事项清单) does not hold the matter.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from huying.policy.load import Problem
from huying.policy.model import Duty, OwnList, Regulation
from huying.policy.words import LEVELS

Level = Literal["district", "town", "village"]
LEVEL_OF: Mapping[str, Level] = {
    "district": "district", "town": "town", "street": "town", "farm": "town", "zone": "town", "village": "village",
    "community": "village",
}  # fmt: skip
"""Which level of the territory a kind of unit stands for."""
LOWEST_FIRST: tuple[Level, ...] = ("village", "town", "district")
HOLDER = re.compile(r"\{(district|town|village)\}")
MOST = 5
"""So many proposals are worth a dispatcher's look."""
NAMED = 3
"""So many places are named in a problem; the others are counted."""
By = Literal["matter", "category", "words"]


class AnyUnit(Protocol):
    """A unit, of the data or of a platform."""

    @property
    def path(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def handles(self) -> bool: ...


Find = Callable[[str], AnyUnit | None]
"""The unit at a path or with that alias; None when there is none."""


@dataclass(frozen=True)
class Proposal:
    """One row of the list that fits a case: who would lead and help, and by what it was found."""

    rule: Duty
    lead: str
    """Empty while the level of the place that decides it (`missing`) is not known."""
    co: tuple[str, ...]
    by: By
    words: tuple[str, ...]
    """Words of the row that stand in the text."""
    missing: Literal["", "district", "town", "village", "place"] = ""
    """What should be found out first: a level of the place, or the place at all where rows differ by place."""


def propose(
    policy: Regulation, find: Find, *, category: str = "", text: str = "", place: str = ""
) -> tuple[Proposal, ...]:
    """The rows of the duty list for a matter of that category, with these words, in that place; the best first.

    A row is found by its matter, by its category together with words, or by words alone. Of rows whose lead does not
    exist, does not handle, or does not hold the matter on its own list, nothing is proposed.
    """
    unit = find(place) if place else None
    path = unit.path if unit else ""
    levels = _levels_of(path, find)
    fields = _fields_of(category, policy)
    found: list[Proposal] = []
    for matter, rows in _by_matter(policy.duties).items():
        known = dict.fromkeys([matter, *(word for row in rows for word in row.words)])
        words = tuple(word for word in known if word and word in text)
        by = _found_by(matter, category, fields, words)
        if by is None:
            continue
        for row in _holding(rows, path, find):
            proposal = _proposal(row, policy, find, levels, by, words)
            if proposal is not None:
                is_open = not path and any(one.places for one in rows) and not proposal.missing
                found.append(_depends(proposal) if is_open else proposal)
    order: tuple[By, ...] = ("matter", "category", "words")
    found.sort(key=lambda one: (order.index(one.by), -len(one.words), -sum(map(len, one.words))))
    return tuple(found[:MOST])


def why(proposal: Proposal, policy: Regulation) -> tuple[str, ...]:
    """Why a proposal is made, in the words of a public servant: what was found, by which row, on what basis."""
    rule = proposal.rule
    heard = f"文中有{'、'.join(f'“{word}”' for word in proposal.words)}" if proposal.words else ""
    matter = {"matter": f"事项分类是“{rule.matter}”", "category": f"属于所选分类中的“{rule.matter}”"}.get(
        proposal.by, ""
    )
    found = "，".join(one for one in (matter, heard) if one)
    article = policy.article(rule.cite)
    origin = f"默认规则，{rule.decision}" if rule.origin == "default" else article.label if article else ""
    said = [found, f"权责清单“{rule.label}”（{origin}）", f"依据：{rule.basis}" if rule.basis else ""]
    if proposal.missing == "place":
        said.append("有的地方由其他单位办理，请先核实事发地")
    elif proposal.missing:
        said.append(f"由所在{LEVELS[proposal.missing]}的单位办理，请先核实事发地")
    return tuple(one for one in said if one)


def holds_own(policy: Regulation, kind: str, matter: str) -> bool:
    """Whether units of that kind may be given the matter: their own list holds it, or they have none."""
    lists = own_lists(policy, kind)
    return not lists or any(matter in one.matters for one in lists)


def own_lists(policy: Regulation, kind: str) -> list[OwnList]:
    """The lists of what units of that kind may be given: those of the kind, else those of its level."""
    exact = [one for one in policy.own_lists if one.level == kind]
    return exact or [one for one in policy.own_lists if one.level == LEVEL_OF.get(kind)]


# --- Finding rows -------------------------------------------------------------------------------------------------


def _by_matter(duties: Iterable[Duty]) -> dict[str, list[Duty]]:
    rows: dict[str, list[Duty]] = defaultdict(list)
    for duty in duties:
        rows[duty.matter].append(duty)
    return rows


def _fields_of(category: str, policy: Regulation) -> frozenset[str]:
    """The matters of the category that was chosen as a whole."""
    return frozenset(
        matter
        for one in policy.categories
        if category and category in (one.key, one.label)
        for matter in (one.key, one.label, *one.children)
    )


def _found_by(matter: str, category: str, fields: frozenset[str], words: Sequence[str]) -> By | None:
    if category and matter == category:
        return "matter"
    if not words:
        return None
    return "category" if matter in fields else "words"


def _holding(rows: Sequence[Duty], path: str, find: Find) -> list[Duty]:
    """The rows of one matter that hold at `path`: those that name it or a place above it, else those that name none."""
    named = [row for row in rows if row.places and any(_lies_in(path, place, find) for place in row.places)]
    return named or [row for row in rows if not row.places]


def _lies_in(path: str, place: str, find: Find) -> bool:
    unit = find(place)
    top = unit.path if unit else place
    return path == top or path.startswith(f"{top}/")


def _levels_of(path: str, find: Find) -> dict[Level, str]:
    """District, town and village of a place: the units on the way down to it."""
    levels: dict[Level, str] = {}
    parts = path.split("/") if path else []
    for end in range(1, len(parts) + 1):
        unit = find("/".join(parts[:end]))
        level = LEVEL_OF.get(unit.kind) if unit else None
        if unit is not None and level is not None:
            levels[level] = unit.path
    return levels


def _expand(pattern: str, levels: Mapping[Level, str]) -> tuple[str, Level | None]:
    """(the path that the pattern means there, None) or ("", the level that is not known)."""
    for level in HOLDER.findall(pattern):
        if level not in levels:
            return "", level
    return HOLDER.sub(lambda match: levels[match[1]], pattern), None  # type: ignore[index]


def _proposal(
    row: Duty, policy: Regulation, find: Find, levels: Mapping[Level, str], by: By, words: tuple[str, ...]
) -> Proposal | None:
    path, missing = _expand(row.lead, levels)
    if missing is not None:
        return Proposal(row, "", (), by, words, missing)
    lead = _fit(path, row.matter, policy, find)
    if lead is None:
        return None
    others = [_fit(_expand(one, levels)[0], row.matter, policy, find) for one in row.co]
    co = dict.fromkeys(one.path for one in others if one is not None and one.path != lead.path)
    return Proposal(row, lead.path, tuple(co), by, words)


def _depends(one: Proposal) -> Proposal:
    return Proposal(one.rule, one.lead, one.co, one.by, one.words, "place")


def _fit(path: str, matter: str, policy: Regulation, find: Find) -> AnyUnit | None:
    """The unit at `path`, if the matter may be given to it."""
    unit = find(path) if path else None
    if unit is None or not unit.handles or not holds_own(policy, _place_kind(unit.path, find), matter):
        return None
    return unit


def _place_kind(path: str, find: Find) -> str:
    """The kind of the lowest territorial unit that a unit is or belongs to: what belongs to a town is the town's."""
    levels = _levels_of(path, find)
    lowest = levels.get("village") or levels.get("town") or levels.get("district")
    unit = find(lowest) if lowest else None
    return unit.kind if unit else ""


# --- Checking the list --------------------------------------------------------------------------------------------

Holding = Callable[[str], list[Duty]]
"""The rows of one matter that hold at a path."""


def duty_problems(policy: Regulation) -> Iterator[Problem]:
    """What is wrong with the duty list and the own lists, for the whole tree. `file` is the table of the rule.

    Each matter has exactly one lead in each district and town; every lead and helper exists and handles, everywhere
    where the row holds; none is a town or village whose own list does not hold the matter.
    """
    if policy.duties or policy.own_lists:
        yield from _Checked(policy).problems()


class _Checked:
    """A regulation's lists and its tree, indexed once: a province's tree has more than ten thousand units."""

    def __init__(self, policy: Regulation) -> None:
        self.policy = policy
        self.units: dict[str, AnyUnit] = {}
        self.at: dict[Level, list[AnyUnit]] = {"district": [], "town": [], "village": []}
        self.levels: dict[str, dict[Level, str]] = {}
        self.chain: dict[str, tuple[str, ...]] = {"": ()}
        """A unit and all above it."""
        for unit in sorted(policy.tree.units, key=lambda one: one.path.count("/")):
            self.units |= dict.fromkeys((unit.path, *unit.aliases), unit)
            parent = unit.path.rpartition("/")[0]
            self.chain[unit.path] = (*self.chain.get(parent, ()), unit.path)
            above = self.levels.get(parent, {})
            level = LEVEL_OF.get(unit.kind)
            self.levels[unit.path] = {**above, level: unit.path} if level else above
            if level:
                self.at[level].append(unit)
        self.places = [*self.at["district"], *self.at["town"]]
        self.outside = [one for one in self.at["town"] if "district" not in self.levels[one.path]]
        self.everywhere: dict[str, list[str]] = {}
        """What a pattern means where the row holds in every place: asked for by many rows."""

    def problems(self) -> Iterator[Problem]:
        yield from self._unknown_matters()
        for matter, rows in _by_matter(self.policy.duties).items():
            yield from self._places_of(rows)
            holding = self._holding(rows)
            yield from self._leads_of(matter, rows, holding)
            for row in rows:
                for pattern, role in ((row.lead, "主办"), *((one, "协办") for one in row.co)):
                    yield from self._units_of(row, holding, pattern, role)

    def _holding(self, rows: Sequence[Duty]) -> Holding | None:
        """As `_holding` outside, for ten thousand places; None where the same rows hold everywhere."""
        if not any(row.places for row in rows):
            return None
        named: dict[str, list[Duty]] = defaultdict(list)
        for row in rows:
            for place in row.places:
                unit = self.units.get(place)
                named[unit.path if unit else place].append(row)
        general = [row for row in rows if not row.places]

        def holding(path: str) -> list[Duty]:
            found = {id(row): row for top in self.chain[path] for row in named.get(top, ())}
            return list(found.values()) or general

        return holding

    def _holds(self, row: Duty, holding: Holding | None, place: AnyUnit) -> bool:
        return holding is None or any(one is row for one in holding(place.path))

    def _unknown_matters(self) -> Iterator[Problem]:
        known = {name for one in self.policy.categories for name in (one.key, one.label, *one.children)}
        mend = "改成分类表里有的事项，或在 [[category]] 的 children 里加上"
        for row in self.policy.duties:
            if row.matter not in known:
                yield Problem("duty", row.key, f"事项“{row.matter}”不在事项分类里", mend)
        for own in self.policy.own_lists:
            for matter in own.matters:
                if matter not in known:
                    yield Problem("own_list", own.key, f"事项“{matter}”不在事项分类里", mend)

    def _places_of(self, rows: Sequence[Duty]) -> Iterator[Problem]:
        for row in rows:
            for place in row.places:
                if place not in self.units:
                    yield Problem("duty", row.key, f"地方“{place}”不在单位表里", "改成单位表里的路径")

    def _leads_of(self, matter: str, rows: Sequence[Duty], holding: Holding | None) -> Iterator[Problem]:
        """That one row holds in each place."""
        none: list[str] = []
        several: dict[tuple[str, str], list[str]] = defaultdict(list)
        if holding is None and len(rows) > 1:
            several[rows[0].key, rows[1].key] = ["各地"]
        for place in self.places:
            found = holding(place.path) if holding is not None else rows[:1]
            if not found:
                none.append(place.path)
            elif len(found) > 1:
                several[found[0].key, found[1].key].append(place.path)
        for (first, second), where in several.items():
            reason = f"“{matter}”在{_listed(where)}同时适用“{first}”和这一行，主办单位不止一个"
            yield Problem("duty", second, reason, "每个事项在一个地方只留一行")
        if none:
            mend = "把这些地方写进 places，或加一行不写 places 的，其他地方都适用"
            yield Problem("duty", rows[0].key, f"“{matter}”在{_listed(none)}没有主办单位", mend)

    def _units_of(self, row: Duty, holding: Holding | None, pattern: str, role: str) -> Iterator[Problem]:
        """That the pattern means a unit that handles, and may be given the matter, wherever the row holds."""
        named = [level for level in LOWEST_FIRST if f"{{{level}}}" in pattern]
        paths = self._means(row, holding, pattern, named[0]) if named else [pattern]
        unknown = [path for path in paths if path not in self.units]
        what = f"{role}单位“{pattern}”"
        if not paths:
            yield Problem("duty", row.key, f"{what}：单位表里没有这一级", "写明单位的路径")
        if unknown:
            shown = "在单位表里找不到" if not named else f"在单位表里找不到{_listed(unknown)}"
            yield Problem("duty", row.key, f"{what}{shown}", "补上单位，或把这些地方写成另一行（places）")
        idle = [path for path in paths if path in self.units and not self.units[path].handles]
        if idle:
            shown = "不承办" if not named else f"中{_listed(idle)}不承办"
            yield Problem("duty", row.key, f"{what}{shown}", "改由承办单位办理，或在单位表里写 handles = true")
        beyond = self._beyond(row, holding, pattern)
        if beyond:
            yield Problem("duty", row.key, f"{what}：{_listed(beyond)}不属于任何区县", "把这些地方写成另一行（places）")
        yield from self._own(row, [path for path in paths if path in self.units], role)

    def _means(self, row: Duty, holding: Holding | None, pattern: str, lowest: Level) -> list[str]:
        """Every path that the pattern means, over all places in which the row holds."""
        if holding is not None:
            return self._expanded(pattern, [one for one in self.at[lowest] if self._holds(row, holding, one)])
        if pattern not in self.everywhere:
            self.everywhere[pattern] = self._expanded(pattern, self.at[lowest])
        return self.everywhere[pattern]

    def _expanded(self, pattern: str, places: Iterable[AnyUnit]) -> list[str]:
        found = (_expand(pattern, self.levels[place.path]) for place in places)
        return [path for path, missing in found if missing is None]

    def _beyond(self, row: Duty, holding: Holding | None, pattern: str) -> list[str]:
        """Towns without a district of their own, where the row asks for one."""
        if "{district}" not in pattern:
            return []
        return [place.path for place in self.outside if self._holds(row, holding, place)]

    def _own(self, row: Duty, paths: Sequence[str], role: str) -> Iterator[Problem]:
        kinds = dict.fromkeys(self._kind_of_place(self.units[path].path) for path in paths)
        for kind in kinds:
            if not holds_own(self.policy, kind, row.matter):
                lists = "、".join(f"“{one.label}”" for one in own_lists(self.policy, kind))
                yield Problem(
                    "duty", row.key, f"{lists}里没有“{row.matter}”，不能交{LEVELS.get(kind, kind)}{role}",
                    "改由上一级单位办理，或把事项写进清单（own_list 的 matters）",
                )  # fmt: skip

    def _kind_of_place(self, path: str) -> str:
        levels = self.levels[path]
        lowest = levels.get("village") or levels.get("town") or levels.get("district")
        return self.units[lowest].kind if lowest else ""


def _listed(paths: Sequence[str]) -> str:
    more = f"等{len(paths)}处" if len(paths) > NAMED else ""
    return "、".join(f"“{path}”" for path in paths[:NAMED]) + more
