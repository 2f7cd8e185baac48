"""Whatever is typed into an action, it is taken or refused with a code; a refusal changes nothing."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from huying.base.clock import LEGAL_ZONE
from huying.cases.commands import ACTIONS, Action, perform
from huying.cases.models import Case, JournalEntry
from huying.core.verdict import Refused

AT = datetime(2026, 3, 2, 9, tzinfo=LEGAL_ZONE)
NASTY: tuple[Any, ...] = (
    None, "", " ", "\0", "\ud800", "字" * 20_000, "<script>alert(1)</script>", "'; DROP TABLE cases_case; --", 0, -1,
    10**12, 3.7, True, [], {}, ["x"], {"x": "y"}, [["x"]], [None], "2026-13-45", "../../etc/passwd", b"bytes",
)  # fmt: skip
FILLED: dict[str, Any] = {
    "channel": "portal", "kind": "help", "title": "标题", "content": "内容", "place": "金湖街道", "lead": "市住建局",
    "reply": "答复", "ground": "out_of_scope", "basis": "依据", "note": "说明", "to": "市纪委监委",
    "flags": {"urgent": True}, "unit": "市住建局", "reason": "理由", "method": "phone",
    "result": "reached", "finding": "true", "workdays": 1,
    "plan": "方案", "target_date": "2026-12-01", "outcome": "solved", "opinion": "意见", "rating": 3, "contacted": True,
    "solved": "yes", "trust": 3, "criteria": {"facts_clear": True, "basis_right": True, "handled_well": True},
    "signed_by": "主要负责人", "sealed": True, "attachments": ["说明.pdf"], "conclusion": "exempt",
    "attendees": ["市住建局"], "request": "请限期办结", "into": "20260101000000000", "minutes": "纪要",
}  # fmt: skip


def bring_to_stage(action: Action, case: Case, take: Any) -> None:
    """Bring the case to where the action may be taken, so that the values themselves are judged."""
    unit = "handler@市住建局"
    steps = [
        ("case.dispatch", "dispatcher@center", {"lead": "市住建局"}),
        ("case.claim", unit, {}),
        ("case.contact", unit, {"method": "phone", "result": "reached", "note": "已联系"}),
        ("case.reply", unit, {"content": "已修复", "outcome": "solved"}),
        ("check.pass", "checker@center", {"criteria": FILLED["criteria"]}),
    ]
    state = action.case_states[0] if action.case_states else "handling"
    count = {"received": 0, "handling": 3, "checking": 4}.get(state, 5)
    if "handling" not in action.assignment_states and "dispatched" in action.assignment_states:
        count = 1
    for action_id, who, data in steps[:count]:
        take(action_id, who, case, AT, **data)


@pytest.mark.slow
@pytest.mark.parametrize("action_id", sorted(ACTIONS))
def test_nasty_values_are_refused_and_change_nothing(action_id: str, case: Case, actor: Any, take: Any) -> None:
    action = ACTIONS[action_id]
    bring_to_stage(action, case, take)
    role = action.parties[0]
    places = {"handler": "市住建局", "leader": "市住建局", "inspector": "市纪委监委", "executive": "市政府"}
    who = f"{role}@{places.get(role, 'center')}" if role != "citizen" else "citizen:li"
    person = actor(who, case_ids=frozenset({case.pk}))
    good = {name: FILLED[name] for name in action.input.model_fields if name in FILLED}

    for name in [*action.input.model_fields, "unknown_field"]:
        for value in NASTY:
            before = (JournalEntry.objects.count(), Case.objects.get(pk=case.pk).version)
            target = None if action.on == "platform" else case
            with transaction.atomic():
                outcome = perform(
                    action_id, actor=person, now=AT + timedelta(hours=1), case=target, data=good | {name: value}
                )
                if isinstance(outcome, Refused):
                    assert outcome.reason
                    assert (JournalEntry.objects.count(), Case.objects.get(pk=case.pk).version) == before
                transaction.set_rollback(True)  # the next value meets the case as it was
