"""Attacks on pages, API, search, counts, logs and start-up, each with what must come of it."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
PASSWORD = "correct-horse-battery-7"
HOUSING, ROADS, CITY_MANAGEMENT = "市住建局", "市交通运输局", "市城管执法局"
JSON = "application/json"

pytestmark = pytest.mark.slow
"""Many small attacks: `make test` runs them, `make check` does not wait for them."""


def _platform(slug: str) -> Any:
    from huying.cases.policies import regulation
    from huying.people.units import open_platform

    policy = regulation("daye-2023")
    return open_platform(slug, slug, "daye-2023", policy.tree)


@pytest.fixture
def city(db: Any, settings: Any, tmp_path: Any) -> Any:
    from huying.people.units import forget_units

    settings.HUYING_FILES = tmp_path / "files"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    forget_units()
    return _platform("one")


def _account(platform: Any, name: str, *grants: tuple[str, str]) -> Any:
    from huying.people.models import Account, Grant
    from huying.people.units import find_unit

    account = Account.objects.create_user(name, password=PASSWORD, platform=platform)
    for role, path in grants:
        Grant.objects.create(
            account=account, unit=find_unit(platform, path), role=role, since=LONG_AGO, granted_by="test"
        )
    return account


def _signed_in(account: Any) -> Client:
    client = Client()
    client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _at(platform: Any, role: str, path: str = "center") -> Client:
    return _signed_in(_account(platform, f"{platform.slug}-{role}-{path}".replace("/", "-"), (role, path)))


def _submit(platform: Any, **data: Any) -> Any:
    from huying.base import clock
    from huying.cases.commands.perform import Done, perform
    from huying.people.actors import Actor

    given = {
        "channel": "portal", "kind": "complaint", "title": "道路养护不到位", "content": "反映多次没有人处理。",
        "place": "东岳路街道", "requester": {"name": "赵秘密", "phone": "13911112222"},
    } | data  # fmt: skip
    done = perform(
        "case.submit", actor=Actor("citizen:x", "citizen", platform), now=clock.now(), data=given
    )  # fmt: skip
    assert isinstance(done, Done), done
    return done


def _act(client: Client, case: Any, action: str, **data: Any) -> Any:
    return client.post(f"/api/v1/cases/{case.number}/{action}", json.dumps(data), content_type=JSON)


# ---- the unit complained about -------------------------------------------------------------------


def test_a_complaint_merged_in_shuts_out_whom_it_complains_of(city: Any) -> None:
    main, complaint = _submit(city).case, _submit(city, subject_unit=ROADS).case
    dispatcher, roads = _at(city, "dispatcher"), _at(city, "handler", ROADS)
    assert _act(dispatcher, main, "case.dispatch", lead=ROADS).status_code == 200
    assert _act(roads, main, "case.claim").status_code == 200
    assert _act(dispatcher, complaint, "case.merge", into=main.number).json()["code"] == "recusal"
    assert _act(dispatcher, main, "case.reassign", unit=HOUSING, reason="由住建部门办理").status_code == 200
    assert _act(dispatcher, complaint, "case.merge", into=main.number).status_code == 200
    executive = _at(city, "leader", ROADS)
    for client in (roads, executive):
        assert client.get(f"/api/v1/cases/{main.number}").status_code == 404
        assert client.get(f"/desk/case/{main.number}/").status_code == 404
    assert _act(dispatcher, main, "case.reassign", unit=ROADS, reason="退回").json()["code"] == "recusal"
    assert _act(dispatcher, complaint, "case.unmerge").status_code == 200
    main.refresh_from_db()
    assert _act(dispatcher, main, "case.reassign", unit=ROADS, reason="退回").status_code == 200
    assert roads.get(f"/api/v1/cases/{main.number}").status_code == 200
    assert roads.get(f"/api/v1/cases/{complaint.number}").status_code == 404


def test_the_handler_and_the_other_requester_do_not_learn_of_a_complaint_merged_in(city: Any) -> None:
    one, other = _submit(city), _submit(city, subject_unit=ROADS, requester={"name": "钱某人", "phone": "13933334444"})
    dispatcher, housing = _at(city, "dispatcher"), _at(city, "handler", HOUSING)
    assert _act(dispatcher, one.case, "case.dispatch", lead=HOUSING).status_code == 200
    assert _act(dispatcher, other.case, "case.merge", into=one.case.number).status_code == 200
    record = housing.get(f"/api/v1/cases/{one.case.number}")
    assert record.json()["links"] == []
    assert other.case.number not in record.content.decode()
    assert "钱某人" not in record.content.decode()
    body = {"number": one.case.number, "query_code": one.extra["query_code"]}
    own = Client().post("/api/v1/cases/follow?platform=one", json.dumps(body), content_type=JSON)
    assert own.json()["links"] == []
    assert other.case.number not in own.content.decode()
    body = {"number": other.case.number, "query_code": other.extra["query_code"]}
    merged = Client().post("/api/v1/cases/follow?platform=one", json.dumps(body), content_type=JSON)
    assert merged.json()["links"] == [{"case": None, "type": "merged"}]
    assert one.case.number not in merged.content.decode()


# ---- two platforms in one installation -----------------------------------------------------------


@pytest.mark.parametrize("role", ["dispatcher", "operator", "supervisor", "auditor", "caller", "checker"])
def test_staff_of_one_platform_see_nothing_of_another(city: Any, role: str) -> None:
    """Both have the same tree, so that every range of the one falls on a unit of the other."""
    other = _platform("two")
    case = _submit(other).case
    assert _act(_at(other, "dispatcher"), case, "case.dispatch", lead=HOUSING).status_code == 200
    here = _at(city, role, "center")
    assert here.get(f"/api/v1/cases/{case.number}").status_code == 404
    assert here.get(f"/desk/case/{case.number}/").status_code == 404
    assert case.number not in here.get(f"/api/v1/cases?search={case.number}").content.decode()
    assert here.get("/api/v1/cases").json()["cases"] == []
    assert [one["count"] for one in here.get("/api/v1/queues").json() if one["count"]] == []
    for action in ("case.dispatch", "case.claim", "supervision.open", "case.merge"):
        assert _act(here, case, action).status_code == 404


def test_a_handler_of_one_platform_sees_nothing_of_the_same_unit_of_another(city: Any) -> None:
    other = _platform("two")
    case = _submit(other).case
    assert _act(_at(other, "dispatcher"), case, "case.dispatch", lead=HOUSING).status_code == 200
    assert _at(other, "handler", HOUSING).get(f"/api/v1/cases/{case.number}").status_code == 200
    here = _at(city, "handler", HOUSING)
    assert here.get(f"/api/v1/cases/{case.number}").status_code == 404
    assert [one["count"] for one in here.get("/api/v1/queues").json() if one["count"]] == []
    assert "dispatched" not in here.get("/desk/").content.decode()


def test_number_and_code_open_a_case_on_its_own_platform_only(city: Any) -> None:
    other = _platform("two")
    done = _submit(other)
    body = {"number": done.case.number, "query_code": done.extra["query_code"]}
    for slug, status in (("one", 404), ("two", 200)):
        answer = Client().post(f"/api/v1/cases/follow?platform={slug}", json.dumps(body), content_type=JSON)
        assert answer.status_code == status


# ---- signing in ----------------------------------------------------------------------------------


def test_signing_in_and_opening_a_case_take_a_new_session(city: Any) -> None:
    _account(city, "li", ("dispatcher", "center"))
    done = _submit(city)
    client = Client()
    client.post("/p/one/follow/", {"number": done.case.number, "code": done.extra["query_code"]})
    opened = client.cookies["sessionid"].value
    client.post("/desk/sign-in/", {"username": "li", "password": PASSWORD})
    assert client.cookies["sessionid"].value != opened
    before = client.cookies["sessionid"].value
    client.post("/p/one/follow/", {"number": done.case.number, "code": done.extra["query_code"]})
    assert client.cookies["sessionid"].value != before


def test_a_lock_behind_a_proxy_hits_the_source_and_not_everybody(city: Any, settings: Any) -> None:
    settings.HUYING_ADDRESS_FROM = "HTTP_X_FORWARDED_FOR"
    _account(city, "li", ("dispatcher", "center"))
    client = Client()
    for _ in range(9):
        answer = client.post(
            "/desk/sign-in/",
            {"username": "li", "password": "wrong"},
            headers={"X-Forwarded-For": "1.2.3.4, 203.0.113.9"},
        )
    assert answer.status_code == 429
    own = Client().post(
        "/desk/sign-in/", {"username": "li", "password": PASSWORD}, headers={"X-Forwarded-For": "198.51.100.7"}
    )
    assert own.status_code == 302


def test_a_role_that_ends_is_gone_at_the_next_request(city: Any) -> None:
    from huying.base import clock
    from huying.people.models import Grant

    client = _at(city, "dispatcher")
    case = _submit(city).case
    assert client.get(f"/desk/case/{case.number}/").status_code == 200
    Grant.objects.update(until=clock.now() - timedelta(seconds=1))
    assert client.get(f"/desk/case/{case.number}/").status_code == 403
    assert client.get("/desk/").status_code == 302
    again = _signed_in(_account(city, "wang", ("dispatcher", "center")))
    Grant.objects.update(until=clock.now() - timedelta(seconds=1))
    assert again.get(f"/api/v1/cases/{case.number}").status_code == 403


SECOND_FACTOR = [
    ("supervisor", "center", True), ("inspector", "市纪委监委", True), ("operator", "center", True),
    ("dispatcher", "center", True), ("analyst", "center", False), ("leader", HOUSING, False),
]  # fmt: skip


@pytest.mark.parametrize(("role", "path", "needed"), SECOND_FACTOR)
def test_who_supervises_or_reads_identities_enrols_a_second_factor(
    city: Any, settings: Any, role: str, path: str, needed: bool
) -> None:
    from allauth.mfa.models import Authenticator

    settings.HUYING_REQUIRE_MFA = True
    account = _account(city, "li", (role, path))
    client = _signed_in(account)
    if not needed:
        assert client.get("/desk/").status_code == 200
        assert client.get("/api/v1/queues").status_code == 200
        return
    answer = client.get("/desk/")
    assert (answer.status_code, answer.headers.get("Location")) == (302, "/desk/account/2fa/totp/activate/")
    assert client.get("/desk/", headers={"HX-Request": "true"}).headers["HX-Redirect"].endswith("/totp/activate/")
    assert client.get("/api/v1/queues").status_code == 403
    Authenticator.objects.create(user=account, type="recovery_codes", data={"seed": "x", "used_mask": 0})
    assert client.get("/api/v1/queues").status_code == 403  # codes alone are none
    Authenticator.objects.create(user=account, type="totp", data={"secret": "x"})
    assert client.get("/desk/").status_code == 200
    assert client.get("/api/v1/queues").status_code == 200


# ---- requests that nobody's page makes -----------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    ["/desk/queue/all/?state=%00", "/desk/queue/all/?q=%00", "/desk/queue/all/?cursor=2026-01-01|9" + "9" * 30,
     "/desk/queue/all/?cursor=2026|x", "/desk/search/?q=%00", "/desk/search/?q=%ff", "/api/v1/cases/%00",
     "/api/v1/cases?cursor=2026-01-01T00:00:00%2B99:99|1", "/desk/case/%00/", "/desk/case/1/file/..%2f..%2fx/",
     "/p/one/case/file/..%2f..%2fetc%2fpasswd", "/p/%00/"],
)  # fmt: skip
def test_a_strange_address_is_no_error(city: Any, address: str) -> None:
    client = _at(city, "dispatcher")
    client.raise_request_exception = False
    answer = client.get(address)
    assert answer.status_code < 500
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_every_form_wants_the_token(city: Any) -> None:
    account = _account(city, "li", ("operator", "center"))
    case = _submit(city).case
    client = Client(enforce_csrf_checks=True)
    client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    for address in (
        "/desk/sign-in/", "/desk/sign-out/", "/desk/role/", "/desk/notices/", "/desk/intake/",
        f"/desk/case/{case.number}/identity/", f"/desk/case/{case.number}/do/case.accept/", "/p/one/submit/",
        "/p/one/follow/", "/p/one/case/leave/", "/p/one/case/do/case.withdraw/", "/desk/account/2fa/totp/activate/",
        f"/api/v1/cases/{case.number}/case.accept", "/api/v1/cases?role=operator",
    ):  # fmt: skip
        answer = client.post(address, {})
        assert answer.status_code == 403, address
    case.refresh_from_db()
    assert case.state == "received"


# ---- logs ----------------------------------------------------------------------------------------


def _lines(record: logging.LogRecord) -> dict[str, Any]:
    from huying.base.logs import AllowedKeys

    return dict(json.loads(AllowedKeys().format(record)))


def _record(name: str, message: str, *args: object, **more: Any) -> logging.LogRecord:
    made = logging.getLogger(name).makeRecord(name, logging.ERROR, "x.py", 1, message, args, more.pop("exc_info", None))
    for key, value in more.items():
        setattr(made, key, value)
    return made


def test_a_log_line_has_the_route_and_not_the_address(city: Any, rf: Any) -> None:
    from django.urls import resolve

    request = rf.get("/desk/case/20261122000000000/?q=赵秘密")
    request.resolver_match = resolve("/desk/case/20261122000000000/")
    line = _lines(_record("django.request", "%s: %s", "Not Found", request.path, request=request, status_code=404))
    assert line["route"] == "desk/case/<str:number>/"
    assert (line["method"], line["status_code"]) == ("GET", 404)
    text = json.dumps(line, ensure_ascii=False)
    assert "20261122000000000" not in text
    assert "赵秘密" not in text


def test_a_log_line_names_the_constraint_and_not_the_values(city: Any) -> None:
    from django.db import IntegrityError, transaction

    from huying.people.models import Account

    Account.objects.create_user("赵秘密", password=PASSWORD)
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        Account.objects.create_user("赵秘密", password=PASSWORD)
    assert "赵秘密" in str(caught.value)  # the database says it, so it must be kept out
    error = caught.value
    line = _lines(_record("django.request", "%s", "x", exc_info=(type(error), error, error.__traceback__)))
    assert "赵秘密" not in json.dumps(line, ensure_ascii=False)
    assert any(one.startswith("people_account_username") for one in line["error"])
    assert any("test_security.py" in one for one in line["where"]), line["where"]


def test_only_our_own_loggers_words_are_filled_in() -> None:
    assert _lines(_record("huying.cases.jobs", "swept: %s limits", 3))["event"] == "swept: 3 limits"
    assert _lines(_record("axes", "login failed by %s", "赵秘密"))["event"] == "login failed by %s"
    allowed = {"at", "level", "logger", "event", "status_code", "job", "task", "method", "route", "error", "where"}
    line = _lines(_record("huying.x", "done", status_code=200, name_of_person="赵秘密", task="t"))
    assert set(line) <= allowed


def test_every_handler_writes_such_lines() -> None:
    from huying.base.logs import AllowedKeys

    for name in ("", "django", "django.request", "django.server", "axes", "procrastinate"):
        for handler in logging.getLogger(name).handlers:
            if type(handler).__module__.startswith("_pytest"):
                continue
            assert isinstance(handler.formatter, AllowedKeys), (name, handler)


# ---- start in production -------------------------------------------------------------------------

SECRET = "x7Kq" * 12


def _start(**environment: str) -> subprocess.CompletedProcess[str]:
    """Load the web application as production does."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("HUYING_", "DJANGO_"))}
    given = {
        "HUYING_ENV": "production", "HUYING_SECRET_KEY": SECRET, "HUYING_BASE_URL": "https://city.example",
        "HUYING_HOSTS": "city.example",
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "-c", "import huying.site.wsgi; print('started')"],
        env={**bare, **given, **environment}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_production_refuses_a_database_that_may_lose_what_it_confirmed(tmp_path: Path, db: Any) -> None:
    """The tests' own server runs with fsync off and is the embedded one."""
    from django.db import connection

    facts = connection.settings_dict
    url = f"postgresql://{facts['USER']}:{facts['PASSWORD']}@{facts['HOST']}:{facts['PORT']}/{facts['NAME']}"
    outcome = _start(HUYING_VAR=str(tmp_path), DATABASE_URL=url)
    assert outcome.returncode != 0
    assert "started" not in outcome.stdout
    assert re.search(r"fsync 须为 on，现在是 off", outcome.stderr)
    assert "synchronous_commit 须为 on" in outcome.stderr


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [("HUYING_DEBUG", "1", "HUYING_DEBUG"), ("HUYING_SECRET_KEY", "", "HUYING_SECRET_KEY"),
     ("HUYING_SECRET_KEY", "only-for-development-and-demo", "HUYING_SECRET_KEY"),
     ("HUYING_BASE_URL", "http://city.example", "https://")],
)  # fmt: skip
def test_production_refuses_settings_of_a_demo(tmp_path: Path, name: str, value: str, told: str) -> None:
    outcome = _start(HUYING_VAR=str(tmp_path), **{name: value})
    assert outcome.returncode != 0
    assert told in outcome.stderr


