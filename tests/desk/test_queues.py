"""The work lists: who finds what in them, searching and paging, and how many queries a list takes."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

HOUSING, ROADS = "市住建局", "市交通运输局"


def text(response: Any) -> str:
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def test_what_was_handed_in_waits_for_the_dispatcher(desk: Any) -> None:
    case = desk.submit(title="路灯不亮")
    assert case.number in text(desk.at("dispatcher").get("/desk/queue/to_dispatch/"))


def test_what_was_dispatched_waits_for_the_unit_and_no_longer_for_the_centre(desk: Any) -> None:
    case = desk.dispatched()
    assert case.number in text(desk.at("handler", HOUSING).get("/desk/queue/to_claim/"))
    assert case.number not in text(desk.at("handler", ROADS).get("/desk/queue/to_claim/"))
    page = text(desk.at("dispatcher").get("/desk/queue/to_dispatch/"))
    assert case.number not in page


def test_a_list_shows_title_kind_state_unit_and_days_left(desk: Any) -> None:
    desk.dispatched(title="路灯不亮")
    page = text(desk.at("handler", HOUSING).get("/desk/queue/to_claim/"))
    for wanted in ("路灯不亮", "非紧急求助", "办理中", "待签收", "住建局", "个工作日"):
        assert wanted in page


def test_a_list_of_another_role_is_not_found(desk: Any) -> None:
    assert desk.at("handler", HOUSING).get("/desk/queue/to_dispatch/").status_code == 404


def test_searching_and_filtering_a_list(desk: Any) -> None:
    light, noise = desk.submit(title="路灯不亮"), desk.submit(title="噪声扰民", kind="complaint", content="夜间施工。")
    client = desk.at("dispatcher")
    found = text(client.get("/desk/queue/to_dispatch/", {"q": "施工"}))
    assert noise.number in found and light.number not in found
    found = text(client.get("/desk/queue/to_dispatch/", {"kind": "help"}))
    assert light.number in found and noise.number not in found
    found = text(client.get("/desk/queue/all/", {"state": "closed"}))
    assert "没有符合条件的诉求" in found


def test_htmx_gets_the_table_alone(desk: Any) -> None:
    case = desk.submit()
    part = text(desk.at("dispatcher").get("/desk/queue/to_dispatch/", headers={"HX-Request": "true"}))
    assert case.number in part
    assert "<html" not in part


@pytest.mark.slow
def test_next_page_goes_on_where_the_first_ended(desk: Any) -> None:
    numbers = [desk.submit(title=f"第{n}件").number for n in range(32)]
    client = desk.at("dispatcher")
    first = client.get("/desk/queue/to_dispatch/")
    on_first = [row.case.number for row in first.context["rows"]]
    second = client.get("/desk/queue/to_dispatch/", {"cursor": first.context["next"]})
    assert on_first == numbers[:30]
    assert [row.case.number for row in second.context["rows"]] == numbers[30:]
    assert "下一页" in first.content.decode()


def test_a_cursor_that_nobody_gave_shows_nothing_and_breaks_nothing(desk: Any) -> None:
    desk.submit()
    assert desk.at("dispatcher").get("/desk/queue/to_dispatch/", {"cursor": "x|y"}).status_code == 200


@pytest.mark.slow
def test_a_list_takes_at_most_eight_queries_however_long_it_is(desk: Any) -> None:
    for n in range(12):
        desk.dispatched(title=f"第{n}件")
    client = desk.at("handler", HOUSING)
    client.get("/desk/queue/to_claim/")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = text(client.get("/desk/queue/to_claim/"))
    assert "第11件" in page
    assert len(queries) <= 8, [query["sql"][:90] for query in queries]


def test_home_counts_the_lists_and_shows_the_first(desk: Any) -> None:
    desk.submit(), desk.submit()
    response = desk.at("dispatcher").get("/desk/")
    counts = {one["queue"].key: one["count"] for one in response.context["counts"]}
    assert (counts["to_dispatch"], counts["to_close"], counts["all"]) == (2, 0, None)
    assert "路灯不亮" in text(response)


def test_notices_of_the_unit_are_shown_until_they_are_read(desk: Any) -> None:
    desk.dispatched()
    client = desk.at("handler", HOUSING)
    (notice,) = client.get("/desk/").context["notices"]
    assert notice.template == "dispatched" and notice.read_at is None
    desk.at("handler", ROADS).post("/desk/notices/", {"notice": notice.pk})
    assert client.get("/desk/").context["notices"][0].read_at is None, "another unit marked it read"
    client.post("/desk/notices/", {"notice": notice.pk})
    assert client.get("/desk/").context["notices"][0].read_at is not None


def test_search_leads_to_the_case_by_number_and_lists_by_words(desk: Any) -> None:
    case = desk.submit(title="路灯不亮")
    client = desk.at("checker")
    assert client.get("/desk/search/", {"q": case.number}).headers["Location"] == f"/desk/case/{case.number}/"
    assert case.number in text(client.get("/desk/search/", {"q": "路灯"}))
    assert case.number not in text(desk.at("handler", ROADS).get("/desk/search/", {"q": "路灯"}))


def test_supervision_lists_are_for_who_supervises(desk: Any) -> None:
    case = desk.dispatched()
    supervisor = desk.at("supervisor")
    done = desk.do(
        supervisor, case, "supervision.open", method="phone", ground="poor_quality", request="请抓紧办理。"
    )  # fmt: skip
    assert done.status_code == 302, done.content.decode()
    page = text(supervisor.get("/desk/supervision/"))
    assert case.number in page and "电话督办" in page and "办理质量差" in page and "督办中" in page
    assert desk.at("dispatcher").get("/desk/supervision/").status_code == 404


def test_what_must_be_called_back_waits_for_the_caller_and_not_for_closing(desk: Any) -> None:
    case = desk.dispatched()
    handler = desk.at("handler", HOUSING)
    desk.do(handler, case, "case.claim")
    desk.do(handler, case, "case.contact", method="phone", result="reached", note="已电话联系。")
    desk.do(handler, case, "case.reply", content="已经修好。", outcome="solved")
    assert case.number in text(desk.at("checker").get("/desk/queue/to_check/"))
    desk.do(desk.at("checker"), case, "check.pass", criteria=["facts_clear", "basis_right", "handled_well"])
    assert case.number not in text(desk.at("checker").get("/desk/queue/to_check/"))
    assert case.number in text(desk.at("caller").get("/desk/queue/to_call_back/"))
    assert case.number not in text(desk.at("dispatcher").get("/desk/queue/to_close/"))
