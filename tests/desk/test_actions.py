"""Pressing the buttons of a case: the whole life, and every way of being refused."""

from __future__ import annotations

from typing import Any

HOUSING, ROADS = "市住建局", "市交通运输局"
HTMX = {"HX-Request": "true"}
CRITERIA = ["facts_clear", "basis_right", "handled_well"]


def ok(response: Any) -> None:
    assert response.status_code == 302, response.content.decode()


def state(case: Any) -> str:
    case.refresh_from_db()
    return str(case.state)


def replied(desk: Any, **data: Any) -> Any:
    """A case whose reply the unit has handed in."""
    case = desk.dispatched(**data)
    handler = desk.at("handler", HOUSING)
    ok(desk.do(handler, case, "case.claim"))
    ok(desk.do(handler, case, "case.contact", method="phone", result="reached", note="已联系，说明办理安排。"))
    ok(desk.do(handler, case, "case.reply", content="路灯已经修好。", outcome="solved"))
    return case


def test_a_case_lives_its_whole_life_through_the_pages(desk: Any) -> None:
    case = desk.submit()
    ok(desk.do(desk.at("operator"), case, "case.accept", kind="help", category="道路与路灯", urgency="normal"))
    ok(desk.do(desk.at("dispatcher"), case, "case.dispatch", lead=HOUSING, co=[ROADS], note="请及时办理。"))
    assert state(case) == "handling"
    handler = desk.at("handler", HOUSING)
    ok(desk.do(handler, case, "case.claim"))
    ok(desk.do(handler, case, "case.contact", method="phone", result="reached", note="已联系，说明办理安排。"))
    co = desk.at("handler", ROADS)
    ok(desk.do(co, case, "case.claim"))
    ok(desk.do(co, case, "case.co_feedback", content="已提供线路图。"))
    ok(desk.do(handler, case, "case.reply", content="路灯已经修好。", outcome="solved"))
    assert state(case) == "checking"
    ok(desk.do(desk.at("checker"), case, "check.pass", criteria=CRITERIA))
    assert state(case) == "feedback"
    ok(desk.do(desk.at("caller"), case, "case.call_back", method="phone", result="reached", contacted="true",
               solved="yes", rating="5", trust="5"))  # fmt: skip
    if state(case) != "closed":
        ok(desk.do(desk.at("dispatcher"), case, "case.close", outcome="solved"))
    assert state(case) == "closed"


def test_a_failed_check_and_an_application_are_decided_on_their_pages(desk: Any) -> None:
    case = replied(desk)
    ok(desk.do(desk.at("checker"), case, "check.fail", criteria=["facts_clear"], note="没有说明修复时间。"))
    assert state(case) == "handling"
    handler = desk.at("handler", HOUSING)
    ok(desk.do(handler, case, "case.claim"))
    ok(desk.do(handler, case, "case.request_extension", workdays="3", reason="等待配件到货。"))
    dispatcher = desk.at("dispatcher")
    page = dispatcher.get(f"/desk/case/{case.number}/").content.decode()
    assert "延期" in page and "等待配件到货" in page
    target = case.applications.get(type="extension").pk
    ok(desk.do(dispatcher, case, "application.approve", target=target, opinion="同意"))
    assert case.applications.get(type="extension").state == "approved"


def test_a_reply_before_any_contact_is_refused_with_its_article_on_the_whole_page(desk: Any) -> None:
    case = desk.dispatched()
    handler = desk.at("handler", HOUSING)
    ok(desk.do(handler, case, "case.claim"))
    response = desk.do(handler, case, "case.reply", content="已经修好了，请放心。", outcome="solved")
    page = response.content.decode()
    assert response.status_code == 422
    assert 'data-code="no_contact"' in page and "工作机制（八）" in page
    assert "已经修好了，请放心。" in page and "<html" in page
    assert state(case) == "handling"


def test_the_same_refusal_for_htmx_is_the_form_alone(desk: Any) -> None:
    case = desk.dispatched()
    handler = desk.at("handler", HOUSING)
    ok(desk.do(handler, case, "case.claim"))
    case.refresh_from_db()
    response = handler.post(
        f"/desk/case/{case.number}/do/case.reply/",
        {"version": case.version, "content": "已经修好了。", "outcome": "solved"},
        headers=HTMX,
    )
    part = response.content.decode()
    assert response.status_code == 422
    assert 'data-code="no_contact"' in part and "工作机制（八）" in part and "已经修好了。" in part
    assert "<html" not in part


def test_a_missing_field_is_told_at_the_field_and_the_rest_stays(desk: Any) -> None:
    case = desk.submit()
    response = desk.do(desk.at("dispatcher"), case, "case.refuse", ground="repeat", basis="第六条")
    page = response.content.decode()
    assert response.status_code == 422
    assert "请填写“解释说明”。" in page and "第六条" in page
    assert state(case) == "received"


