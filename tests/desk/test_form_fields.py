"""The desk's own forms ask for what the regulation says, with the article, before the action is taken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from huying.base import clock
from huying.base.clock import LEGAL_ZONE
from huying.cases.commands import Done, perform
from huying.cases.models import Case, IdentityAccess, JournalEntry, Reply
from huying.cases.policies import regulation
from huying.desk.forms import action_form
from huying.people.actors import Actor
from huying.people.units import find_unit, open_platform

BUREAU, TOWN = "永川区/住房城乡建委", "永川区/中山路街道"
PERSON = {"name": "王小明", "phone": "13900000001"}
City = Callable[[str], Any]


@pytest.fixture
def city(desk: Any) -> City:
    """`city("chongqing-2021")`: the desk of a platform under that regulation."""

    def make(name: str) -> Any:
        policy = regulation(name)
        # A thousand towns and villages take their time, and few are needed here.
        units = tuple(one for one in policy.tree.units if "/" not in one.path or one.path in (BUREAU, TOWN))
        tree = policy.tree.model_copy(update={"units": units})
        return type(desk)(open_platform(name, policy.info.platform_name, name, tree))

    return make


def last(case: Any, action: str) -> Any:
    return JournalEntry.objects.filter(case=case, action=action).latest("seq").data


def state(case: Any) -> str:
    case.refresh_from_db()
    return str(case.state)


# --- Replies ---------------------------------------------------------------------------------------


def taken_in(desk: Any, place: str, **data: Any) -> Any:
    """A case that the centre took in, so that it waits in the centre's queue whatever the flow."""
    operator = Actor(id="x", role="operator", platform=desk.platform, unit=find_unit(desk.platform, "center"))
    given = {
        "channel": "hotline_12345", "kind": "help", "title": "路灯不亮", "content": "门口路灯不亮。", "place": place,
        "requester": PERSON,
    } | data  # fmt: skip
    done = perform("case.submit", actor=operator, now=clock.now(), data=given)
    assert isinstance(done, Done), done
    return done.case


def in_hand(desk: Any, lead: str, place: str, **data: Any) -> Any:
    case = taken_in(desk, place, **data)
    sent = desk.do(desk.at("dispatcher"), case, "case.dispatch", lead=lead)
    assert sent.status_code == 302, sent.content.decode()
    return case


def test_a_reply_without_facts_and_basis_is_refused_at_the_fields_with_the_article(city: City) -> None:
    desk = city("chongqing-2021")
    case = in_hand(desk, BUREAU, TOWN)
    handler = desk.at("handler", BUREAU)
    response = desk.do(handler, case, "case.reply", content="路灯已经修好。", outcome="solved")
    page = response.content.decode()
    assert response.status_code == 422 and Reply.objects.count() == 0 and state(case) == "handling"
    for label in ("查明的事实", "依据", "解决措施"):
        assert f"请填写“{label}”" in page
    assert "第十条" in page and "路灯已经修好。" in page, "what was typed stays"
    given = {"content": "路灯已经修好。", "facts": "变压器跳闸。", "basis": "城市照明管理规定", "outcome": "solved"}
    assert desk.do(handler, case, "case.reply", **given).status_code == 422, "what can be solved needs its measures"
    assert desk.do(handler, case, "case.reply", **given, measures="更换开关。").status_code == 302
    row = Reply.objects.get()
    assert (row.facts, row.basis, row.measures) == ("变压器跳闸。", "城市照明管理规定", "更换开关。")
    shown = handler.get(f"/desk/case/{case.number}/").content.decode()
    assert "变压器跳闸。" in shown and "更换开关。" in shown


def test_a_consultation_is_answered_without_them(city: City) -> None:
    desk = city("chongqing-2021")
    case = in_hand(desk, BUREAU, TOWN, kind="consult")
    handler = desk.at("handler", BUREAU)
    page = handler.get(f"/desk/case/{case.number}/do/case.reply/").content.decode()
    assert 'name="facts"' not in page and 'name="told_by"' not in page
    assert desk.do(handler, case, "case.reply", content="请带身份证。", outcome="explained").status_code == 302


