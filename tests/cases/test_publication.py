"""Publishing a case: who may, which, and that the requester is not in it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from huying.base.clock import LEGAL_ZONE
from huying.cases import policies
from huying.cases.commands import Done, perform, publication
from huying.cases.models import Case, IdentityAccess, JournalEntry, Notice
from huying.cases.models.publication import Publication
from huying.cases.queries.publication import find_published, page_of_published
from huying.core.verdict import Refused
from huying.policy.model import ActionRule, PublicationRule

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 20, 10, tzinfo=LEGAL_ZONE)
TEXTS = {"title": "路灯维修", "content": "某路口的路灯不亮。", "reply": "已经更换灯具，恢复照明。"}


@pytest.fixture
def rules(platform: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The platform's regulation with publication in it; `rules(objection_days=5)` makes requesters be asked first."""
    assert publication.publish

    def use(objection_days: int = 0) -> None:
        policy = policies.policy_of(platform)
        named = {"case.publish": "公开", "case.unpublish": "撤销公开"}
        added = [ActionRule(key=key, label=label, origin="default", decision="C-19") for key, label in named.items()]
        rule = PublicationRule(
            key="published", label="公开", origin="default", decision="C-19", objection_days=objection_days
        )
        others = [one for one in policy.actions if one.key not in named]
        # Not a copy: that would bring along what the policy worked out from its actions before.
        changed = type(policy).model_construct(**{**dict(policy), "actions": (*others, *added), "publication": rule})
        monkeypatch.setitem(policies._regulations, (policy.info.id, policy.info.version), changed)

    use()
    return use


@pytest.fixture
def closed(case: Any, rules: Any) -> Any:
    """A case that is done, as far as publishing asks."""
    Case.objects.filter(pk=case.pk).update(state="closed", closed_at=AT - timedelta(days=5))
    case.refresh_from_db()
    return case


def publish(who: Any, case: Any, at: datetime = AT, **data: Any) -> Any:
    return perform("case.publish", actor=who, now=at, case=case, data=TEXTS | data)


def test_what_is_published_is_the_redacted_text_and_nothing_else(closed: Any, actor: Any) -> None:
    done = publish(actor("dispatcher@center"), closed, criteria=["guiding"])
    assert isinstance(done, Done)
    assert done.case.published
    [row] = page_of_published(closed.platform, now=AT).rows
    assert (row.title, row.content, row.reply) == tuple(TEXTS.values())
    assert closed.number not in repr(row) and closed.content not in repr(row)
    entry = JournalEntry.objects.get(case=closed, action="case.publish")
    assert entry.data["criteria"] == ["guiding"]
    assert Notice.objects.filter(case=closed, to_citizen=True, template="published").exists()


def test_withdrawn_it_is_gone_and_stays_on_record(closed: Any, actor: Any, take: Any) -> None:
    take("case.publish", "dispatcher@center", closed, AT, **TEXTS)
    key = page_of_published(closed.platform, now=AT).rows[0].key
    done = take("case.unpublish", "dispatcher@center", closed, AT, reason="诉求人提出异议")
    assert not done.case.published
    assert find_published(closed.platform, key, now=AT) is None
    assert Publication.objects.get().withdrawn_because == "诉求人提出异议"
    again = perform("case.unpublish", actor=actor("dispatcher@center"), now=AT, case=closed, data={})
    assert isinstance(again, Refused) and again.code == "wrong_state"
    assert isinstance(publish(actor("dispatcher@center"), closed), Done)


@pytest.mark.parametrize("field", ["title", "content", "reply"])
@pytest.mark.parametrize("left", ["李小明", "139 0000 0001", "鄂B12345"])
def test_with_personal_data_in_any_text_it_is_refused_and_nothing_changes(
    closed: Any, actor: Any, field: str, left: str
) -> None:
    refused = publish(actor("dispatcher@center"), closed, **{field: f"{TEXTS[field]}{left}"})
    assert isinstance(refused, Refused) and refused.code == "not_redacted"
    closed.refresh_from_db()
    assert not closed.published and not Publication.objects.exists()


