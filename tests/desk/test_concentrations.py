"""The pages of concentrations, forecasts and answering sessions: who sees them, and what they lead to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from huying.base import clock
from huying.base.clock import local_date
from huying.cases.commands.concentrations import look
from huying.cases.models import AnsweringSession, Case, Concentration, Task
from huying.cases.policies import regulation
from huying.people.units import find_unit, forget_units, open_platform

HOUSING, STREET, OTHER = "市住建局", "东岳路街道", "金湖街道"
TOPIC = "道路与路灯"


def text(response: Any, status: int = 200) -> str:
    assert response.status_code == status, response.content.decode()
    return str(response.content.decode())


@pytest.fixture
def alert(desk: Any) -> Concentration:
    """Ten persons of one street, one of whose cases the housing bureau has."""
    case = desk.dispatched(category=TOPIC, requester={"name": "住户", "phone": "13800000000"})
    for n in range(1, 10):
        desk.submit(category=TOPIC, requester={"name": "住户", "phone": f"1380000000{n}"})
    [row] = look(case, clock.now())
    return row


def test_the_alert_is_listed_to_the_centre_and_to_the_street_and_to_nobody_else(desk: Any, alert: Any) -> None:
    for role, unit in (("supervisor", "center"), ("dispatcher", "center"), ("leader", STREET), ("handler", STREET)):
        page = text(desk.at(role, unit).get("/desk/concentrations/"))
        assert TOPIC in page and "10 人" in page and "（十六）" in page
        assert f"/desk/concentrations/{alert.pk}/" in text(desk.at(role, unit).get("/desk/"))
    assert TOPIC not in text(desk.at("leader", OTHER).get("/desk/concentrations/"))
    text(desk.at("leader", OTHER).get(f"/desk/concentrations/{alert.pk}/"), 404)
    text(desk.at("grid_worker", STREET).get("/desk/concentrations/"), 404)
    topics = text(desk.at("analyst").get("/desk/hot-topics/"))
    assert f"/desk/concentrations/{alert.pk}/" in topics and "/desk/hot-topics/season/" in topics


def test_an_alert_leads_to_the_cases_that_the_reader_may_open(desk: Any, alert: Any) -> None:
    address = f"/desk/concentrations/{alert.pk}/"
    numbers = list(alert.cases.values_list("number", flat=True))
    centre = text(desk.at("supervisor").get(address))
    assert all(number in centre for number in numbers)
    street = text(desk.at("leader", STREET).get(address))
    assert not any(number in street for number in numbers) and "不由您的单位办理" in street


def test_the_list_takes_pages(desk: Any) -> None:
    unit, now = find_unit(desk.platform, STREET), clock.now()
    for n in range(21):
        Concentration.objects.create(
            platform=desk.platform, rule="collective_conflict", category=f"事项{n:02d}", unit=unit,
            since=local_date(now), count=10, at=now + timedelta(seconds=n), last_at=now,
        )  # fmt: skip
    client = desk.at("supervisor")
    first = text(client.get("/desk/concentrations/"))
    assert "事项20" in first and "事项00" not in first
    [oldest] = Concentration.objects.filter(category="事项01").values_list("pk", flat=True)
    assert f"cursor={oldest}" in first
    second = text(client.get("/desk/concentrations/", {"cursor": str(oldest)}))
    assert "事项00" in second and "事项01" not in second
    assert "没有集中反映" in text(client.get("/desk/concentrations/", {"cursor": "x"}))


def test_a_task_is_drafted_from_the_forecast(desk: Any) -> None:
    today = local_date(clock.now())
    month = (today.replace(day=1) + timedelta(days=31)).replace(day=1)
    for n in range(10):
        case = desk.dispatched(category=TOPIC, requester={"name": "住户", "phone": f"1380000000{n}"})
        then = clock.start_of_day(month.replace(year=month.year - 1)) + timedelta(days=3, minutes=n)
        Case.objects.filter(pk=case.pk).update(submitted_at=then)
    analyst, supervisor = desk.at("analyst"), desk.at("supervisor")
    page = text(analyst.get("/desk/hot-topics/season/"))
    assert TOPIC in page and "住建局" in page
    chosen = text(supervisor.get("/desk/hot-topics/season/", {"topic": TOPIC}))
    assert f"{month.month}月“{TOPIC}”问题主动治理" in chosen and f'value="{HOUSING}"' in chosen
    given = {"unit": HOUSING, "title": "路灯主动治理", "content": "提前检修。"}
    assert "请填写" in text(supervisor.post("/desk/hot-topics/season/", {**given, "title": ""}), 422)
    made = supervisor.post("/desk/hot-topics/season/", given)
    task = Task.objects.get()
    assert (made.status_code, made["Location"]) == (302, f"/desk/tasks/{task.pk}/")
    assert (task.state, task.kind, task.unit.path) == ("draft", "proactive", HOUSING)
    for role, unit in (("auditor", "center"),):
        assert "拟任务" not in text(desk.at(role, unit).get("/desk/hot-topics/season/"))
        text(desk.at(role, unit).post("/desk/hot-topics/season/", given), 404)
    text(desk.at("leader", HOUSING).get("/desk/hot-topics/season/"), 404)


# --- Leaders answering calls ------------------------------------------------------------------------


@pytest.fixture
def hall(desk: Any) -> Any:
    """The desk of a platform whose regulation has leaders answer calls."""
    policy = regulation("hebi-2020")
    other = type(desk)(open_platform("answering", policy.info.platform_name, policy.info.id, policy.tree))
    other.home = policy.tree.role_home.get("operator", policy.info.competent_unit)
    other.unit = other.platform.units.filter(kind="department", handles=True).order_by("left").first()
    yield other
    forget_units()


def test_a_session_is_scheduled_and_a_call_is_taken_in_for_it(hall: Any) -> None:
    today = local_date(clock.now())
    supervisor, operator = hall.at("supervisor", hall.home), hall.at("operator", hall.home)
    assert "接听场次" not in text(operator.get("/desk/intake/"))
    page = text(supervisor.get("/desk/sessions/"))
    assert "建议接听的单位" in page and "/desk/sessions/" in text(supervisor.get("/desk/"))
    given = {"unit": hall.unit.path, "leader": "张局长", "held_on": today.isoformat(), "reason": "投诉集中"}
    wrong = text(supervisor.post("/desk/sessions/", given | {"held_on": "2001-01-01"}), 422)
    assert "已经过去" in wrong
    assert supervisor.post("/desk/sessions/", given).status_code == 302
    session = AnsweringSession.objects.get()
    form = text(operator.get("/desk/intake/"))
    assert "接听场次" in form and "张局长" in form
    done = operator.post("/desk/intake/", {
        "key": "k" * 40, "channel": "hotline_12345", "kind": "complaint", "title": "交房拖延", "content": "一再推迟。",
        "place": "鹤壁市", "requester__name": "业主", "requester__phone": "13800000001",
        "requester__kind": "individual", "category": "商品房预售与交易", "session": str(session.pk),
    })  # fmt: skip
    assert done.status_code == 200, done.content.decode()
    case = session.cases.get()
    shown = text(operator.get(f"/desk/case/{case.number}/"))
    assert "接听场次" in shown and "张局长" in shown
    assert case.number in text(supervisor.get(f"/desk/sessions/{session.pk}/"))


def test_who_reads_the_sessions(hall: Any, desk: Any) -> None:
    client = hall.at("leader", hall.unit.path)
    page = text(client.get("/desk/sessions/"))
    assert "接听场次" in page and "建议接听的单位" not in page
    text(client.post("/desk/sessions/", {"unit": hall.unit.path}), 404)
    text(client.get("/desk/sessions/999/"), 404)
    text(hall.at("handler", hall.unit.path).get("/desk/sessions/"), 404)
    text(desk.at("supervisor").get("/desk/sessions/"), 404)  # its regulation knows no such sessions


def test_what_the_address_of_the_sessions_may_say(hall: Any) -> None:
    client = hall.at("dispatcher", hall.home)
    good = {"month": "2024-03", "complaints": "1", "satisfaction": "99.5", "late": "0"}
    for given in (good, {"month": "x", "complaints": "nan", "satisfaction": "-1", "late": "1e9"}, {"month": "9999-12"}):
        assert "建议接听的单位" in text(client.get("/desk/sessions/", given))
