"""The journal: append-only, chained in the database, checked without it."""

import copy
import hashlib
import importlib.util
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from huying.cases import journal
from huying.cases.models import Case, JournalEntry

NOW = datetime(2026, 1, 5, 9, 30, 0, 123, tzinfo=timezone(timedelta(hours=8)))
VERIFIER = Path(__file__).parents[2] / "tools" / "verify_journal.py"

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(bare_case: Any) -> Any:
    """Below the commands a case is a row and nothing else."""
    return bare_case


def _load_verifier() -> Any:
    spec = importlib.util.spec_from_file_location("verify_journal", VERIFIER)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


offline = _load_verifier()


@dataclass(frozen=True)
class Someone:
    id: str = "account:7"
    role: str = "handler"
    unit_path: str = "某街道/某社区"


def record(case: Case, action: str, **data: Any) -> JournalEntry:
    return journal.record(case, action, actor=Someone(), at=NOW, rule="claim", article="办法第十二条", **data)


@pytest.fixture
def story(case: Case) -> list[JournalEntry]:
    """A case with three entries, and another case's in between."""
    other = Case.objects.get(pk=case.pk)
    other.pk, other.number, other.external_no = None, uuid.uuid4().hex, ""
    other.save(force_insert=True)
    first = record(case, "case.submit", channel="hotline_12345")
    record(other, "case.submit")
    second = record(case, "case.claim", assignment=3, late=False, units=["a/b", '引号"和\\反斜杠\n换行'])
    third = record(case, "case.reply", due=date(2026, 1, 9), none=None, zz=1, b=-20, 中文=True)
    return [first, second, third]


def lines(case: Case) -> list[dict[str, Any]]:
    return [json.loads(line) for line in journal.export_lines(case)]


# ---- recording


def test_an_entry_comes_back_with_its_place_in_the_chain(case: Case, story: list[JournalEntry]) -> None:
    assert [entry.seq for entry in story] == [1, 2, 3]
    assert bytes(story[0].prev_hash) == bytes(32)
    assert bytes(story[1].prev_hash) == bytes(story[0].hash)
    assert bytes(story[2].prev_hash) == bytes(story[1].hash)
    assert [entry.action for entry in journal.history(case)] == ["case.submit", "case.claim", "case.reply"]


def test_the_hash_is_the_one_written_down(case: Case) -> None:
    """Computed here from the description in journal.sql, with other code than either implementation."""
    entry = record(case, "case.claim", b=1, aa=[True, None, "x"])
    fields = [
        str(case.platform_id), str(case.pk), "1", "2026-01-05T01:30:00.000123Z", "case.claim", "account:7",
        "handler", "某街道/某社区", "claim", "办法第十二条", '{"b": 1, "aa": [true, null, "x"]}',
    ]  # fmt: skip
    text = b"".join(str(len(field.encode())).encode() + b":" + field.encode() + b"," for field in fields)
    assert bytes(entry.hash) == hashlib.sha256(bytes(32) + text).digest()


def test_what_the_caller_says_about_the_chain_is_ignored(case: Case) -> None:
    entry = JournalEntry.objects.create(
        platform=case.platform, case=case, at=NOW, action="x", actor_id="a", role="r", seq=99, hash=b"forged"
    )
    entry.refresh_from_db()
    assert entry.seq == 1
    assert journal.verify(case) == []


def test_entries_of_a_platform_have_a_chain_of_their_own(case: Case) -> None:
    record(case, "case.submit")
    for place in (1, 2):
        entry = journal.record_for_platform(case.platform, "export.made", actor=Someone(), at=NOW, rows=place)
        assert (entry.seq, entry.case_id) == (place, None)
    assert bytes(entry.prev_hash) == bytes(JournalEntry.objects.get(case=None, seq=1).hash)


@pytest.mark.parametrize("value", [1.5, b"bytes", {"name": "x"}, "长" * 201, "nul\0", [["nested"]], [1, 2.5], object()])
def test_values_that_could_hold_a_person_are_refused(case: Case, value: Any) -> None:
    with pytest.raises(ValueError, match="reason"):
        record(case, "case.claim", reason=value)
    assert not JournalEntry.objects.exists()


def test_codes_dates_and_ids_are_kept_as_text(case: Case) -> None:
    some = uuid.UUID(int=5)
    entry = record(case, "x", id=some, on=date(2026, 1, 9), at_noon=NOW, code="长" * 200, both=(1, some))
    entry.refresh_from_db()
    assert entry.data == {
        "id": "00000000-0000-0000-0000-000000000005",
        "on": "2026-01-09",
        "at_noon": "2026-01-05T09:30:00.000123+08:00",
        "code": "长" * 200,
        "both": [1, "00000000-0000-0000-0000-000000000005"],
    }


