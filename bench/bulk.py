"""Many cases at once, the same rows as the actions would leave: each a copy of a life that was taken by actions.

A copy has its own ids, number, texts, requester, unit and minutes; its days are those of the mould, so that every
limit of the mould is right for it too. `tests/bench/test_bulk.py` compares the two row by row.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection, models, transaction

from bench.words import Request
from huying.base.clock import LEGAL_ZONE, local_date
from huying.base.ids import new_case_number
from huying.base.text import cut
from huying.cases import vault
from huying.cases.models import (
    Application,
    Assignment,
    BlindIndex,
    Callback,
    Case,
    Clue,
    Contact,
    Delivery,
    Evaluation,
    JournalEntry,
    Notice,
    Nudge,
    Party,
    Reply,
    SearchMarks,
    Subject,
    SubjectField,
    Supervision,
    TimeLimit,
    Verification,
)
from huying.people.models import Unit

COPIED: tuple[type[models.Model], ...] = (
    Case, SearchMarks, Party, Assignment, Application, Supervision, TimeLimit, Contact, Verification, Reply, Callback,
    Evaluation, Nudge, Clue, Notice, Delivery, JournalEntry,
)  # fmt: skip
BY_TRIGGER = {("cases_journalentry", name) for name in ("seq", "prev_hash", "hash")}
SPREAD = 61_803_399
"""Odd and no multiple of five: ids times this, modulo a power of ten, are all different and look like chance."""
NAMED_ROWS = {
    "assignment": Assignment, "application": Application, "supervision": Supervision, "limit": TimeLimit,
    "contact": Contact, "verification": Verification, "reply": Reply, "callback": Callback, "evaluation": Evaluation,
    "nudge": Nudge, "clue": Clue,
}  # fmt: skip
"""Ids inside JSON: under these names stands the id of such a row."""


@dataclass(frozen=True)
class Copy:
    """What is particular to one copy. `known` is the subject of somebody who wrote before."""

    mould: int
    request: Request
    unit: Unit
    handler: str
    shift: timedelta
    place: Unit | None = None


@dataclass
class Mould:
    """The rows of one life, by model, in the order of their ids."""

    unit: Unit | None
    handler: str
    rows: dict[type[models.Model], list[models.Model]] = field(default_factory=dict)


@dataclass(frozen=True)
class Person:
    """A requester already kept: their subject and the versions of their fields."""

    subject: Any
    versions: Mapping[str, int]


def read_mould(case_id: int, handlers: Mapping[str, str]) -> Mould:
    """The rows of the case with that id; `handlers` gives the actor's id for a unit's path."""
    lead = Assignment.objects.filter(case=case_id, role="lead").select_related("unit").first()
    mould = Mould(lead.unit if lead else None, handlers[lead.unit.path] if lead else "")
    for model in COPIED:
        where = {"pk": case_id} if model is Case else {"case": case_id}
        if model is Delivery:
            where = {"notice__case": case_id}
        mould.rows[model] = list(model._default_manager.filter(**where).order_by("pk"))
    return mould


class Caster:
    """Makes copies of moulds in this process and writes them by COPY."""

    def __init__(self, handlers: Mapping[str, str]) -> None:
        self.handlers = handlers
        self.moulds: dict[int, Mould] = {}
        self.people: dict[str, Person] = {}

    def write(self, copies: Sequence[Copy]) -> list[int]:
        """Write the copies in one transaction; gives the ids of the cases."""
        for copy in copies:
            if copy.mould not in self.moulds:
                self.moulds[copy.mould] = read_mould(copy.mould, self.handlers)
        with transaction.atomic():
            ids = self._fresh_ids(copies)
            rows: dict[type[models.Model], list[str]] = defaultdict(list)
            made = [self._copy(copy, ids, rows) for copy in copies]
            for model in (Subject, SubjectField, BlindIndex, *COPIED):
                _copy_in(model, rows[model])
        return made

    def _fresh_ids(self, copies: Sequence[Copy]) -> dict[type[models.Model], Iterator[int]]:
        counts: dict[type[models.Model], int] = defaultdict(int)
        for copy in copies:
            for model, rows in self.moulds[copy.mould].rows.items():
                counts[model] += len(rows)
        return {model: iter(_reserve(model, count)) for model, count in counts.items()}

    def _copy(
        self, copy: Copy, ids: dict[type[models.Model], Iterator[int]], out: dict[type[models.Model], list[str]]
    ) -> int:
        mould = self.moulds[copy.mould]
        fresh = {(model, row.pk): next(ids[model]) for model, rows in mould.rows.items() for row in rows}
        case: Any = mould.rows[Case][0]
        submitted_at = case.submitted_at + copy.shift
        own = {
            Case: {
                "number": new_case_number(
                    local_date(submitted_at), lambda below: fresh[Case, copy.mould] * SPREAD % below
                ),
                "title": copy.request.title,
                "content": copy.request.content,
                "place_unit_id": copy.place.pk if copy.place else case.place_unit_id,
                "place_text": copy.place.path if copy.place else case.place_text,
            },
            SearchMarks: {"grams": cut(f"{copy.request.title} {copy.request.content}")},
            Party: {} if case.anonymous else self._requester(copy, submitted_at, case.platform, out),
        }
        swap = _Swap(mould, copy, fresh)
        for model, rows in mould.rows.items():
            columns, special = _columns(model), own.get(model, {})
            for row in rows:
                out[model].append("\t".join(
                    _text(special[name]) if name in special else make(getattr(row, name), swap, model, row.pk)
                    for name, make in columns
                ))  # fmt: skip
        return fresh[Case, copy.mould]

    def _requester(
        self, copy: Copy, at: datetime, platform: Any, out: dict[type[models.Model], list[str]]
    ) -> dict[str, Any]:
        person = self.people.get(copy.request.phone)
        if person is None:
            fields = {"name": copy.request.name, "phone": copy.request.phone}
            subject, sealed, index = vault.new_rows(platform, fields, now=at)
            for row in (subject, *sealed, *([index] if index else [])):
                out[type(row)].append("\t".join(_text(getattr(row, name)) for name in _plain_columns(type(row))))
            person = Person(subject.pk, {row.kind: row.version for row in sealed})
            self.people[copy.request.phone] = person
        return {"subject_id": person.subject, "versions": json.dumps(person.versions)}


class _Swap:
    """What one copy puts in place of the mould's values."""

    def __init__(self, mould: Mould, copy: Copy, fresh: Mapping[tuple[type[models.Model], int], int]) -> None:
        self.shift, self.fresh, self.unit = copy.shift, fresh, copy.unit
        self.old_unit = mould.unit.pk if mould.unit else None
        self.words: dict[str, str] = {}
        if mould.unit:
            self.words = {mould.unit.path: copy.unit.path, mould.unit.name: copy.unit.name, mould.handler: copy.handler}

    def json(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._named(name, one) for name, one in value.items()}
        if isinstance(value, list):
            return [self.json(one) for one in value]
        return self.words.get(value, value) if isinstance(value, str) else value

    def _named(self, name: str, value: Any) -> Any:
        if type(value) is int and name in NAMED_ROWS:
            return self.fresh[NAMED_ROWS[name], value]
        return self.json(value)


