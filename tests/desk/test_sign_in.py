"""Signing in, being locked out, working in one's roles, and leaving."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

SIGN_IN = "/desk/sign-in/"
PASSWORD = "correct-horse-battery-7"


def sign_in(client: Any, name: str, password: str = PASSWORD, **more: str) -> Any:
    return client.post(SIGN_IN, {"username": name, "password": password, **more})


def test_right_password_opens_the_work_lists(client: Any, desk: Any) -> None:
    desk.account("li", ("dispatcher", "center"))
    assert sign_in(client, "li").headers["Location"] == "/desk/"
    assert "待派单" in client.get("/desk/").content.decode()


def test_wrong_password_is_told_on_the_page(client: Any, desk: Any) -> None:
    desk.account("li", ("dispatcher", "center"))
    response = sign_in(client, "li", "wrong")
    assert response.status_code == 422
    assert "用户名或密码不正确" in response.content.decode()
    assert client.get("/desk/").status_code == 302


def test_after_eight_wrong_passwords_the_name_is_locked_for_this_source(client: Any, desk: Any) -> None:
    desk.account("li", ("dispatcher", "center"))
    for _ in range(8):
        response = sign_in(client, "li", "wrong")
    assert response.status_code == 429
    assert "暂时不能登录" in response.content.decode()
    assert sign_in(client, "li").status_code == 429


@pytest.mark.parametrize(
    "address",
    ["/desk/", "/desk/queue/all/", "/desk/case/1/", "/desk/search/?q=1", "/desk/intake/", "/desk/supervision/",
     "/desk/counts/", "/desk/case/1/do/case.claim/", "/desk/case/1/file/x/", "/desk/account/2fa/"],
)  # fmt: skip
def test_nobody_sees_more_than_the_sign_in_page(client: Any, desk: Any, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 302
    assert response.headers["Location"].startswith(SIGN_IN)


def test_sign_in_leads_back_to_own_pages_only(client: Any, desk: Any) -> None:
    desk.account("li", ("dispatcher", "center"))
    assert sign_in(client, "li", next="/desk/queue/all/").headers["Location"] == "/desk/queue/all/"
    client.post("/desk/sign-out/")
    assert sign_in(client, "li", next="https://elsewhere.example/").headers["Location"] == "/desk/"


def test_leaving_is_a_post_and_ends_the_session(client: Any, desk: Any) -> None:
    desk.account("li", ("dispatcher", "center"))
    sign_in(client, "li")
    assert client.get("/desk/sign-out/").status_code == 405
    client.post("/desk/sign-out/")
    assert client.get("/desk/").status_code == 302


def test_an_account_of_two_roles_works_in_the_one_it_chooses(client: Any, desk: Any) -> None:
    account = desk.account("li", ("dispatcher", "center"), ("supervisor", "center"))
    sign_in(client, "li")
    assert "待派单" in client.get("/desk/").content.decode()
    unit = account.grants.get(role="supervisor").unit_id
    page = client.post("/desk/role/", {"role": f"supervisor@{unit}"}, follow=True).content.decode()
    assert "拟督办" in page
    assert "待派单" not in page


def test_a_role_that_is_not_held_cannot_be_chosen(client: Any, desk: Any) -> None:
    account = desk.account("li", ("dispatcher", "center"))
    sign_in(client, "li")
    client.post("/desk/role/", {"role": f"inspector@{account.grants.get().unit_id}"})
    assert "待派单" in client.get("/desk/").content.decode()


def test_a_role_that_ends_ends_its_session_at_once(client: Any, desk: Any) -> None:
    from huying.base import clock

    account = desk.account("li", ("dispatcher", "center"), ("supervisor", "center"))
    sign_in(client, "li")
    client.get("/desk/")
    account.grants.filter(role="dispatcher").update(until=clock.now() - timedelta(seconds=1))
    page = client.get("/desk/queue/to_dispatch/", follow=True).content.decode()
    assert "身份已经停用" in page
    account.grants.update(until=clock.now() - timedelta(seconds=1))
    response = client.get("/desk/")
    assert response.status_code == 403
    assert client.get("/desk/").status_code == 302


def test_an_account_with_a_second_factor_is_asked_for_it(client: Any, desk: Any) -> None:
    from allauth.mfa.models import Authenticator
    from allauth.mfa.totp.internal.auth import (
        TOTP,
        format_hotp_value,
        generate_totp_secret,
        hotp_value,
        yield_hotp_counters_from_time,
    )

    account = desk.account("li", ("dispatcher", "center"))
    secret = generate_totp_secret()
    TOTP.activate(account, secret)
    assert Authenticator.objects.filter(user=account).exists()
    assert sign_in(client, "li").headers["Location"] == "/desk/account/2fa/code/"
    assert client.get("/desk/").status_code == 302
    assert "动态口令" in client.get("/desk/account/2fa/code/").content.decode()
    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    assert client.post("/desk/account/2fa/code/", {"code": code}).headers["Location"] == "/desk/"
    assert client.get("/desk/").status_code == 200
