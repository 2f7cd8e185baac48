"""Delay by hop, in a story of four levels: a village that hands up late, a bureau that is not to blame for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from huying.base.clock import LEGAL_ZONE
from huying.cases.commands import Done, perform
from huying.cases.models import Case
from huying.cases.policies import regulation
from huying.cases.queries.hops import hops_of, judged_hops, went_through_hands
from huying.cases.queries.record import case_record
from huying.people.actors import Actor
from huying.people.models import Platform
from huying.people.units import find_unit, forget_units, open_platform
from huying.policy.model import UnitTree

pytestmark = pytest.mark.django_db

TOWN = "永川区/中山路街道"
VILLAGE = f"{TOWN}/中山路社区居民委员会"
BUREAU = "永川区/城市管理局"


def at(day: int, hour: int = 9) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=LEGAL_ZONE)


@pytest.fixture
def city(platform: Any) -> Iterator[Platform]:
    """The four levels, without the thousands of villages of the others."""
    policy = regulation("chongqing-2021")
    kept = [one for one in policy.tree.units if "/" not in one.path or one.path.startswith("永川区/")]
    tree = UnitTree.model_construct(**{**dict(policy.tree), "units": tuple(kept)})
    yield open_platform("hops", policy.info.platform_name, policy.info.id, tree)
    forget_units()


def who(city: Platform, name: str) -> Actor:
    role, _, path = name.partition("@")
    return Actor(id=name, role=role, platform=city, unit=find_unit(city, path))


def do(city: Platform, action: str, name: str, case: Any, when: datetime, **data: Any) -> Any:
    actor = Actor(id=name, role="citizen", platform=city) if name == "citizen" else who(city, name)
    outcome = perform(action, actor=actor, now=when, case=case, data=data)
    assert isinstance(outcome, Done), outcome
    return outcome


@pytest.fixture
def late(city: Platform) -> Case:
    """Submitted on Monday 2 March, due on the 23rd, answered on the 25th; the village kept it to Friday the 6th."""
    case = do(
        city, "case.submit", "citizen", None, at(2), channel="portal", kind="help", title="路面破损",
        content="路面破损多日。", place=VILLAGE, requester={"name": "水某", "phone": "13900000139"},
    ).case  # fmt: skip
    up = {"ground": "beyond_power", "reason": "非自治事项"}
    do(city, "case.transfer_up", f"handler@{VILLAGE}", case, at(6), preliminary_check="已到现场", **up)
    do(city, "application.approve", f"dispatcher@{TOWN}", case, at(9, 10), opinion="街道先办")
    do(city, "case.transfer_up", f"handler@{TOWN}", case, at(11), **up)
    do(city, "application.approve", "dispatcher@永川区/center", case, at(11, 10), opinion="交区级部门", unit=BUREAU)
    do(city, "case.reply", f"handler@{BUREAU}", case, at(25), content="已修复。", outcome="solved")
    return Case.objects.get(pk=case.pk)


def test_each_hop_has_its_days_and_the_one_that_passed_its_limit_made_it_late(city: Platform, late: Case) -> None:
    judged = judged_hops(late, now=at(26))
    assert judged is not None
    assert [(hop.key.part, hop.key.unit.path, hop.used, hop.share, hop.over) for hop in judged.hops] == [
        ("lead", VILLAGE, 4, 2, 2),
        ("decide", TOWN, 1, 1, 0),
        ("lead", TOWN, 2, 2, 0),
        ("decide", "永川区/center", 0, 1, 0),
        ("lead", BUREAU, 10, 10, 0),
    ]
    assert (judged.used, judged.late) == (17, 2)
    assert [hop.key.unit.path for hop in judged.caused()] == [VILLAGE]


def test_the_centre_sees_every_hop_and_a_unit_its_own(city: Platform, late: Case) -> None:
    def paths(name: str) -> list[str]:
        found = hops_of(late, who(city, name), now=at(26))
        return [one.hop.key.unit.path for one in found[1]] if found else []

    assert paths("dispatcher@center") == [VILLAGE, TOWN, TOWN, "永川区/center", BUREAU]
    assert paths(f"handler@{BUREAU}") == [BUREAU]
    assert paths("handler@永川区/生态环境局") == []
    record = case_record(late, who(city, "dispatcher@center"), now=at(26))
    assert went_through_hands(record)


def test_while_it_goes_on_the_time_runs_for_who_has_it_now(city: Platform) -> None:
    case = do(
        city, "case.submit", "citizen", None, at(2), channel="portal", kind="help", title="路面破损",
        content="路面破损多日。", place=VILLAGE, requester={"name": "水某", "phone": "13900000139"},
    ).case  # fmt: skip
    assert not went_through_hands(case_record(case, None, now=at(3)))
    do(
        city, "case.transfer_up", f"handler@{VILLAGE}", case, at(4), ground="beyond_power", reason="非自治事项",
        preliminary_check="已到现场",
    )  # fmt: skip
    judged = judged_hops(Case.objects.get(pk=case.pk), now=at(10))
    assert judged is not None
    assert [(hop.key.unit.path, hop.used, hop.over) for hop in judged.hops] == [(VILLAGE, 2, 0), (TOWN, 4, 3)]
    assert judged.caused() == (), "the citizen's date is not missed yet"