def test_production_names_every_unsafe_setting(settings: Any, tmp_path: Path) -> None:
    from huying.site.checks import problems_of_settings

    settings.SECRET_KEY, settings.ALLOWED_HOSTS, settings.DEBUG = "short", ["*"], True
    settings.HUYING_FILES = tmp_path / "files"
    settings.HUYING_FILES.mkdir(mode=0o755)
    settings.HUYING_FILES.chmod(0o755)
    told = "\n".join(problems_of_settings())
    for word in ("DEBUG", "HUYING_SECRET_KEY", "HUYING_HOSTS", "files"):
        assert word in told
    settings.SECRET_KEY, settings.ALLOWED_HOSTS, settings.DEBUG = SECRET, ["city.example"], False
    settings.HUYING_FILES.chmod(0o700)
    assert not any(word in "\n".join(problems_of_settings()) for word in ("DEBUG", "HUYING_", "files"))


COOKIES = """
import django; django.setup()
from django.conf import settings as s
print(s.SESSION_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.SESSION_COOKIE_HTTPONLY, s.SESSION_COOKIE_PATH,
      s.SESSION_COOKIE_DOMAIN, s.CSRF_COOKIE_NAME, s.CSRF_COOKIE_SECURE, s.HUYING_REQUIRE_MFA, s.DEBUG)
"""


