"""The registers at the desk: who reads and keeps which, and what must not be in them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from huying.base import clock
from huying.base.clock import LEGAL_ZONE, local_date
from huying.cases import policies
from huying.cases.models import CaseSubject, JournalEntry
from huying.cases.models.registers import AccountabilityEntry, Interview, SpotCheck
from huying.cases.queries.registers import attendance, interview_candidates, quarterly_figures
from huying.people.actors import actors_of
from huying.people.models import Grant
from huying.people.registers import SignIn, StaffChange, note_sign_in
from huying.people.units import find_unit
from huying.policy.model import SignInRule, StaffChangeRule

HOUSING, ROADS = "市住建局", "市交通运输局"
PAGE = "/desk/registers/"


@pytest.fixture
def duties(desk: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The platform's regulation with both duties; `duties("working_day")` makes signing in one of working days."""

    def use(every: str = "day") -> None:
        policy = policies.policy_of(desk.platform)
        rule = {"label": "登录", "origin": "default", "decision": "A-01"}
        changed = {
            **dict(policy),
            "sign_in": SignInRule(key="sign_in", every=every, **rule),
            "staff_change": StaffChangeRule(key="staff_change", **rule),
        }
        monkeypatch.setitem(
            policies._regulations, (policy.info.id, policy.info.version), type(policy).model_construct(**changed)
        )

    use()
    return use


def text(response: Any, status: int = 200) -> str:
    assert response.status_code == status, response.content.decode()
    return str(response.content.decode())


def days_missed(who: Any, first: datetime, last: datetime, now: datetime) -> dict[str, list[int]]:
    rows = attendance(who, local_date(first), local_date(last), now=now)
    return {row.unit.path: [day.day for day in row.missed] for row in rows}


# --- Signing in ------------------------------------------------------------------------------------


def supervisor(desk: Any) -> Any:
    return actors_of(desk.account("boss", ("supervisor", "center")), clock.now())[0]


def at(day: int, hour: int = 9) -> datetime:
    return datetime(2024, 3, day, hour, tzinfo=LEGAL_ZONE)


def test_a_unit_is_listed_for_each_day_on_which_none_of_its_administrators_was_there(desk: Any, duties: Any) -> None:
    one = desk.account("one", ("unit_admin", HOUSING))
    other = desk.account("other", ("unit_admin", HOUSING))
    desk.account("idle", ("unit_admin", ROADS))
    note_sign_in(one.pk, now=at(4))
    note_sign_in(one.pk, now=at(4, 15))
    note_sign_in(other.pk, now=at(6))
    assert SignIn.objects.count() == 2
    missed = days_missed(supervisor(desk), at(4), at(6), now=at(20))
    assert missed == {HOUSING: [5], ROADS: [4, 5, 6]}


def test_a_sunday_counts_only_where_every_day_does(desk: Any, duties: Any) -> None:
    desk.account("one", ("unit_admin", HOUSING))
    who = supervisor(desk)
    assert days_missed(who, at(8), at(10), now=at(20)) == {HOUSING: [8, 9, 10]}
    duties("working_day")
    assert days_missed(who, at(8), at(10), now=at(20)) == {HOUSING: [8]}


def test_somebody_counts_only_while_they_hold_the_role(desk: Any, duties: Any) -> None:
    old = desk.account("old", ("unit_admin", HOUSING))
    Grant.objects.filter(account=old).update(since=at(4), until=at(5, 18))
    for day in (4, 5, 6):
        note_sign_in(old.pk, now=at(day))
    assert days_missed(supervisor(desk), at(1), at(7), now=at(20)) == {HOUSING: [6, 7]}


def test_a_unit_reads_its_own_days_and_no_others(desk: Any, duties: Any) -> None:
    mine = desk.account("mine", ("unit_admin", HOUSING))
    desk.account("theirs", ("unit_admin", ROADS))
    assert set(days_missed(actors_of(mine, clock.now())[0], at(4), at(6), now=at(20))) == {HOUSING}


# --- The page --------------------------------------------------------------------------------------


def test_who_reads_the_page(desk: Any, duties: Any) -> None:
    desk.account("mine", ("unit_admin", HOUSING))
    for role, path in (("supervisor", "center"), ("auditor", "center"), ("unit_admin", HOUSING)):
        page = text(desk.at(role, path).get(PAGE))
        assert "登录值守" in page and "住建局" in page
    page = text(desk.at("handler", HOUSING).get(PAGE))
    assert "通报" in page and "登录值守" not in page and "问责台账" not in page
    assert desk.at("grid_worker", HOUSING).get(PAGE).status_code == 404
    assert desk.at("supervisor").get(PAGE, {"month": "9999-12"}).status_code == 200