def test_the_form_offers_the_regulation_s_grounds_and_the_units(desk: Any) -> None:
    case = desk.submit()
    client = desk.at("dispatcher")
    part = client.get(f"/desk/case/{case.number}/do/case.refuse/", headers=HTMX).content.decode()
    assert "<html" not in part and "违背公序良俗" in part
    part = client.get(f"/desk/case/{case.number}/do/case.dispatch/", headers=HTMX).content.decode()
    assert f'value="{HOUSING}"' in part


def test_htmx_is_sent_on_after_success(desk: Any) -> None:
    case = desk.dispatched()
    case.refresh_from_db()
    response = desk.at("handler", HOUSING).post(
        f"/desk/case/{case.number}/do/case.claim/", {"version": case.version}, headers=HTMX
    )  # fmt: skip
    assert response.headers["HX-Redirect"] == f"/desk/case/{case.number}/"


def test_a_case_changed_since_is_stale_and_what_was_typed_stays(desk: Any) -> None:
    case = desk.dispatched()
    handler = desk.at("handler", HOUSING)
    ok(desk.do(handler, case, "case.claim"))
    case.refresh_from_db()
    old = case.version
    ok(desk.do(handler, case, "case.progress", content="正在采购配件。"))
    response = desk.do(handler, case, "case.progress", version=old, content="配件明天到货。")
    page = response.content.decode()
    assert response.status_code == 422
    assert 'data-code="stale"' in page and "配件明天到货。" in page
    case.refresh_from_db()
    assert f'name="version" value="{case.version}"' in page
    ok(desk.do(handler, case, "case.progress", content="配件明天到货。"))


def test_a_stale_form_in_htmx_gets_the_whole_page_as_it_is_now(desk: Any) -> None:
    case = desk.dispatched()
    response = desk.at("handler", HOUSING).post(
        f"/desk/case/{case.number}/do/case.claim/", {"version": 0}, headers=HTMX
    )  # fmt: skip
    assert response.status_code == 422
    assert response.headers["HX-Retarget"] == "body"
    assert "刚刚被别人处理过" in response.content.decode()


def test_an_action_of_another_role_is_refused_and_changes_nothing(desk: Any) -> None:
    case = desk.submit()
    response = desk.do(desk.at("checker"), case, "case.dispatch", lead=HOUSING)
    assert response.status_code == 422
    assert 'data-code="not_permitted"' in response.content.decode()
    assert state(case) == "received"


def test_a_unit_without_the_case_an_unknown_action_and_a_foreign_target_are_not_found(desk: Any) -> None:
    case, other = desk.dispatched(), desk.dispatched(title="另一件")
    handler = desk.at("handler", HOUSING)
    assert desk.do(desk.at("handler", ROADS), case, "case.claim").status_code == 404
    assert desk.do(handler, case, "case.explode").status_code == 404
    assert desk.do(handler, case, "case.submit").status_code == 404
    ok(desk.do(handler, other, "case.claim"))
    ok(desk.do(handler, other, "case.request_extension", workdays="3", reason="等待配件。"))
    target = other.applications.get().pk
    response = desk.do(desk.at("dispatcher"), case, "application.approve", target=target, opinion="同意")
    assert response.status_code == 404


def test_the_unit_complained_about_is_refused_as_a_target(desk: Any) -> None:
    case = desk.submit(kind="complaint", subject_unit=HOUSING)
    response = desk.do(desk.at("dispatcher"), case, "case.dispatch", lead=HOUSING)
    assert response.status_code == 422
    assert 'data-code="recusal"' in response.content.decode()
    assert state(case) == "received"


def test_a_case_that_leaves_the_actor_s_sight_leads_to_the_work_lists(desk: Any) -> None:
    case = desk.dispatched()
    ok(desk.do(desk.at("handler", HOUSING), case, "case.return", reason="不属于本单位职责。", suggested_unit=ROADS))
    target = case.applications.get().pk
    dispatcher = desk.at("dispatcher")
    form = dispatcher.get(f"/desk/case/{case.number}/do/application.approve/", {"target": target}, headers=HTMX)
    assert f'<option value="{ROADS}" selected' in form.content.decode()
    ok(desk.do(dispatcher, case, "application.approve", target=target, opinion="同意", unit=ROADS))
    assert desk.at("handler", HOUSING).get(f"/desk/case/{case.number}/").status_code == 404
    assert desk.at("handler", ROADS).get(f"/desk/case/{case.number}/").status_code == 200


def test_flags_are_ticked_and_unticked(desk: Any) -> None:
    case = desk.submit()
    client = desk.at("operator")
    ok(desk.do(client, case, "case.flag", flags=["urgent"], **{"flags-offered": ["urgent", "sensitive"]}))
    case.refresh_from_db()
    assert case.flags == {"urgent": True, "sensitive": False}