def test_cookies_in_production_are_bound_to_the_host(tmp_path: Path) -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("HUYING_")}
    given = {
        "HUYING_ENV": "production", "HUYING_SECRET_KEY": SECRET, "HUYING_BASE_URL": "https://city.example",
        "HUYING_VAR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "huying.site.settings",
    }  # fmt: skip
    told = subprocess.run(
        [sys.executable, "-c", COOKIES], env={**bare, **given}, capture_output=True, text=True, check=True
    ).stdout  # fmt: skip
    assert told.split() == ["__Host-session", "True", "True", "/", "None", "__Host-csrf", "True", "True", "False"]


# ---- what is written down ------------------------------------------------------------------------


def test_the_file_store_is_its_owners_alone(city: Any, settings: Any) -> None:
    import io

    from huying.base import clock
    from huying.cases import attachments
    from huying.people.actors import system

    case = _submit(city).case
    attachments.store(case, io.BytesIO("说明".encode()), name="a.txt", actor=system(city), now=clock.now())
    made = [settings.HUYING_FILES, *settings.HUYING_FILES.rglob("*")]
    assert len(made) == 3
    assert {path.stat().st_mode & 0o077 for path in made} == {0}


def test_the_journal_of_a_redirect_keeps_no_free_text(city: Any) -> None:
    from huying.cases.models import JournalEntry

    case = _submit(city, kind="help").case
    operator = _at(city, "operator")
    assert _act(operator, case, "case.redirect", to="找赵秘密本人", note="请与其联系").status_code == 200
    entry = JournalEntry.objects.get(case=case, action="case.redirect")
    assert "赵秘密" not in json.dumps(entry.data, ensure_ascii=False)


