"""A case of the bulk path has the same rows as one made by actions: row by row, field by field."""

import sys
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import models

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from random import Random

from bench.bulk import COPIED, NAMED_ROWS, Caster, Copy
from bench.stories import STORIES, Cast, live, mark_delivered, open_city
from bench.words import request

from huying.base.clock import LEGAL_ZONE
from huying.cases import journal, vault
from huying.cases.commands import clock
from huying.cases.models import BlindIndex, Case, Delivery, Party, SubjectField
from huying.people.actors import system
from huying.people.units import forget_units

NOW = datetime(2026, 6, 30, 20, 0, tzinfo=LEGAL_ZONE)
START = date(2026, 6, 10)
MINUTES = timedelta(minutes=47, seconds=20)
ROWS_OF_A_CLOSED_CASE = {
    "Case": 1, "SearchMarks": 1, "Party": 1, "Assignment": 1, "TimeLimit": 7, "Contact": 1,
    "Reply": 1, "Callback": 1, "Evaluation": 1, "Notice": 4, "Delivery": 4, "JournalEntry": 7,
}  # fmt: skip


@pytest.fixture
def cast(db: None) -> Any:
    forget_units()
    yield open_city(settings.HUYING_REGULATIONS, NOW)
    forget_units()


def _lives(cast: Cast, key: str) -> tuple[int, int]:
    """One case by actions and one by the bulk path, of the same person, unit, place and moments."""
    story = next(one for one in STORIES if one.key == key)
    random = Random(5)
    mine, other = request(random, 1), request(random, 2)
    first, second = cast.units[3], cast.units[20]
    assert first.path != second.path
    place = next(unit for unit in cast.units if unit.kind == "town")
    mould = live(story, cast, first, other, START).pk
    clock.run_all_due(cast.platform, NOW)
    by_actions = live(story, cast, second, mine, START, shift=MINUTES, place=place.path).pk
    clock.run_all_due(cast.platform, NOW)
    mark_delivered([mould, by_actions])
    handlers = {path: actor.id for path, actor in cast.handlers.items()}
    # Another phone: the person of the case by actions is known already, and `write` looks nobody up.
    request_ = replace(mine, phone="19900000099")
    (by_bulk,) = Caster(handlers).write([Copy(mould, request_, second, handlers[second.path], MINUTES, place)])
    return by_actions, by_bulk


@pytest.mark.slow
@pytest.mark.parametrize("key", [story.key for story in STORIES])
def test_the_same_rows(cast: Cast, key: str) -> None:
    by_actions, by_bulk = _lives(cast, key)
    expected, found = _rows(by_actions), _rows(by_bulk)
    for name in expected:
        assert found[name] == expected[name], name
    assert _uncopied(by_actions) == []
    assert journal.verify(Case.objects.get(pk=by_bulk)) == []


@pytest.mark.slow
def test_a_closed_case_has_the_rows_that_the_regulation_asks_for(cast: Cast) -> None:
    _, by_bulk = _lives(cast, "closed")
    assert {name: len(rows) for name, rows in _rows(by_bulk).items() if rows} == ROWS_OF_A_CLOSED_CASE


@pytest.mark.slow
def test_the_requester_can_be_found_and_read(cast: Cast) -> None:
    from django.db import transaction

    _, by_bulk = _lives(cast, "closed")
    case = Case.objects.get(pk=by_bulk)
    subject = vault.find_subject(cast.platform, phone="199 0000 0099")
    assert subject is not None
    assert Party.objects.get(case=case).subject_id == subject.pk
    with transaction.atomic():
        values = vault.read(case, ["name", "phone"], actor=system(cast.platform), purpose="check", now=NOW)
    assert values == {"name": request(Random(5), 1).name, "phone": "19900000099"}
    assert Counter(SubjectField.objects.filter(subject=subject).values_list("kind", "version")) == {
        ("name", 1): 1, ("phone", 1): 1
    }  # fmt: skip
    assert BlindIndex.objects.filter(subject=subject).count() == 1


def _uncopied(case_id: int) -> list[str]:
    """Which kinds of rows the case has that the bulk path does not know of."""
    from django.apps import apps

    kinds = [model for model in apps.get_app_config("cases").get_models() if model not in COPIED]
    return [
        model.__name__
        for model in kinds
        for field in model._meta.concrete_fields
        if field.remote_field and field.remote_field.model is Case
        if model._default_manager.filter(**{field.name: case_id}).exists()
    ]


RANDOM = {
    ("Case", "number"), ("Case", "query_code_hash"), ("Party", "subject_id"), ("JournalEntry", "hash"),
    ("JournalEntry", "prev_hash"), ("Assignment", "document_no"),
}  # fmt: skip


def _rows(case_id: int) -> dict[str, list[dict[str, Any]]]:
    """Every row of a case, ids replaced by their place among the case's own."""
    found = {}
    for model in COPIED:
        where: dict[str, Any] = {"pk": case_id} if model is Case else {"case": case_id}
        if model is Delivery:
            where = {"notice__case": case_id}
        found[model] = list(model._default_manager.filter(**where).order_by("pk"))
    places = {(model, row.pk): place for model, rows in found.items() for place, row in enumerate(rows)}
    return {model.__name__: [_plain(model, row, places) for row in rows] for model, rows in found.items()}


def _plain(model: type[models.Model], row: Any, places: dict[Any, int]) -> dict[str, Any]:
    plain = {}
    for field in model._meta.concrete_fields:
        value = getattr(row, field.attname)
        remote = field.remote_field.model if field.remote_field else None
        if (model.__name__, field.attname) in RANDOM:
            continue
        if field.primary_key:
            value = places[model, value]
        elif remote in COPIED and value is not None:
            value = places[remote, value]
        elif isinstance(field, models.JSONField) and isinstance(value, dict):
            value = {
                name: places[NAMED_ROWS[name], one] if name in NAMED_ROWS and type(one) is int else one
                for name, one in value.items()
                if name != "document_no"
            }
        plain[field.attname] = value
    return plain
