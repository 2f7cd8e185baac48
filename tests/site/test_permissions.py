"""Who gets what at every address: the pages of the URL configuration and the routes of the API's description.

One complaint is about a unit (金湖街道). It goes through most of what can happen to a case. The table says what those
who must not know of it get at each address; an address that is not in the table fails the test. “nothing” is a 404 with
the very bytes that a case that does not exist gets.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.test import Client
from django.urls import URLPattern, get_resolver

from huying.api.routes import api
from huying.base import clock
from huying.cases.commands import ACTIONS
from huying.cases.commands.api_keys import create_api_key
from huying.cases.models import Case, Notice, Throttle
from huying.cases.queries.queues import QUEUES
from huying.channels.email.send import deliver_due
from huying.people.models import Account, Grant
from huying.people.units import add_units, find_unit, forget_units
from huying.policy.model import UnitSpec

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

LEAD, ACCUSED, BELOW, OTHER = "市住建局", "金湖街道", "金湖街道/新街社区", "市交通运输局"
NAME, PHONE, MAIL = "欧阳小满", "13912345678", "ouyang@example.cn"
TITLE, CONTENT, EXTERNAL = "窗口人员推诿拒办证明", "三次前往均被拒绝受理，要求书面说明缘由。", "WB-7700-1234"
NO_SUCH = "20260101999999999"
SIGN_IN = "/desk/sign-in/"

PEOPLE: Mapping[str, str] = {
    "nobody": "",
    "citizen": "",  # has another case open
    "wrong": f"handler@{OTHER}",
    "accused": f"handler@{ACCUSED}",
    "below": f"handler@{BELOW}",
    "leader": f"leader@{ACCUSED}",
    "deals": f"dispatcher@{ACCUSED}",
    "admin": "admin@center",
}
STAFF = [person for person, role in PEOPLE.items() if role]


# --- The table -------------------------------------------------------------------------------------


def everybody(what: str, **others: str) -> dict[str, str]:
    return dict.fromkeys(PEOPLE, what) | others


def staff(what: str, **others: str) -> dict[str, str]:
    """Whoever is not signed in is led to sign in."""
    return everybody("sign in") | dict.fromkeys(STAFF, what) | others


def api_staff(what: str, **others: str) -> dict[str, str]:
    return everybody("401") | dict.fromkeys(STAFF, what) | others


NO_POST = everybody("405")
NO_GET = everybody("405")
PAGES: Mapping[str, tuple[dict[str, str], dict[str, str]]] = {
    # address: (GET, POST)
    "desk/sign-in/": (everybody("→ /desk/", nobody="200", citizen="200"), everybody("422")),
    "desk/sign-out/": (NO_GET, everybody("sign in")),
    "desk/role/": (NO_GET, staff("→ /desk/")),
    "desk/account/2fa/code/": (staff("→ /desk/"), staff("→ /desk/")),
    "desk/account/2fa/": (staff("200"), staff("405")),
    "desk/account/2fa/totp/activate/": (staff("→ /desk/account/again/"), staff("→ /desk/account/again/")),
    "desk/account/2fa/totp/deactivate/": (staff("nothing"), staff("nothing")),
    "desk/account/2fa/recovery-codes/": (staff("nothing"), staff("405")),
    "desk/account/2fa/recovery-codes/generate/": (staff("→ /desk/account/again/"), staff("→ /desk/account/again/")),
    "desk/account/again/": (staff("200"), staff("200")),
    "desk/account/2fa/again/": (staff("→ /desk/account/again/"), staff("→ /desk/account/again/")),
    "desk/": (staff("200"), NO_POST),
    "desk/counts/": (staff("200"), NO_POST),
    "desk/notices/": (NO_GET, staff("→ /desk/")),
    "desk/queue/<slug:key>/": (staff("200", admin="nothing"), NO_POST),
    "desk/search/": (staff("200"), NO_POST),
    "desk/supervision/": (staff("nothing"), NO_POST),
    "desk/intake/": (staff("nothing"), staff("nothing")),
    "desk/figures/": (staff("nothing", leader="200"), NO_POST),
    "desk/figures/cases/": (staff("nothing"), NO_POST),
    "desk/figures/scores/": (staff("nothing", leader="200"), NO_POST),
    "desk/figures/circular/": (staff("nothing"), NO_POST),
    "desk/figures/export/<slug:what>/": (staff("nothing"), NO_POST),
    "desk/hot-topics/": (staff("nothing"), NO_POST),
    "desk/assessment/": (staff("nothing", leader="200"), NO_POST),
    "desk/assessment/draft/": (NO_GET, staff("nothing")),
    "desk/assessment/<int:key>/": (staff("nothing"), NO_POST),
    "desk/assessment/<int:key>/score/": (NO_GET, staff("nothing")),
    "desk/assessment/<int:key>/approve/": (NO_GET, staff("nothing")),
    "desk/assessment/<int:key>/export/": (staff("nothing"), NO_POST),
    "desk/settings/": (staff("nothing", admin="200"), staff("nothing", admin="422")),
    "desk/hot-topics/season/": (staff("nothing"), staff("nothing")),
    "desk/concentrations/": (staff("200", admin="nothing"), NO_POST),
    "desk/concentrations/<int:key>/": (staff("nothing"), NO_POST),
    "desk/sessions/": (staff("nothing"), staff("nothing")),
    "desk/sessions/<int:key>/": (staff("nothing"), NO_POST),
    "desk/progress/": (staff("200", admin="nothing"), NO_POST),
    "desk/operations/": (staff("nothing", admin="200"), NO_POST),
    "desk/operations/retry/": (NO_GET, staff("nothing", admin="→ /desk/operations/")),
    "desk/units/": (staff("200"), NO_POST),
    "desk/registers/": (staff("200", admin="nothing"), NO_POST),
    "desk/registers/<str:entry_id>/": (NO_GET, staff("nothing")),
    "desk/tasks/": (staff("200", admin="nothing"), NO_POST),
    "desk/tasks/new/": (staff("nothing"), staff("nothing")),
    "desk/tasks/<int:key>/": (staff("nothing"), NO_POST),
    "desk/tasks/<int:key>/<str:action_id>/": (NO_GET, staff("nothing")),
    "desk/tasks/materials/": (staff("nothing"), NO_POST),
    "desk/tasks/materials/new/": (staff("nothing"), staff("nothing")),
    "desk/tasks/materials/<int:key>/": (staff("nothing"), staff("nothing")),
    "desk/surveys/": (staff("nothing"), staff("nothing")),
    "desk/surveys/<int:key>/": (staff("nothing"), NO_POST),
    "desk/surveys/<int:key>/export/": (NO_GET, staff("nothing")),
    "desk/surveys/<int:key>/import/": (NO_GET, staff("nothing")),
    "desk/sample/": (staff("nothing", deals="200"), NO_POST),
    "desk/sample/start/": (NO_GET, staff("nothing", deals="→ /desk/sample/")),
    "desk/sample/checks/": (staff("nothing", deals="200"), NO_POST),
    "desk/sample/checks/<int:key>/": (staff("nothing"), staff("nothing")),
    "desk/case/<str:number>/dossier/": (staff("nothing"), staff("nothing")),
    "desk/case/<str:number>/": (staff("nothing"), NO_POST),
    "desk/case/<str:number>/registration-form/": (staff("nothing"), staff("nothing")),
    "desk/case/<str:number>/identity/": (NO_GET, staff("nothing")),
    "desk/case/<str:number>/file/<str:key>/": (staff("nothing"), NO_POST),
    "desk/case/<str:number>/do/<str:action_id>/": (staff("nothing"), staff("nothing")),
    "api/v1/docs": (everybody("200"), everybody("200")),
    "api/v1/openapi.json": (everybody("200"), everybody("200")),
    "api/v1/": (everybody("nothing"), everybody("nothing")),
    "": (everybody("200"), NO_POST),
    "p/<slug:slug>/": (everybody("200"), NO_POST),
    "p/<slug:slug>/submit/": (everybody("200"), everybody("422")),
    "p/<slug:slug>/receipt/": (everybody("→ /p/city/follow/"), NO_POST),
    "p/<slug:slug>/follow/": (everybody("200"), everybody("422")),
    "p/<slug:slug>/case/": (everybody("→ /p/city/follow/", citizen="200"), NO_POST),
    "p/<slug:slug>/case/leave/": (NO_GET, everybody("→ /p/city/")),
    "p/<slug:slug>/case/file/<str:label>": (everybody("nothing"), NO_POST),
    "p/<slug:slug>/case/do/<str:action_id>/": (
        everybody("→ /p/city/follow/", citizen="200"),
        everybody("→ /p/city/follow/", citizen="→ /p/city/case/"),
    ),
    "p/<slug:slug>/regulation/": (everybody("200"), NO_POST),
    "p/<slug:slug>/published/": (everybody("200"), NO_POST),
    "p/<slug:slug>/published/<int:key>/": (everybody("nothing"), NO_POST),
    "compare/": (everybody("200"), NO_POST),
}
"""The label of the file is one that the hidden case has and the citizen's own has not; the action is `case.urge`."""

