"""查询进度: number and code open the case; everything else gets the same answer, more and more slowly."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from huying.base.clock import LEGAL_ZONE
from huying.cases.follow import open_by_code
from huying.cases.models import Case, Throttle
from huying.core.verdict import Refused

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 2, 10, tzinfo=LEGAL_ZONE)
WRONG = "0000-0000-0000-0000"


def test_number_and_code_open_the_case_however_they_are_typed(citizen: Any, another: Any) -> None:
    number, code = citizen.receipt()
    answer = another.open(f" {number[:8]} {number[8:]}", code.replace("-", " "))
    assert answer.status_code == 302 and answer["Location"] == f"{another.root}case/"
    assert number in another.get("case/").content.decode()


def test_wrong_code_and_unknown_number_get_the_same_page(citizen: Any) -> None:
    number, _code = citizen.receipt()
    pages = {
        citizen.open(*tried).content.split(b"</form>")[-1]
        for tried in ((number, WRONG), ("20260302000000010", WRONG), ("1", "2"), ("", ""))
    }
    assert len(pages) == 1
    assert citizen.open(number, WRONG).status_code == 422


def test_number_and_code_are_in_no_address_and_not_written_back(citizen: Any) -> None:
    number, code = citizen.receipt()
    answer = citizen.open(number, WRONG)
    assert number not in answer.content.decode()
    assert citizen.client.get(f"{citizen.root}follow/?number={number}&code={code}").status_code == 200
    assert citizen.get("case/").status_code == 302, "a GET opens nothing"


def test_number_of_another_platform_opens_nothing_here(citizen: Any, platform: Any) -> None:
    from huying.cases.policies import policy_of
    from huying.people.units import open_platform

    number, code = citizen.receipt()
    other = open_platform("elsewhere", "别处", platform.regulation, policy_of(platform).tree)
    outcome = open_by_code(other, number=number, code=code, source="10.0.0.9", now=AT)
    assert isinstance(outcome, Refused) and outcome.code == "not_found"


def tries(platform: Any, number: str, code: str, source: str, at: datetime) -> str:
    outcome = open_by_code(platform, number=number, code=code, source=source, now=at)
    return outcome.code if isinstance(outcome, Refused) else "opened"


def test_after_five_wrong_codes_the_right_one_has_to_wait_too(citizen: Any, platform: Any) -> None:
    number, code = citizen.receipt()
    assert [tries(platform, number, WRONG, "a", AT) for _ in range(5)] == ["not_found"] * 5
    assert tries(platform, number, code, "a", AT) == "too_many_tries"
    assert tries(platform, number, code, "a", AT + timedelta(seconds=14)) == "too_many_tries"
    assert tries(platform, number, code, "a", AT + timedelta(seconds=15)) == "opened"


def test_wait_doubles_with_every_further_failure(citizen: Any, platform: Any) -> None:
    number, code = citizen.receipt()
    for _ in range(5):
        tries(platform, number, WRONG, "a", AT)
    assert tries(platform, number, WRONG, "a", AT + timedelta(seconds=15)) == "not_found"
    assert tries(platform, number, code, "a", AT + timedelta(seconds=15 + 29)) == "too_many_tries"
    assert tries(platform, number, code, "a", AT + timedelta(seconds=15 + 30)) == "opened"


def test_stranger_who_tries_does_not_lock_the_owner_out(citizen: Any, platform: Any) -> None:
    number, code = citizen.receipt()
    for _ in range(8):
        tries(platform, number, WRONG, "stranger", AT)
    assert tries(platform, number, code, "owner", AT) == "opened"


def test_unknown_numbers_are_counted_like_known_ones(platform: Any) -> None:
    unknown = "20260302000000010"
    assert [tries(platform, unknown, WRONG, "a", AT) for _ in range(6)] == ["not_found"] * 5 + ["too_many_tries"]


def test_one_source_is_slowed_whatever_numbers_it_tries(platform: Any) -> None:
    codes = [tries(platform, str(one), WRONG, "a", AT) for one in range(21)]
    assert codes == ["not_found"] * 20 + ["too_many_tries"]
    assert tries(platform, "x", WRONG, "b", AT) == "not_found"


def test_failures_are_forgotten_after_two_hours(platform: Any) -> None:
    for _ in range(5):
        tries(platform, "1", WRONG, "a", AT)
    later = AT + timedelta(hours=2, seconds=1)
    assert [tries(platform, "1", WRONG, "a", later) for _ in range(5)] == ["not_found"] * 5


def test_neither_numbers_nor_addresses_stand_in_the_counts(platform: Any) -> None:
    tries(platform, "20260302000000010", WRONG, "10.9.8.7", AT)
    kept = " ".join(Throttle.objects.values_list("key", flat=True))
    assert "20260302000000010" not in kept and "10.9.8.7" not in kept


def test_too_many_tries_are_answered_429_and_say_how_long(citizen: Any) -> None:
    number, code = citizen.receipt()
    for _ in range(5):
        citizen.open(number, WRONG)
    answer = citizen.open(number, code)
    assert answer.status_code == 429
    assert "尝试次数过多，请在15秒后再试。" in answer.content.decode()


def test_leaving_closes_the_case(citizen: Any, opened: Case) -> None:
    assert citizen.get("case/").status_code == 200
    assert citizen.get("case/leave/").status_code == 405
    citizen.post("case/leave/")
    assert citizen.get("case/").status_code == 302


def test_case_closes_by_itself_after_half_an_hour(citizen: Any, opened: Case) -> None:
    session = citizen.client.session
    session["portal_case"] = {**session["portal_case"], "until": session["portal_case"]["until"] - 1801}
    session.save()
    assert citizen.get("case/").status_code == 302
