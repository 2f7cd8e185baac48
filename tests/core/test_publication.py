"""What a published text must never hold."""

import pytest

from huying.core.publication import draft, found_in, judge_redaction

PRIVATE = {
    "name": ["李小明"], "phone": ["13900000001"], "id_number": ["420281199001011234"],
    "address": ["金湖街道新街18号3栋502"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("李小明反映路灯不亮", "诉求人的姓名"),
        ("李 小 明 反映路灯不亮", "诉求人的姓名"),
        ("来电１３９ ００００ ０００１", "诉求人的电话"),
        ("证件420281-19900101-1234", "诉求人的证件号码"),
        ("住在新街18号3栋502", "诉求人的住址"),
        ("邻居电话138-1234-5678", "手机号码"),
        ("邻居电话+86 13812345678", "手机号码"),
        ("邻居电话幺三八一二三四五六七八", "手机号码"),
        ("店里电话0714-8765432", "电话号码"),
        ("店主证件42028119900101123X", "证件、银行卡等号码"),
        ("卡号6222 0210 0110 0123", "证件、银行卡等号码"),
        ("写信到wang.li@example.cn", "电子邮箱"),
        ("写信到ｗａｎｇ＠example．cn", "电子邮箱"),
        ("肇事车鄂B·12345", "车牌号码"),
        ("肇事车鄂BD12345", "车牌号码"),
        ("邻居家1单元302", "门牌房号"),
    ],
)
def test_personal_data_are_found_however_they_are_written(text: str, kind: str) -> None:
    assert kind in found_in(text, PRIVATE)


@pytest.mark.parametrize(
    "text",
    [
        "李先生反映，新街道路口的路灯三天不亮。",
        "2026-03-02—2026-03-05，市住建局更换灯具20盏，投入12.5万元。",
        "1.5 2.3 4.8 15.6 32.5 48.9 12.1",
        "可以拨打12345或者110。依据《条例》第12345条。",
        "三四五六层的住户都看得见。",
    ],
)
def test_what_names_nobody_passes(text: str) -> None:
    assert found_in(text, PRIVATE) == []


def test_the_refusal_names_text_and_kind_and_never_the_value() -> None:
    texts = {"标题": "路灯不亮", "答复": "已与李小明（13900000001）联系。"}
    refused = judge_redaction(texts, PRIVATE, None)
    assert refused is not None and refused.code == "not_redacted"
    assert "答复" in refused.reason and "姓名" in refused.reason
    assert "李小明" not in refused.reason and "139" not in refused.reason
    assert judge_redaction({"标题": "路灯不亮"}, PRIVATE, None) is None


def test_a_draft_leaves_out_what_can_be_recognised() -> None:
    text = draft("请致电13900000001，邮箱a@example.cn，车牌鄂B12345，路灯不亮。")
    assert found_in(text, {}) == []
    assert text.endswith("路灯不亮。")