CITIZENS_OWN = everybody("404")  # a wrong number or code, whoever asks: no cookie counts here
ROUTES: Mapping[str, dict[str, str]] = {
    "GET /api/v1/queues": api_staff("200"),
    "GET /api/v1/cases": api_staff("200", admin="403"),
    "POST /api/v1/cases": everybody("422"),
    "POST /api/v1/cases/follow": CITIZENS_OWN,
    "POST /api/v1/actions/{action_id}": api_staff("422"),
    "GET /api/v1/cases/{number}": api_staff("nothing"),
    "GET /api/v1/cases/{number}/explain": api_staff("nothing"),
    "GET /api/v1/cases/{number}/offers": api_staff("nothing"),
} | {
    f"POST /api/v1/cases/{{number}}/{action}": api_staff("nothing")
    for action in (
        "case.answer", "case.refuse", "case.redirect", "case.accept", "case.flag", "application.approve",
        "application.reject", "case.call_back", "case.rework", "case.request_exemption", "panel.conclude",
        "case.close", "case.archive", "case.contact", "case.verify", "case.progress", "case.request_extension",
        "case.request_ledger", "case.co_feedback", "case.reply", "check.pass", "check.fail", "clue.transfer",
        "clue.conclude", "meeting.hold", "report.submit", "report.instruct", "case.merge", "case.unmerge",
        "case.dispatch", "case.reassign", "case.claim", "case.return", "supervision.open", "supervision.respond",
        "supervision.close", "case.nudge", "case.connect", "case.request_complex", "reply.approve", "reply.reject",
        "case.official_letter", "case.disclose", "case.publish", "case.unpublish", "case.delegate", "case.transfer_up",
        "case.request_refusal", "case.request_closure", "case.guide",
    )
} | {
    f"POST /api/v1/citizen/{action}": CITIZENS_OWN
    for action in (
        "case.supplement", "case.withdraw", "case.urge", "case.evaluate", "case.request_review",
        "case.request_re_review", "case.consent",
    )
}  # fmt: skip
NO_TOKEN_ASKED = {
    "POST /api/v1/cases", "POST /api/v1/cases/follow", "POST /api/v1/citizen/case.supplement",
    "POST /api/v1/citizen/case.withdraw", "POST /api/v1/citizen/case.urge", "POST /api/v1/citizen/case.evaluate",
    "POST /api/v1/citizen/case.request_review", "POST /api/v1/citizen/case.request_re_review",
    "POST /api/v1/citizen/case.consent",
}  # fmt: skip
"""What reads no cookie needs no token against forged requests."""