def test_nobody_else_learns_what_the_form_would_ask_for(city: City) -> None:
    desk = city("chongqing-2021")
    case = in_hand(desk, BUREAU, TOWN)
    response = desk.do(desk.at("checker"), case, "case.reply", content="已修好。", outcome="solved")
    assert response.status_code == 422 and 'data-code="not_permitted"' in response.content.decode()


def test_how_and_when_the_result_was_told_is_asked_for_in_the_district(city: City) -> None:
    desk = city("chongqing-district")
    lead = "城市管理局"
    case = in_hand(desk, lead, "东城街道")
    handler = desk.at("handler", lead)
    assert desk.do(handler, case, "case.verify", finding="true", note="现场看过。").status_code == 302
    form = handler.get(f"/desk/case/{case.number}/do/case.reply/").content.decode()
    assert 'name="facts"' not in form and 'name="told_by"' not in form, "the district's text does not ask for them here"
    assert desk.do(handler, case, "case.reply", content="路灯已经修好。", outcome="solved").status_code == 302
    assert desk.do(desk.at("leader", lead), case, "reply.approve").status_code == 302
    admin = desk.at("unit_admin", lead)
    page = desk.do(admin, case, "case.close").content.decode()
    assert "请填写“告知方式”" in page and "请填写“告知日期”" in page and "第十四条" in page
    late = desk.do(admin, case, "case.close", told_by="phone", told_on="2999-01-01")
    assert late.status_code == 422 and "告知日期不能晚于今天" in late.content.decode()
    today = clock.local_date(clock.now())
    assert desk.do(admin, case, "case.close", told_by="phone", told_on=today.isoformat()).status_code == 302
    row = Reply.objects.get()
    assert (row.told_by, row.told_on) == ("phone", today)


def test_nobody_is_asked_how_an_anonymous_requester_was_told(city: City) -> None:
    desk, lead = city("chongqing-district"), "城市管理局"
    case = in_hand(desk, lead, "东城街道", anonymous=True, requester=None)
    handler = desk.at("handler", lead)
    assert desk.do(handler, case, "case.verify", finding="true", note="现场看过。").status_code == 302
    assert desk.do(handler, case, "case.reply", content="路灯已经修好。", outcome="solved").status_code == 302
    assert desk.do(desk.at("leader", lead), case, "reply.approve").status_code == 302
    admin = desk.at("unit_admin", lead)
    assert "told_by" not in admin.get(f"/desk/case/{case.number}/do/case.close/").content.decode()
    assert desk.do(admin, case, "case.close").status_code == 302


def test_a_form_of_a_regulation_that_asks_nothing_is_as_short_as_before(desk: Any) -> None:
    assert set(action_form("case.reply", desk.platform).base_fields) == {
        "content",
        "outcome",
        "adoption",
        "attachments",
    }
    assert not {"reason", "basis"} & set(action_form("case.accept", desk.platform).base_fields)
    assert not {"requester__kind", "requester__organisation"} & set(
        action_form("case.submit", desk.platform).base_fields
    )


# --- Acceptance ------------------------------------------------------------------------------------


def test_accepting_asks_for_a_category_of_the_list(city: City) -> None:
    desk = city("huzhou-2016")
    case, client = (
        desk.submit(place="吴兴区", category="随便写的", channel="portal", kind="complaint"),
        desk.at("operator"),
    )
    response = desk.do(client, case, "case.accept", kind="complaint")
    assert response.status_code == 422 and "请填写“事项分类”" in response.content.decode()
    response = desk.do(client, case, "case.accept", kind="complaint", category="随便写的")
    assert response.status_code == 422 and "请从列表中重新选择" in response.content.decode()
    case.refresh_from_db()
    assert case.accepted_at is None and case.category == "随便写的", "the citizen's own words stay till then"
    assert desk.do(client, case, "case.accept", kind="complaint", category="出租车服务").status_code == 302
    case.refresh_from_db()
    assert case.category == "出租车服务"