def test_a_merged_requester_is_looked_for_as_well(closed: Any, actor: Any, submit: Any) -> None:
    other = submit(requester={"name": "赵晓东", "phone": "13900000002"}).case
    other.links_out.create(other=closed, type="merged")
    refused = publish(actor("dispatcher@center"), closed, reply="已答复赵晓东。")
    assert isinstance(refused, Refused) and refused.code == "not_redacted"


def test_the_vault_is_read_by_the_platform_on_behalf_of_who_publishes(closed: Any, actor: Any) -> None:
    publish(actor("dispatcher@center"), closed)
    reading = IdentityAccess.objects.get(case=closed, role="system")
    assert (reading.purpose, reading.approver) == ("check", "dispatcher@center")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"state": "feedback"}, "wrong_state"),
        ({"confidential": True}, "wrong_state"),
        ({"flags": {"sensitive": True}}, "wrong_state"),
        ({"flags": {"opinion_sensitive": True}}, "wrong_state"),
        ({"published": True}, "already_done"),
    ],
)
def test_what_is_not_to_be_published(closed: Any, actor: Any, change: dict[str, Any], code: str) -> None:
    Case.objects.filter(pk=closed.pk).update(**change)
    refused = publish(actor("dispatcher@center"), closed)
    assert isinstance(refused, Refused) and refused.code == code


def test_a_centre_below_does_not_publish(closed: Any, actor: Any) -> None:
    """A zone has a dispatcher of its own; even of a case that it holds, the publication is the city's."""
    zone = actor("dispatcher@临空区·还地桥镇")
    Case.objects.filter(pk=closed.pk).update(holder=zone.unit)
    closed.assignments.create(
        unit=zone.unit, unit_left=zone.unit.left, unit_right=zone.unit.right, role="lead", state="done", round=1,
        assigned_at=AT,
    )  # fmt: skip
    refused = publish(zone, closed)
    assert isinstance(refused, Refused) and refused.code == "not_permitted"


def test_one_that_became_sensitive_later_is_no_longer_shown(closed: Any, actor: Any) -> None:
    publish(actor("dispatcher@center"), closed)
    Case.objects.filter(pk=closed.pk).update(flags={"sensitive": True})
    assert page_of_published(closed.platform, now=AT).rows == []


def test_where_requesters_may_object_it_is_public_after_those_working_days(closed: Any, actor: Any, rules: Any) -> None:
    rules(objection_days=5)
    publish(actor("dispatcher@center"), closed)  # a Friday: the last of five working days is Friday the 27th
    before = datetime(2026, 3, 27, 23, 59, tzinfo=LEGAL_ZONE)
    assert page_of_published(closed.platform, now=before).rows == []
    assert len(page_of_published(closed.platform, now=before + timedelta(minutes=1)).rows) == 1


def test_pages_follow_each_other_without_gap_or_double(closed: Any) -> None:
    Publication.objects.bulk_create(
        Publication(
            platform=closed.platform, case=_another(closed, n), title=f"第{n}件", content="内容", reply="答复",
            at=AT, by="x", public_at=AT - timedelta(minutes=n // 3),
        )
        for n in range(45)
    )  # fmt: skip
    titles, cursor = [], ""
    for _ in range(3):
        page = page_of_published(closed.platform, now=AT, cursor=cursor)
        titles += [row.title for row in page.rows]
        cursor = page.next_cursor
    assert cursor == "" and len(titles) == 45 and len(set(titles)) == 45
    assert page_of_published(closed.platform, now=AT, cursor="nonsense").rows == []


def _another(case: Any, n: int) -> Any:
    return Case.objects.create(
        platform=case.platform, number=f"2026030211111{n:04d}", regulation=case.regulation, kind=case.kind,
        channel=case.channel, title="x", content="x", holder=case.holder, submitted_by="citizen:1",
        submitted_at=case.submitted_at, state="closed", published=True,
    )  # fmt: skip