def all_pages() -> list[str]:
    """Every address of the URL configuration that is not a route of the API."""

    def walk(patterns: Any, before: str = "") -> Iterator[str]:
        for one in patterns:
            if isinstance(one, URLPattern):
                yield before + str(one.pattern)
            else:
                yield from walk(one.url_patterns, before + str(one.pattern))

    described = {path.lstrip("/").replace("{", "<").replace("}", ">") for path in api.get_openapi_schema()["paths"]}
    return [address for address in dict.fromkeys(walk(get_resolver().url_patterns)) if address not in described]


def all_routes() -> list[str]:
    paths = api.get_openapi_schema()["paths"]
    return [f"{method.upper()} {path}" for path, methods in paths.items() for method in methods]


# --- The case that must stay hidden ----------------------------------------------------------------


@dataclass
class Hidden:
    """A complaint about a unit, and its traces."""

    platform: Any
    case: Any
    code: str
    file: Any
    opened: dict[str, Any] = field(default_factory=dict)
    """What the session of the citizen with another case holds."""

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.case.number, TITLE, EXTERNAL, CONTENT[:8], NAME, PHONE, "139****5678", MAIL, self.code)

    def found_in(self, text: str) -> list[str]:
        return [secret for secret in self.secrets if secret in text]


def proof(name: str = "欧阳小满的证明.txt") -> BytesIO:
    file = BytesIO("现场核查说明".encode())
    file.name = name
    return file


@pytest.fixture
def city(platform: Any, settings: Any, tmp_path: Any) -> Iterator[Any]:
    """The platform, with one unit below the unit complained about."""
    settings.HUYING_FILES = tmp_path / "files"
    add_units(platform, [UnitSpec(path=BELOW, name="新街社区", kind="village", handles=True, roles=("handler",))])
    yield platform
    forget_units()


class OneFile:
    def open(self, name: str) -> Any:
        return proof(name)


