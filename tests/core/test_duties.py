"""The duty list: what it proposes, for which place, and why; what of it cannot be worked by."""

import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from time import process_time

import pytest

from huying.core.duties import Find, Proposal, duty_problems, propose, why
from huying.policy.load import load_regulation
from huying.policy.model import Category, Duty, OwnList, Regulation, UnitSpec, UnitTree

REGULATIONS = Path(__file__).parents[2] / "regulations"
BASE = load_regulation(REGULATIONS / "daye-2023")
DEFAULT = {"origin": "default", "decision": "ADR-0003"}


def duty(key: str, lead: str, matter: str = "路灯", **more: object) -> Duty:
    return Duty.model_validate(
        {"key": key, "label": f"{matter}（{key}）", "matter": matter, "lead": lead, **DEFAULT, **more}
    )


def unit(path: str, kind: str, handles: bool = True, aliases: Sequence[str] = ()) -> UnitSpec:
    return UnitSpec(path=path, kind=kind, handles=handles, aliases=tuple(aliases))


UNITS = [
    unit("center", "centre"), unit("市城管局", "department"), unit("市档案局", "department", handles=False),
    *(unit(f"{one}", "district", handles=False) for one in ("东县", "西县")),
    *(unit(f"{one}/城管局", "department", aliases=[f"{one}城管局"]) for one in ("东县", "西县")),
    *(unit(f"{one}/{name}", "town") for one in ("东县", "西县") for name in ("甲镇", "乙镇")),
    *(unit(f"{one}/{name}/一村", "village") for one in ("东县", "西县") for name in ("甲镇", "乙镇")),
    unit("东县/甲镇/环卫站", "section"),
]  # fmt: skip
CATEGORIES = (
    Category(key="city", label="城市管理", cite="daye-2023#4", children=("路灯", "停车")),
    Category(key="village", label="村务", cite="daye-2023#4", children=("村规",)),
)


def policy(*duties: Duty, units: Iterable[UnitSpec] = UNITS, own: Sequence[OwnList] = ()) -> Regulation:
    tree = UnitTree(root="某市", units=tuple(units))
    return BASE.model_copy(
        update={"tree": tree, "duties": duties, "own_lists": tuple(own), "categories": CATEGORIES}
    )  # fmt: skip


def find(of: Regulation) -> Find:
    known = {path: one for one in of.tree.units for path in (one.path, *one.aliases)}
    return known.get


def proposals(of: Regulation, **asked: str) -> tuple[Proposal, ...]:
    return propose(of, find(of), **asked)


def leads(of: Regulation, **asked: str) -> list[str]:
    return [one.lead for one in proposals(of, **asked)]


def own(level: str, *matters: str) -> OwnList:
    return OwnList.model_validate({"key": level, "label": "本级清单", "level": level, "matters": matters, **DEFAULT})


# --- Proposing ----------------------------------------------------------------------------------------------------


def test_the_places_district_and_town_stand_in_for_the_marks() -> None:
    one = policy(duty("a", "{district}/城管局", co=["{town}", "{village}"]))

    (found,) = proposals(one, category="路灯", place="东县/乙镇/一村")

    assert (found.lead, found.co) == ("东县/城管局", ("东县/乙镇", "东县/乙镇/一村"))
    assert (found.by, found.missing) == ("matter", "")


def test_helpers_whose_level_is_not_known_are_left_out_and_the_lead_waits_for_its_place() -> None:
    one = policy(duty("a", "{district}/城管局", co=["{town}"]), duty("b", "{village}", "村规"))

    assert [(x.lead, x.co) for x in proposals(one, category="路灯", place="东县")] == [("东县/城管局", ())]
    (waits,) = proposals(one, category="村规", place="西县/甲镇")
    assert (waits.lead, waits.missing) == ("", "village")
    (nowhere,) = proposals(one, category="路灯")
    assert (nowhere.lead, nowhere.missing) == ("", "district")
    assert "请先核实事发地" in why(nowhere, one)[-1]


def test_a_row_that_names_the_place_goes_before_one_that_names_none() -> None:
    one = policy(duty("a", "市城管局"), duty("b", "{district}/城管局", places=["东县"]))

    assert leads(one, category="路灯", place="东县/甲镇") == ["东县/城管局"]
    assert leads(one, category="路灯", place="西县/甲镇") == ["市城管局"]
    (unknown,) = proposals(one, category="路灯")
    assert (unknown.lead, unknown.missing) == ("市城管局", "place")


def test_a_place_whose_name_begins_like_another_is_another() -> None:
    units = [*UNITS, unit("东县新区", "district", handles=False)]
    one = policy(duty("a", "市城管局"), duty("b", "东县/城管局", places=["东县"]), units=units)

    assert leads(one, category="路灯", place="东县新区") == ["市城管局"]


