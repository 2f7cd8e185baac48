"""The board of what is marked as sensitive to public opinion: who has it, what is on it, which index it is read by."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.db import connection

from huying.base.clock import LEGAL_ZONE
from huying.cases.access import visible_cases
from huying.cases.commands import Done, perform
from huying.cases.models import Case, CaseSubject
from huying.cases.policies import regulation
from huying.cases.queries.queues import count_of, find_queue, page_of
from huying.people.actors import Actor
from huying.people.models import Platform
from huying.people.units import find_unit, forget_units, open_platform
from huying.policy.model import UnitTree

pytestmark = pytest.mark.django_db

TOWN = "永川区/中山路街道"
AT = datetime(2026, 3, 2, 9, tzinfo=LEGAL_ZONE)


@pytest.fixture
def city(platform: Any) -> Iterator[Platform]:
    policy = regulation("chongqing-2021")
    kept = [one for one in policy.tree.units if "/" not in one.path or one.path.startswith("永川区/")]
    tree = UnitTree.model_construct(**{**dict(policy.tree), "units": tuple(kept)})
    yield open_platform("board", policy.info.platform_name, policy.info.id, tree)
    forget_units()


def who(city: Platform, name: str) -> Actor:
    role, _, path = name.partition("@")
    return Actor(id=name, role=role, platform=city, unit=find_unit(city, path))


def taken_in(city: Platform, *, sensitive: bool = True) -> Case:
    given = {
        "channel": "portal", "kind": "complaint", "title": "夜间施工噪声", "content": "工地夜间施工，影响休息。",
        "place": TOWN, "requester": {"name": "孟某", "phone": "13900000208"},
    }  # fmt: skip
    done = perform("case.submit", actor=who(city, "operator@center"), now=AT, data=given)
    assert isinstance(done, Done), done
    flags = {"flags": {"sensitive": sensitive}}
    done = perform("case.flag", actor=who(city, "operator@center"), now=AT, case=done.case, data=flags)
    assert isinstance(done, Done), done
    return done.case


def board(city: Platform, name: str) -> list[int] | None:
    actor = who(city, name)
    queue = find_queue(actor, "sensitive")
    if queue is None:
        return None
    assert queue.label == "舆情敏感"
    listed = [case.pk for case in page_of(queue, actor, now=AT).cases]
    assert count_of(queue, actor, now=AT) == len(listed)
    return listed


def test_a_marked_case_is_on_the_board_of_the_centre_and_of_who_is_told(city: Platform) -> None:
    marked = taken_in(city)
    taken_in(city, sensitive=False)
    for name in ("supervisor@center", "inspector@市政府督查办", "supervisor@市政府督查办"):
        assert board(city, name) == [marked.pk], name
    assert board(city, "supervisor@永川区/center") in ([], [marked.pk])
    assert board(city, f"handler@{TOWN}") is None
    perform("case.flag", actor=who(city, "operator@center"), now=AT, case=marked, data={"flags": {"sensitive": False}})
    assert board(city, "supervisor@center") == []


def test_who_is_complained_of_does_not_find_it_there(city: Platform) -> None:
    marked = taken_in(city)
    unit = find_unit(city, "市政府督查办")
    CaseSubject.objects.create(case=marked, unit=unit, unit_left=unit.left, unit_right=unit.right)
    assert board(city, "inspector@市政府督查办") == []
    assert board(city, "supervisor@center") == [marked.pk]


def test_the_board_is_read_by_its_own_index(city: Platform) -> None:
    taken_in(city)
    actor = who(city, "supervisor@center")
    queue = find_queue(actor, "sensitive")
    assert queue is not None
    found = queue.pick(visible_cases(actor), actor, AT).order_by("-submitted_at", "-pk")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "case_sensitive_newest" in found.explain()


def test_a_regulation_without_such_a_mark_has_no_board(actor: Any) -> None:
    assert find_queue(actor("supervisor@center"), "sensitive") is None