def test_a_change_is_reported_by_the_unit_and_marked_late_the_day_after(desk: Any, duties: Any) -> None:
    client, today = desk.at("unit_admin", HOUSING), local_date(clock.now())
    given = {"unit": HOUSING, "post": "unit_admin", "after": "王新"}
    for changed_on in (today, today - timedelta(days=1)):
        response = client.post(f"{PAGE}staff_change.reported/", given | {"changed_on": changed_on.isoformat()})
        assert response.status_code == 302, response.content.decode()
    assert list(StaffChange.objects.order_by("pk").values_list("late", flat=True)) == [False, True]
    assert "逾期报备" in text(desk.at("supervisor").get(PAGE))
    assert JournalEntry.objects.filter(case=None, action="staff_change.reported").count() == 2


def test_a_change_is_not_reported_for_another_unit_nor_in_advance(desk: Any, duties: Any) -> None:
    client, today = desk.at("unit_admin", HOUSING), local_date(clock.now())
    given = {"unit": HOUSING, "post": "leader", "after": "王新", "changed_on": today.isoformat()}
    page = text(client.post(f"{PAGE}staff_change.reported/", given | {"unit": ROADS}), 422)
    assert "不在您的职责范围内" in page and "王新" in page
    tomorrow = (today + timedelta(days=1)).isoformat()
    assert "不能晚于今天" in text(client.post(f"{PAGE}staff_change.reported/", given | {"changed_on": tomorrow}), 422)
    assert "请填写" in text(client.post(f"{PAGE}staff_change.reported/", {"unit": HOUSING}), 422)
    assert not StaffChange.objects.exists()


def test_accountability_needs_situation_and_measure_and_is_entered_by_the_supervisor_alone(
    desk: Any, duties: Any
) -> None:
    given = {"unit": HOUSING, "situation": "overdue", "measure": "criticism", "text": "两次超期。"}
    address = f"{PAGE}accountability.entered/"
    for left_out in ("situation", "measure"):
        text(desk.at("supervisor").post(address, given | {left_out: ""}), 422)
    text(desk.at("supervisor").post(address, given | {"situation": "nonsense"}), 422)
    assert desk.at("unit_admin", HOUSING).post(address, given).status_code == 404
    assert not AccountabilityEntry.objects.exists()
    assert desk.at("supervisor").post(address, given).status_code == 302
    assert "两次超期。" in text(desk.at("unit_admin", HOUSING).get(PAGE))
    assert "两次超期。" not in text(desk.at("unit_admin", ROADS).get(PAGE))


def test_an_entry_that_rests_on_a_complaint_about_the_unit_is_not_shown_to_it(desk: Any, duties: Any) -> None:
    case, unit = desk.submit(), find_unit(desk.platform, HOUSING)
    CaseSubject.objects.create(case=case, unit=unit, unit_left=unit.left, unit_right=unit.right)
    given = {
        "unit": HOUSING, "situation": "overdue", "measure": "accountability", "text": "打击报复。", "case": case.number
    }  # fmt: skip
    assert desk.at("supervisor").post(f"{PAGE}accountability.entered/", given).status_code == 302
    assert case.number in text(desk.at("auditor").get(PAGE))
    page = text(desk.at("unit_admin", HOUSING).get(PAGE))
    assert "打击报复" not in page and case.number not in page


def test_an_interview_is_recorded_and_read_by_the_unit(desk: Any, duties: Any) -> None:
    given = {
        "unit": HOUSING, "kind": "quarterly", "held_on": local_date(clock.now()).isoformat(), "reason": "满意率靠后",
        "demands": "一个月内整改",
    }  # fmt: skip
    assert desk.at("supervisor").post(f"{PAGE}interview.recorded/", given).status_code == 302
    assert Interview.objects.get().unit.path == HOUSING
    assert "一个月内整改" in text(desk.at("leader", HOUSING).get(PAGE))


