"""The case record: one shape for pages, API and scenarios, with what the viewer may not see missing or masked."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from huying.base.clock import LEGAL_ZONE
from huying.base.text import is_storable
from huying.cases import vault
from huying.cases.access import identity_view, visible_cases
from huying.cases.models import Case, JournalEntry, Link, Notice, Party, TimeLimit
from huying.cases.models.handling import ACTIVE_ASSIGNMENT, VISIBLE_ASSIGNMENT
from huying.cases.queries.time_limits import PROMISING, promise_of
from huying.people.actors import Actor

PUBLIC_LIMITS = (
    "claim", "return", "transfer_up", "contact", "handle", "co_feedback", "extension_request", "decide", "check",
    "letter", "rework", "review",
)  # fmt: skip
CENTRE_ROLES = ("operator", "dispatcher", "checker", "caller", "supervisor", "analyst", "auditor", "system")
HIDDEN = {"name": "保密", "phone": "保密"}


def find_case(actor: Actor, number: str) -> Case | None:
    """The case with that number (its own, or an external one), if the actor may know of it."""
    if not number or not is_storable(number):
        return None
    named = Case.objects.filter(Q(number=number) | Q(external_no=number), platform=actor.platform)
    # Its own number before an external one.
    for _, key in sorted((own != number, pk) for pk, own in named.values_list("pk", "number")):
        found = visible_cases(actor, key).select_related("holder", "place_unit").first()
        if found is not None:
            found.platform = actor.platform
            return found
    return None


def case_record(case: Case, viewer: Actor | None, *, now: datetime) -> dict[str, Any]:
    """The record of `case` as `viewer` is shown it; the whole record when there is no viewer (a story's `expect`)."""
    limits = defaultdict(list)
    for row in TimeLimit.objects.filter(case=case).order_by("pk"):
        limits[row.assignment_id].append(row)
    sees, rows = _Sees(viewer), _RowsOf(case)
    assignments = [
        row
        for row in case.assignments.select_related("unit", "delegate").order_by("pk")
        if sees.whole or row.state in VISIBLE_ASSIGNMENT or (sees.unit and row.unit_id == sees.unit)
    ]
    active = [row for row in assignments if row.state in ACTIVE_ASSIGNMENT or row.state in ("done", "taken_over")]
    leads = [row for row in active if row.role == "lead" and row.round == case.round] or [
        row for row in active if row.role == "lead"
    ]
    lead = leads[-1] if leads else None
    promising = [row for row in assignments if row.role == "lead" and row.state in PROMISING]
    promised = None
    if lead and promising:
        promised = promise_of(case, promising[-1], {row.name: row for row in limits[promising[-1].pk]})
    elif not lead and case.state == "received":
        promised = promise_of(case, None, {row.name: row for row in limits[None] if row.ended_at is None})
    late = [row.name for rows in limits.values() for row in rows if is_overdue(row, now)]
    due: dict[str, Any] = {}
    if promised:
        due["handle"] = promised.due_on.isoformat()
    if case.source_due_on is not None:
        due["source"] = case.source_due_on.isoformat()
    record = {
        "number": case.number,
        "regulation": case.regulation,
        "state": case.state,
        "kind": case.kind,
        "channel": case.channel,
        "category": case.category,
        "urgency": case.urgency or "normal",
        "complexity": case.complexity or "normal",
        "confidential": case.confidential,
        "anonymous": case.anonymous,
        "round": case.round,
        "title": case.title,
        "content": case.content,
        "place": case.place_text,
        "external_no": case.external_no,
        "source": case.source,
        "requester_kind": case.requester_kind or None,
        "accept_reason": case.accept_reason if sees.staff else "",
        "accept_basis": case.accept_basis if sees.staff else "",
        "flow": case.flow or None,
        "provisional": bool(promised and promised.provisional),
        "flags": [name for name, on in case.flags.items() if on and (sees.centre or (sees.staff and name != "clue"))],
        "lead": lead.unit.path if lead else None,
        "co": [row.unit.path for row in active if row.role == "co" and lead and row.round == lead.round],
        "ledger": case.ledger,
        "archived": case.archived,
        "published": case.published,
        "outcome": (case.outcome or None) if sees.staff or case.state in ("feedback", "closed") else None,
        "submitted_at": stamp(case.submitted_at),
        "closed_at": stamp(case.closed_at),
        "due": due | {row.name: row.due_on.isoformat() for row in limits[None] if row.name == "review"},
        "overdue": list(dict.fromkeys(late)) if sees.overdue else [],
        "assignments": [_assignment(row, limits[row.pk], now) for row in assignments] if sees.staff else [
            {"unit": row.unit.path, "role": row.role, "state": row.state, "round": row.round}
            for row in active
        ],
        "applications": [
            {"type": row.type, "state": row.state, "by": row.by_unit.path if row.by_unit else "citizen",
             "decider": row.decider.path, "reason": row.reason, "late": row.late, "opinion": row.opinion,
             "data": row.data, "id": row.pk, "at": stamp(row.at)}
            for row in rows("applications", "by_unit", "decider")
            if sees.staff or row.by_unit is None
        ],
        "contacts": [
            {"unit": row.unit.path, "method": row.method, "result": row.result, "note": row.note, "round": row.round,
             "at": stamp(row.at)}
            for row in rows("contacts", "unit")
            if sees.staff
        ],
        "verifications": [
            {"unit": row.unit.path, "finding": row.finding, "note": row.note, "round": row.round, "at": stamp(row.at)}
            for row in rows("verifications", "unit")
            if sees.staff
        ],
        "replies": [
            {"unit": row.unit.path, "round": row.round, "content": row.content, "outcome": row.outcome,
             "state": row.state, "at": stamp(row.at), "adoption": row.adoption or None, "facts": row.facts,
             "basis": row.basis, "measures": row.measures, "told_by": row.told_by or None,
             "told_on": row.told_on.isoformat() if row.told_on else None,
             "note": row.check_note if sees.staff else "", "review_note": row.review_note if sees.staff else ""}
            for row in rows("replies", "unit")
            if sees.staff or row.state == "passed"
        ],
        "callbacks": [
            {"round": row.round, "method": row.method, "result": row.result, "at": stamp(row.at),
             "evaluator": row.batch.evaluator if row.batch else None}
            for row in rows("callbacks", "batch")
            if sees.centre
        ],
        "evaluations": [
            {"round": row.round, "source": row.source, "rating": row.rating, "solved": row.solved or None,
             "contacted": row.contacted, "trust": row.trust, "bad": row.bad, "counted": row.counted,
             "comment": row.comment}
            for row in rows("evaluations")
        ],
        "supervisions": [
            {"method": row.method, "ground": row.ground, "state": row.state,
             "due": row.due_on.isoformat() if row.due_on else None,
             "by": row.issued_by.path if row.issued_by else None, "unit": row.unit.path if row.unit else None,
             "request": row.request, "response": row.response, "conclusion": row.conclusion,
             "document_no": row.document_no, "article": row.article, "id": row.pk}
            for row in rows("supervisions", "issued_by", "unit")
            if sees.centre or (sees.staff and row.state != "proposed")
        ],
        "nudges": [
            {"unit": row.unit.path, "note": row.note, "at": stamp(row.at)}
            for row in rows("nudges", "unit")
            if sees.staff
        ],
        "clues": [
            {"to": row.to_unit.path, "ground": row.ground, "state": row.state, "opinion": row.opinion, "id": row.pk}
            for row in rows("clues", "to_unit")
            if sees.clues
        ],
        "meetings": [
            {"kind": row.kind, "attendees": row.attendees, "minutes": row.minutes, "tasks": row.tasks}
            for row in rows("meetings")
            if sees.staff
        ],
        "letters": [
            {"unit": row.unit.path, "round": row.round, "content": row.content, "document_no": row.document_no,
             "at": stamp(row.at)}
            for row in rows("letters", "unit")
            if sees.staff
        ],
        "consent": next((row.agrees for row in rows("consents", order=("-pk",))), None) if sees.centre else None,
        "reports": [
            {"kind": row.kind, "state": row.state, "content": row.content, "instruction": row.instruction,
             "id": row.pk}
            for row in rows("reports")
            if sees.centre
        ],
        "supplements": [
            {"kind": row.kind, "content": row.content, "at": stamp(row.at)}
            for row in rows("supplements")
            if sees.staff or row.kind != "guidance"
        ],
        "attachments": [
            {"key": row.key, "label": row.label, "action": row.action, "size": row.size}
            for row in rows("attachments", order=("uploaded_at", "label"))
            if sees.staff or row.action in ("case.submit", "case.supplement")
        ],
        "notices": _notices(case, sees),
        "links": _links(case, viewer) if rows.any("links_in", "links_out") else [],
        "requester": _requester(case, viewer, now),
        "events": _events(case, sees),
        "version": case.version,
    }  # fmt: skip
    return record


class _RowsOf:
    """The rows that hang on a case. Most kinds are rare: one question tells which there are, the rest are not asked."""

    def __init__(self, case: Case) -> None:
        self.case = case
        with connection.cursor() as cursor:
            cursor.execute(_kinds_of_rows(), {"case": case.pk})
            self.present = set(cursor.fetchone()[0])

    def __call__(self, name: str, *related: str, order: tuple[str, ...] = ("pk",)) -> Iterable[Any]:
        if name not in self.present:
            return ()
        found = getattr(self.case, name).order_by(*order)
        return found.select_related(*related) if related else found

    def any(self, *names: str) -> bool:
        return bool(self.present & set(names))


@cache
def _kinds_of_rows() -> str:
    """The statement that gives the names of the relations in which a case has rows."""
    asked = []
    for relation in Case._meta.related_objects:
        table, column = relation.related_model._meta.db_table, relation.field.column
        if relation.many_to_many:
            table, column = relation.field.m2m_db_table(), relation.field.m2m_reverse_name()
        asked.append(
            f"SELECT '{relation.get_accessor_name()}' WHERE EXISTS (SELECT FROM {table} WHERE {column} = %(case)s)"
        )
    return f"SELECT ARRAY({' UNION ALL '.join(asked)})"


def is_overdue(limit: TimeLimit, now: datetime) -> bool:
    """Missed and still open; a target, a right or a suspended limit never is."""
    return (
        limit.ended_at is None
        and not limit.soft
        and not limit.suspended
        and (limit.name in PUBLIC_LIMITS and limit.due_at <= now)
    )


def stamp(at: datetime | None) -> str | None:
    """An instant as people read it in the legal zone, to the minute."""
    return at.astimezone(LEGAL_ZONE).strftime("%Y-%m-%d %H:%M") if at else None


class _Sees:
    """Which parts of a record the viewer gets."""

    def __init__(self, viewer: Actor | None) -> None:
        role = viewer.role if viewer else "system"
        self.whole = role in (*CENTRE_ROLES, "inspector")
        self.centre = role in (*CENTRE_ROLES, "inspector", "executive")
        self.staff = role not in ("citizen", "grid_worker", "channel")
        self.clues = role in ("supervisor", "inspector", "auditor", "system")
        self.unit = viewer.unit.pk if viewer and viewer.unit and self.staff else None
        self.citizen = role in ("citizen", "channel")
        self.overdue = True
        self.all_notices = viewer is None or role in ("system", "auditor")


def _assignment(row: Any, limits: Iterable[TimeLimit], now: datetime) -> dict[str, Any]:
    shown = [limit for limit in limits if limit.name in PUBLIC_LIMITS]
    return {
        "unit": row.unit.path,
        "unit_name": row.unit.name,
        "delegate": row.delegate.path if row.delegate else None,
        "role": row.role,
        "state": row.state,
        "round": row.round,
        "note": row.note,
        "document_no": row.document_no,
        "assigned_at": stamp(row.assigned_at),
        "claimed_at": stamp(row.claimed_at),
        "due": {limit.name: limit.due_on.isoformat() for limit in shown},
        "overdue": [limit.name for limit in shown if is_overdue(limit, now)],
        "met": {
            limit.name: limit.met if limit.met is not None else False
            for limit in shown
            if not limit.soft and (limit.met is not None or limit.missed_at is not None)
        },
    }


def _notices(case: Case, sees: _Sees) -> list[dict[str, Any]]:
    notices = Notice.objects.filter(case=case).select_related("unit").order_by("pk")
    if sees.citizen:
        notices = notices.filter(to_citizen=True)
    elif not sees.whole:
        notices = notices.filter(unit_id=sees.unit) if sees.unit else notices.none()
    return [
        {"to": "citizen" if row.to_citizen else row.unit.path, "template": row.template, "data": row.data,
         "at": stamp(row.at)}
        for row in notices
        if row.template != "clue" or sees.clues
    ]  # fmt: skip


def _links(case: Case, viewer: Actor | None) -> list[dict[str, Any]]:
    """The linked cases that the viewer may know of. Of another case nothing is shown, not even that it was merged in.

    A case merged into one that its own requester may not know of says so without a number.
    """
    links = Link.objects.filter(Q(case=case) | Q(other=case)).select_related("case", "other").order_by("pk")
    others = [(link.other if link.case_id == case.pk else link.case, link.type, link.case_id) for link in links]
    shown = {other.pk for other, _, _ in others}
    if viewer is not None:
        shown = set(visible_cases(viewer).filter(pk__in=shown).values_list("pk", flat=True))
    return [
        {"case": other.number if other.pk in shown else None, "type": type_}
        for other, type_, merged in others
        if other.pk in shown or merged == case.pk
    ]


def _requester(case: Case, viewer: Actor | None, now: datetime) -> dict[str, Any] | None:
    """Who asks, as far as the viewer may know. Reading it is logged, masked or not."""
    party = Party.objects.filter(case=case, part="requester").select_related("subject").first()
    if party is None:
        return None
    wanted = ["name", "phone", "organisation"] if case.requester_kind == "enterprise" else ["name", "phone"]
    if viewer is None:
        with transaction.atomic():
            from huying.people.actors import system

            return vault.read(case, wanted, actor=system(case.platform), purpose="check", now=now)
    view = identity_view(viewer, case, party)
    if view == "hidden":
        return {} if party.level == "anonymous" else dict(HIDDEN)
    purpose = "self" if viewer.is_citizen else "masked_display"
    with transaction.atomic():
        return vault.read(case, wanted, actor=viewer, purpose=purpose, now=now, party=party)


def _events(case: Case, sees: _Sees) -> list[dict[str, Any]]:
    entries = JournalEntry.objects.filter(case=case).order_by("seq")
    hidden = () if sees.clues else ("clue.", "notice.") if sees.centre else ("clue.", "notice.", "supervision.proposed")
    citizen = (
        "case.submit", "case.supplement", "case.withdraw", "case.urge", "case.answer", "case.refuse", "case.redirect",
        "case.accept", "case.dispatch", "case.reassign", "case.claim", "case.contact", "case.progress", "case.reply",
        "check.pass", "reply.approve", "case.connect", "case.transfer_up", "case.request_review",
        "case.request_re_review",
        "case.evaluate", "case.call_back", "case.rework", "case.close", "case.merge", "case.unmerge",
    )  # fmt: skip
    return [
        {"at": stamp(row.at), "action": row.action, "by": row.role, "unit": row.unit_path, "article": row.article,
         "rule": row.rule, **({"proposed": row.data["proposed"]} if sees.centre and row.data.get("differs") else {})}
        for row in entries
        if not row.action.startswith(hidden or ("\0",)) and (not sees.citizen or row.action in citizen)
    ]  # fmt: skip
