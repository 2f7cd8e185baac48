"""One key makes one case, and only who holds the key reads its receipt."""

import threading
from datetime import datetime
from typing import Any

import pytest
from django.db import connection, transaction

from huying.base.clock import LEGAL_ZONE
from huying.cases.commands import Done
from huying.cases.commands.submission import read_receipt, submit_once
from huying.cases.models import Case, JournalEntry, Submission
from huying.core.verdict import Refused

AT = datetime(2026, 3, 2, 10, tzinfo=LEGAL_ZONE)
KEY, OTHER = "press-1-" + "a" * 32, "press-2-" + "b" * 32
GIVEN = {
    "channel": "portal", "kind": "complaint", "title": "路灯不亮", "content": "路口的路灯三天不亮。",
    "place": "金湖街道", "requester": {"name": "李小明", "phone": "13900000001"},
}  # fmt: skip


@pytest.fixture
def press(actor: Any) -> Any:
    """`press(key, title=…)`: press “submit” with that key."""
    citizen = actor("citizen")

    def run(key: str = KEY, **data: Any) -> Done | Refused:
        return submit_once(key, actor=citizen, now=AT, data=GIVEN | data)

    return run


@pytest.mark.django_db
class TestAgain:
    def test_same_key_gives_the_same_number_and_code_and_no_second_case(self, press: Any) -> None:
        first, second = press(), press()
        assert second.extra["number"] == first.extra["number"]
        assert second.extra["query_code"] == first.extra["query_code"]
        assert second.case == first.case
        assert Case.objects.count() == 1 and JournalEntry.objects.filter(action="case.submit").count() == 1

    def test_same_key_with_other_words_still_gives_the_first_case(self, press: Any) -> None:
        press()
        assert press(title="另一件事").case.title == "路灯不亮"

    def test_another_key_makes_another_case(self, press: Any) -> None:
        assert press().case != press(OTHER).case

    def test_same_key_on_another_platform_makes_another_case(self, press: Any, platform: Any) -> None:
        from huying.cases.policies import policy_of
        from huying.people.actors import Actor
        from huying.people.units import open_platform

        here = press()
        other = open_platform("elsewhere", "别处", platform.regulation, policy_of(platform).tree)
        there = submit_once(KEY, actor=Actor(id="citizen:x", role="citizen", platform=other), now=AT, data=GIVEN)
        assert isinstance(there, Done) and there.case != here.case

    def test_refused_submission_leaves_nothing_and_the_key_free(self, press: Any) -> None:
        refused = press(content="")
        assert isinstance(refused, Refused) and refused.code == "missing:content"
        assert Case.objects.count() == 0 and Submission.objects.count() == 0
        assert isinstance(press(), Done)

    @pytest.mark.parametrize("key", ["", "a" * 15, "a" * 201])
    def test_key_of_a_wrong_length_is_refused(self, press: Any, key: str) -> None:
        assert press(key).code == "invalid:key"


@pytest.mark.django_db
class TestReceipt:
    def test_key_reads_the_receipt_again(self, press: Any, platform: Any) -> None:
        done = press()
        receipt = read_receipt(platform, KEY)
        assert receipt is not None
        assert (receipt.case, receipt.number, receipt.query_code) == (
            done.case, done.extra["number"], done.extra["query_code"],
        )  # fmt: skip

    def test_another_key_reads_nothing(self, press: Any, platform: Any) -> None:
        press()
        assert read_receipt(platform, OTHER) is None

    def test_neither_key_nor_code_stands_in_the_row(self, press: Any) -> None:
        code = press().extra["query_code"]
        row = Submission.objects.get()
        assert KEY not in row.key
        assert code.encode() not in bytes(row.receipt) and code.replace("-", "").encode() not in bytes(row.receipt)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
class TestRace:
    def test_second_press_waits_for_the_first_and_gets_its_receipt(self, press: Any) -> None:
        results = self.race(press, commit=True)
        assert results["second"].extra["query_code"] == results["first"].extra["query_code"]
        assert Case.objects.count() == 1

    def test_when_the_first_is_lost_the_second_makes_the_case(self, press: Any) -> None:
        results = self.race(press, commit=False)
        assert Case.objects.get() == results["second"].case
        assert results["second"].extra["query_code"] != results["first"].extra["query_code"]

    def race(self, press: Any, *, commit: bool) -> Any:
        """Press and hold the transaction open; press again, see it wait, then let the first commit or be lost."""
        results: dict[str, Any] = {}
        made, let_go = threading.Event(), threading.Event()

        def hold() -> None:
            with transaction.atomic():
                results["first"] = press()
                made.set()
                let_go.wait(10)
                transaction.set_rollback(not commit)
            connection.close()

        def follow() -> None:
            results["second"] = press()
            connection.close()

        holder, follower = threading.Thread(target=hold), threading.Thread(target=follow)
        holder.start()
        assert made.wait(10)
        follower.start()
        follower.join(0.5)
        assert follower.is_alive(), "the second did not wait for the first"
        let_go.set()
        holder.join(10)
        follower.join(10)
        return results
