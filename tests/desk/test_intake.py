"""Taking a case in while the caller talks."""

from __future__ import annotations

import re
from typing import Any

GIVEN = {
    "key": "a-key-of-the-page-0001", "channel": "hotline_12345", "kind": "consult", "title": "社保卡补办",
    "content": "社保卡丢了，怎样补办？", "place": "东岳路街道", "requester__name": "李小红",
    "requester__phone": "13900000002",
}  # fmt: skip


def test_the_receipt_shows_number_and_query_code(desk: Any) -> None:
    client = desk.at("operator")
    page = client.post("/desk/intake/", GIVEN).content.decode()
    assert "已登记" in page and "只显示这一次" in page
    assert re.search(r"\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}", page)
    case = page.split("/desk/case/")[1].split("/")[0]
    shown = client.get(f"/desk/case/{case}/").content.decode()
    assert "社保卡补办" in shown and "12345热线" in shown
    assert "13900000002" not in shown


def test_pressing_twice_makes_one_case(desk: Any) -> None:
    from huying.cases.models import Case

    client = desk.at("operator")
    first, second = client.post("/desk/intake/", GIVEN), client.post("/desk/intake/", GIVEN)
    assert first.context["receipt"]["number"] == second.context["receipt"]["number"]
    assert Case.objects.count() == 1


def test_what_is_missing_is_told_at_its_field_and_the_rest_stays(desk: Any) -> None:
    response = desk.at("operator").post("/desk/intake/", GIVEN | {"title": ""})
    page = response.content.decode()
    assert response.status_code == 422
    assert "请填写“标题”。" in page and "社保卡丢了" in page and "13900000002" in page


def test_a_bad_phone_is_told(desk: Any) -> None:
    response = desk.at("operator").post("/desk/intake/", GIVEN | {"requester__phone": "12"})
    assert response.status_code == 422
    assert "电话号码应为5至15位数字" in response.content.decode()


def test_a_consultation_is_answered_at_once(desk: Any) -> None:
    client = desk.at("operator")
    receipt = client.post("/desk/intake/", GIVEN)
    case = receipt.context["case"]
    assert "在线答复" in receipt.content.decode()
    page = client.get(f"/desk/case/{case.number}/do/case.answer/").content.decode()
    assert "答复内容" in page
    assert desk.do(client, case, "case.answer", reply="请携带身份证到社保窗口办理。").status_code == 302
    case.refresh_from_db()
    assert case.state == "feedback"


def test_only_operators_take_cases_in(desk: Any) -> None:
    client = desk.at("dispatcher")
    assert client.get("/desk/intake/").status_code == 404
    assert client.post("/desk/intake/", GIVEN).status_code == 404
