"""Samples for spot checks: the share, the same again by the seed, and only what one may see."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from huying.base.clock import LEGAL_ZONE
from huying.cases import policies
from huying.cases.commands.sample import make_checks, record_check
from huying.cases.models import Case, CaseSubject
from huying.cases.queries.sample import Draw, checks_of, draw_sample, methods_of
from huying.core.verdict import Refused
from huying.policy.model import When

pytestmark = pytest.mark.django_db

AT = datetime(2026, 4, 2, 10, tzinfo=LEGAL_ZONE)
MARCH = Draw(date(2026, 3, 1), date(2026, 3, 31), 5, "2026-03-甲")


def closed_cases(like: Any, count: int, **more: Any) -> list[Any]:
    at = datetime(2026, 3, 1, tzinfo=LEGAL_ZONE)
    base = Case.objects.count()
    return Case.objects.bulk_create(
        Case(
            platform=like.platform, number=f"20260301{base + n:09d}", regulation=like.regulation, kind="complaint",
            title="x", content="x", holder=like.holder, submitted_by="citizen:1", submitted_at=at, state="closed",
            **{"closed_at": at + timedelta(minutes=n), "channel": "portal", **more},
        )
        for n in range(count)
    )  # fmt: skip


def numbers(who: Any, draw: Draw) -> list[str]:
    return [case.number for case in draw_sample(who, draw).cases]


def test_five_per_cent_of_two_hundred_are_ten_and_the_same_again(bare_case: Any, actor: Any) -> None:
    closed_cases(bare_case, 200)
    who = actor("supervisor@center")
    found = draw_sample(who, MARCH)
    assert (found.total, found.wanted, len(found.cases)) == (200, 10, 10)
    first = numbers(who, MARCH)
    assert len(set(first)) == 10
    assert numbers(actor("caller@center"), MARCH) == first
    assert numbers(who, Draw(MARCH.first, MARCH.last, 5, "另一个种子")) != first


def test_a_larger_share_begins_with_the_smaller_one(bare_case: Any, actor: Any) -> None:
    closed_cases(bare_case, 100)
    who = actor("supervisor@center")
    assert numbers(who, Draw(MARCH.first, MARCH.last, 20, "k"))[:5] == numbers(
        who, Draw(MARCH.first, MARCH.last, 5, "k")
    )


def test_only_cases_closed_in_the_period_count_to_its_last_minute(bare_case: Any, actor: Any) -> None:
    for at in (
        datetime(2026, 2, 28, 23, 59), datetime(2026, 3, 1), datetime(2026, 3, 31, 23, 59), datetime(2026, 4, 1)
    ):  # fmt: skip
        closed_cases(bare_case, 1, closed_at=at.replace(tzinfo=LEGAL_ZONE))
    found = draw_sample(actor("supervisor@center"), Draw(MARCH.first, MARCH.last, 100, "k"))
    assert found.total == 2


def test_of_few_cases_one_is_drawn_and_of_none_none(bare_case: Any, actor: Any) -> None:
    who = actor("supervisor@center")
    assert draw_sample(who, MARCH).wanted == 0
    closed_cases(bare_case, 3)
    assert draw_sample(who, MARCH).wanted == 1
    assert draw_sample(actor("handler@市住建局"), MARCH).total == 0


def test_who_must_not_know_of_a_case_does_not_draw_it(bare_case: Any, actor: Any) -> None:
    [hidden, _open] = closed_cases(bare_case, 2)
    unit = actor("supervisor@center").unit
    CaseSubject.objects.create(case=hidden, unit=unit, unit_left=unit.left, unit_right=unit.right)
    found = draw_sample(actor("supervisor@center"), Draw(MARCH.first, MARCH.last, 100, "k"))
    assert hidden.number not in [case.number for case in found.cases] and found.total == 1


def test_the_methods_of_a_check_are_those_of_the_channel(
    bare_case: Any, actor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hall may be called and its files be read, and nobody goes there to look; online they may."""
    policy = policies.rules_of(bare_case)
    [usual] = policy.callbacks[:1]
    hall = usual.model_copy(update={"key": "hall", "methods": ("phone",), "when": When(channel=("service_hall",))})
    online = usual.model_copy(update={"methods": ("phone", "site"), "when": When()})
    changed = type(policy).model_construct(**{**dict(policy), "callbacks": (online, hall)})
    monkeypatch.setitem(policies._regulations, (policy.info.id, policy.info.version), changed)
    [in_hall] = closed_cases(bare_case, 1, channel="service_hall")
    [one] = closed_cases(bare_case, 1)
    who, draw = actor("supervisor@center"), Draw(MARCH.first, MARCH.last, 100, "k")
    assert make_checks(who, draw, now=AT) == 2
    assert make_checks(who, draw, now=AT) == 0
    assert methods_of(in_hall) == ("file", "phone")
    assert methods_of(one) == ("file", "phone", "site")
    keys = {check.case_id: check.pk for check in checks_of(who)}
    given = {"method": "site", "finding": "sound", "note": "现场已修好"}
    refused = record_check(who, keys[in_hall.pk], given, now=AT)
    assert isinstance(refused, Refused) and refused.code == "invalid:method"
    assert not isinstance(record_check(who, keys[one.pk], given, now=AT), Refused)


@pytest.mark.parametrize(
    "draw",
    [
        Draw(date(2026, 4, 1), date(2026, 3, 1), 5, "k"),
        Draw(date(2025, 1, 1), date(2026, 3, 1), 5, "k"),
        Draw(date(2026, 3, 1), date(9999, 12, 31), 5, "k"),
        Draw(MARCH.first, MARCH.last, 0, "k"),
        Draw(MARCH.first, MARCH.last, 5, ""),
        Draw(MARCH.first, MARCH.last, 5, "a\0b"),
    ],
)
def test_a_draw_that_cannot_be(draw: Draw, actor: Any, platform: Any) -> None:
    assert draw.problem
    with pytest.raises(ValueError):
        draw_sample(actor("supervisor@center"), draw)
