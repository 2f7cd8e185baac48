"""What changes between two sets of rules, in words: every rule added, removed or changed, and nothing else."""

import shutil
import typing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from huying.policy import model
from huying.policy.check import check_folder
from huying.policy.diff import ALWAYS, FIELDS, Change, diff, lines_of, resolve
from huying.policy.load import UnclearRegulation, find_versions, load_regulation
from huying.policy.model import Regulation, Rule
from huying.policy.versions import judge_version, put_version, which_regulation
from huying.policy.words import SAID

REGULATIONS = Path(__file__).parents[2] / "regulations"
DAYE = load_regulation(REGULATIONS / "daye-2023")
TODAY = date(2026, 11, 23)


def with_rule(topic: str, key: str, **values: Any) -> Regulation:
    """The regulation with one rule changed."""
    rules = tuple(
        rule.model_copy(update=values) if rule.key == key else rule for rule in getattr(DAYE, topic)
    )  # fmt: skip
    assert rules != getattr(DAYE, topic)
    return DAYE.model_copy(update={topic: rules})


def only(one: Regulation, other: Regulation) -> Change:
    (change,) = diff(one, other)
    return change


def told(change: Change) -> list[str]:
    return [str(one) for one in change.differences]


def test_nothing_differs_from_itself() -> None:
    assert diff(DAYE, DAYE) == ()


@pytest.mark.parametrize("name", sorted(path.parent.name for path in REGULATIONS.glob("*/regulation.toml")))
def test_two_regulations_can_always_be_told_apart_in_words(name: str) -> None:
    other = load_regulation(REGULATIONS / name)

    lines = list(lines_of(diff(DAYE, other)))

    assert bool(lines) == (name != "daye-2023")
    assert not [line for line in lines if "None" in line or "()" in line or "{'" in line]


def test_a_longer_limit_is_told_with_both_lengths_and_its_article() -> None:
    change = only(DAYE, with_rule("time_limits", "handle.general", working_days=7))

    assert (change.topic_label, change.key, change.label, change.kind, change.article) == (
        "期限", "handle.general", "一般工单答复", "changed", "（八）",
    )  # fmt: skip
    assert told(change) == ["5个工作日，自签收次日起算 → 7个工作日，自签收次日起算"]


@pytest.mark.parametrize(
    ("topic", "key", "values", "expected"),
    [
        ("extensions", "extension.ordinary", {"max_times": 1}, "无 → 最多1次"),
        ("extensions", "extension.ordinary", {"decider": "leader"}, "由平台运行中心的"),
        ("time_limits", "handle.general", {"label": "工单答复"}, "名称：一般工单答复 → 工单答复"),
        ("time_limits", "handle.general", {"cite": "daye-2023#7"}, "条文：（八） → （七）"),
        ("time_limits", "handle.general", {"starts_when_missed": None}, "→ 无"),
        ("time_limits", "return.all", {"optional": False}, "可选事项，不计超期 → 无"),
        ("refusal_grounds", None, {"words": ("甲", "乙")}, "→ 甲、乙"),
        ("actions", "case.dispatch", {"roles": ("operator",)}, "参与角色：无 → "),
        ("kinds", "report", {"masked": False}, "承办单位只看到隐去部分的姓名和电话 → 无"),
    ],
)
def test_each_kind_of_value_is_worded(topic: str, key: str | None, values: dict[str, Any], expected: str) -> None:
    key = key or getattr(DAYE, topic)[0].key

    change = only(DAYE, with_rule(topic, key, **values))

    assert any(expected in one for one in told(change)), told(change)


def test_rules_that_come_and_go_say_what_they_say() -> None:
    without = DAYE.model_copy(update={"ledger": None, "time_limits": DAYE.time_limits[1:]})

    gone, back = diff(DAYE, without), diff(without, DAYE)

    assert [(one.key, one.kind) for one in gone] == [(DAYE.time_limits[0].key, "removed"), (DAYE.ledger.key, "removed")]
    assert [one.kind for one in back] == ["added", "added"]
    assert gone[0].said == back[0].said and "1个工作日，自交办次日起算" in gone[0].said


def test_names_text_and_units_of_the_platform_count_too() -> None:
    info = DAYE.info.model_copy(update={"hotline": "12346"})
    units = DAYE.tree.units
    tree = DAYE.tree.model_copy(update={"units": (units[0].model_copy(update={"name": "新中心"}), *units[1:-1])})
    source = DAYE.sources[0]
    article = source.articles[0].model_copy(update={"text": "改过的文字"})
    text = source.model_copy(update={"articles": (article, *source.articles[1:])})
    other = DAYE.model_copy(update={"info": info, "tree": tree, "sources": (text, *DAYE.sources[1:])})

    lines = "\n".join(lines_of(diff(DAYE, other)))

    assert "热线：12345 → 12346" in lines
    assert f"{source.articles[0].label}：原文 → 文字有修改" in lines
    assert f"删去  1  单位\n        {units[-1].path}" in lines
    assert f"名称：{units[0].name} → 新中心" in lines


def test_every_field_of_every_rule_has_words() -> None:
    """A schema that grows is worded here too: by a phrase, or by the name of the field."""
    classes = [one for one in vars(model).values() if isinstance(one, type) and issubclass(one, Rule)]
    silent = []
    for one in classes:
        for name in one.model_fields:
            owner = next(base for base in reversed(one.__mro__) if name in getattr(base, "__annotations__", {}))
            say = SAID.get(f"{owner.__name__}.{name}")
            is_silent = say is None or say.__name__ == "_nothing"
            if name != "key" and is_silent and name not in FIELDS:
                silent.append(f"{one.__name__}.{name}")

    assert silent == []
    assert FIELDS.keys() >= ALWAYS
    assert typing.get_args(model.LimitName)


