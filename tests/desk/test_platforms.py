"""The desk of an installation with several platforms: each shows its own name, lists, words and fields."""

from __future__ import annotations

from typing import Any

import pytest

from huying.cases.policies import regulation
from huying.cases.queries.queues import queues_of
from huying.desk.case_page import form_of
from huying.desk.forms import action_form
from huying.people.actors import Actor
from huying.people.models import Account, Platform, Unit
from huying.people.units import find_unit, open_platform

OTHER = "chongqing-district"


@pytest.fixture
def other(desk: Any) -> Platform:
    """A platform under another regulation beside the first."""
    policy = regulation(OTHER)
    return open_platform("other", policy.info.platform_name, policy.info.id, policy.tree)


def lists(platform: Platform, role: str, path: str) -> list[str]:
    actor = Actor(id="x", role=role, platform=platform, unit=find_unit(platform, path))
    return [queue.label for queue in queues_of(actor)]


def test_staff_see_the_name_of_their_platform_on_every_page(desk: Any, other: Platform) -> None:
    client = desk.at("dispatcher")
    for address in ("/desk/", "/desk/queue/all/", "/desk/account/2fa/", "/desk/case/0/", "/desk/search/?q=x"):
        page = client.get(address).content.decode()
        assert desk.platform.name in page and other.name not in page, address


def test_staff_of_one_platform_work_in_no_other(desk: Any, other: Platform) -> None:
    case = desk.submit()
    account = Account.objects.create_user("elsewhere", platform=other)
    account.grants.create(unit=find_unit(other, "center"), role="dispatcher", since="2020-01-01T00:00Z", granted_by="x")
    account.grants.create(
        unit=find_unit(desk.platform, "center"), role="supervisor", since="2020-01-01T00:00Z", granted_by="x"
    )
    client = desk.at("operator").__class__()
    client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get("/desk/").content.decode()
    assert other.name in page and desk.platform.name not in page
    assert client.get(f"/desk/case/{case.number}/").status_code == 404


def test_a_list_is_only_where_the_regulation_has_its_action(desk: Any, other: Platform) -> None:
    here, there = lists(desk.platform, "supervisor", "center"), lists(other, "supervisor", "center")
    assert "挂账" in here and "待研判" in here
    assert "挂账" not in there and "待研判" not in there
    leader = lists(other, "leader", "城市管理局")
    assert "待单位审核" in leader and "待正式函告" in leader
    assert "待单位审核" not in lists(desk.platform, "leader", "市住建局")


def test_who_closes_has_the_list_of_what_is_to_be_closed(desk: Any, other: Platform) -> None:
    assert "待办结" in lists(desk.platform, "dispatcher", "center")
    assert "待办结" in lists(other, "unit_admin", "城市管理局")
    assert "待办结" not in lists(desk.platform, "unit_admin", "市住建局")


def test_signing_for_a_task_is_spoken_of_only_where_it_is_asked_for(desk: Any, other: Platform) -> None:
    assert "待签收" in lists(desk.platform, "handler", "市住建局")
    there = lists(other, "handler", "城市管理局")
    assert "待办理" in there and not any("签收" in label for label in there)


def test_a_form_asks_only_for_what_a_rule_needs(desk: Any, other: Platform) -> None:
    here, there = (set(action_form("case.call_back", one).base_fields) for one in (desk.platform, other))
    assert {"contacted", "trust"} <= here and "trust" not in there and "contacted" in there, "a trigger watches it"
    assert "procedure" not in action_form("case.dispatch", desk.platform).base_fields
    assert "complexity" not in action_form("case.accept", desk.platform).base_fields


def test_a_decision_asks_for_what_its_application_needs(desk: Any) -> None:
    from huying.base import clock
    from huying.cases.offers import offers

    case = desk.dispatched()
    handler = desk.at("handler", "市住建局")
    desk.do(handler, case, "case.claim")
    desk.do(handler, case, "case.request_extension", workdays=3, reason="等待配件。")
    case.refresh_from_db()
    actor = Actor(id="y", role="dispatcher", platform=desk.platform, unit=find_unit(desk.platform, "center"))
    decide = next(one for one in offers(case, actor, now=clock.now()) if one.action.id == "application.approve")
    fields = form_of(case, decide).base_fields
    assert set(fields) == {"opinion", "workdays"} and fields["workdays"].label == "同意延长的工作日数"


