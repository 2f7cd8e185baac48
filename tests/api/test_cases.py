"""The API does what the pages do: one route an action, the same refusals, the same sight."""

from typing import Any

import pytest

from huying.cases.models import Case

pytestmark = pytest.mark.django_db


def test_a_case_goes_from_dispatch_to_claim(staff: Any, submitted: Any) -> None:
    number = submitted["number"]
    centre, handler = staff("dispatcher@center"), staff("handler@市住建局")
    listed = centre.get("/cases", queue="to_dispatch").json()
    assert [one["number"] for one in listed["cases"]] == [number]

    done = centre.post(f"/cases/{number}/case.dispatch", {"lead": "市住建局", "version": listed["cases"][0]["version"]})
    assert (done.status_code, done.json()["state"]) == (200, "handling")
    offered = {offer["action"]: offer for offer in handler.get(f"/cases/{number}/offers").json()}
    assert offered["case.claim"]["enabled"] is True
    assert handler.post(f"/cases/{number}/case.claim").status_code == 200
    record = handler.get(f"/cases/{number}").json()
    assert (record["lead"], record["assignments"][0]["state"]) == ("市住建局", "handling")
    limits = {limit["name"]: limit for limit in handler.get(f"/cases/{number}/explain").json()}
    assert len([day for day in limits["handle"]["steps"][0]["counted"] if day["number"]]) == 5
    assert limits["handle"]["steps"][0]["quote"]


def test_a_refusal_carries_code_rule_and_the_articles_text(staff: Any, submitted: Any) -> None:
    handler, centre = staff("handler@市住建局"), staff("dispatcher@center")
    number = submitted["number"]
    centre.post(f"/cases/{number}/case.dispatch", {"lead": "市住建局"})
    handler.post(f"/cases/{number}/case.claim")
    answer = handler.post(f"/cases/{number}/case.reply", {"content": "已修复。", "outcome": "solved"})
    assert (answer.status_code, answer.json()["code"]) == (422, "no_contact")
    assert answer.json()["cite"] == "daye-2023#8"
    assert len(answer.json()["text"]) > 20
    again = handler.post(f"/cases/{number}/case.claim")
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
    stale = handler.post(f"/cases/{number}/case.progress", {"content": "备料中", "version": 1})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale")
    wrong_role = handler.post(f"/cases/{number}/case.dispatch", {"lead": "市教育局"})
    assert (wrong_role.status_code, wrong_role.json()["code"]) == (403, "not_permitted")


def test_another_unit_and_the_accused_unit_get_what_a_number_without_a_case_gets(
    staff: Any, submit: Any, take: Any
) -> None:
    case = submit(subject_unit="市住建局").case
    take("case.dispatch", "dispatcher@center", case, case.submitted_at, lead="市教育局")
    for who in ("handler@市住建局", "leader@市住建局", "handler@市卫健局"):
        caller = staff(who)
        unknown = caller.get("/cases/20260302000000010")
        assert unknown.status_code == 404
        for answer in (
            caller.get(f"/cases/{case.number}"),
            caller.get(f"/cases/{case.number}/explain"),
            caller.get(f"/cases/{case.number}/offers"),
            caller.post(f"/cases/{case.number}/case.claim"),
            caller.post(f"/cases/{case.number}/case.reply", {"content": "x"}),
        ):
            assert (answer.status_code, answer.content) == (404, unknown.content)
        assert caller.get("/cases", queue="all", search=case.number).json()["cases"] == []


def test_nobody_gets_anything(nobody: Any, submitted: Any) -> None:
    number = submitted["number"]
    for path in ("/queues", "/cases", f"/cases/{number}", f"/cases/{number}/explain", f"/cases/{number}/offers"):
        answer = nobody.get(path)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in"), path
    assert nobody.post(f"/cases/{number}/case.claim").status_code in (401, 403)


def test_a_session_without_the_csrf_token_changes_nothing(staff: Any, submitted: Any) -> None:
    centre = staff("dispatcher@center")
    centre.headers = {}
    answer = centre.post(f"/cases/{submitted['number']}/case.dispatch", {"lead": "市住建局"})
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
    answer = centre.post("/cases?role=dispatcher", {})
    assert answer.status_code == 403
    assert Case.objects.get().state == "received"


def test_who_holds_several_roles_says_which(staff: Any, submitted: Any) -> None:
    both = staff("dispatcher@center", "operator@center")
    unclear = both.get("/cases")
    assert (unclear.status_code, unclear.json()["code"]) == (422, "missing:role")
    assert both.get("/cases", role="operator").status_code == 200
    assert both.get("/cases", role="auditor").json()["code"] == "not_permitted"


def test_an_ended_role_ends_at_once(staff: Any, submitted: Any) -> None:
    from huying.base import clock
    from huying.people.models import Grant

    centre = staff("dispatcher@center")
    Grant.objects.update(until=clock.now())
    assert centre.get("/cases").json()["code"] == "not_permitted"


def test_an_operator_takes_in_a_request(staff: Any) -> None:
    answer = staff("operator@center").post(
        "/cases?role=operator",
        {"channel": "hotline_12345", "kind": "help", "title": "停水", "content": "小区停水", "place": "金湖街道",
         "requester": {"name": "王", "phone": "13900000002"}},
    )  # fmt: skip
    assert answer.status_code == 201
    assert Case.objects.get().submitted_by.startswith("account:")


def test_a_target_of_another_case_is_not_found(staff: Any, submitted: Any) -> None:
    centre = staff("dispatcher@center")
    answer = centre.post(f"/cases/{submitted['number']}/application.approve", {"target": 999, "opinion": "同意"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    for target in ("x", -1, 1.5, True, 2**63):
        answer = centre.post(f"/cases/{submitted['number']}/application.approve", {"target": target})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid:target")


def test_pages_of_a_list_follow_each_other(staff: Any, submit: Any) -> None:
    numbers = [submit(title=f"第{one}件").case.number for one in range(35)]
    centre = staff("dispatcher@center")
    first = centre.get("/cases", queue="all").json()
    second = centre.get("/cases", queue="all", cursor=first["next_cursor"]).json()
    assert (len(first["cases"]), len(second["cases"]), second["next_cursor"]) == (30, 5, "")
    assert sorted(one["number"] for one in first["cases"] + second["cases"]) == sorted(numbers)


@pytest.mark.parametrize("query", [{"search": "\0"}, {"cursor": "9999-99-99|1"}, {"state": "\0"}, {"cursor": "x"}])
def test_odd_queries_are_answered(staff: Any, query: dict[str, str]) -> None:
    assert staff("dispatcher@center").get("/cases", **query).status_code in (200, 422)
