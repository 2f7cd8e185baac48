"""Submitting and following by API: by citizens, by apps with a key."""

from datetime import UTC, datetime
from typing import Any

import pytest

from huying.cases.commands.api_keys import UnknownChannel, create_api_key, revoke_api_key
from huying.cases.models import ApiKey, Case, JournalEntry

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
SUBMITTED = {
    "channel": "portal", "kind": "complaint", "title": "路灯不亮", "content": "路口的路灯三天不亮。",
    "place": "金湖街道", "requester": {"name": "李小明", "phone": "13900000001"},
}  # fmt: skip
FROM_APP = {**SUBMITTED, "channel": "app", "external_no": "APP-1"}


@pytest.fixture
def key(platform: Any) -> str:
    return create_api_key(platform, "app", "手机应用", now=NOW)[1]


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_a_citizen_submits_and_follows_with_number_and_code(nobody: Any, submitted: Any) -> None:
    record = nobody.post("/cases/follow", {"number": submitted["number"], "query_code": submitted["query_code"]})
    assert record.status_code == 200
    assert record.json()["number"] == submitted["number"]
    assert (record.json()["state"], record.json()["title"]) == ("received", "路灯不亮")
    assert Case.objects.get().channel == "portal"


def test_a_wrong_code_and_an_unknown_number_get_the_same_answer(nobody: Any, submitted: Any) -> None:
    code = submitted["query_code"]
    wrong_code = str((int(code.replace(" ", "").replace("-", "")) + 1) % 10**16).zfill(16)
    wrong = nobody.post("/cases/follow", {"number": submitted["number"], "query_code": wrong_code})
    unknown = nobody.post("/cases/follow", {"number": "20260302000000010", "query_code": code})
    shapeless = nobody.post("/cases/follow", {"number": ["x"], "query_code": None})
    assert wrong.status_code == unknown.status_code == shapeless.status_code == 404
    assert wrong.content == unknown.content == shapeless.content
    assert wrong.json()["code"] == "not_found"


def test_after_five_wrong_codes_the_sixth_try_has_to_wait(nobody: Any, submitted: Any) -> None:
    wrong = {"number": submitted["number"], "query_code": "0000000000000000"}
    answers = [nobody.post("/cases/follow", wrong) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [404] * 5 + [429]
    assert answers[-1].json()["code"] == "too_many_tries"


def test_the_same_idempotency_key_makes_one_case_and_gives_its_receipt_again(nobody: Any) -> None:
    key = {"Idempotency-Key": "c0ffee00-1111-2222-3333-444455556666"}
    first = nobody.post("/cases", SUBMITTED, **key)
    second = nobody.post("/cases", SUBMITTED, **key)
    assert first.status_code == second.status_code == 201
    assert (first.json()["number"], first.json()["query_code"]) == (
        second.json()["number"],
        second.json()["query_code"],
    )
    assert Case.objects.count() == 1


def test_a_citizen_may_not_submit_by_another_channel_or_with_a_number_of_origin(nobody: Any) -> None:
    other = nobody.post("/cases", {**SUBMITTED, "channel": "hotline_12345"})
    assert (other.status_code, other.json()["code"]) == (403, "not_permitted")
    forged = nobody.post("/cases", {**SUBMITTED, "external_no": "APP-1"})
    assert (forged.status_code, forged.json()["code"]) == (422, "invalid:external_no")
    assert not Case.objects.exists()


def test_an_app_submits_twice_under_one_number_of_its_own_and_gets_one_case(nobody: Any, key: str) -> None:
    first = nobody.post("/cases", FROM_APP, **bearer(key))
    second = nobody.post("/cases", {**FROM_APP, "title": "又发一次"}, **bearer(key))
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json() == {"number": first.json()["number"]}
    case = Case.objects.get()
    assert (case.external_no, case.channel, case.title) == ("APP-1", "app", "路灯不亮")


def test_an_app_submits_by_its_own_channel_only(nobody: Any, key: str) -> None:
    answer = nobody.post("/cases", {**FROM_APP, "channel": "hotline_12345"}, **bearer(key))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")
    assert not Case.objects.exists()


def test_a_wrong_or_revoked_key_is_nobody(nobody: Any, key: str, platform: Any) -> None:
    assert nobody.post("/cases", FROM_APP, **bearer("wrong")).status_code == 401
    assert revoke_api_key(platform, ApiKey.objects.get().pk, now=NOW)
    answer = nobody.post("/cases", FROM_APP, **bearer(key))
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
    assert not Case.objects.exists()


def test_a_key_opens_no_case(nobody: Any, key: str, submitted: Any) -> None:
    answer = nobody.client.get(f"/api/v1/cases/{submitted['number']}", headers=bearer(key))
    assert answer.status_code == 401


def test_of_a_key_only_the_digest_is_kept_and_its_making_is_in_the_journal(key: str, platform: Any) -> None:
    row = ApiKey.objects.get()
    assert key not in (row.digest, row.label)
    assert JournalEntry.objects.get(action="api_key.created").data == {"api_key": row.pk, "channel": "app"}
    with pytest.raises(UnknownChannel, match="fax"):
        create_api_key(platform, "fax", "", now=NOW)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"\xff", b"[" * 100_000, b"null"])
def test_a_body_that_is_no_object_is_refused(nobody: Any, body: bytes) -> None:
    answer = nobody.client.post("/api/v1/cases", body, content_type="application/json")
    assert answer.status_code == 422
    assert answer.json()["code"] in ("invalid:body", "missing:kind")


def test_a_missing_field_is_named(nobody: Any) -> None:
    answer = nobody.post("/cases", {**SUBMITTED, "title": " "})
    assert (answer.status_code, answer.json()["code"]) == (422, "missing:title")


def test_a_citizen_acts_with_number_and_code(nobody: Any, submitted: Any) -> None:
    mine = {"number": submitted["number"], "query_code": submitted["query_code"]}
    added = nobody.post("/citizen/case.supplement", {**mine, "content": "第二盏也不亮。"})
    assert added.status_code == 200
    assert nobody.post("/cases/follow", mine).json()["supplements"][0]["content"] == "第二盏也不亮。"
    gone = nobody.post("/citizen/case.withdraw", mine)
    assert gone.json()["state"] == "withdrawn"
    again = nobody.post("/citizen/case.withdraw", mine)
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
    stranger = nobody.post("/citizen/case.withdraw", {**mine, "query_code": "0000000000000000"})
    assert stranger.status_code == 404