@pytest.fixture
def hidden(city: Any, actor: Any, take: Any, submit: Any) -> Hidden:
    """Handled, supervised, nudged, and handed to the inspectors; and another case that the accused unit handles."""
    from huying.cases.commands import Done, perform

    now = clock.now()
    done = submit(
        now - timedelta(hours=8), external_no=EXTERNAL, title=TITLE, content=CONTENT,
        subject_unit=ACCUSED, requester={"name": NAME, "phone": PHONE, "email": MAIL},
    )  # fmt: skip
    case, lead = done.case, f"handler@{LEAD}"
    later = (now - timedelta(hours=8) + timedelta(minutes=minute) for minute in range(1, 100))
    take("case.dispatch", "dispatcher@center", case, next(later), lead=LEAD)
    take("case.claim", lead, case, next(later))
    take("case.contact", lead, case, next(later), method="phone", result="reached", note="已说明办理安排。")
    verified = perform(
        "case.verify", actor=actor(lead), now=next(later), case=case, files=OneFile(),
        data={"finding": "true", "note": "属实。", "attachments": ["proof.txt"]},
    )  # fmt: skip
    assert isinstance(verified, Done), verified
    take(
        "supervision.open",
        "supervisor@center",
        case,
        next(later),
        method="phone",
        ground="poor_quality",
        request="办好。",
    )
    take("case.nudge", "supervisor@center", case, next(later), note="请抓紧。")
    take("clue.transfer", "supervisor@center", case, next(later), ground="shirking", to="市纪委监委", content="推诿。")
    take("report.submit", "supervisor@center", case, next(later), kind="special", content="群众反映推诿。")
    take(
        "meeting.hold",
        "supervisor@center",
        case,
        next(later),
        kind="协调会",
        attendees=[LEAD, ACCUSED],
        minutes="议定事项。",
    )
    take(
        "task.assign", "supervisor@center", None, next(later), kind="proactive", title="自查窗口服务",
        content="请自查窗口服务。", units=[OTHER], cases=[case.number],
    )  # fmt: skip
    open_one = submit(now - timedelta(hours=7), title="河道垃圾无人清理", content="河道边垃圾成堆。").case
    take("case.dispatch", "dispatcher@center", open_one, now - timedelta(hours=6), lead=ACCUSED)
    case.refresh_from_db()
    return Hidden(city, case, str(done.extra["query_code"]), case.attachments.get())


def as_staff(platform: Any, who: str, client: Client | None = None) -> Client:
    """A client signed in as the one account of that role in that unit."""
    role, _, path = who.partition("@")
    account = Account.objects.filter(username=who).first()
    if account is None:
        account = Account.objects.create(username=who, email=f"{role}-{len(path)}@city.example", platform=platform)
        since = clock.now() - timedelta(days=9)
        unit = find_unit(platform, path)
        Grant.objects.create(account=account, unit=unit, role=role, since=since, granted_by="test")
    client = client or Client()
    client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    return client


GIVEN = {
    "kind": "help", "title": "路灯不亮", "content": "门口的路灯不亮。", "place_unit": "东岳路街道",
    "requester__name": "李小明", "requester__phone": "13900000001",
}  # fmt: skip


def as_citizen(hidden: Hidden) -> Client:
    """A browser in which a citizen has opened a case of their own."""
    client = Client()
    if not hidden.opened:
        assert client.post("/p/city/submit/", {**GIVEN, "key": "k" * 40}).status_code == 302
        shown = client.get("/p/city/receipt/").context["receipt"]
        client.cookies.pop("receipt")
        opened = client.post("/p/city/follow/", {"number": shown.number, "code": shown.query_code})
        assert opened.status_code == 302
        hidden.opened.update(client.session.items())
        return client
    session = client.session  # the same again, for hashing a code takes its time
    session.update(hidden.opened)
    session.save()
    return client


def client_of(person: str, hidden: Hidden) -> Client:
    if person == "nobody":
        return Client()
    if person == "citizen":
        return as_citizen(hidden)
    return as_staff(hidden.platform, PEOPLE[person])


def body(response: Any) -> str:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return str(content.decode())


def without_token(text: str) -> str:
    """A page without what differs each time it is made."""
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)
    return re.sub(r'name="key" value="[\w-]+"', "", text)


def answer(response: Any, of_none: Any) -> str:
    """What somebody got, in the table's words. `of_none` is the answer about a case that does not exist."""
    where = response.headers.get("Location", "")
    if response.status_code == 302:
        return "sign in" if where.startswith(SIGN_IN) else f"→ {where.partition('?')[0]}"
    if response.status_code != 404:
        return str(response.status_code)
    headers = [{name: value for name, value in one.headers.items() if name != "Date"} for one in (response, of_none)]
    same = response.content == of_none.content and headers[0] == headers[1] and of_none.status_code == 404
    return "nothing" if same else "404, but tells it from none"


# --- Every address ---------------------------------------------------------------------------------


def test_every_page_and_every_route_is_in_the_table() -> None:
    add = "add it to the table: what does each of PEOPLE get there?"
    assert sorted(all_pages()) == sorted(PAGES), add
    assert sorted(all_routes()) == sorted(ROUTES), add


