"""The legal texts: complete, to the letter, and cut where they can be cited."""

import hashlib
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "regulations"

# SHA-256 of Daye's original text file, and of its text with all white space taken out.
DAYE_FILE = "52468fe3285db96c1fdc4e333d53d3922d38dfc4f3af644adeae767261112091"
DAYE_TEXT = "71e3766c528249da48f141917afadcfd78cdc5d482bcdd3ac00bf87dd408d82f"

DAYE_CHAPTERS = {
    "一、宗旨目的": "1",
    "二、工作职责": "2 3",
    "三、受理范围": "4 5 6",
    "四、诉求处办": "7 8 9",
    "五、回访评价": "10 11",
    "六、跟踪督办": "12 13",
    "七、考核通报": "14 15",
    "八、分析研判": "16 17",
    "九、责任追究": "18",
}
DAYE_QUOTES = [
    ("notice", "市营商办制定了《大冶市“民情通”统一诉求处办平台运行工作机制》"),
    ("preamble", "(鄂政管办函[2019]10号)"),
    ("2", "市12345公共热线服务中心(以下简称“热线中心”)"),
    ("2.1", "互联网+监督、云上大冶APP"),
    ("2.2", "交办多次仍未解决"),
    ("2.3", "市直个部门单位"),  # the original's own slip, kept
    ("4", "经济调节、市场监管、社会管理、公共服务、政务服务、生态环境保护等领域"),
    ("5", "纵向接入社区网格员在巡查和摸排中发现的需要解决的问题"),
    ("6", "不属于本级管理的银行监管、快递服务监管和电信运营商监管等诉求"),
    ("6", "黄石市级12345政务服务便民热线"),
    ("7", "所有工单应自交办之日起1个工作日内签收认领"),
    ("7", "应当在2个工作日内退单,并提交书面退单说明"),
    ("8", "一般工单应于签收后5个工作日内进行答复"),
    ("8", "严禁在未联系诉求人的情况下虚假回复"),
    ("8", "要实行“挂账”办理,制定解决方案"),
    ("9", "原则上办理期限不得超过30个工作日"),
    ("10", "100%人工回访"),
    ("11", "核减说明必须经主要领导签字审核并盖章"),
    ("11", "进行书面督办并抄送市纪委监委"),
    ("12.1", "承办单位逾期未办结事项"),
    ("12.2", "进行书面督办,限时办结"),
    ("12.3", "召开相关单位负责人会议"),
    ("12.4", "以专报的方式呈阅上级领导"),
    ("12.5", "一个月内1名诉求人反映同一问题3次(含)以上或3名(含)以上诉求人反映同一问题"),
    ("13", "书面督办后仍未解决"),
    ("14", "实行每“日、周、月”通报机制"),
    ("15", "考核每季度1次"),
    ("16", "及时形成快报上报市政府"),
    ("17", "采取“一事一报”的专报形式,上报市政府批示办理"),
    ("18", "按程序将相关线索移交市纪委监委"),
]
# The Civil Code, chapter 10, as promulgated.
CIVIL_CODE = {
    "200": "民法所称的期间按照公历年、月、日、小时计算。",
    "201": "按照年、月、日计算期间的，开始的当日不计入，自下一日开始计算。"
    "按照小时计算期间的，自法律规定或者当事人约定的时间开始计算。",
    "202": "按照年、月计算期间的，到期月的对应日为期间的最后一日；没有对应日的，月末日为期间的最后一日。",
    "203": "期间的最后一日是法定休假日的，以法定休假日结束的次日为期间的最后一日。"
    "期间的最后一日的截止时间为二十四时；有业务时间的，停止业务活动的时间为截止时间。",
    "204": "期间的计算方法依照本法的规定，但是法律另有规定或者当事人另有约定的除外。",
}


def load(place: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / place / "sources.toml").read_text(encoding="utf-8"))


def articles(place: str) -> dict[str, dict[str, str]]:
    return {row["id"]: row for row in load(place)["article"]}


def without_space(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("place", ["cn", "daye-2023"])
def test_articles_have_unique_ids_and_the_same_keys(place: str) -> None:
    rows = load(place)["article"]

    assert len({row["id"] for row in rows}) == len(rows)
    assert all(set(row) == {"id", "label", "heading", "chapter", "text"} for row in rows)
    assert all(row["label"] and row["heading"] and row["text"].strip() for row in rows)


def test_daye_source_says_who_when_and_whom() -> None:
    source = load("daye-2023")["source"]

    assert source["id"] == "daye-2023"
    assert source["issuer"] == "市营商办"
    assert source["issued_on"] == source["in_force_from"] == date(2023, 5, 19)
    assert source["sha256"] == DAYE_FILE
    assert len(source["addressees"]) == 8
    notice, preamble = articles("daye-2023")["notice"]["text"], articles("daye-2023")["preamble"]["text"]
    assert notice.startswith(",".join(source["addressees"]) + ":")
    assert all(basis in notice + preamble for basis in source["basis"])


def test_daye_has_its_eighteen_clauses_in_order_under_their_chapters() -> None:
    rows = [row for row in load("daye-2023")["article"] if row["id"].isdigit()]

    assert [row["id"] for row in rows] == [str(number) for number in range(1, 19)]
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["chapter"], []).append(row["id"])
    assert {chapter: " ".join(ids) for chapter, ids in found.items()} == DAYE_CHAPTERS
    assert list(found) == list(DAYE_CHAPTERS)


def test_daye_clause_begins_with_its_number_and_heading() -> None:
    for row in load("daye-2023")["article"]:
        if row["id"].isdigit():
            number = row["label"].replace("（", "(").replace("）", ")")
            assert row["text"].startswith(f"{number}{row['heading']}。")


def test_daye_sub_items_are_part_of_their_clause() -> None:
    rows = articles("daye-2023")
    sub_items = [key for key in rows if "." in key]

    assert sub_items == ["2.1", "2.2", "2.3", "12.1", "12.2", "12.3", "12.4", "12.5"]
    for key in sub_items:
        clause = rows[key.split(".")[0]]
        assert rows[key]["text"] in clause["text"]
        assert rows[key]["chapter"] == clause["chapter"]
        assert rows[key]["label"].startswith(clause["label"])


def test_daye_articles_and_headings_give_back_the_whole_text() -> None:
    data = load("daye-2023")
    parts, chapter = [], ""
    for row in data["article"]:
        if row["id"] == "preamble":
            parts.append(data["source"]["title"])
        if row["chapter"] != chapter:
            chapter = row["chapter"]
            parts.append(chapter)
        if "." not in row["id"]:
            parts.append(row["text"])

    text = without_space("".join(parts))

    assert len(text) == 2748
    assert hashlib.sha256(text.encode()).hexdigest() == DAYE_TEXT


@pytest.mark.parametrize(("key", "quote"), DAYE_QUOTES)
def test_daye_quote_stands_in_its_article(key: str, quote: str) -> None:
    assert quote in articles("daye-2023")[key]["text"]


def test_civil_code_chapter_on_periods_is_to_the_letter() -> None:
    source, rows = load("cn")["source"], articles("cn")

    assert source["id"] == "civil-code"
    assert source["in_force_from"] == date(2021, 1, 1)
    assert {key: without_space(row["text"]) for key, row in rows.items()} == {
        key: rows[key]["label"] + text for key, text in CIVIL_CODE.items()
    }