# --- Naming a side ------------------------------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The regulations, one of them with a version from 2027 on."""
    for name in ("cn", "daye-2023"):
        shutil.copytree(REGULATIONS / name, tmp_path / name, ignore=shutil.ignore_patterns("cases", "versions"))
    put_version(tmp_path / "daye-2023", draft(tmp_path, 8), date(2027, 1, 1))
    return tmp_path


def draft(root: Path, days: int) -> Path:
    """A folder with a changed file only."""
    files = root / f"draft-{days}"
    files.mkdir()
    text = (root / "daye-2023" / "time_limits.toml").read_text("utf-8")
    (files / "time_limits.toml").write_text(text.replace("working_days = 5\n", f"working_days = {days}\n"), "utf-8")
    return files


def days(policy: Regulation) -> int | None:
    return next(rule.working_days for rule in policy.time_limits if rule.key == "handle.general")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("daye-2023", 5), ("daye-2023@2026-12-31", 5), ("daye-2023@2027-01-01", 8), ("daye-2023@2030-06-06", 8)],
)
def test_an_id_means_the_rules_of_today_or_of_the_day_named(root: Path, name: str, expected: int) -> None:
    assert days(resolve(name, root, today=TODAY)) == expected
    assert days(resolve("daye-2023", root, today=date(2027, 1, 1))) == 8


def test_a_folder_of_changed_files_is_taken_on_top_of_the_latest_version(root: Path) -> None:
    files = draft(root, 9)
    (files / "letter.toml").write_text(
        '[letter]\nkey = "l"\nlabel = "函告"\ncite = "daye-2023#8"\nafter_bad = 2\n', "utf-8"
    )

    other = resolve(str(files), root, today=TODAY, base=root / "daye-2023")

    assert (days(other), other.letter.after_bad if other.letter else 0) == (9, 2)
    assert [one.key for one in diff(resolve("daye-2023@2027-01-01", root, today=TODAY), other)] == [
        "handle.general", "handle.formal_assignment", "l",
    ]  # fmt: skip
    assert not (root / "daye-2023" / "versions" / "9999-12-31").exists()


def test_a_whole_regulation_may_lie_in_a_folder_of_its_own(root: Path) -> None:
    assert days(resolve(str(root / "daye-2023"), root, today=TODAY)) == 5


@pytest.mark.parametrize(("name", "reason"), [("nowhere", "没有这部规定"), ("daye-2023@soon", "日期写得不对")])
def test_what_cannot_be_found_is_told(root: Path, name: str, reason: str) -> None:
    with pytest.raises(UnclearRegulation, match=reason):
        resolve(name, root, today=TODAY)


# --- Versions -----------------------------------------------------------------------------------------------------


def test_whose_version_it_is_can_be_told_or_read(root: Path) -> None:
    files = draft(root, 9)
    shutil.copytree(root / "daye-2023", root / "other-2024")

    assert which_regulation(root, files, "other-2024").name == "other-2024"
    with pytest.raises(UnclearRegulation, match="看不出"):
        which_regulation(root, files)
    with pytest.raises(UnclearRegulation, match="没有规定“third”"):
        which_regulation(root, files, "third")
    (files / "regulation.toml").write_text('[info]\nid = "daye-2023"\n', "utf-8")
    assert which_regulation(root, files).name == "daye-2023"


def test_versions_are_days_and_nothing_else_and_check_says_so(root: Path) -> None:
    folder = root / "daye-2023"
    for name in ("2027-13-01", "2027-W01-1", "next-year1", ".new-x"):
        (folder / "versions" / name).mkdir()

    assert find_versions(folder) == (date(2027, 1, 1),)
    assert [one.file for one in check_folder(folder)[0]] == [
        "versions/2027-13-01", "versions/2027-W01-1", "versions/next-year1",
    ]  # fmt: skip


def test_check_looks_at_every_version_and_names_it(root: Path) -> None:
    folder = root / "daye-2023"
    assert check_folder(folder)[0] == []
    (folder / "versions" / "2027-01-01" / "contact.toml").write_text(
        '[contact]\nkey = "contact.before_reply"\nlabel = "联系"\ncite = "daye-2023#80"\nrequired = true\n', "utf-8"
    )

    (problem,) = check_folder(folder)[0]

    assert problem.file == "versions/2027-01-01 contact.toml"
    assert "daye-2023#80" in problem.reason


def test_a_file_may_be_emptied_by_a_version(root: Path) -> None:
    folder, files = root / "daye-2023", root / "empty"
    files.mkdir()
    (files / "ledger.toml").write_text("# 自此不再挂账\n", "utf-8")

    (problem,) = judge_version(folder, files, date(2027, 6, 1), today=TODAY)
    assert (problem.file, problem.key) == ("versions/2027-06-01 actions.toml", "case.request_ledger")
    rows = (folder / "actions.toml").read_text("utf-8").split("[[action]]")
    kept = [row for row in rows if '"case.request_ledger"' not in row]
    (files / "actions.toml").write_text("[[action]]".join(kept), "utf-8")

    assert judge_version(folder, files, date(2027, 6, 1), today=TODAY) == []
    put_version(folder, files, date(2027, 6, 1))
    assert load_regulation(folder, date(2027, 5, 31)).ledger is not None
    assert load_regulation(folder, date(2027, 6, 1)).ledger is None