def address(page: str, number: str, key: str, label: str) -> str:
    values = {
        "<str:number>": number, "<str:key>": key,
        "<str:action_id>": "case.urge" if "<slug:slug>" in page else "case.claim",
        "<slug:slug>": "city", "<slug:key>": "all", "<str:label>": quote(label), "<int:key>": "999999",
        "<slug:what>": "units",
        "<str:entry_id>": "interview.recorded",
    }  # fmt: skip
    return "/" + re.sub(r"<[^>]+>", lambda found: values[found.group()], page)


@pytest.mark.slow
@pytest.mark.parametrize("person", PEOPLE)
def test_pages(person: str, hidden: Hidden) -> None:
    wrong, leaks = {}, {}
    for page, by_method in PAGES.items():
        for method, expected in zip(("get", "post"), by_method, strict=True):
            client = client_of(person, hidden)
            got, none = (
                getattr(client, method)(address(page, *one))
                for one in (
                    (hidden.case.number, hidden.file.key, hidden.file.label),
                    (NO_SUCH, "no-such-key", "附件99.txt"),
                )
            )
            if answer(got, none) != expected[person]:
                wrong[f"{method} {page}"] = (answer(got, none), f"expected {expected[person]}")
            if hidden.found_in(body(got)):
                leaks[f"{method} {page}"] = hidden.found_in(body(got))
    assert not wrong, "\n".join(f"{where}: {what}" for where, what in wrong.items())
    assert not leaks, leaks


def call(client: Client, route: str, number: str, sent: Mapping[str, Any]) -> Any:
    method, _, path = route.partition(" ")
    path = path.replace("{number}", number)
    if method == "GET":
        return client.get(path)
    return client.post(path, json.dumps(sent), content_type="application/json")


@pytest.mark.slow
@pytest.mark.parametrize("person", PEOPLE)
def test_routes_of_the_api(person: str, hidden: Hidden) -> None:
    wrong, leaks = {}, {}
    client = client_of(person, hidden)
    for route, expected in ROUTES.items():
        own = {"number": hidden.case.number, "query_code": "0000-0000-0000-0000"} if "citizen" in route else {}
        if route.endswith("/follow"):
            own = {"number": hidden.case.number, "query_code": "0000-0000-0000-0000"}
        Throttle.objects.all().delete()  # what too many tries lead to is tested elsewhere
        got = call(client, route, hidden.case.number, own)
        none = call(client, route, NO_SUCH, own and {**own, "number": NO_SUCH})
        said = answer(got, none)
        if said != expected[person] and not (expected[person] == "404" and said == "nothing"):
            wrong[route] = (said, f"expected {expected[person]}")
        if hidden.found_in(body(got)):
            leaks[route] = hidden.found_in(body(got))
    assert not wrong, "\n".join(f"{where}: {what}" for where, what in wrong.items())
    assert not leaks, leaks


@pytest.mark.slow
def test_no_action_at_all_opens_the_case_to_whom_it_is_hidden_from(hidden: Hidden) -> None:
    before = Case.objects.get(pk=hidden.case.pk).version
    for person in ("wrong", "accused", "below"):
        client = client_of(person, hidden)
        none = client.get(f"/desk/case/{NO_SUCH}/")
        for action in ACTIONS:
            place = f"/desk/case/{hidden.case.number}/do/{action}/"
            for got in (client.get(place), client.post(place, {"version": before}, headers={"HX-Request": "true"})):
                assert (person, action, got.status_code, got.content) == (person, action, 404, none.content)
    assert Case.objects.get(pk=hidden.case.pk).version == before


@pytest.mark.slow
@pytest.mark.parametrize("route", [route for route in ROUTES if route.startswith("POST")])
def test_a_forged_post_to_the_api_is_refused(route: str, hidden: Hidden) -> None:
    client = as_staff(hidden.platform, "operator@center", Client(enforce_csrf_checks=True))
    got = call(client, route, hidden.case.number, {})
    if route in NO_TOKEN_ASKED:
        assert got.status_code in (404, 422)
    else:
        assert (got.status_code, got.json()["code"]) == (403, "csrf")


def test_a_forged_post_to_any_page_is_refused(hidden: Hidden) -> None:
    client = as_staff(hidden.platform, "operator@center", Client(enforce_csrf_checks=True))
    for page, (_get, post) in PAGES.items():
        if post is NO_POST or page.startswith("api/"):
            continue
        got = client.post(address(page, hidden.case.number, hidden.file.key, hidden.file.label))
        assert (page, got.status_code) == (page, 403)
        assert not hidden.found_in(body(got))


