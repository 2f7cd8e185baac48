"""Rules in words: a schema that grows is worded too, and what a rule comes to reads as an official writes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from huying.policy import model
from huying.policy.check import find_regulations
from huying.policy.load import load_regulation
from huying.policy.words import ORDINARY, SAID, TOPICS, Words

FOLDERS = find_regulations(Path(__file__).resolve().parents[2] / "regulations")


def rule_classes(above: type = model.Rule) -> Iterator[type[Any]]:
    for one in above.__subclasses__():
        yield one
        yield from rule_classes(one)


def test_every_field_of_every_rule_has_its_words() -> None:
    fields = {
        f"{one.__name__}.{name}" for one in rule_classes() for name in one.__annotations__ if name not in ORDINARY
    }
    assert fields - set(SAID) == set(), "say in huying.policy.words what these fields mean"
    assert set(SAID) - fields == set(), "these fields are gone"


def test_every_topic_of_a_regulation_has_its_word() -> None:
    rules = set(model.Regulation.model_fields) - {"info", "sources", "tree"}
    assert rules - set(TOPICS) == set()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_no_code_shows_through(folder: Path) -> None:
    """Whatever a regulation's data say, the words hold no key, no English and no Python."""
    policy = load_regulation(folder)
    words = Words(policy)
    allowed = ("12345", "APP", "QQ", "2+X", "ICP")
    for name, rule in policy.rules.items():
        for said in words.of(rule):
            bare = said
            for one in allowed:
                bare = bare.replace(one, "")
            assert not any("a" <= char <= "z" for char in bare) and "None" not in bare and "{" not in bare, (name, said)


def test_a_limit_tells_its_length_and_from_when() -> None:
    policy = load_regulation(next(one for one in FOLDERS if one.name == "daye-2023"))
    words, rules = Words(policy), {rule.key: rule for rule in policy.time_limits}
    assert words.length(rules["return.all"]) == "2个工作日，自交办次日起算"
    assert words.of(rules["handle.general"]) == [
        "5个工作日，自签收次日起算",
        "逾期未签收的，自签收期限最后一日起算",
    ]
    assert words.length(rules["extension_request.before_due"]) == "办理期限届满前1个工作日截止"
    assert words.length(rules["immediate.same_day"]) == "交办当日"
    assert words.length(rules["handle.check_failed"]) == "接着上一轮计算，不重新起算"
