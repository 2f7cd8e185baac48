"""What Daye's text lists by name stands in its data, no more and no less."""

from pathlib import Path

import pytest

from huying.core.screening import suggest
from huying.policy.load import load_regulation
from huying.policy.model import Regulation


@pytest.fixture(scope="module")
def daye() -> Regulation:
    return load_regulation(Path(__file__).parents[2] / "regulations" / "daye-2023")


def test_the_six_fields_of_article_4(daye: Regulation) -> None:
    fields = [category.label for category in daye.categories]

    assert fields == ["经济调节", "市场监管", "社会管理", "公共服务", "政务服务", "生态环境保护"]


def test_the_five_kinds_of_article_4(daye: Regulation) -> None:
    assert [kind.label for kind in daye.kinds] == ["咨询", "非紧急求助", "投诉", "举报", "意见建议"]


@pytest.mark.parametrize(
    "path",
    [
        "center", "高新区", "临空区·还地桥镇", "金牛镇", "茗山乡", "东风农场管理区", "金湖街道", "市住建局", "市总工会",
        "市公交公司",
    ],
)  # fmt: skip
def test_units_of_every_sort_of_article_2_handle_orders(daye: Regulation, path: str) -> None:
    assert [unit.handles for unit in daye.tree.units if unit.path == path] == [True]


def test_the_discipline_commission_supervises_and_handles_no_orders(daye: Regulation) -> None:
    (unit,) = [unit for unit in daye.tree.units if unit.path == "市纪委监委"]

    assert (unit.kind, unit.handles, "inspector" in unit.roles) == ("discipline", False, True)


@pytest.mark.parametrize("text", ["快递丢失，无人理赔", "银行乱收费", "中国电信宽带无法退订"])
def test_matters_of_the_three_sorts_of_article_6_are_to_go_to_the_city_above(daye: Regulation, text: str) -> None:
    found = suggest(text, place_known=True, policy=daye)

    assert [(one.what, "黄石" in one.to, one.rule.cite if one.rule else "") for one in found] == [
        ("redirect", True, "daye-2023#6")
    ]


def test_a_place_outside_the_city_is_told_to_who_screens(daye: Regulation) -> None:
    assert [one.what for one in suggest("路灯不亮", place_known=False, policy=daye)] == ["outside_area"]
    assert suggest("路灯不亮", place_known=True, policy=daye) == []