# --- Lists, search, counts, notices, mail, error pages -----------------------------------------------


def asked_for(hidden: Hidden) -> dict[str, str]:
    """What finds the case for who may see it, and words that find nothing."""
    return {
        hidden.case.number: "20260101999999998", EXTERNAL: "WB-0000-0000", TITLE: "不存在的标题文字内容",
        "推诿拒办": "莫须有的",
        "三次前往均被": "从来没有的话",
    }  # fmt: skip


def in_every_list(client: Client, text: str) -> Iterator[tuple[str, Any]]:
    """Every list of the desk and of the API, searched for `text` where it can be searched."""
    found = quote(text)
    for place in ("/desk/", "/desk/counts/", "/desk/supervision/", "/desk/intake/", "/desk/tasks/", "/api/v1/queues"):
        yield place, client.get(place)
    yield "search", client.get(f"/desk/search/?q={found}")
    for queue in QUEUES:
        yield f"queue {queue.key}", client.get(f"/desk/queue/{queue.key}/?q={found}")
        yield f"table {queue.key}", client.get(f"/desk/queue/{queue.key}/", headers={"HX-Request": "true"})
        yield f"api {queue.key}", client.get(f"/api/v1/cases?queue={queue.key}&search={found}")
        yield f"api all of {queue.key}", client.get(f"/api/v1/cases?queue={queue.key}")


@pytest.mark.slow
@pytest.mark.parametrize("person", [person for person in STAFF])
def test_no_list_and_no_search_tells_of_the_case(person: str, hidden: Hidden) -> None:
    client = client_of(person, hidden)
    for text, nothing in asked_for(hidden).items():
        for (place, got), (_place, none) in zip(
            in_every_list(client, text), in_every_list(client, nothing), strict=True
        ):
            assert got.status_code == none.status_code, (place, text)
            without = [
                without_token(body(one)).replace(asked, "").replace(quote(asked), "")
                for one, asked in ((got, text), (none, nothing))
            ]
            assert without[0] == without[1], (place, text)
            assert not hidden.found_in(without[0]), (place, text)


def test_who_may_see_the_case_finds_it_in_the_same_ways(hidden: Hidden) -> None:
    """Without this the test above could pass because nobody finds anything."""
    client = as_staff(hidden.platform, f"handler@{LEAD}")
    for text in asked_for(hidden):
        if text not in (hidden.case.number, EXTERNAL):  # a whole number leads to the case itself
            assert hidden.case.number in body(client.get(f"/desk/search/?q={quote(text)}")), text
        assert hidden.case.number in body(client.get(f"/desk/queue/all/?q={quote(text)}")), text
        assert hidden.case.number in body(client.get(f"/api/v1/cases?search={quote(text)}")), text
    for text in (hidden.case.number, EXTERNAL):
        assert client.get(f"/desk/search/?q={text}").headers["Location"] == f"/desk/case/{hidden.case.number}/"
    assert TITLE in body(client.get("/desk/"))
    assert TITLE in body(as_staff(hidden.platform, "supervisor@center").get("/desk/supervision/"))


def test_counts_leave_the_case_out(hidden: Hidden) -> None:
    counts = {one["key"]: one["count"] for one in client_of("accused", hidden).get("/api/v1/queues").json()}
    assert {key: count for key, count in counts.items() if count} == {"to_claim": 1, "all": 1}
    counts = {one["key"]: one["count"] for one in client_of("wrong", hidden).get("/api/v1/queues").json()}
    assert {key: count for key, count in counts.items() if count} == {}


def test_notices_of_others_cannot_be_marked_read(hidden: Hidden) -> None:
    ids = list(Notice.objects.filter(case=hidden.case).values_list("pk", flat=True))
    assert ids
    for person in STAFF:
        client_of(person, hidden).post("/desk/notices/", {"all": "1", "shown": ids, "notice": ids})
    assert not Notice.objects.filter(pk__in=ids, read_at__isnull=False).exists()


def test_the_accused_unit_is_told_nothing_even_by_mail_and_no_mail_names_the_matter(
    hidden: Hidden, settings: Any
) -> None:
    for who in (*filter(None, PEOPLE.values()), f"handler@{LEAD}", "inspector@市纪委监委"):
        as_staff(hidden.platform, who)
        Account.objects.filter(username=who).update(email=f"{hash(who) % 10**8}@city.example")
    settings.EMAIL_HOST = "mail.example"
    deliver_due(lambda: clock.now() + timedelta(minutes=1))
    kept_out = set(
        Account.objects.filter(username__in=list(filter(None, PEOPLE.values()))).values_list("email", flat=True)
    )
    about = [one for one in mail.outbox if hidden.case.number in str(one.message())]
    assert about, "the lead unit and the requester are told"
    for one in mail.outbox:
        text = f"{one.subject}\n{one.body}"
        if kept_out & set(one.to):
            assert hidden.case.number not in text
        for secret in (TITLE, EXTERNAL, CONTENT[:8], NAME, PHONE, hidden.code):
            assert secret not in text
    assert not {MAIL} - {address for one in about for address in one.to}


