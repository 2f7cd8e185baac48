"""What changes from one set of rules to another, in the words of a public servant: rule by rule, old and new values.

For a new version of a regulation, before it is loaded; two cities are better set side by side by `compare`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from huying.policy.load import Problem, UnclearRegulation, load_regulation
from huying.policy.model import Regulation, Rule, Source, UnitSpec
from huying.policy.versions import staged, which_regulation
from huying.policy.words import LEVELS, SAID, TOPICS, Words

Kind = Literal["added", "removed", "changed"]
MARKS: Mapping[Kind, str] = {"added": "增加", "removed": "删去", "changed": "修改"}
FIELDS: Mapping[str, str] = {
    "label": "名称", "cite": "条文", "origin": "出处", "decision": "所依的决定", "in_force_from": "施行",
    "in_force_until": "失效", "words": "识别词", "template": "通知样式", "roles": "参与角色", "starts": "起算",
    "working_days": "工作日数", "calendar_days": "天数", "before": "先于", "after_working_days": "工作日数",
    "method": "督办方式", "upper": "上级平台的规定", "channel": "渠道", "decider_unit": "决定单位",
    "decider_roles": "决定角色", "waived_when_anonymous": "匿名的不要求联系", "total_from": "总期限起算",
    "attempt_days": "分几日联系", "bad_up_to": "几分以下为差评", "ground": "事由", "rounds": "重办次数",
    "matter": "事项", "at_least": "次数", "within_months": "几个月内", "to": "对象", "attempts": "联系次数",
    "depth": "层级", "after_bad": "第几次不满意", "closes": "回访后办结", "lead_unit": "主办单位可以办结",
    "does": "处理", "unit_review": "单位审核", "central_check": "中心审核", "failed_check": "审核不通过",
    "own_evaluation": "本平台评价", "required_after_rework": "重办后回访", "open_until": "关闭时间",
    "within_days": "几日内",
    "per": "按哪里统计", "persons": "按人数统计", "indicator": "指标", "type": "设置的种类", "field": "栏目",
    "full_at": "得满分的数量", "least": "最小值", "most": "最大值",
}  # fmt: skip
"""Names of fields, for values that no phrase tells."""
ALWAYS = frozenset({"words", "roles", "template", "matter"})
"""What no phrase of a rule ever tells."""
INFO: Mapping[str, str] = {
    "title": "规定名称", "platform_name": "平台名称", "hotline": "热线", "source": "法律文本",
    "competent_unit": "主管单位", "interpreter": "解释单位", "parent": "所属国家的数据", "number_prefix": "编号前缀",
}  # fmt: skip
SILENT = ("version", "id")
NONE = "无"
MOST_NAMES = 8
"""Of units, so many by name; the others are counted."""


@dataclass(frozen=True)
class Difference:
    """One value: what it is (empty where the phrases say it), before and after, in words."""

    field: str
    old: str
    new: str

    def __str__(self) -> str:
        name = f"{self.field}：" if self.field else ""
        return f"{name}{self.old or NONE} → {self.new or NONE}"


@dataclass(frozen=True)
class Change:
    """One rule that was added, removed or changed, with the article that it rests on (afterwards, if it is there)."""

    topic: str
    key: str
    label: str
    kind: Kind
    article: str
    said: tuple[str, ...] = ()
    """Of an added or a removed rule: what it says."""
    differences: tuple[Difference, ...] = ()

    @property
    def topic_label(self) -> str:
        return OTHER_TOPICS.get(self.topic) or TOPICS.get(self.topic, self.topic)


OTHER_TOPICS: Mapping[str, str] = {"info": "规定与平台", "sources": "法律文本", "tree": "单位"}


def diff(one: Regulation, other: Regulation) -> tuple[Change, ...]:
    """Everything in which `other` differs from `one`, in the order of the topics. Empty when nothing does."""
    sides = Words(one), Words(other)
    changes = [*_of_info(one, other)]
    for topic, value in one:
        if topic not in ("info", "sources", "tree"):
            changes += _of_topic(topic, value, getattr(other, topic), sides)
    return (*changes, *_of_sources(one, other), *_of_tree(one, other))


def lines_of(changes: Iterable[Change]) -> Iterator[str]:
    """The changes as lines of text, topic by topic. For the command line."""
    topic = ""
    for change in changes:
        if change.topic != topic:
            topic = change.topic
            yield change.topic_label
        article = f"  {change.article}" if change.article else ""
        yield f"  {MARKS[change.kind]}  {change.key}  {change.label}{article}"
        yield from (f"        {one}" for one in (*change.said, *map(str, change.differences)))


def resolve(name: str, root: Path, *, today: date, base: Path | None = None) -> Regulation:
    """The regulation that `name` means: `id` (as it holds today), `id@day`, or a folder.

    A folder that holds no whole regulation is taken for the changed files of one: of `base`, or what the folder says.

    Raises: UnclearRegulation.
    """
    known, _at, day = name.partition("@")
    if (root / known / "regulation.toml").is_file():
        try:
            on = date.fromisoformat(day) if day else today
        except ValueError:
            raise UnclearRegulation([Problem(name, "-", "日期写得不对", "写成 编号@2027-01-01 的样子")]) from None
        return load_regulation(root / known, on)
    files = Path(name)
    if not files.is_dir():
        mend = "写规定的编号、编号@日期，或文件夹"
        raise UnclearRegulation([Problem(name, "-", "没有这部规定，也没有这个文件夹", mend)])
    if (files / "regulation.toml").is_file() and (files / "sources.toml").is_file():
        return load_regulation(files)
    with staged(base or which_regulation(root, files), files, date.max) as copy:
        return load_regulation(copy, date.max)


# --- Rules --------------------------------------------------------------------------------------------------------


def _of_topic(topic: str, old: Any, new: Any, sides: tuple[Words, Words]) -> Iterator[Change]:
    before, after = _by_key(old), _by_key(new)
    for key in dict.fromkeys([*before, *after]):
        one, other = before.get(key), after.get(key)
        if one is None and other is not None:
            yield _whole(topic, other, "added", sides[1])
        elif other is None and one is not None:
            yield _whole(topic, one, "removed", sides[0])
        elif one is not None and other is not None and one != other:
            differences = tuple(_differences(one, other, sides))
            yield Change(topic, key, other.label, "changed", _article(sides[1], other), differences=differences)


def _by_key(value: Any) -> dict[str, Rule]:
    return {rule.key: rule for rule in (value if isinstance(value, tuple) else (value,)) if isinstance(rule, Rule)}


def _whole(topic: str, rule: Rule, kind: Kind, words: Words) -> Change:
    return Change(topic, rule.key, rule.label, kind, _article(words, rule), said=tuple(words.of(rule)))


def _article(words: Words, rule: Rule) -> str:
    """The article as one cites it; of a default the decision that filled the gap."""
    if rule.origin == "default":
        return f"默认规则（{rule.decision}）"
    return quote(words.policy, rule.cite)


def quote(policy: Regulation, cite: str) -> str:
    """The article's own label; of another text than the regulation's own with that text's title."""
    article = policy.article(cite)
    if article is None:
        return cite
    source = cite.partition("#")[0]
    title = next(text.title for text in policy.sources if text.id == source)
    return article.label if source == policy.info.source else f"《{title.strip('《》')}》{article.label}"


