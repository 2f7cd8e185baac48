"""Two regulations side by side: what differs in effect is marked, what is only called otherwise is not."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from huying.policy.compare import Point, compare
from huying.policy.load import load_regulation
from huying.policy.model import Regulation

REGULATIONS = Path(__file__).resolve().parents[2] / "regulations"


def load(regulation_id: str) -> Regulation:
    return load_regulation(REGULATIONS / regulation_id)


def points(one: str, other: str) -> dict[str, Point]:
    return {point.label: point for topic in compare(load(one), load(other)) for point in topic.points}


def test_a_regulation_does_not_differ_from_itself() -> None:
    policy = load("daye-2023")
    assert [topic.label for topic in compare(policy, policy) if topic.differing] == []


def test_limits_by_kind_stand_side_by_side_with_their_articles() -> None:
    consult = points("daye-2023", "chongqing-2021")["办理期限：咨询"]
    assert consult.differs
    assert [one.said[0] for one in consult.one] == ["5个工作日，自签收次日起算"]
    assert consult.one[0].article == "（八）" and not consult.one[0].is_default
    assert "5个工作日，自提交次日起算" in [one.said[0] for one in consult.other]
    assert "15个工作日，自提交次日起算" not in [said for one in consult.other for said in one.said], "another kind's"


def test_what_only_one_of_them_knows_is_a_difference() -> None:
    found = points("daye-2023", "chongqing-district")
    assert found["挂账"].differs and found["挂账"].other == ()
    assert found["正式函告"].one == () and found["正式函告"].other


def test_words_and_standing_alone_make_no_difference() -> None:
    policy = load("daye-2023")
    claim = policy.claim.model_copy(update={"label": "先接单", "origin": "default", "decision": "X"})
    other = policy.model_copy(update={"claim": claim})
    found = {point.label: point for topic in compare(policy, other) for point in topic.points}
    assert not found["签收"].differs and found["签收"].other[0].is_default


@pytest.mark.django_db
def test_page_shows_the_two_that_are_chosen_and_only_the_differences_when_asked() -> None:
    page = Client().get("/compare/?one=daye-2023&other=chongqing-2021").content.decode()
    assert "大冶市" in page and "重庆市" in page and "做法不同" in page
    short = Client().get("/compare/?one=daye-2023&other=chongqing-2021&only=1").content.decode()
    assert len(short) < len(page) and "没有这一项" in short
    assert "<script" not in page and " style=" not in page


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["", "?one=nowhere", "?one=../cn&other=daye-2023", "?one=daye-2023&other=daye-2023"])
def test_page_of_anything_else_still_compares_two(query: str, client: Any) -> None:
    assert client.get(f"/compare/{query}").status_code == 200