def test_error_pages_are_the_same_bytes_whatever_was_asked(hidden: Hidden) -> None:
    client = client_of("accused", hidden)
    pages = {
        client.get(f"/{where}/{number}/nothing-here").content
        for where in ("desk/case", "p/city/case", "nowhere", "desk/queue/all")
        for number in (hidden.case.number, NO_SUCH, TITLE)
    }
    assert len(pages) == 1
    broken = Client(raise_request_exception=False)
    assert broken.get("/p/no-such-city/case/").content == broken.get(f"/p/{hidden.case.number}/").content


def test_the_inspectors_complained_about_see_nothing_of_what_is_meant_for_inspectors(
    city: Any, submit: Any, take: Any
) -> None:
    case = submit(subject_unit="市纪委监委", title=TITLE).case
    take("case.dispatch", "dispatcher@center", case, clock.now(), lead=LEAD)
    take(
        "supervision.open",
        "supervisor@center",
        case,
        clock.now(),
        method="phone",
        ground="poor_quality",
        request="办好。",
    )
    client = as_staff(city, "inspector@市纪委监委")
    assert client.get(f"/desk/case/{case.number}/").status_code == 404
    for place, got in in_every_list(client, "推诿拒办"):
        assert TITLE not in body(got) and case.number not in body(got), place


# --- Files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", ["wrong", "accused", "below", "leader", "deals", "admin"])
def test_files_of_the_case_are_not_there_for_others(person: str, hidden: Hidden) -> None:
    client = client_of(person, hidden)
    got = client.get(f"/desk/case/{hidden.case.number}/file/{hidden.file.key}/")
    assert got.status_code == 404
    own = Case.objects.exclude(pk=hidden.case.pk).get()  # the key does not open it under another number either
    assert client.get(f"/desk/case/{own.number}/file/{hidden.file.key}/").status_code == 404


def test_files_are_there_for_the_unit_and_carry_no_name(hidden: Hidden) -> None:
    got = as_staff(hidden.platform, f"handler@{LEAD}").get(f"/desk/case/{hidden.case.number}/file/{hidden.file.key}/")
    assert (got.status_code, body(got)) == (200, "现场核查说明")
    assert NAME not in str(got.headers) and quote(NAME) not in str(got.headers)


# --- Who the requester is --------------------------------------------------------------------------