def _differences(old: Rule, new: Rule, sides: tuple[Words, Words]) -> Iterator[Difference]:
    names = [name for name in type(new).model_fields if getattr(old, name) != getattr(new, name)]
    phrases = [(_phrase(sides[0], old, name), _phrase(sides[1], new, name)) for name in type(new).model_fields]
    said = [Difference("", before, after) for before, after in phrases if before != after]
    yield from said
    for name in names:
        if name in Rule.model_fields or name in ALWAYS or not said:
            yield Difference(
                FIELDS.get(name, name),
                _value(sides[0], name, getattr(old, name)),
                _value(sides[1], name, getattr(new, name)),
            )


def _phrase(words: Words, rule: Rule, name: str) -> str:
    """What the rule says by that field."""
    owner = next(one for one in reversed(type(rule).__mro__) if name in getattr(one, "__annotations__", {}))
    say = SAID.get(f"{owner.__name__}.{name}")
    return say(words, rule) if say else ""


def _value(words: Words, name: str, value: Any) -> str:
    """A bare value in words."""
    match value:
        case None | "" | ():
            return NONE
        case bool():
            return "是" if value else "否"
        case tuple():
            return "、".join(words.role(one) if name in ("roles", "decider_roles") else str(one) for one in value)
        case str() if name == "cite":
            return quote(words.policy, value)
        case str() if name == "origin":
            return {"text": "条文", "default": "默认规则"}[value]
        case _:
            return str(value)