def test_units_are_searched_while_one_types(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huying.desk.forms.SEARCHED", 5)
    form = action_form("case.dispatch", desk.platform)()
    assert "<option" not in str(form["lead"]) and 'hx-get="/desk/units/?field=lead"' in str(form["lead"])
    client = desk.at("dispatcher")
    found = client.get("/desk/units/", {"field": "lead", "lead": "住建"}).content.decode()
    assert '<option value="市住建局">' in found and "公安" not in found
    assert "村民委员会" not in client.get("/desk/units/", {"field": "lead", "lead": "村"}).content.decode()
    assert "村民委员会" in client.get("/desk/units/", {"field": "place", "place": "金湖 村"}).content.decode()
    assert client.get("/desk/units/", {"field": "lead", "lead": "\0"}).content.strip() == b""


def test_several_units_are_given_one_a_field(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huying.desk.forms.SELECTABLE", 5)
    case = desk.submit()
    response = desk.do(
        desk.at("dispatcher"), case, "case.dispatch", lead="市住建局", co=["市公安局", "", "市交通运输局"]
    )  # fmt: skip
    assert response.status_code == 302
    assert set(case.assignments.filter(role="co").values_list("unit__path", flat=True)) == {"市公安局", "市交通运输局"}
    form = action_form("case.dispatch", desk.platform)({"lead": "", "co": ["市公安局"]})
    assert str(form["co"]).count('name="co"') == 3 and 'value="市公安局"' in str(form["co"])


def test_no_page_lists_twelve_thousand_units(desk: Any) -> None:
    root = Unit.objects.get(platform=desk.platform, parent=None)
    Unit.objects.bulk_create(
        Unit(platform=desk.platform, parent=root, path=f"村{n}", name=f"村{n}", kind="village", handles=True)
        for n in range(700)
    )  # fmt: skip
    assert len(str(action_form("case.dispatch", desk.platform)())) < 20_000


def test_the_duty_list_proposes_who_leads_and_says_why(desk: Any, other: Platform) -> None:
    from django.test import Client

    from huying.base import clock
    from huying.cases.commands import Done, perform

    centre = find_unit(other, "center")
    operator = Actor(id="o", role="operator", platform=other, unit=centre)
    given = {
        "channel": "hotline_12345", "kind": "complaint", "title": "路灯不亮", "content": "人民路的路灯三天不亮。",
        "place": "东城街道", "category": "城市道路与路灯", "requester": {"name": "王小明", "phone": "13900000001"},
    }  # fmt: skip
    done = perform("case.submit", actor=operator, now=clock.now(), data=given)
    assert isinstance(done, Done), done
    account = Account.objects.create_user("hands-out", platform=other)
    account.grants.create(unit=centre, role="dispatcher", since="2020-01-01T00:00Z", granted_by="x")
    client = Client()
    client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    response = client.get(f"/desk/case/{done.case.number}/")
    page = response.content.decode()
    assert "按权责清单，建议由区城市管理局主办" in page and "事项分类是“城市道路与路灯”" in page
    hint = next(one for one in response.context["hints"] if one.why)
    assert 'value="城市管理局"' in client.get(hint.address.partition("#")[0]).content.decode()


def test_lists_after_the_answer_follow_what_the_regulation_wants(desk: Any, other: Platform) -> None:
    """Where a first answer need not be called back, it may be closed at once by whom the regulation names."""
    from huying.base import clock
    from huying.cases.commands import Done, perform
    from huying.cases.queries.queues import find_queue, page_of

    now, unit = clock.now(), "城市管理局"

    def actor(role: str, path: str, name: str = "") -> Actor:
        return Actor(id=name or f"{role}@{path}", role=role, platform=other, unit=find_unit(other, path))

    def take(action: str, who: Actor, case: Any = None, **data: Any) -> Any:
        done = perform(action, actor=who, now=now, case=case, data=data)
        assert isinstance(done, Done), (action, done)
        return done.case

    def listed(key: str, who: Actor) -> bool:
        queue = find_queue(who, key)
        return queue is not None and case in page_of(queue, who, now=now).cases

    case = take(
        "case.submit", actor("operator", "center"), channel="hotline_12345", kind="complaint", title="路灯不亮",
        content="人民路的路灯三天不亮。", place="东城街道", requester={"name": "王小明", "phone": "13900000001"},
    )  # fmt: skip
    assert listed("to_dispatch", actor("dispatcher", "center"))
    take("case.dispatch", actor("dispatcher", "center"), case, lead=unit)
    handler, leader = actor("handler", unit), actor("leader", unit)
    assert listed("to_claim", handler) and not listed("to_claim", actor("handler", "公安局"))
    take("case.verify", handler, case, finding="true", note="现场查看属实。")
    take("case.reply", handler, case, content="已经修好。", outcome="solved")
    assert listed("to_review", leader) and not listed("to_review", actor("leader", "公安局"))
    assert not listed("to_close", actor("unit_admin", unit))
    take("reply.approve", leader, case)
    assert not listed("to_review", leader)
    assert listed("to_close", actor("unit_admin", unit)) and not listed("to_close", actor("unit_admin", "公安局"))
    assert not listed("to_call_back", actor("caller", "center"))


def test_a_role_that_one_regulation_adds_sees_its_list_and_no_more() -> None:
    actor = Actor(id="m", role="monitor", platform=Platform(slug="x", regulation="hebi-2020"))
    assert [queue.key for queue in queues_of(actor)] == ["all"]
    nobody = Actor(id="m", role="monitor", platform=Platform(slug="x", regulation="daye-2023"))
    assert queues_of(nobody) == []