def test_tries_at_the_second_factor_are_counted_by_the_source_behind_a_proxy(settings: Any, rf: Any) -> None:
    from allauth.account.adapter import get_adapter

    settings.HUYING_ADDRESS_FROM = "HTTP_X_FORWARDED_FOR"
    request = rf.get("/", headers={"X-Forwarded-For": "1.2.3.4, 203.0.113.9"})
    assert get_adapter(request).get_client_ip(request) == "203.0.113.9"


def test_a_unit_reads_the_limits_of_its_own_tasks_only(city: Any) -> None:
    case = _submit(city).case
    dispatcher, housing = _at(city, "dispatcher"), _at(city, "handler", HOUSING)
    assert _act(dispatcher, case, "case.dispatch", lead=CITY_MANAGEMENT, co=[HOUSING]).status_code == 200
    told = housing.get(f"/api/v1/cases/{case.number}/explain").json()
    assert {one["unit_name"] for one in told} <= {HOUSING, ""}
    assert CITY_MANAGEMENT in {
        one["unit_name"] for one in dispatcher.get(f"/api/v1/cases/{case.number}/explain").json()
    }  # fmt: skip


def test_another_role_does_not_open_a_complaint_about_ones_own_unit(city: Any) -> None:
    from huying.people.models import Grant

    about_roads, about_housing = _submit(city, subject_unit=ROADS).case, _submit(city, subject_unit=HOUSING).case
    account = _account(city, "li", ("dispatcher", "center"), ("handler", ROADS))
    client = _signed_in(account)
    as_dispatcher = "role=dispatcher&unit=center"
    assert client.get(f"/api/v1/cases/{about_roads.number}?{as_dispatcher}").status_code == 404
    assert client.get(f"/api/v1/cases/{about_housing.number}?{as_dispatcher}").status_code == 200
    listed = client.get(f"/api/v1/cases?queue=to_dispatch&{as_dispatcher}").json()["cases"]
    assert [one["number"] for one in listed] == [about_housing.number]
    Grant.objects.filter(account=account, role="handler").delete()
    assert client.get(f"/api/v1/cases/{about_roads.number}?{as_dispatcher}").status_code == 200


def test_mail_about_a_case_does_not_reach_who_also_belongs_to_the_unit_complained_about(city: Any) -> None:
    from huying.base import clock
    from huying.cases.commands import deliveries
    from huying.cases.commands.notices import tell_unit
    from huying.people.units import find_unit

    case = _submit(city, subject_unit=ROADS).case
    for name, grants in (
        ("li", (("handler", HOUSING), ("handler", ROADS))), ("wang", (("handler", HOUSING),)),
    ):  # fmt: skip
        account = _account(city, name, *grants)
        account.email = f"{name}@city.example"
        account.save()
    now = clock.now()
    tell_unit(case, find_unit(city, HOUSING), "nudge", at=now)
    deliveries.spread_due("email", now=now)
    claimed = deliveries.claim_due("email", now=now, limit=10)
    addresses = {deliveries.address_of(one, now=now) for one in claimed if not one.to_citizen}
    assert addresses == {"", "wang@city.example"}
