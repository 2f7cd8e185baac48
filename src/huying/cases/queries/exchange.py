"""What the platform above is told of a case: where it stands and what it was answered. Never who asked, nor their text.

Of a confidential case not even the answer. An answer is told as the requester may read it, with what would name them
taken out: units do write names and telephones into their answers.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from huying.base.clock import LEGAL_ZONE
from huying.cases import vault
from huying.cases.models import Assignment, Case, JournalEntry, Link, Reply, UpstreamMessage
from huying.cases.queries.time_limits import PROMISING, promise_of
from huying.core.publication import draft
from huying.people.actors import system

IDENTITY = ("name", "phone", "email", "address", "id_number", "organisation", "other")
LEAST = 2
"""A value of one character tells nothing, and taking it out would spoil the text."""


@dataclass(frozen=True)
class Told:
    """A message as it is sent: `key` is the same for each attempt at the same content."""

    key: str
    revision: int
    body: dict[str, Any]


def compose(message_id: int, *, now: datetime) -> Told | None:
    """The message as the case is now; None when it was sent meanwhile."""
    with transaction.atomic():
        message = UpstreamMessage.objects.select_related("case__platform").filter(pk=message_id, sent_at=None).first()
        if message is None:
            return None
        # Read before the case: what changes in between is told now and once more, and nothing is left out.
        revision = revision_of(message.case)
        case = Case.objects.select_related("platform", "holder").get(pk=message.case_id)
        changes = message.event == "change"
        body = {"message": message.pk, "event": message.event, "revision": revision, **told_of(case, now=now)}
        return Told(f"{message.pk}-{revision}" if changes else str(message.pk), revision, body)


def revision_of(case: Case) -> int:
    """The number of the case's last journal entry."""
    return JournalEntry.objects.filter(case=case).order_by("-seq").values_list("seq", flat=True).first() or 0


def due_of(case: Case) -> date | None:
    """The day that the requester is promised, as known now."""
    lead = _lead_of(case)
    rows = lead.limits.all() if lead else case.limits.filter(assignment=None, ended_at=None)
    promised = promise_of(case, lead, {row.name: row for row in rows})
    return promised.due_on if promised else None


def answer_of(case: Case) -> Reply | None:
    """The answer that the requester has got, of the case that a merged one goes on in. None of a confidential one."""
    main = _main_of(case)
    if case.confidential or main.confidential:
        return None
    return Reply.objects.filter(case=main, state="passed").select_related("unit").order_by("-pk").first()


def told_of(case: Case, *, now: datetime) -> dict[str, Any]:
    """The case as another platform may know it. Reads the vault, to take out of the answer what would name somebody."""
    main = _main_of(case)
    lead, due = _lead_of(main), due_of(main)
    return {
        "platform": case.platform.slug,
        "number": case.number,
        "external_no": case.external_no,
        "merged_into": main.number if main.pk != case.pk else "",
        "channel": case.channel,
        "kind": case.kind,
        "state": main.state,
        "round": main.round,
        "outcome": main.outcome,
        "ground": main.ground,
        "unit": lead.unit.name if lead else "",
        "submitted_at": _stamp(case.submitted_at),
        "accepted_at": _stamp(main.accepted_at),
        "closed_at": _stamp(main.closed_at),
        "due": {
            "handle": due.isoformat() if due else None,
            "source": case.source_due_on.isoformat() if case.source_due_on else None,
        },
        "reply": _reply(case, main, now),
        "ratings": [
            {"round": one.round, "source": one.source, "rating": one.rating, "solved": one.solved}
            for one in case.evaluations.order_by("pk")
        ],
    }


def _main_of(case: Case) -> Case:
    """The case that a merged one goes on in."""
    seen = {case.pk}
    while case.state == "merged":
        link = Link.objects.filter(case=case, type="merged").select_related("other__platform", "other__holder").first()
        if link is None or link.other_id in seen:
            break
        case = link.other
        seen.add(case.pk)
    return case


def _lead_of(case: Case) -> Assignment | None:
    leads = case.assignments.filter(role="lead", state__in=PROMISING)
    return leads.select_related("unit").order_by("-pk").first()


def _reply(case: Case, main: Case, now: datetime) -> dict[str, Any] | None:
    row = answer_of(case)
    if row is None:
        return None
    content = _unnamed(row.content, main, now)
    return {"unit": row.unit.name, "round": row.round, "at": _stamp(row.at), "content": content}


def _unnamed(text: str, case: Case, now: datetime) -> str:
    """The text without anything that names those whose matter it is, or looks as if it did."""
    merged = Case.objects.filter(links_out__other=case, links_out__type="merged").select_related("platform")
    values: set[str] = set()
    for one in (case, *merged):
        values |= set(vault.read(one, IDENTITY, actor=system(case.platform), purpose="check", now=now).values())
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= LEAST:
            text = text.replace(value, "***")
    return draft(text)


def _stamp(at: datetime | None) -> str | None:
    return at.astimezone(LEGAL_ZONE).isoformat(timespec="seconds") if at else None