def test_the_figures_of_a_quarter_propose_who_is_interviewed(desk: Any, duties: Any) -> None:
    """Housing is late with one of two, roads with none; roads alone was rated, and badly once in two."""
    for path, late, bad in ((HOUSING, True, None), (HOUSING, False, None), (ROADS, False, True), (ROADS, False, False)):
        case, unit = desk.submit(), find_unit(desk.platform, path)
        lead = case.assignments.create(
            unit=unit, unit_left=unit.left, unit_right=unit.right, role="lead", state="done", round=1,
            assigned_at=at(4),
        )  # fmt: skip
        case.limits.create(
            assignment=lead, name="handle", rule="x", start_event="claim", day_zero=at(4), days=5, due_on=at(11),
            due_at=at(12, 0), started_at=at(4), ended_at=at(10), met=not late, missed_at=at(12, 0) if late else None,
        )  # fmt: skip
        if bad is not None:
            case.evaluations.create(round=1, source="citizen", rating=1 if bad else 5, bad=bad, at=at(12))
    who = supervisor(desk)
    figures = {one.unit: (one.due, one.late, one.rated, one.good) for one in quarterly_figures(who, date(2024, 2, 1))}
    assert figures == {"市住建局": (2, 1, 0, 0), "市交通运输局": (2, 0, 2, 1)}
    assert {one.unit for one in interview_candidates(who, date(2024, 3, 31))} == {"市住建局", "市交通运输局"}
    assert quarterly_figures(who, date(2024, 4, 1)) == []


# --- Sample and dossier -----------------------------------------------------------------------------


def test_a_sample_is_drawn_and_links_to_its_cases(desk: Any) -> None:
    case = desk.submit()
    type(case).objects.filter(pk=case.pk).update(state="closed", closed_at=datetime(2026, 3, 5, tzinfo=UTC))
    asked = {"first": "2026-03-01", "last": "2026-03-31", "rate": "10", "seed": "甲", "channel": ""}
    page = text(desk.at("supervisor").get("/desk/sample/", asked))
    assert f"/desk/case/{case.number}/" in page
    assert "已办结 1 件" in page
    text(desk.at("supervisor").get("/desk/sample/", asked | {"rate": "x"}), 422)
    text(desk.at("supervisor").get("/desk/sample/", asked | {"last": "2020-01-01"}), 422)
    assert "抽样种子" in text(desk.at("supervisor").get("/desk/sample/"))
    assert desk.at("handler", HOUSING).get("/desk/sample/", asked).status_code == 404


def test_what_was_drawn_gets_a_check_that_is_filled_in_once(desk: Any) -> None:
    case, client = desk.submit(), desk.at("supervisor")
    type(case).objects.filter(pk=case.pk).update(state="closed", closed_at=datetime(2026, 3, 5, tzinfo=UTC))
    asked = {"first": "2026-03-01", "last": "2026-03-31", "rate": "10", "seed": "甲", "channel": ""}
    for _ in range(2):  # the same draw makes nothing twice
        assert client.post("/desk/sample/start/", asked).url.startswith("/desk/sample/checks/?seed=")
    check = SpotCheck.objects.get()
    assert "待抽查" in text(client.get("/desk/sample/checks/", {"seed": "甲"}))
    address = f"/desk/sample/checks/{check.pk}/"
    assert "调阅档案" in text(client.get(address))
    given = {"method": "file", "finding": "faulty", "note": "答复与现场不符"}
    text(client.post(address, given | {"note": ""}), 422)
    for role, path in (("auditor", "center"), ("handler", HOUSING)):
        assert desk.at(role, path).post(address, given).status_code == 404
    assert client.post(address, given).status_code == 302
    assert "存在问题" in text(client.get("/desk/sample/checks/"))
    assert "已经填写" in text(client.post(address, given | {"finding": "sound"}), 422)
    check.refresh_from_db()
    assert check.finding == "faulty"
    assert JournalEntry.objects.filter(case=None, action__in=("sample.drawn", "sample.checked")).count() == 2


def test_the_auditor_takes_a_dossier_out_and_others_do_not(desk: Any) -> None:
    case = desk.submit()
    address = f"/desk/case/{case.number}/dossier/"
    assert "还没有归档" in text(desk.at("auditor").get(address))
    assert desk.at("auditor").post(address).status_code == 422
    type(case).objects.filter(pk=case.pk).update(state="withdrawn", archived=True)
    assert "导出归档卷" in text(desk.at("auditor").get(address))
    response = desk.at("auditor").post(address)
    assert response["Content-Type"] == "application/zip"
    assert b"".join(response.streaming_content).startswith(b"PK")
    assert JournalEntry.objects.filter(case=None, action="dossier.exported", role="auditor").count() == 1
    assert desk.at("auditor").post(address, {"identity": "check"}).status_code == 422
    for role, path in (("dispatcher", "center"), ("handler", HOUSING), ("operator", "center")):
        assert desk.at(role, path).get(address).status_code == 404
        assert desk.at(role, path).post(address).status_code == 404
