"""The page of a case: what each role is shown, and what it is not."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest

HOUSING, ROADS = "市住建局", "市交通运输局"
PHONE, NAME = "13900000001", "王小明"


def page(client: Any, case: Any) -> str:
    response = client.get(f"/desk/case/{case.number}/")
    assert response.status_code == 200
    return response.content.decode()


def test_the_matter_its_limits_with_their_article_and_its_story(desk: Any) -> None:
    case = desk.dispatched()
    shown = page(desk.at("dispatcher"), case)
    matter = (case.number, "路灯不亮", "三盏路灯", "非紧急求助", "东岳路街道")
    for wanted in (*matter, "签收", "（七）", "派单", "提交诉求"):
        assert wanted in shown, wanted


def test_every_counted_day_of_a_limit_is_shown(desk: Any) -> None:
    case = desk.dispatched()
    handler = desk.at("handler", HOUSING)
    desk.do(handler, case, "case.claim")
    shown = page(handler, case)
    assert "第1天" in shown
    assert "不计入" in shown


@pytest.mark.parametrize("path", [ROADS, "东岳路街道"])
def test_a_unit_that_does_not_have_the_case_gets_not_found(desk: Any, path: str) -> None:
    case = desk.dispatched()
    assert desk.at("handler", path).get(f"/desk/case/{case.number}/").status_code == 404


def test_the_unit_complained_about_cannot_tell_the_case_from_none(desk: Any) -> None:
    case = desk.submit(kind="complaint", subject_unit=HOUSING)
    client = desk.at("handler", HOUSING)
    hidden, none = client.get(f"/desk/case/{case.number}/"), client.get("/desk/case/202601010000000/")
    assert (hidden.status_code, none.status_code) == (404, 404)
    assert hidden.content == none.content
    for address in ("identity/", "do/case.claim/"):
        assert client.post(f"/desk/case/{case.number}/{address}").status_code == 404


def test_a_handling_unit_of_a_complaint_never_gets_name_or_phone(desk: Any) -> None:
    case = desk.dispatched(kind="complaint")
    client = desk.at("handler", HOUSING)
    shown = page(client, case)
    assert PHONE not in shown and NAME not in shown
    assert "139****0001" in shown
    assert "查看联系方式" not in shown
    assert client.post(f"/desk/case/{case.number}/identity/").status_code == 404


def test_who_may_have_the_phone_presses_for_it_and_the_reading_is_logged(desk: Any) -> None:
    from huying.cases.models import IdentityAccess

    case = desk.submit()
    client = desk.at("operator")
    shown = page(client, case)
    assert PHONE not in shown and "查看联系方式" in shown
    assert client.get(f"/desk/case/{case.number}/identity/").status_code == 405
    part = client.post(f"/desk/case/{case.number}/identity/", headers={"HX-Request": "true"}).content.decode()
    assert PHONE in part and NAME in part and "<html" not in part
    last = IdentityAccess.objects.filter(case=case).latest("pk")
    assert (last.role, last.purpose, last.masked) == ("operator", "intake", False)


def test_a_report_of_wrongdoing_hides_who_reported_even_from_the_centre_s_supervisor(desk: Any) -> None:
    case = desk.submit(kind="report")
    shown = page(desk.at("supervisor"), case)
    assert PHONE not in shown and "0001" not in shown


def test_buttons_come_from_the_registry_and_greyed_ones_say_why(desk: Any) -> None:
    case = desk.dispatched()
    shown = page(desk.at("handler", HOUSING), case)
    greyed = shown.split("现在不能办的")[1]
    assert "提交答复" in greyed
    assert "只有在“办理中”时才能进行这项操作" in greyed
    open_now = shown.split("现在不能办的")[0].split("可以办的事")[1]
    assert "签收" in open_now and "提交答复" not in open_now


def test_a_file_is_a_download_for_who_sees_the_case(desk: Any) -> None:
    case = desk.dispatched()
    handler = desk.at("handler", HOUSING)
    desk.do(handler, case, "case.claim")
    proof = BytesIO("现场照片说明".encode())
    proof.name = "王小明家.txt"
    done = desk.do(handler, case, "case.verify", finding="true", note="属实", attachments=proof)
    assert done.status_code == 302, done.content.decode()
    (listed,) = handler.get(f"/desk/case/{case.number}/").context["record"]["attachments"]
    response = handler.get(f"/desk/case/{case.number}/file/{listed['key']}/")
    assert response.status_code == 200
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert "王小明" not in response.headers["Content-Disposition"]
    assert b"".join(response.streaming_content).decode() == "现场照片说明"
    assert desk.at("handler", ROADS).get(f"/desk/case/{case.number}/file/{listed['key']}/").status_code == 404


def test_reading_a_case_changes_nothing_but_the_log_of_who_read_whom(desk: Any) -> None:
    from huying.cases.models import JournalEntry

    case = desk.dispatched()
    case.refresh_from_db()
    before = JournalEntry.objects.filter(case=case).count(), case.version
    page(desk.at("handler", HOUSING), case)
    case.refresh_from_db()
    assert (JournalEntry.objects.filter(case=case).count(), case.version) == before


def test_an_auditor_is_shown_who_saw_a_case_and_nobody_else_is(desk: Any) -> None:
    case = desk.dispatched()
    desk.at("dispatcher").post(f"/desk/case/{case.number}/identity/")
    page = desk.at("auditor").get(f"/desk/case/{case.number}/").content.decode()
    assert "谁看过" in page and "dispatcher-center" in page
    assert "读取身份信息（地址、电子邮箱、姓名、电话；用途 办理；明文）" in page
    assert "王小明" not in page and "13900000001" not in page
    assert "谁看过" not in desk.at("supervisor").get(f"/desk/case/{case.number}/").content.decode()


def test_dispatching_is_the_first_thing_offered_and_the_lead_is_found_by_typing(desk: Any) -> None:
    case = desk.submit(title="围墙外起火", content="围墙外起火，冒烟。")
    client = desk.at("dispatcher")
    page = client.get(f"/desk/case/{case.number}/")
    assert page.context["buttons"][0].offer.action.id == "case.dispatch"
    assert "疑似紧急情况" in page.content.decode()
    form = client.get(f"/desk/case/{case.number}/do/case.dispatch/").content.decode()
    assert "<datalist" in form and '<option value="市住建局">' in form and "属地办理的，填“东岳路街道”" in form
    wrong = desk.do(client, case, "case.dispatch", lead="住建局")
    assert wrong.status_code == 422 and "请从单位列表中选择" in wrong.content.decode()


def test_a_case_on_its_way_carries_no_hints(desk: Any) -> None:
    case = desk.dispatched(title="围墙外起火", content="围墙外起火，冒烟。")
    assert "疑似紧急情况" not in desk.at("dispatcher").get(f"/desk/case/{case.number}/").content.decode()
    handler = desk.at("handler", "市住建局").get(f"/desk/case/{case.number}/").content.decode()
    assert "疑似紧急情况" not in handler and "剩" in handler and "个工作日" in handler


def test_a_system_administrator_is_told_where_the_work_is(desk: Any) -> None:
    page = desk.at("admin").get("/desk/").content.decode()
    assert "您的身份不查看诉求" in page