def test_an_uncoded_category_posted_by_hand_is_refused_at_intake_everywhere(desk: Any) -> None:
    given = {
        "key": "a-key-of-the-page-0009", "channel": "hotline_12345", "kind": "help", "title": "路灯",
        "content": "路灯不亮。", "place": "东岳路街道", "category": "自己想的分类",
    }  # fmt: skip
    client = desk.at("operator")
    response = client.post("/desk/intake/", given)
    assert response.status_code == 422 and Case.objects.count() == 0
    assert "请从列表中重新选择" in response.content.decode()
    assert client.post("/desk/intake/", given | {"category": "道路与路灯"}).status_code == 200
    assert Case.objects.get().category == "道路与路灯"


def test_every_coded_field_of_the_intake_form_is_counted(city: City) -> None:
    """What is chosen from a list at intake can be told apart in the figures; units and yes-or-no are no codes."""
    from django import forms

    from huying.cases.queries.indicators import DIMENSIONS

    for name in ("huzhou-2016", "chongqing-district", "hebi-2020"):
        fields = action_form("case.submit", city(name).platform).base_fields
        coded = {
            one.rpartition("__")[2] if one != "requester__kind" else "requester_kind"
            for one, field in fields.items()
            if isinstance(field.widget, forms.Select | forms.RadioSelect)
            and one not in ("subject_unit", "confidential")
        }
        assert {"channel", "kind", "category", "urgency"} <= coded
        assert coded - set(DIMENSIONS) == set(), name


def test_what_is_excluded_in_principle_is_accepted_with_a_reason_and_the_journal_says_so(city: City) -> None:
    desk = city("chongqing-2021")
    case = taken_in(desk, TOWN, title="复议以后", content="行政复议后仍未整改。")
    client = desk.at("dispatcher")
    page = client.get(f"/desk/case/{case.number}/").content.decode()
    assert "标注为原则上不受理" in page, "the hint can be confirmed"
    form = client.get(f"/desk/case/{case.number}/do/case.accept/").content.decode()
    assert 'name="reason"' not in form, "a hint alone asks for nothing"
    assert desk.do(client, case, "case.flag", flags=["excluded"]).status_code == 302
    response = desk.do(client, case, "case.dispatch", lead=BUREAU)
    assert response.status_code == 422 and "请先办理“受理”并写明理由" in response.content.decode()
    assert "第六条" in response.content.decode() and state(case) == "received"
    response = desk.do(client, case, "case.accept", category="物业管理")
    assert response.status_code == 422 and "请填写“受理理由”" in response.content.decode()
    assert desk.do(client, case, "case.accept", category="物业管理", reason="复议已经生效。").status_code == 302
    case.refresh_from_db()
    assert case.accept_reason == "复议已经生效。"
    entry = last(case, "case.accept")
    assert entry["overridden"] == ["reconsideration"] and "复议已经生效" not in str(entry)
    assert "复议已经生效。" in client.get(f"/desk/case/{case.number}/").content.decode()
    assert desk.do(client, case, "case.dispatch", lead=BUREAU).status_code == 302


# --- Taking in -------------------------------------------------------------------------------------

GIVEN = {
    "key": "a-key-of-the-page-0010", "channel": "hotline_12345", "kind": "help", "title": "停水",
    "content": "厂区停水。", "place": "东城街道", "requester__name": "何某", "requester__phone": "13900000004",
}  # fmt: skip


def test_who_asks_for_a_company_gives_its_name_and_it_goes_to_the_vault(city: City) -> None:
    desk = city("chongqing-district")
    client = desk.at("operator")
    page = client.get("/desk/intake/").content.decode()
    assert 'name="requester__kind"' in page and 'value="individual"' in page
    response = client.post("/desk/intake/", GIVEN | {"requester__kind": "enterprise"})
    assert response.status_code == 422 and "请填写“企业名称”" in response.content.decode()
    assert list(response.context["form"].errors) == ["requester__organisation"]
    assert client.post("/desk/intake/", GIVEN).status_code == 422, "the kind is asked for"
    given = GIVEN | {"requester__kind": "enterprise", "requester__organisation": "东城机械有限公司"}
    assert client.post("/desk/intake/", given).status_code == 200
    case = Case.objects.get()
    assert case.requester_kind == "enterprise"
    shown = client.post(f"/desk/case/{case.number}/identity/").content.decode()
    assert "东城机械有限公司" in shown
    assert "organisation" in IdentityAccess.objects.filter(case=case, masked=False).latest("pk").kinds
    assert not Case.objects.filter(content__contains="东城机械").exists() and "东城机械" not in str(
        last(case, "case.submit")
    )


