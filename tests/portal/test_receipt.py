"""The receipt: who pressed sees it again, nobody else ever does."""

from typing import Any

import pytest

pytestmark = pytest.mark.django_db


def test_receipt_shows_number_code_and_next_steps_with_their_articles(citizen: Any) -> None:
    number, code = citizen.receipt()
    page = citizen.get("receipt/").content.decode()
    assert number in page and code in page
    assert "承办单位在交办后 1 个工作日内签收。" in page
    assert "承办单位在签收后 5 个工作日内答复。" in page
    assert "依据（七） 及时受理" in page and "依据（八） 限时办结" in page


def test_reloading_shows_the_same_receipt(citizen: Any) -> None:
    assert citizen.receipt() == (
        citizen.get("receipt/").context["receipt"].number,
        citizen.get("receipt/").context["receipt"].query_code,
    )


def test_another_browser_sees_no_receipt(citizen: Any, another: Any) -> None:
    citizen.receipt()
    answer = another.get("receipt/")
    assert answer.status_code == 302 and answer["Location"].endswith("/follow/")


def test_cookie_that_was_tampered_with_opens_nothing(citizen: Any, another: Any) -> None:
    citizen.receipt()
    another.client.cookies["receipt"] = "k" * 40
    assert another.get("receipt/").status_code == 302


def test_cookie_is_short_lived_unreadable_for_scripts_and_sent_to_the_receipt_only(citizen: Any) -> None:
    cookie = citizen.submit().cookies["receipt"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"
    assert cookie["max-age"] == 1800
    assert cookie["path"] == f"{citizen.root}receipt/"


def test_receipt_is_not_kept_by_caches(citizen: Any) -> None:
    citizen.receipt()
    assert citizen.get("receipt/")["Cache-Control"] == "no-store"


def test_anonymous_receipt_promises_no_call(citizen: Any) -> None:
    citizen.receipt(anonymous="on")
    page = citizen.get("receipt/").content.decode()
    assert "人工回访" not in page and "与您联系" not in page