def test_words_find_a_row_without_a_category_and_name_themselves() -> None:
    one = policy(duty("a", "市城管局", words=["不亮", "灯杆"]), duty("b", "center", "停车", words=["车位"]))

    (found,) = proposals(one, text="门口灯杆歪了，晚上不亮")

    assert (found.lead, found.by, found.words) == ("市城管局", "words", ("不亮", "灯杆"))
    assert why(found, one)[0] == "文中有“不亮”、“灯杆”"


def test_a_category_as_a_whole_needs_words_too() -> None:
    one = policy(duty("a", "市城管局", words=["不亮"]), duty("b", "center", "停车", words=["车位"]))

    assert leads(one, category="城市管理", text="某事") == []
    (found,) = proposals(one, category="city", text="没有车位")
    assert (found.lead, found.by) == ("center", "category")


def test_the_chosen_matter_comes_first_then_the_most_words() -> None:
    one = policy(
        duty("a", "市城管局", words=["占道"]), duty("b", "center", "停车", words=["车位", "占道"]),
        duty("c", "{village}", "村规"),
    )  # fmt: skip

    found = proposals(one, category="村规", text="车位被占道", place="东县/甲镇/一村")

    assert [x.rule.key for x in found] == ["c", "b", "a"]


def test_never_more_than_a_few() -> None:
    one = policy(*(duty(f"k{n}", "center", f"事{n}", words=["水"]) for n in range(30)))

    assert len(proposals(one, text="没有水")) == 5


def test_why_names_row_article_and_basis() -> None:
    row = Duty(key="a", label="路灯维护", matter="路灯", lead="市城管局", cite="daye-2023#7", basis="城市道路管理条例")
    one = policy(row)

    assert why(proposals(one, category="路灯")[0], one) == (
        "事项分类是“路灯”", "权责清单“路灯维护”（（七））", "依据：城市道路管理条例",
    )  # fmt: skip


def test_what_cannot_be_given_is_not_proposed() -> None:
    listed = own("town", "停车")

    assert leads(policy(duty("a", "没有局")), category="路灯") == []
    assert leads(policy(duty("a", "市档案局")), category="路灯") == []
    assert leads(policy(duty("a", "{town}"), own=[listed]), category="路灯", place="东县/甲镇") == []
    assert leads(policy(duty("a", "{town}", "停车"), own=[listed]), category="停车", place="东县/甲镇") == ["东县/甲镇"]
    helped = policy(duty("a", "{district}/城管局", co=["{town}"]), own=[listed])
    assert proposals(helped, category="路灯", place="东县/甲镇")[0].co == ()


def test_without_a_list_nothing_is_proposed() -> None:
    assert proposals(policy(), category="路灯", text="路灯", place="东县") == ()


# --- Checking -----------------------------------------------------------------------------------------------------


def problems(*duties: Duty, **more: object) -> list[tuple[str, str]]:
    found = list(duty_problems(policy(*duties, **more)))  # type: ignore[arg-type]
    assert all(one.mend and one.file in ("duty", "own_list") for one in found)
    return [(one.key, one.reason) for one in found]


def test_a_sound_list_has_no_problems() -> None:
    found = problems(
        duty("a", "市城管局"), duty("b", "{district}/城管局", places=["东县"], co=["{town}"]),
        duty("c", "{village}", "村规"),
        own=[own("village", "村规"), own("town", "路灯", "停车")],
    )  # fmt: skip

    assert found == []


def test_a_place_without_a_lead_is_told_with_its_names() -> None:
    ((key, reason),) = problems(duty("a", "市城管局", places=["东县"]))

    assert key == "a"
    assert reason == "“路灯”在“西县”、“西县/甲镇”、“西县/乙镇”没有主办单位"


@pytest.mark.parametrize(
    ("rows", "where"),
    [
        ([duty("a", "市城管局"), duty("b", "center")], "“各地”"),
        ([duty("a", "市城管局", places=["东县"]), duty("b", "center", places=["东县/甲镇"]), duty("c", "center")],
         "“东县/甲镇”"),
    ],
)  # fmt: skip
def test_a_place_with_two_leads_is_told_with_both_rows(rows: list[Duty], where: str) -> None:
    ((key, reason),) = problems(*rows)

    assert key == "b"
    assert reason == f"“路灯”在{where}同时适用“a”和这一行，主办单位不止一个"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (duty("a", "没有局"), "主办单位“没有局”在单位表里找不到"),
        (duty("a", "{district}/教育局"), "主办单位“{district}/教育局”在单位表里找不到“东县/教育局”、“西县/教育局”"),
        (duty("a", "市档案局"), "主办单位“市档案局”不承办"),
        (duty("a", "{district}"), "主办单位“{district}”中“东县”、“西县”不承办"),
        (duty("a", "市城管局", co=["{town}/城管所"]),
         "协办单位“{town}/城管所”在单位表里找不到“东县/甲镇/城管所”、“东县/乙镇/城管所”、“西县/甲镇/城管所”等4处"),
        (duty("a", "市城管局", "没有的事"), "事项“没有的事”不在事项分类里"),
    ],
)  # fmt: skip
def test_units_and_matters_must_exist_and_handle(row: Duty, reason: str) -> None:
    assert problems(row) == [("a", reason)]