def everything_about(client: Client, number: str) -> Iterator[tuple[str, str]]:
    """Every page and answer about a case that a member of staff can ask for: whole pages, parts, refusals."""
    part = {"HX-Request": "true"}
    for place in (
        f"/desk/case/{number}/", "/desk/", "/desk/counts/", "/desk/queue/all/", "/desk/supervision/",
        f"/desk/search/?q={quote(TITLE)}", *(f"/desk/case/{number}/do/{action}/" for action in ACTIONS),
        f"/api/v1/cases/{number}", f"/api/v1/cases/{number}/explain", f"/api/v1/cases/{number}/offers", "/api/v1/cases",
        "/api/v1/queues",
    ):  # fmt: skip
        yield place, body(client.get(place))
    yield "identity", body(client.post(f"/desk/case/{number}/identity/"))
    for action in ACTIONS:
        place = f"/desk/case/{number}/do/{action}/"
        yield f"post {place}", body(client.post(place, {"version": "0"}, headers=part))
        sent = json.dumps({"version": 0})
        yield f"post api {action}", body(client.post(f"/api/v1/cases/{number}/{action}", sent, "application/json"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("who", "kind", "digits"),
    [
        (f"handler@{LEAD}", "complaint", "139****5678"),
        (f"leader@{LEAD}", "complaint", "139****5678"),
        ("supervisor@center", "complaint", "139****5678"),
        (f"handler@{LEAD}", "report", ""),
        (f"leader@{LEAD}", "report", ""),
        ("supervisor@center", "report", ""),
        ("dispatcher@center", "report", ""),
        *((who, kind, "")
          for who in ("inspector@市纪委监委", "auditor@市纪委监委", "executive@市政府", "analyst@center")
          for kind in ("help", "complaint", "report")),
    ],
)  # fmt: skip
def test_who_must_not_know_the_requester_never_reads_them(
    who: str, kind: str, digits: str, city: Any, submit: Any, take: Any
) -> None:
    case = submit(clock.now(), kind=kind, title=TITLE, requester={"name": NAME, "phone": PHONE, "email": MAIL}).case
    take("case.dispatch", "dispatcher@center", case, clock.now(), lead=LEAD)
    take("case.claim", f"handler@{LEAD}", case, clock.now())
    take("report.submit", "supervisor@center", case, clock.now(), kind="special", content="请批示。")
    seen = False
    for place, text in everything_about(as_staff(city, who), case.number):
        seen = seen or TITLE in text
        for secret in (NAME, PHONE, PHONE[-4:], MAIL):
            left = text.replace(digits, "") if digits else text
            left = left.replace(case.number, "")
            assert secret not in left, (place, secret)
        if not digits:
            assert "139*" not in text, place
    assert seen, "this role does see the case"


# --- Logs ------------------------------------------------------------------------------------------


def test_nothing_personal_reaches_the_log_in_the_life_of_a_case(
    city: Any, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    """At the most talkative level: pages, API, refusals, a wrong code, and mail."""
    caplog.set_level(logging.DEBUG)
    citizen = Client()
    given = {**GIVEN, "title": TITLE, "requester__name": NAME, "requester__phone": PHONE, "requester__email": MAIL}
    assert citizen.post("/p/city/submit/", {**given, "title": "", "key": "r" * 40}).status_code == 422
    assert citizen.post("/p/city/submit/", {**given, "key": "s" * 40}).status_code == 302
    receipt = citizen.get("/p/city/receipt/").context["receipt"]
    number, code = receipt.number, receipt.query_code
    citizen.post("/p/city/follow/", {"number": number, "code": "0000-0000-0000-0000"})
    assert citizen.post("/p/city/follow/", {"number": number, "code": code}).status_code == 302
    case = Case.objects.get(number=number)

    def do(who: str, action: str, *, status: int = 302, **data: Any) -> None:
        case.refresh_from_db()
        client = as_staff(city, who)
        client.get(f"/desk/case/{number}/do/{action}/")
        got = client.post(f"/desk/case/{number}/do/{action}/", {"version": case.version, **data})
        assert got.status_code == status, body(got)
        assert client.get(f"/desk/case/{number}/").status_code in (200, 404)

    handler = f"handler@{LEAD}"
    as_staff(city, "operator@center").post(f"/desk/case/{number}/identity/")
    do("dispatcher@center", "case.dispatch", lead=LEAD)
    do(handler, "case.claim")
    do(handler, "case.reply", status=422, content=TITLE, outcome="solved")
    do(handler, "case.contact", method="phone", result="reached", note=f"已联系{NAME}")
    do(handler, "case.reply", content=f"{TITLE}，已办理。", outcome="solved", attachments=proof())
    do("checker@center", "check.pass", criteria=["facts_clear", "basis_right", "handled_well"])
    assert citizen.get("/p/city/case/").status_code == 200
    assert citizen.post("/p/city/case/do/case.evaluate/", {"rating": "1", "comment": NAME}).status_code == 302
    do("caller@center", "case.call_back", method="phone", result="reached", contacted="true", solved="no",
       rating="1", trust="1", comment=f"{NAME}不满意")  # fmt: skip
    api_client = as_staff(city, handler)
    for place in (f"/api/v1/cases/{number}", f"/api/v1/cases?search={quote(TITLE)}", "/api/v1/cases?search=\0"):
        api_client.get(place)
    api_client.get(f"/desk/search/?q={quote(TITLE)}")
    for sent in ({"number": number, "query_code": code}, {"number": number, "query_code": "1" * 16}):
        Client().post("/api/v1/cases/follow", json.dumps(sent), content_type="application/json")
    Client().get(f"/desk/case/{quote(TITLE)}/no-such-page")
    settings.EMAIL_HOST = "mail.example"
    deliver_due(clock.now)

    assert caplog.records, "the log is on"
    kept = logging.Formatter("%(message)s %(args)s")
    for record in caplog.records:
        text = kept.format(record)
        for secret in (NAME, PHONE, MAIL, code, code.replace("-", ""), TITLE):
            assert secret not in text, (record.name, record.levelname, text[:300])


def test_the_key_of_an_app_opens_nothing_but_submitting(hidden: Hidden) -> None:
    _id, key = create_api_key(hidden.platform, "hotline_12345", "测试应用", now=clock.now())
    client = Client(headers={"Authorization": f"Bearer {key}"})
    for route in ROUTES:
        if route in NO_TOKEN_ASKED:
            continue
        got = call(client, route, hidden.case.number, {})
        assert (route, got.status_code) == (route, 401)
        assert not hidden.found_in(body(got))
    assert django_settings.DEBUG is False
