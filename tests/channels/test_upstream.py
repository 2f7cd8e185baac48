"""To the platform above over real HTTP: queued once, sent once, tried again, and nothing of who asked."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test.utils import CaptureQueriesContext

from huying.base.clock import LEGAL_ZONE
from huying.cases.commands import Done, clock, exchange, perform
from huying.cases.models import Case, IdentityAccess, UpstreamMessage
from huying.cases.policies import regulation
from huying.channels.upstream import send
from huying.channels.upstream.send import send_due
from huying.people.actors import Actor
from huying.people.units import find_unit, open_platform
from huying.site.settings import env_pairs, env_whole

pytestmark = pytest.mark.django_db
UNIT = "城市管理局"
MATTER = {
    "channel": "internet_supervision", "kind": "complaint", "title": "夜市扰民", "content": "我是施小满，住夜市楼上。",
    "place": "东城街道", "requester": {"name": "施小满", "phone": "13900000106"}, "external_no": "HL-2",
}  # fmt: skip


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LEGAL_ZONE)


NOON = at("2026-03-04 12:00")


class Above:
    """The platform above: keeps what it gets, and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.answers: list[int] = []
        self.slow = 0.0
        self.while_answering: Any = None

    def answer(self, headers: dict[str, str], body: bytes) -> int:
        time.sleep(self.slow)
        if self.while_answering:
            self.while_answering()
        status = self.answers.pop(0) if self.answers else 200
        if status == 200:
            self.got.append((headers, json.loads(body)))
        return status