def test_a_place_that_is_no_unit_is_told() -> None:
    assert ("b", "地方“北县”不在单位表里") in problems(
        duty("a", "市城管局"), duty("b", "center", places=["北县"])
    )  # fmt: skip


def test_a_level_that_the_tree_does_not_have_is_told() -> None:
    units = [unit("甲镇", "town"), unit("城管局", "department")]

    assert problems(duty("a", "{district}/城管局"), units=units) == [
        ("a", "主办单位“{district}/城管局”：单位表里没有这一级"),
        ("a", "主办单位“{district}/城管局”：“甲镇”不属于任何区县"),
    ]


def test_towns_outside_of_any_district_need_a_row_of_their_own() -> None:
    units = [*UNITS, unit("高新区", "zone")]
    row = duty("a", "{district}/城管局")

    assert problems(row, units=units) == [("a", "主办单位“{district}/城管局”：“高新区”不属于任何区县")]
    assert problems(row, duty("b", "市城管局", places=["高新区"]), units=units) == []


@pytest.mark.parametrize(
    ("row", "lists", "level"),
    [
        (duty("a", "{town}"), [own("town", "停车")], "乡镇、街道主办"),
        (duty("a", "市城管局", co=["{town}"]), [own("town", "停车")], "乡镇、街道协办"),
        (duty("a", "{village}"), [own("village", "停车"), own("town", "路灯")], "村、社区主办"),
        (duty("a", "东县/甲镇"), [own("town", "停车")], "乡镇、街道主办"),
        (duty("a", "东县/甲镇/环卫站"), [own("town", "停车")], "乡镇、街道主办"),
    ],
)
def test_nothing_is_pushed_to_a_level_whose_own_list_does_not_hold_it(
    row: Duty, lists: list[OwnList], level: str
) -> None:
    expected = f"里没有“路灯”，不能交{level}"
    told = [reason for _, reason in problems(row, own=lists)]

    assert len(told) == 1 and expected in told[0] and "“本级清单”" in told[0]
    assert problems(row, own=[own(one.level, "路灯") for one in lists]) == []
    assert problems(row) == []  # a level without a list is not restricted


def test_an_own_list_with_an_unknown_matter_is_told() -> None:
    assert problems(own=[own("town", "打水漂")]) == [("town", "事项“打水漂”不在事项分类里")]


@pytest.mark.parametrize("name", sorted(path.parent.name for path in REGULATIONS.glob("*/regulation.toml")))
def test_lists_that_come_with_the_product_are_sound(name: str) -> None:
    of = load_regulation(REGULATIONS / name)

    assert [str(one) for one in duty_problems(of)] == []


@pytest.mark.parametrize("name", sorted(path.parent.name for path in REGULATIONS.glob("*/duties.toml")))
def test_whatever_is_proposed_anywhere_exists_handles_and_is_unique(name: str) -> None:
    of = load_regulation(REGULATIONS / name)
    lookup = find(of)
    places = [one.path for one in of.tree.units if one.kind in ("district", "town", "village")]
    chosen = random.Random(3).sample(places, min(60, len(places)))

    for place in chosen:
        for matter in {row.matter for row in of.duties}:
            found = [x for x in propose(of, lookup, category=matter, place=place) if x.by == "matter"]
            assert len(found) == 1, (place, matter)
            for path in (found[0].lead, *found[0].co):
                assert not path or getattr(lookup(path), "handles", False), (place, matter, path)


@pytest.mark.slow
def test_a_provinces_tree_is_checked_in_a_moment() -> None:
    districts = [f"{n}县" for n in range(40)]
    towns = [f"{one}/{n}镇" for one in districts for n in range(25)]
    units = [
        unit("center", "centre"),
        *(unit(one, "district", handles=False) for one in districts),
        *(unit(f"{one}/{n}局", "department") for one in districts for n in range(12)),
        *(unit(one, "town") for one in towns),
        *(unit(f"{one}/{n}村", "village") for one in towns for n in range(11)),
    ]
    rows = [
        duty(f"k{n}", f"{{district}}/{n % 12}局" if n % 4 else "{village}", f"事{n}", co=["{town}"], places=places)
        for n in range(70)
        for places in ([], ["3县", "7县/2镇"])[: 1 + (n % 3 == 0)]
    ]
    begun = process_time()

    assert {one.reason for one in duty_problems(policy(*rows, units=units))} == {
        f"事项“事{n}”不在事项分类里" for n in range(70)
    }
    assert process_time() - begun < 2
    assert len(units) > 12_000