@pytest.fixture
def saturday(monkeypatch: pytest.MonkeyPatch) -> None:
    at = datetime(2024, 3, 9, 10, 0, tzinfo=LEGAL_ZONE)
    monkeypatch.setattr(clock, "now", lambda: at)


HALL = GIVEN | {"channel": "service_hall", "kind": "complaint", "mode": "written", "place": "淇滨区"}


@pytest.mark.usefixtures("saturday")
def test_outside_the_hall_s_hours_the_desk_confirms_and_the_journal_notes_it(city: City) -> None:
    desk = city("hebi-2020")
    client = desk.at("operator")
    assert "确认在开放时间以外登记" in client.get("/desk/intake/").content.decode()
    response = client.post("/desk/intake/", HALL)
    assert response.status_code == 422 and "工作日09:00至17:00" in response.content.decode()
    assert list(response.context["form"].errors) == ["outside_hours"] and Case.objects.count() == 0
    assert client.post("/desk/intake/", HALL | {"outside_hours": "on"}).status_code == 200
    assert last(Case.objects.get(), "case.submit")["outside_hours"] is True
    call = HALL | {"key": "a-key-of-the-page-0011", "channel": "hotline_12345", "mode": ""}
    assert client.post("/desk/intake/", call).status_code == 200, "the hotline never closes"


def test_in_the_hall_s_hours_nobody_is_asked(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2024, 3, 8, 10, 0, tzinfo=LEGAL_ZONE))
    client = city("hebi-2020").at("operator")
    assert "outside_hours" not in client.get("/desk/intake/").content.decode()
    assert client.post("/desk/intake/", HALL).status_code == 200
    assert "outside_hours" not in last(Case.objects.get(), "case.submit")


# --- The paper form --------------------------------------------------------------------------------


def test_the_form_of_a_written_complaint_is_printed_with_number_date_receiver_and_scan(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    monkeypatch.setattr(clock, "now", lambda: datetime(2024, 3, 8, 10, 0, tzinfo=LEGAL_ZONE))
    desk = city("hebi-2020")
    client = desk.at("operator")
    scan = SimpleUploadedFile("投诉信.txt", "投诉信全文".encode())
    made = client.post("/desk/intake/", HALL | {"attachments": [scan]})
    assert made.status_code == 200
    case = Case.objects.get()
    address = f"/desk/case/{case.number}/registration-form/"
    if case.attachments.count() == 0:
        pytest.fail("the scan was not kept")
    assert address in client.get(f"/desk/case/{case.number}/").content.decode()
    page = client.get(address).content.decode()
    for said in (
        "投诉受理登记表",
        case.number,
        "2024-03-08 10:00",
        "operator-center",
        "书面",
        "厂区停水。",
        "第六条（三）1",
    ):
        assert said in page, said
    assert case.attachments.get().sha256 in page and "13900000004" not in page
    before = IdentityAccess.objects.filter(case=case, masked=False).count()
    filled = client.post(address).content.decode()
    assert "13900000004" in filled and "何某" in filled
    assert IdentityAccess.objects.filter(case=case, masked=False).count() == before + 1
    assert client.get(f"/desk/case/{NO_SUCH}/registration-form/").status_code == 404


NO_SUCH = "20260101999999999"


def test_a_case_that_needs_no_form_has_none_and_who_may_not_see_the_case_finds_nothing(city: City, desk: Any) -> None:
    case = desk.submit()
    assert desk.at("operator").get(f"/desk/case/{case.number}/registration-form/").status_code == 404
    hebi = city("hebi-2020")
    case = hebi.submit(channel="service_hall", kind="complaint", place="淇滨区", requester=PERSON)
    address = f"/desk/case/{case.number}/registration-form/"
    assert hebi.at("auditor").post(address).status_code == 404, "who may not read a name in clear"
    assert hebi.at("handler", "市公安局").get(address).status_code == 404