# --- What is no rule ----------------------------------------------------------------------------------------------


def _of_info(one: Regulation, other: Regulation) -> Iterator[Change]:
    names = [name for name in type(one.info).model_fields if name not in SILENT]
    differences = tuple(
        Difference(INFO.get(name, name), str(getattr(one.info, name)), str(getattr(other.info, name)))
        for name in names
        if getattr(one.info, name) != getattr(other.info, name)
    )
    if differences:
        yield Change("info", other.info.id, other.info.title, "changed", "", differences=differences)


def _of_sources(one: Regulation, other: Regulation) -> Iterator[Change]:
    before, after = {text.id: text for text in one.sources}, {text.id: text for text in other.sources}
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        if old is None or new is None:
            text = old or new
            assert text is not None
            yield Change("sources", key, text.title, "removed" if new is None else "added", "")
        elif old != new:
            yield Change("sources", key, new.title, "changed", "", differences=tuple(_of_text(old, new)))


def _of_text(old: Source, new: Source) -> Iterator[Difference]:
    """Which articles read otherwise; their texts are too long for a list."""
    if old.title != new.title:
        yield Difference("名称", old.title, new.title)
    if old.in_force_from != new.in_force_from:
        yield Difference("施行", str(old.in_force_from), str(new.in_force_from))
    before, after = ({one.id: one for one in text.articles} for text in (old, new))
    for key in dict.fromkeys([*before, *after]):
        one, other = before.get(key), after.get(key)
        article = one or other
        if article is not None and (one is None or other is None):
            yield Difference(article.label, "有" if one else "", "有" if other else "")
        elif one is not None and one != other:
            yield Difference(one.label, "原文", "文字有修改")


def _of_tree(one: Regulation, other: Regulation) -> Iterator[Change]:
    before = {unit.path: unit for unit in one.tree.units}
    after = {unit.path: unit for unit in other.tree.units}
    gone = [unit for path, unit in before.items() if path not in after]
    come = [unit for path, unit in after.items() if path not in before]
    both: tuple[tuple[Kind, list[UnitSpec]], ...] = (("removed", gone), ("added", come))
    for kind, units in both:
        if units:
            more = f"等{len(units)}个" if len(units) > MOST_NAMES else ""
            names = "、".join(unit.path for unit in units[:MOST_NAMES])
            yield Change("tree", f"{len(units)}", "单位", kind, "", said=(names + more,))
    for path, unit in after.items():
        if path in before and before[path] != unit:
            differences = tuple(_of_unit(before[path], unit))
            yield Change("tree", path, unit.display_name, "changed", "", differences=differences)
    homes = tuple(
        Difference(role, one.tree.role_home.get(role, ""), other.tree.role_home.get(role, ""))
        for role in dict.fromkeys([*one.tree.role_home, *other.tree.role_home])
        if one.tree.role_home.get(role) != other.tree.role_home.get(role)
    )
    if homes:
        yield Change("tree", "role_home", "角色所在单位", "changed", "", differences=homes)


UNIT_FIELDS: Mapping[str, str] = {
    "name": "名称", "kind": "类别", "handles": "承办", "roles": "岗位", "aliases": "别名",
}  # fmt: skip


def _of_unit(old: UnitSpec, new: UnitSpec) -> Iterator[Difference]:
    for name, label in UNIT_FIELDS.items():
        one, other = getattr(old, name), getattr(new, name)
        if one != other:
            yield Difference(label, _of_value(one), _of_value(other))


def _of_value(value: Any) -> str:
    match value:
        case bool():
            return "是" if value else "否"
        case tuple():
            return "、".join(value)
        case _:
            return LEVELS.get(str(value), str(value))
