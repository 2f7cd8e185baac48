"""The clock: what falls due happens at its own moment, in order, once, however late anybody looks."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from huying.base.clock import LEGAL_ZONE
from huying.cases import journal
from huying.cases.commands import clock
from huying.cases.models import JournalEntry, Notice, Nudge, Supervision, TimeLimit

pytestmark = pytest.mark.django_db


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LEGAL_ZONE)


@pytest.fixture
def dispatched(submit: Any, take: Any) -> Any:
    """Dispatched on Monday 2 March 2026; nobody ever claims it."""
    case = submit(at("2026-03-02 09:00")).case
    take("case.dispatch", "dispatcher@center", case, at("2026-03-02 10:00"), lead="市住建局")
    return case


STORY = [  # the claim ends on 3 March; unsigned, the five days count from then: 4, 5, 6, 9, 10 March
    ("2026-03-04 00:00", "limit.missed"),
    ("2026-03-04 00:00", "notice.sent"),
    ("2026-03-09 00:00", "notice.sent"),  # due soon: one working day before the last begins on Monday
    ("2026-03-11 00:00", "limit.missed"),
    ("2026-03-11 00:00", "notice.sent"),
    ("2026-03-11 00:00", "case.nudge"),
    ("2026-03-11 00:00", "supervision.proposed"),  # by phone
    ("2026-03-13 00:00", "supervision.proposed"),  # by letter, from the third working day on
    ("2026-03-17 00:00", "clue.proposed"),  # the list for the discipline body, from the fifth
]


def story_of(case: Any) -> list[tuple[str, str]]:
    entries = JournalEntry.objects.filter(case=case, role="system").order_by("seq")
    return [(entry.at.astimezone(LEGAL_ZONE).strftime("%Y-%m-%d %H:%M"), entry.action) for entry in entries]


def test_everything_missed_in_a_long_stop_happens_once_each_at_its_own_moment_in_order(dispatched: Any) -> None:
    swept = clock.sweep(at("2026-03-20 12:00"))
    assert (swept.failed, swept.held) == ([], 0)
    assert story_of(dispatched) == STORY
    assert journal.verify(dispatched) == []

    assert clock.sweep(at("2026-03-20 12:00")).handled == 0
    assert story_of(dispatched) == STORY


def test_a_sweep_every_hour_and_one_late_sweep_come_to_the_same(dispatched: Any, submit: Any, take: Any) -> None:
    now = at("2026-03-02 11:00")
    while now <= at("2026-03-20 12:00"):
        clock.sweep(now)
        now += timedelta(hours=1)
    assert story_of(dispatched) == STORY


def test_a_limit_is_missed_at_midnight_and_not_a_second_before(dispatched: Any) -> None:
    clock.sweep(at("2026-03-03 23:59:59"))
    assert not JournalEntry.objects.filter(case=dispatched, action="limit.missed").exists()
    clock.sweep(at("2026-03-04 00:00:00"))
    assert JournalEntry.objects.filter(case=dispatched, action="limit.missed").count() == 1


def test_a_late_sweep_leaves_the_same_rows_as_the_escalation_says(dispatched: Any) -> None:
    clock.sweep(at("2026-03-20 12:00"))
    moments = dict(Nudge.objects.filter(case=dispatched).values_list("by", "at"))
    assert moments == {"system": at("2026-03-11 00:00")}
    proposed = Supervision.objects.filter(case=dispatched, ground="overdue").order_by("at")
    assert [(row.method, row.state, row.at) for row in proposed] == [
        ("phone", "proposed", at("2026-03-11 00:00")),
        ("letter", "proposed", at("2026-03-13 00:00")),
    ]
    overdue = Notice.objects.filter(case=dispatched, template="overdue").order_by("at")
    assert [row.at for row in overdue] == [at("2026-03-04 00:00"), at("2026-03-11 00:00")]


def test_a_claimed_and_answered_case_is_left_alone(dispatched: Any, take: Any) -> None:
    handler = "handler@市住建局"
    take("case.claim", handler, dispatched, at("2026-03-02 11:00"))
    take("case.contact", handler, dispatched, at("2026-03-02 12:00"), method="phone", result="reached", note="已联系")
    take("case.reply", handler, dispatched, at("2026-03-03 09:00"), content="已修复。", outcome="solved")
    clock.sweep(at("2026-03-20 12:00"))
    assert not TimeLimit.objects.filter(case=dispatched, missed_at__isnull=False).exists()
    assert not Supervision.objects.filter(case=dispatched, ground="overdue").exists()


def test_one_broken_case_neither_stops_nor_spoils_the_others(
    dispatched: Any, submit: Any, take: Any, caplog: Any
) -> None:
    broken = submit(at("2026-03-02 09:00"), title="坏的").case
    take("case.dispatch", "dispatcher@center", broken, at("2026-03-02 10:00"), lead="市住建局")
    with connection.cursor() as cursor:  # a row that the database itself refuses to be written again
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken row'; END $$;"
            f"CREATE TRIGGER refuse BEFORE INSERT ON cases_notice FOR EACH ROW WHEN (NEW.case_id = {broken.pk})"
            " EXECUTE FUNCTION refuse()"
        )
    swept = clock.sweep(at("2026-03-20 12:00"))
    assert swept.failed == [broken.pk]
    assert f"case {broken.pk}" in caplog.text
    assert story_of(dispatched) == STORY
    assert story_of(broken) == []

    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER refuse ON cases_notice")
    clock.sweep(at("2026-03-21 12:00"))
    assert story_of(broken) == STORY  # late, and still each at its own moment


def test_a_sweep_that_is_told_to_stop_leaves_the_rest_due(dispatched: Any) -> None:
    assert clock.sweep(at("2026-03-20 12:00"), should_stop=lambda: True).handled == 0
    with transaction.atomic():
        assert clock.sweep(at("2026-03-20 12:00")).handled > 0
