"""Bulletins and points: taken on no case, journaled in the platform's own chain, read by whom they concern."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from huying.base.clock import LEGAL_ZONE
from huying.cases import policies
from huying.cases.commands import Done, perform
from huying.cases.commands.bulletins import publish
from huying.cases.models import CaseSubject, JournalEntry
from huying.cases.queries.registers import bulletins_of, scores_of
from huying.core.verdict import Refused
from huying.policy.model import ActionRule

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 20, 10, tzinfo=LEGAL_ZONE)
HOUSING, ROADS = "市住建局", "市交通运输局"


@pytest.fixture(autouse=True)
def known(platform: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform's regulation with both actions."""
    assert publish
    policy, keys = policies.policy_of(platform), ("bulletin.publish", "score.adjust")
    added = [ActionRule(key=key, label="登记", origin="default", decision="A-01") for key in keys]
    actions = (*(one for one in policy.actions if one.key not in keys), *added)
    changed = type(policy).model_construct(**{**dict(policy), "actions": actions})
    monkeypatch.setitem(policies._regulations, (policy.info.id, policy.info.version), changed)


def adjust(who: Any, **data: Any) -> Any:
    given = {"unit": HOUSING, "points": 2, "reason": "典型案例"} | data
    return perform("score.adjust", actor=who, now=AT, data=given)


def test_a_bulletin_reaches_every_unit_and_is_in_the_platforms_journal(actor: Any, take: Any) -> None:
    done = take("bulletin.publish", "supervisor@center", None, AT, period="2026年3月", content="本月超期2件。")
    assert done.case is None
    for who in (f"handler@{HOUSING}", f"unit_admin@{ROADS}", "auditor@center"):
        assert [one.content for one in bulletins_of(actor(who))] == ["本月超期2件。"]
    entry = JournalEntry.objects.get(action="bulletin.publish")
    assert (entry.case_id, entry.data) == (None, {"bulletin": done.made.pk})


def test_points_are_kept_with_their_reason_and_read_by_the_unit_itself(actor: Any) -> None:
    assert isinstance(adjust(actor("supervisor@center"), points="-0.5"), Done)
    [row] = scores_of(actor(f"unit_admin@{HOUSING}"))
    assert (row.points, row.reason) == (Decimal("-0.5"), "典型案例")
    assert scores_of(actor(f"unit_admin@{ROADS}")) == []
    assert JournalEntry.objects.get(action="score.adjust").data["points"] == "-0.5"


def test_points_for_a_case_that_a_unit_must_not_know_of_are_not_shown_to_it(actor: Any, case: Any) -> None:
    unit = actor(f"unit_admin@{HOUSING}").unit
    CaseSubject.objects.create(case=case, unit=unit, unit_left=unit.left, unit_right=unit.right)
    assert isinstance(adjust(actor("supervisor@center"), case=case.number), Done)
    assert len(scores_of(actor("auditor@center"))) == 1
    assert scores_of(actor(f"unit_admin@{HOUSING}")) == []


@pytest.mark.parametrize(
    ("who", "data", "code"),
    [
        ("supervisor@center", {"points": 0}, "invalid:points"),
        ("supervisor@center", {"points": 101}, "invalid:points"),
        ("supervisor@center", {"points": "0.001"}, "invalid:points"),
        ("supervisor@center", {"unit": "没有的单位"}, "invalid:unit"),
        ("supervisor@center", {"case": "20260302999999999"}, "invalid:case"),
        ("supervisor@center", {"reason": ""}, "missing:reason"),
        (f"supervisor@{ROADS}", {}, "not_permitted"),
        (f"handler@{HOUSING}", {}, "not_permitted"),
    ],
)
def test_points_that_are_refused(actor: Any, who: str, data: dict[str, Any], code: str) -> None:
    refused = adjust(actor(who), **data)
    assert isinstance(refused, Refused) and refused.code == code
    assert not JournalEntry.objects.exists()
