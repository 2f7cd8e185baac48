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


def test_who_does_not_take_cases_in_finds_no_such_page(desk: Any) -> None:
    client = desk.at("dispatcher")
    assert client.get("/desk/intake/").status_code == 404
    assert client.post("/desk/intake/", GIVEN).status_code == 404


FIRE = GIVEN | {"key": "a-key-of-the-page-0002", "kind": "help", "title": "厂房起火", "content": "隔壁厂房起火了。"}


def test_everything_that_is_missing_is_told_at_once(desk: Any) -> None:
    page = desk.at("operator").post("/desk/intake/", GIVEN | {"title": "", "content": "", "place": ""}).content.decode()
    assert all(f"请填写“{label}”。" in page for label in ("标题", "诉求内容", "事发地点"))


def test_an_emergency_is_told_on_the_receipt_with_the_word_found_and_the_article(desk: Any) -> None:
    page = desk.at("operator").post("/desk/intake/", FIRE).content.decode()
    assert "请让诉求人立即拨打110、119、120、122" in page
    assert "“起火”" in page and "（六）" in page and "由您决定" in page


def test_the_hint_opens_the_form_filled_in_and_decides_nothing(desk: Any) -> None:
    client = desk.at("operator")
    receipt = client.post("/desk/intake/", FIRE)
    case = receipt.context["case"]
    address = next(one.address for one in receipt.context["hints"] if one.urgent)
    page = client.get(address.partition("#")[0]).content.decode()
    assert '<option value="emergency" selected>' in page and 'value="110、119、120、122"' in page
    case.refresh_from_db()
    assert case.state == "received"


def test_a_link_fills_in_only_the_fields_meant_for_it(desk: Any) -> None:
    client = desk.at("operator")
    case = client.post("/desk/intake/", FIRE).context["case"]
    page = client.get(f"/desk/case/{case.number}/do/case.refuse/?fill.note=代写的说明&fill.basis=条文").content.decode()
    assert "代写的说明" not in page and "条文</textarea>" in page


def test_another_open_case_of_the_same_phone_is_named(desk: Any) -> None:
    client = desk.at("operator")
    first = client.post("/desk/intake/", FIRE).context["case"]
    again = client.post("/desk/intake/", GIVEN | {"requester__phone": "139 0000 0002"})
    assert [one.number for one in again.context["also"]] == [first.number]
    other = client.post("/desk/intake/", GIVEN | {"key": "a-key-of-the-page-0003", "requester__phone": "13900000003"})
    assert list(other.context["also"]) == []


def test_a_confidential_case_of_the_same_phone_is_not_linked_for_who_may_not_know(desk: Any) -> None:
    client = desk.at("operator")
    secret = client.post("/desk/intake/", FIRE | {"confidential": "true"}).context["case"]
    case = client.post("/desk/intake/", GIVEN).context["case"]
    page = desk.at("dispatcher").get(f"/desk/case/{case.number}/").content.decode()
    assert secret.number not in page and "同一诉求人还有" not in page


GRID = "东岳路街道/湖滨社区居民委员会"


def test_a_grid_worker_reports_with_a_photo_and_sees_it_in_the_own_list(desk: Any) -> None:
    from io import BytesIO

    from django.core.files.uploadedfile import SimpleUploadedFile
    from PIL import Image

    photo = BytesIO()
    Image.new("RGB", (40, 30), "grey").save(photo, "JPEG")
    client = desk.at("grid_worker", GRID)
    page = client.get("/desk/intake/").content.decode()
    assert "上报问题" in page and 'name="channel"' not in page and f'value="{GRID} "' in page
    given = {
        "key": "a-key-of-the-page-0004", "kind": "help", "title": "单杠断裂", "content": "底座断裂，有倒塌危险。",
        "place": f"{GRID} 广场东侧", "channel": "hotline_12345",
        "attachments": SimpleUploadedFile("现场.jpg", photo.getvalue(), "image/jpeg"),
    }  # fmt: skip
    case = client.post("/desk/intake/", given).context["case"]
    assert (case.channel, case.place_unit.path, case.attachments.count()) == ("grid", GRID, 1)
    listed = client.get("/desk/queue/all/").content.decode()
    assert "我上报的问题" in listed and case.number in listed
    assert client.get(f"/desk/case/{case.number}/").status_code == 200
    assert desk.at("grid_worker", "金湖街道").get(f"/desk/case/{case.number}/").status_code == 404
