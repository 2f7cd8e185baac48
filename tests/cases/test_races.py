"""Two people press the same button: one wins, the other waits, sees what happened and is told."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import connection, transaction

from huying.base.clock import LEGAL_ZONE
from huying.cases.commands import Done, perform
from huying.cases.models import Assignment, Case, Evaluation
from huying.core.verdict import Refused

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

AT = datetime(2026, 3, 2, 10, tzinfo=LEGAL_ZONE)


def second_waits_for_first(first: Callable[[], Any], second: Callable[[], Any]) -> tuple[Any, Any]:
    """Take `first` and hold its transaction open; start `second`, see it wait, then let `first` commit."""
    results: dict[str, Any] = {}
    taken, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            results["first"] = first()
            taken.set()
            let_go.wait(10)
        connection.close()

    def follow() -> None:
        results["second"] = second()
        connection.close()

    holder = threading.Thread(target=hold)
    follower = threading.Thread(target=follow)
    holder.start()
    assert taken.wait(10)
    follower.start()
    follower.join(0.4)
    assert follower.is_alive(), "the second did not wait for the first"
    let_go.set()
    holder.join(10)
    follower.join(10)
    return results["first"], results["second"]


def act(actor: Any, action: str, who: str, case: Case, **data: Any) -> Callable[[], Done | Refused]:
    person = actor(who)
    return lambda: perform(action, actor=person, now=AT, case=case.pk, data=data)


def test_second_dispatcher_waits_and_is_told_that_it_is_done(actor: Any, case: Case) -> None:
    first, second = second_waits_for_first(
        act(actor, "case.dispatch", "dispatcher:li@center", case, lead="市住建局"),
        act(actor, "case.dispatch", "dispatcher:wang@center", case, lead="市城管执法局"),
    )

    assert isinstance(first, Done)
    assert isinstance(second, Refused)
    assert second.code == "wrong_state"
    assert [one.unit.path for one in Assignment.objects.filter(case=case)] == ["市住建局"]


def test_second_clerk_waits_for_the_first_and_is_refused(actor: Any, take: Any, case: Case) -> None:
    take("case.dispatch", "dispatcher@center", case, AT, lead="市住建局")

    first, second = second_waits_for_first(
        act(actor, "case.claim", "handler:li@市住建局", case), act(actor, "case.claim", "handler:wang@市住建局", case)
    )

    assert isinstance(first, Done)
    assert isinstance(second, Refused)
    assert second.code == "wrong_state"


def test_decision_and_reply_do_not_cross(actor: Any, take: Any, case: Case) -> None:
    """A reply lapses the extension that is being decided at the same moment: never both."""
    take("case.dispatch", "dispatcher@center", case, AT, lead="市住建局")
    take("case.claim", "handler@市住建局", case, AT)
    take("case.contact", "handler@市住建局", case, AT, method="phone", result="reached", note="已联系")
    take("case.request_extension", "handler@市住建局", case, AT, workdays=5, reason="需要采购灯具")

    first, second = second_waits_for_first(
        act(actor, "case.reply", "handler@市住建局", case, content="已修复。", outcome="solved"),
        act(actor, "application.approve", "dispatcher@center", case, opinion="同意"),
    )

    assert isinstance(first, Done)
    assert isinstance(second, Refused)
    assert second.code == "wrong_state"
    assert case.applications.get().state == "lapsed"


def test_version_that_somebody_changed_since_is_stale(actor: Any, take: Any, case: Case) -> None:
    take("case.flag", "operator@center", case, AT, flags={"urgent": True})

    outcome = perform(
        "case.flag", actor=actor("dispatcher@center"), now=AT, case=case, version=2, data={"flags": {"sensitive": True}}
    )

    assert isinstance(outcome, Refused)
    assert outcome.code == "stale"
    case.refresh_from_db()
    assert case.flags == {"urgent": True}


def test_two_ratings_at_once_leave_one(actor: Any, take: Any, submit: Any) -> None:
    made = submit(kind="consult", title="社保卡补办", content="补办需要什么材料？")
    take("case.answer", "operator@center", made.case, AT, reply="凭身份证到窗口办理。")
    citizen = actor("citizen:li", case_ids=frozenset({made.case.pk}))

    first, second = second_waits_for_first(
        lambda: perform("case.evaluate", actor=citizen, now=AT, case=made.case, data={"rating": 5}),
        lambda: perform("case.evaluate", actor=citizen, now=AT, case=made.case, data={"rating": 1}),
    )

    assert isinstance(first, Done)
    assert isinstance(second, Refused)
    assert second.code == "already_done"
    assert [one.rating for one in Evaluation.objects.filter(case=made.case)] == [5]
