"""A case changes in the very moment in which it is told of: nothing is left untold, nothing is told for ever."""

import threading
from datetime import datetime
from typing import Any

import pytest
from django.db import connection, transaction

from huying.base.clock import LEGAL_ZONE
from huying.cases.commands import Done, exchange, perform
from huying.cases.models import UpstreamMessage
from huying.cases.policies import regulation
from huying.people.actors import Actor
from huying.people.units import find_unit, forget_units, open_platform

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
NOW = datetime(2026, 3, 2, 10, tzinfo=LEGAL_ZONE)
MATTER = {
    "channel": "hotline_12345", "kind": "complaint", "title": "路灯不亮", "content": "路灯不亮。",
    "place": "吴兴区/月河街道", "requester": {"name": "窦某", "phone": "13950000098"},
}  # fmt: skip


@pytest.fixture
def city(platform: Any) -> Any:
    policy = regulation("huzhou-2016")
    kept = [unit for unit in policy.tree.units if unit.path.startswith(("center", "市", "吴兴区"))]
    forget_units()
    yield open_platform("below", "样例市", "huzhou-2016", policy.tree.model_copy(update={"units": tuple(kept)}))
    forget_units()


def act(city: Any, action: str, who: str, case: Any, **data: Any) -> Any:
    role, _, path = who.partition("@")
    person = Actor(id=who, role=role, platform=city, unit=find_unit(city, path))
    done = perform(action, actor=person, now=NOW, case=case, data=data)
    assert isinstance(done, Done), done
    return done.case


def test_recording_waits_for_a_change_under_way_and_queues_it_again(city: Any) -> None:
    case = act(city, "case.submit", "operator@center", None, **MATTER)
    [claimed] = exchange.claim_due(city, "province", now=NOW, limit=5)
    changed, let_go = threading.Event(), threading.Event()

    def change() -> None:
        with transaction.atomic():
            act(city, "case.dispatch", "dispatcher@center", case, lead="市城管局")
            changed.set()
            let_go.wait(10)
        connection.close()

    def record() -> None:
        exchange.record_sent(claimed, revision=1, now=NOW)
        connection.close()

    changer, recorder = threading.Thread(target=change), threading.Thread(target=record)
    changer.start()
    assert changed.wait(10)
    recorder.start()
    recorder.join(0.4)
    assert recorder.is_alive(), "the record did not wait for the change"
    let_go.set()
    changer.join(10)
    recorder.join(10)
    waiting = UpstreamMessage.objects.filter(sent_at=None).values_list("event", "mark")
    assert list(waiting) == [("change", 2)]


def test_two_carriers_at_once_never_take_the_same_message(city: Any) -> None:
    for _ in range(6):
        act(city, "case.submit", "operator@center", None, **MATTER)
    got: list[int] = []
    start = threading.Barrier(2)

    def carry() -> None:
        start.wait(10)
        for _ in range(3):
            got.extend(one.id for one in exchange.claim_due(city, "province", now=NOW, limit=2))
        connection.close()

    carriers = [threading.Thread(target=carry) for _ in range(2)]
    for one in carriers:
        one.start()
    for one in carriers:
        one.join(20)
    assert len(got) == len(set(got)) == 6
