"""What forms ask for by the regulations' own rows, and the hours of a desk."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from huying.base.clock import LEGAL_ZONE
from huying.core.calendar import Calendar
from huying.core.channels import is_open
from huying.core.form_fields import asked, category_of, missing, printed_form
from huying.policy.load import load_notices, load_regulation
from huying.policy.model import Channel, Regulation

ROOT = Path(__file__).resolve().parents[2] / "regulations"


def of(name: str) -> Regulation:
    return load_regulation(ROOT / name)


def lacking(name: str, action: str, case: dict[str, str], **data: Any) -> list[str]:
    policy = of(name)
    return [rule.field for rule in missing(asked(policy, action, case), data, policy)]


def test_a_reply_of_non_consult_needs_facts_and_basis_by_article_ten() -> None:
    wanted = lacking("chongqing-2021", "case.reply", {"kind": "complaint"}, outcome="explained")
    assert wanted == ["facts", "basis"]
    assert lacking("chongqing-2021", "case.reply", {"kind": "consult"}, outcome="explained") == []
    assert (
        lacking("chongqing-2021", "case.reply", {"kind": "complaint"}, outcome="explained", facts="x", basis="y") == []
    )
    cites = {rule.field: rule.cite for rule in asked(of("chongqing-2021"), "case.reply", {"kind": "help"})}
    assert cites == dict.fromkeys(("facts", "basis", "measures"), "chongqing-2021#10")


@pytest.mark.parametrize(
    ("outcome", "asks"),
    [("solved", True), ("partly", True), ("planned", True), ("explained", False), ("unsolvable", False)],
)
def test_measures_are_asked_for_where_the_matter_can_be_solved(outcome: str, asks: bool) -> None:
    got = lacking(
        "chongqing-2021", "case.reply", {"kind": "help"}, outcome=outcome, facts="属实", basis="条例", measures=" "
    )
    assert got == (["measures"] if asks else [])


def test_the_result_was_told_somehow_some_day_unless_nobody_can_be_told() -> None:
    assert lacking("chongqing-district", "case.close", {"kind": "help"}, told_by="phone") == ["told_on"]
    assert lacking("chongqing-district", "case.close", {"kind": "help"}, anonymous=True) == []


def test_a_company_gives_its_name_and_a_person_does_not() -> None:
    def submit(**data: Any) -> list[str]:
        return lacking("chongqing-district", "case.submit", {}, **data)

    assert submit() == ["requester.kind"]
    assert submit(requester={"kind": "individual"}) == []
    assert submit(requester={"kind": "enterprise", "organisation": "  "}) == ["requester.organisation"]
    assert submit(requester={"kind": "enterprise", "organisation": "某公司"}) == []
    assert submit(requester={"kind": "enterprise"}, anonymous=True) == []


def test_other_matters_by_law_need_the_law_by_key_or_by_name() -> None:
    for name in ("other_by_law", "法律法规规章规定应当受理的其他事项"):
        assert lacking("chongqing-district", "case.accept", {}, category=name) == ["basis"]
        assert lacking("chongqing-district", "case.accept", {}, category=name, basis="《文物保护法》") == []
    assert lacking("chongqing-district", "case.accept", {}, category="供水") == []


def test_a_reason_is_asked_for_only_where_the_mark_stands() -> None:
    assert lacking("chongqing-2021", "case.accept", {"flag": "urgent excluded"}, category="物业管理") == ["reason"]
    assert lacking("chongqing-2021", "case.accept", {"flag": "urgent"}, category="物业管理") == []
    assert lacking("chongqing-district", "case.accept", {"flag": "excluded"}, category="供水") == []


def test_what_the_text_does_not_say_is_not_asked_for() -> None:
    for action in ("case.submit", "case.accept", "case.reply"):
        assert asked(of("daye-2023"), action, {"kind": "complaint"}) == []
    assert asked(of("hebi-2020"), "case.submit", {"channel": "service_hall", "kind": "complaint"}) == []


def test_the_paper_form_is_for_complaints_at_the_hall() -> None:
    policy = of("hebi-2020")
    rule = printed_form(policy, {"channel": "service_hall", "kind": "complaint"})
    assert rule is not None and (rule.label, rule.cite) == ("投诉受理登记表", "hebi-2020#6.3.1")
    assert printed_form(policy, {"channel": "service_hall", "kind": "consult"}) is None
    assert printed_form(policy, {"channel": "hotline_12345", "kind": "complaint"}) is None


def test_a_category_is_a_key_a_name_or_a_matter_of_the_list() -> None:
    policy = of("chongqing-2021")
    assert {
        one.key for one in map(lambda name: category_of(policy, name), ("market", "市场监管", "消费纠纷")) if one
    } == {"market"}
    assert category_of(policy, "消费") is None and category_of(policy, "") is None
    fields = {one.label for one in policy.categories}
    assert fields == {"经济调节", "市场监管", "社会管理", "公共服务", "生态环保"}


HALL = Channel(key="hall", label="大厅", cite="x#1", opens="09:00", open_until="17:00")


@pytest.mark.parametrize(
    ("at", "open_"),
    [
        ((2024, 3, 8, 9, 0), True), ((2024, 3, 8, 8, 59), False), ((2024, 3, 8, 16, 59), True),
        ((2024, 3, 8, 17, 0), False), ((2024, 3, 9, 10, 0), False),  # Saturday
        ((2024, 4, 7, 10, 0), True),  # a Sunday made up for Qingming
        ((2024, 4, 4, 10, 0), False),  # Qingming
    ],
)  # fmt: skip
def test_a_desk_is_open_in_its_hours_on_working_days(at: tuple[int, ...], open_: bool) -> None:
    calendar = Calendar(load_notices(ROOT / "cn"))
    assert is_open(HALL, datetime(*at, tzinfo=LEGAL_ZONE), calendar) is open_  # type: ignore[misc, arg-type]


def test_a_channel_without_hours_is_always_open() -> None:
    always = Channel(key="net", label="网站", cite="x#1")
    assert is_open(always, datetime(2024, 3, 9, 3, 0, tzinfo=LEGAL_ZONE), Calendar(()))


@pytest.mark.parametrize(
    "hours", [("09:00", ""), ("", "17:00"), ("17:00", "09:00"), ("9:00", "17:00"), ("09:00", "24:00")]
)
def test_hours_that_make_no_sense_are_refused(hours: tuple[str, str]) -> None:
    with pytest.raises(ValueError):
        Channel(key="hall", label="大厅", cite="x#1", opens=hours[0], open_until=hours[1])