@pytest.fixture
def above(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Above]:
    above = Above()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = above.answer({name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    address = f"http://127.0.0.1:{server.server_port}/inbox"
    settings.HUYING_UPSTREAMS = {"below/city_platform": address, "below/province": address}
    settings.HUYING_UPSTREAM_SECRETS = {"below/city_platform": "s3cret"}
    yield above
    server.shutdown()
    server.server_close()


def opened(name: str, *beginnings: str) -> Any:
    policy = regulation(name)
    kept = [unit for unit in policy.tree.units if not beginnings or unit.path.startswith(beginnings)]
    return open_platform("below", "样例区", name, policy.tree.model_copy(update={"units": tuple(kept)}))


@pytest.fixture
def district(platform: Any) -> Any:
    return opened("chongqing-district")


@pytest.fixture
def city(platform: Any) -> Any:
    """A platform that tells the province of every change."""
    return opened("huzhou-2016", "center", "市", "吴兴区")


def act(on: Any, action: str, who: str, case: Any, moment: str, **data: Any) -> Any:
    role, _, path = who.partition("@")
    person = Actor(id=who, role=role, platform=on, unit=find_unit(on, path) if path else None)
    done = perform(action, actor=person, now=at(moment), case=case, data=data)
    assert isinstance(done, Done), done
    return done.case


def replied(on: Any, **data: Any) -> Case:
    """A case that the unit has answered; what it writes names the requester."""
    case = act(on, "case.submit", "operator@center", None, "2026-03-02 09:00", **MATTER | data)
    act(on, "case.dispatch", "dispatcher@center", case, "2026-03-02 10:00", lead=UNIT)
    act(on, "case.verify", f"handler@{UNIT}", case, "2026-03-03 09:00", finding="true", note="属实")
    answer = "施小满您好，夜市已经迁走。您的电话13900000106我们已打过。"
    act(on, "case.reply", f"handler@{UNIT}", case, "2026-03-03 09:30", content=answer, outcome="solved")
    act(on, "reply.approve", f"leader@{UNIT}", case, "2026-03-03 10:00")
    return case


def close(on: Any, case: Case, moment: str = "2026-03-04 11:00") -> None:
    act(on, "case.close", f"unit_admin@{UNIT}", case, moment, outcome="solved")


def run(now: datetime = NOON) -> int:
    return send_due(lambda: now)


def messages(**which: Any) -> list[tuple[str, int]]:
    return list(UpstreamMessage.objects.filter(**which).order_by("pk").values_list("event", "mark"))


# ---- what is queued --------------------------------------------------------------------


def test_the_result_of_an_inbound_city_task_is_queued_once(district: Any) -> None:
    case = replied(district)
    assert messages() == []
    close(district, case)
    assert messages(case=case, upstream="city_platform") == [("result", 1)]
    act(district, "case.archive", f"unit_admin@{UNIT}", case, "2026-05-20 09:00")
    exchange.queue_upstream([Case.objects.get(pk=case.pk)], at=NOON, before="feedback")  # the very same again
    assert messages() == [("result", 1)]


def test_a_matter_of_the_district_itself_is_nothing_to_the_city(district: Any) -> None:
    for given in ({"channel": "hotline_12345"}, {"external_no": ""}):
        close(district, replied(district, **given))
    assert messages() == []


@pytest.mark.parametrize(
    ("action", "who", "given", "state"),
    [
        ("case.refuse", "dispatcher@center", {"ground": "by_law", "basis": "第九条", "note": "请仲裁。"}, "refused"),
        ("case.redirect", "dispatcher@center", {"to": "110", "note": "请拨打110。"}, "redirected"),
        ("case.withdraw", "citizen", {}, "withdrawn"),
    ],
)  # fmt: skip
def test_the_city_learns_of_every_other_end_too(
    district: Any, above: Above, action: str, who: str, given: Any, state: str
) -> None:
    case = act(district, "case.submit", "operator@center", None, "2026-03-02 09:00", **MATTER)
    person = Actor(id="citizen", role="citizen", platform=district, case_ids=frozenset([case.pk]))
    if who != "citizen":
        act(district, action, who, case, "2026-03-02 10:00", **given)
    else:
        assert isinstance(perform(action, actor=person, now=at("2026-03-02 10:00"), case=case), Done)
    assert run() == 1
    assert (above.got[0][1]["external_no"], above.got[0][1]["state"]) == ("HL-2", state)


def test_what_was_merged_is_reported_when_its_main_case_ends(district: Any, above: Above) -> None:
    main = replied(district, channel="hotline_12345", external_no="", title="夜市")
    other = act(district, "case.submit", "operator@center", None, "2026-03-03 11:00", **MATTER)
    act(district, "case.merge", "dispatcher@center", other, "2026-03-03 12:00", into=main.number)
    assert messages() == []
    close(district, main)
    run()
    [(_headers, body)] = above.got
    assert (body["external_no"], body["number"], body["merged_into"]) == ("HL-2", other.number, main.number)
    assert (body["state"], "夜市已经迁走" in body["reply"]["content"]) == ("closed", True)
    assert "施小满" not in json.dumps(body, ensure_ascii=False)


def test_each_change_is_queued_for_the_province_and_changes_before_it_is_sent_are_one(city: Any, above: Above) -> None:
    given = {**MATTER, "channel": "hotline_12345", "external_no": "", "place": "吴兴区/月河街道"}
    case = act(city, "case.submit", "operator@center", None, "2026-03-02 09:00", **given)
    assert messages(case=case, upstream="province") == [("change", 1)]
    act(city, "case.dispatch", "dispatcher@center", case, "2026-03-02 10:00", lead="市城管局")
    assert len(messages()) == 1
    run(at("2026-03-02 11:00"))
    assert (above.got[0][1]["state"], above.got[0][1]["revision"]) == ("handling", 2)
    act(
        city,
        "case.contact",
        "handler@市城管局",
        case,
        "2026-03-02 14:00",
        method="phone",
        result="reached",
        note="问明",
    )
    assert [event for event, _ in messages(sent_at=None)] == ["change"]
    run(at("2026-03-02 15:00"))
    assert [body["revision"] for _, body in above.got] == [2, 3]
    assert len({headers["idempotency-key"] for headers, _ in above.got}) == 2


def test_what_the_clock_does_to_a_case_is_a_change_too(city: Any, above: Above) -> None:
    given = {**MATTER, "channel": "hotline_12345", "external_no": "", "place": "吴兴区/月河街道"}
    case = act(city, "case.submit", "operator@center", None, "2026-03-02 09:00", **given)
    act(city, "case.dispatch", "dispatcher@center", case, "2026-03-02 10:00", lead="市城管局")
    run(at("2026-03-02 11:00"))
    clock.run_all_due(city, at("2026-03-31 09:00"))
    [(event, mark)] = messages(case=case, sent_at=None)
    assert event == "change" and mark > 2


def test_a_case_that_changes_while_it_is_told_of_is_told_of_again(city: Any, above: Above) -> None:
    given = {**MATTER, "channel": "hotline_12345", "external_no": "", "place": "吴兴区/月河街道"}
    case = act(city, "case.submit", "operator@center", None, "2026-03-02 09:00", **given)
    [claimed] = exchange.claim_due(city, "province", now=NOON, limit=5)
    act(city, "case.dispatch", "dispatcher@center", case, "2026-03-02 10:00", lead="市城管局")
    assert len(messages()) == 1, "the one under way still waits"
    exchange.record_sent(claimed, revision=1, now=NOON)
    assert messages(sent_at=None) == [("change", 2)]


def test_a_regulation_without_a_platform_above_pays_nothing_and_one_with_it_one_statement(
    platform: Any, case: Any, city: Any
) -> None:
    with CaptureQueriesContext(
        connection,
    ) as none:
        exchange.queue_upstream([case], at=NOON, before="received")
    given = {**MATTER, "channel": "hotline_12345", "external_no": "", "place": "吴兴区/月河街道"}
    other = act(city, "case.submit", "operator@center", None, "2026-03-02 09:00", **given)
    with CaptureQueriesContext(connection) as one:
        exchange.queue_upstream([other], at=NOON, before="received")
    assert (len(none), len(one)) == (0, 1)


# ---- what is sent ----------------------------------------------------------------------


def test_the_city_gets_its_own_number_the_dates_and_the_answer_and_nothing_of_who_asked(
    district: Any, above: Above
) -> None:
    case = replied(district, due="2026-03-06")
    close(district, case)
    assert (run(), run(NOON + timedelta(days=1))) == (1, 0)
    [(headers, body)] = above.got
    message = UpstreamMessage.objects.get()
    assert headers["authorization"] == "Bearer s3cret"
    assert headers["idempotency-key"] == str(message.pk)
    assert (body["event"], body["external_no"], body["number"]) == ("result", "HL-2", case.number)
    assert (body["state"], body["outcome"], body["closed_at"]) == ("closed", "solved", "2026-03-04T11:00:00+08:00")
    assert body["due"] == {"handle": "2026-03-06", "source": "2026-03-06"}
    assert body["reply"]["unit"] == "区城市管理局" and "夜市已经迁走" in body["reply"]["content"]
    text = json.dumps(body, ensure_ascii=False)
    for secret in ("施小满", "13900000106", "夜市扰民", "住夜市楼上"):
        assert secret not in text
    assert (message.sent_at, message.next_at, message.attempts, message.error) == (NOON, None, 1, "")
    reading = IdentityAccess.objects.latest("pk")
    assert (reading.case_id, reading.role) == (case.pk, "system")


def test_of_a_confidential_case_no_answer_is_told(district: Any, above: Above) -> None:
    case = replied(district)
    Case.objects.filter(pk=case.pk).update(confidential=True)
    close(district, case)
    run()
    assert above.got[0][1]["reply"] is None
    assert above.got[0][1]["external_no"] == "HL-2"


def test_an_error_of_the_other_side_is_tried_again_with_growing_waits_for_ever(district: Any, above: Above) -> None:
    close(district, replied(district))
    above.answers = [500] * 7
    now, waits = NOON, []
    for _ in range(7):
        assert run(now) == 1
        row = UpstreamMessage.objects.get()
        assert row.next_at is not None and row.error == "对方出错（500）"
        waits.append((row.next_at - now) // timedelta(minutes=1))
        assert run(row.next_at - timedelta(seconds=1)) == 0
        now = row.next_at
    assert waits == [1, 5, 15, 60, 240, 240, 240]
    run(now)
    assert len(above.got) == 1
    row = UpstreamMessage.objects.get()
    assert (row.attempts, row.error, row.sent_at) == (8, "", now)


def test_what_was_refused_is_kept_with_its_error_and_tried_rarely(district: Any, above: Above) -> None:
    close(district, replied(district))
    above.answers = [422]
    run()
    row = UpstreamMessage.objects.get()
    assert (row.error, row.next_at) == ("对方拒收（422）", NOON + timedelta(hours=12))
    admin = Actor(id="account:1", role="admin", platform=district, unit=find_unit(district, "center"))
    assert exchange.retry_now(admin, now=NOON + timedelta(minutes=1)) == 1
    run(NOON + timedelta(minutes=1))
    assert len(above.got) == 1


def test_one_that_is_refused_does_not_hold_up_the_next(district: Any, above: Above) -> None:
    for number in ("HL-2", "HL-3"):
        close(district, replied(district, external_no=number))
    above.answers = [422]
    assert run() == 2
    assert [body["external_no"] for _, body in above.got] == ["HL-3"]


def test_no_answer_in_time_is_a_failure_and_the_rest_waits(
    district: Any, above: Above, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in ("HL-2", "HL-3"):
        close(district, replied(district, external_no=number))
    monkeypatch.setattr(send, "TIMEOUT", 0.05)
    above.slow = 0.3
    assert run() == 1
    first, second = UpstreamMessage.objects.order_by("pk")
    assert (first.attempts, first.error, first.next_at) == (1, "对方没有及时应答", NOON + timedelta(minutes=1))
    assert (second.attempts, second.error, second.next_at) == (0, "", NOON)


def test_killed_between_sending_and_recording_it_goes_again_with_the_same_key(
    district: Any, above: Above, monkeypatch: pytest.MonkeyPatch
) -> None:
    close(district, replied(district))

    def killed(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(exchange, "record_sent", killed)
        run()
    assert run(NOON + timedelta(minutes=4)) == 0, "the lease still holds"
    run(NOON + timedelta(minutes=5))
    first, second = above.got
    assert first[0]["idempotency-key"] == second[0]["idempotency-key"] and first[1] == second[1]
    assert run(NOON + timedelta(days=1)) == 0


def test_a_redirection_is_not_followed(district: Any, above: Above) -> None:
    close(district, replied(district))
    above.answers = [302]
    run()
    assert UpstreamMessage.objects.get().error == "对方拒收（302）"


def test_without_an_address_messages_wait_and_nothing_fails(district: Any, settings: Any) -> None:
    settings.HUYING_UPSTREAMS = {}
    close(district, replied(district))
    assert run() == 0
    row = UpstreamMessage.objects.get()
    assert (row.sent_at, row.attempts, row.error) == (None, 0, "")


def test_while_one_carrier_has_a_message_no_other_takes_it(district: Any) -> None:
    close(district, replied(district))
    assert len(exchange.claim_due(district, "city_platform", now=NOON, limit=5)) == 1
    assert exchange.claim_due(district, "city_platform", now=NOON + timedelta(minutes=4), limit=5) == []


# ---- the settings ------------------------------------------------------------------------


def test_addresses_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUYING_UPSTREAMS", "a/above=https://x.example/in?q=1  b/above=platform:a/市/某单位")
    assert env_pairs("HUYING_UPSTREAMS") == {"a/above": "https://x.example/in?q=1", "b/above": "platform:a/市/某单位"}


@pytest.mark.parametrize("text", ["above=https://x.example", "a/above", "a/b/c=https://x.example"])
def test_an_unclear_address_stops_the_start(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("HUYING_UPSTREAMS", text)
    with pytest.raises(ImproperlyConfigured, match="HUYING_UPSTREAMS"):
        env_pairs("HUYING_UPSTREAMS")


@pytest.mark.parametrize("text", ["", "0", "-1", "many", "1000000"])
def test_a_threshold_that_cannot_be_right_stops_the_start(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("HUYING_MONITOR_QUEUE_MINUTES", text)
    with pytest.raises(ImproperlyConfigured, match="HUYING_MONITOR_QUEUE_MINUTES"):
        env_whole("HUYING_MONITOR_QUEUE_MINUTES", 10)