Make = Callable[[Any, _Swap, type[models.Model], int], str]
_made_columns: dict[type[models.Model], list[tuple[str, Make]]] = {}
_instants: dict[tuple[datetime, timedelta], str] = {}


def _columns(model: type[models.Model]) -> list[tuple[str, Make]]:
    if model not in _made_columns:
        _made_columns[model] = [(field.attname, _maker(model, field)) for field in _fields(model)]
    return _made_columns[model]


def _fields(model: type[models.Model]) -> list[Any]:
    table = model._meta.db_table
    return [field for field in model._meta.concrete_fields if (table, field.column) not in BY_TRIGGER]


def _plain_columns(model: type[models.Model]) -> list[str]:
    return [field.attname for field in _fields(model) if not isinstance(field, models.BigAutoField)]


def _maker(model: type[models.Model], field: Any) -> Make:
    """How a column of a copy follows from the mould's."""
    remote = field.remote_field.model if field.remote_field else None
    if field.primary_key:
        return lambda value, swap, model, pk: str(swap.fresh[model, pk])
    if remote is Unit:
        return lambda value, swap, model, pk: _text(swap.unit.pk if value and value == swap.old_unit else value)
    if remote in COPIED:
        return lambda value, swap, model, pk: "\\N" if value is None else str(swap.fresh[remote, value])
    if field.name in ("unit_left", "unit_right"):
        side = field.name.removeprefix("unit_")
        return lambda value, swap, model, pk: str(getattr(swap.unit, side))
    if isinstance(field, models.DateTimeField):
        return lambda value, swap, model, pk: _instant(value, swap.shift)
    if isinstance(field, models.JSONField):
        return lambda value, swap, model, pk: _text(json.dumps(swap.json(value), ensure_ascii=False)) if value else (
            _text(json.dumps(value)))  # fmt: skip
    if isinstance(field, models.CharField | models.TextField):
        return lambda value, swap, model, pk: _text(swap.words.get(value, value))
    return lambda value, swap, model, pk: _text(value)


def _instant(value: datetime | None, shift: timedelta) -> str:
    """An instant of the mould at the copy's minute; midnight follows from days (limits, the clock) and stays."""
    if value is None:
        return "\\N"
    text = _instants.get((value, shift))
    if text is None:
        moved = value if value.astimezone(LEGAL_ZONE).time() == time.min else value + shift
        text = _instants[value, shift] = moved.isoformat()
    return text


def _text(value: Any) -> str:
    """A value as COPY's text format writes it."""
    match value:
        case None:
            return "\\N"
        case bool():
            return "t" if value else "f"
        case int():
            return str(value)
        case bytes() | memoryview():
            return "\\\\x" + bytes(value).hex()
        case datetime() | date():
            return value.isoformat()
        case list():
            return "{" + ",".join(f'"{one}"' for one in value) + "}"
        case _:
            return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _copy_in(model: type[models.Model], rows: Sequence[str]) -> None:
    if not rows:
        return
    names = [one.column for one in _fields(model)]
    if model not in COPIED:
        names = [one.column for one in _fields(model) if not isinstance(one, models.BigAutoField)]
    quoted = ", ".join(connection.ops.quote_name(name) for name in names)
    with connection.cursor() as cursor, cursor.copy(f"COPY {model._meta.db_table} ({quoted}) FROM STDIN") as copy:
        copy.write("\n".join(rows) + "\n")


def _reserve(model: type[models.Model], count: int) -> Iterable[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [row[0] for row in cursor.fetchall()]