def test_a_time_without_zone_is_refused(case: Case) -> None:
    with pytest.raises(ValueError, match="时区"):
        journal.record(case, "x", actor=Someone(), at=datetime(2026, 1, 5))


@pytest.mark.django_db(transaction=True)
def test_recording_outside_of_a_transaction_is_refused(case: Case) -> None:
    with pytest.raises(RuntimeError, match="事务"):
        record(case, "case.submit")


# ---- nothing can be taken back


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cases_journalentry SET article = ''",
        "UPDATE cases_journalentry SET seq = seq",
        "DELETE FROM cases_journalentry",
        "ALTER TABLE cases_journalentry ENABLE ALWAYS TRIGGER journal_no_truncate;TRUNCATE cases_journalentry CASCADE",
    ],
)
def test_the_database_refuses_to_change_the_journal(case: Case, story: list[JournalEntry], statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute(statement)
    assert journal.history(case).count() == 3
    assert journal.verify(case) == []


# ---- verifying


def forge(statement: str, *values: Any) -> None:
    """Change the journal as an owner of the database could."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE cases_journalentry DISABLE TRIGGER USER")
        cursor.execute(statement, values)


@pytest.mark.parametrize(
    ("forgery", "problem"),
    [
        ("UPDATE cases_journalentry SET at = at - interval '1 day' WHERE id = %s", "第 2 条：内容与哈希不符"),
        ("UPDATE cases_journalentry SET actor_id = 'account:8' WHERE id = %s", "第 2 条：内容与哈希不符"),
        ("UPDATE cases_journalentry SET data = '{}' WHERE id = %s", "第 2 条：内容与哈希不符"),
        ("UPDATE cases_journalentry SET hash = sha256('x') WHERE id = %s", "第 2 条：内容与哈希不符"),
        ("DELETE FROM cases_journalentry WHERE id = %s", "第 3 条：序号应为 2，与上一条的哈希不衔接"),
    ],
)
def test_a_forgery_is_found_in_the_database_and_in_the_export(
    case: Case, story: list[JournalEntry], forgery: str, problem: str
) -> None:
    assert journal.verify(case) == []
    assert offline.problems(lines(case)) == []
    forge(forgery, story[1].pk)
    assert journal.verify(case)[0] == problem
    assert offline.problems(lines(case)) != []


def test_a_chain_made_anew_is_found_by_a_hash_noted_elsewhere(case: Case, story: list[JournalEntry]) -> None:
    noted = bytes(story[2].hash).hex()
    assert offline.problems(lines(case), noted) == []
    forge("DELETE FROM cases_journalentry WHERE id = %s", story[2].pk)
    assert journal.verify(case) == []  # what is left is sound in itself
    assert offline.problems(lines(case), noted) == ["末条哈希与留存的不符：共 2 条"]


def test_every_altered_field_of_an_export_is_found(case: Case, story: list[JournalEntry]) -> None:
    sound = lines(case)
    for name in sound[1]:
        altered = copy.deepcopy(sound)
        altered[1][name] = {"late": True} if name == "data" else 9 if name == "seq" else "00" * 32
        assert offline.problems(altered), name
    assert offline.problems([sound[0], sound[2]])
    assert offline.problems([sound[1], sound[0], sound[2]])


def test_the_command_line_says_so(
    case: Case, story: list[JournalEntry], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "case.jsonl"
    file.write_text("\n".join(journal.export_lines(case)), encoding="utf-8")
    assert offline.main([str(file)]) == 0
    assert "3 条，未发现问题" in capsys.readouterr().out
    file.write_text(file.read_text(encoding="utf-8").replace("handler", "checker", 1), encoding="utf-8")
    assert offline.main([str(file)]) == 1
    assert "第 1 条：内容与哈希不符" in capsys.readouterr().out
    file.write_text("[1]", encoding="utf-8")
    assert offline.main([str(file)]) == 2


def test_the_verifier_needs_only_the_standard_library() -> None:
    import ast
    import sys

    for node in ast.walk(ast.parse(VERIFIER.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert name.partition(".")[0] in sys.stdlib_module_names


def test_times_are_exported_in_utc(case: Case, story: list[JournalEntry]) -> None:
    assert lines(case)[0]["at"] == "2026-01-05T01:30:00.000123Z"
    assert story[0].at.astimezone(UTC).hour == 1
