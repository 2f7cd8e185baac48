"""The vault: kept once, found by a keyed index, read only with a trace, erased for good."""

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from huying.base.crypto import SealBroken, WellKnownKeys
from huying.cases import vault
from huying.cases.models import BlindIndex, Case, IdentityAccess, Party, Subject, SubjectField

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
WANG = {"name": "王小明", "phone": "139 0000 0001", "address": "新冶大道12号"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(bare_case: Any) -> Any:
    """Below the commands a case is a row and nothing else."""
    return bare_case


@dataclass(frozen=True)
class Someone:
    id: str = "account:7"
    role: str = "handler"
    unit_path: str = "某街道/某社区"


@pytest.fixture(autouse=True)
def keys(settings: Any) -> WellKnownKeys:
    settings.HUYING_KEYS = WellKnownKeys({})
    return settings.HUYING_KEYS


def another(case: Case) -> Case:
    """A second case of the same platform."""
    copy = Case.objects.get(pk=case.pk)
    copy.pk, copy.number, copy.external_no = None, uuid.uuid4().hex, ""
    copy.save(force_insert=True)
    return copy


def kept(case: Case, fields: dict[str, str] | None = None, level: str = "masked") -> Subject:
    subject = vault.keep(case.platform, fields or WANG, now=NOW)
    vault.attach(case, subject, part="requester", level=level)
    return subject


def read(case: Case, *kinds: str, **options: Any) -> dict[str, str]:
    return vault.read(
        case, kinds or ("name", "phone"), **{"actor": Someone(), "purpose": "handle", "now": NOW} | options
    )


def all_bytes() -> bytes:
    """Every row of the vault's tables, as a dump would hold them."""
    with connection.cursor() as cursor:
        rows = []
        for model in (Subject, SubjectField, BlindIndex, Party, IdentityAccess):
            cursor.execute(f"SELECT row_to_json(t)::text FROM {model._meta.db_table} t")
            rows += [row[0] for row in cursor.fetchall()]
    return "\n".join(rows).encode()


# ---- keeping and finding


def test_what_was_kept_is_read_back_clear(case: Case) -> None:
    kept(case)
    assert read(case, "name", "phone", "address") == {
        "name": "王小明",
        "phone": "13900000001",
        "address": "新冶大道12号",
    }


def test_nothing_readable_is_in_the_tables(case: Case) -> None:
    kept(case)
    dump = all_bytes()
    for text in ("王小明", "13900000001", "新冶大道"):
        assert text.encode() not in dump
        assert text.encode().hex().encode() not in dump


def test_same_phone_is_the_same_subject_however_it_is_written(case: Case) -> None:
    first = vault.keep(case.platform, WANG, now=NOW)
    again = vault.keep(case.platform, {"phone": "＋86 13900000001"}, now=NOW)
    assert again.pk == first.pk
    assert vault.find_subject(case.platform, phone="0086-139-0000-0001") == first
    assert vault.find_subject(case.platform, phone="13900000002") is None
    assert vault.find_subject(case.platform, phone="") is None


def test_a_version_is_added_only_when_the_value_changed(case: Case) -> None:
    vault.keep(case.platform, WANG, now=NOW)
    same = vault.keep(case.platform, WANG, now=NOW)
    assert SubjectField.objects.count() == 3
    moved = vault.keep(case.platform, {**WANG, "address": "新冶大道14号"}, now=NOW)
    assert SubjectField.objects.count() == 4
    assert same.kept == {"name": 1, "phone": 1, "address": 1}
    assert moved.kept == {"name": 1, "phone": 1, "address": 2}


def test_without_a_phone_everybody_is_somebody_new(case: Case) -> None:
    first = vault.keep(case.platform, {"name": "王小明", "phone": " "}, now=NOW)
    second = vault.keep(case.platform, {"name": "王小明"}, now=NOW)
    assert first.pk != second.pk
    assert BlindIndex.objects.count() == 0


def test_unknown_kinds_are_refused(case: Case) -> None:
    with pytest.raises(ValueError, match="nickname"):
        vault.keep(case.platform, {"nickname": "x"}, now=NOW)
    with pytest.raises(ValueError, match="nickname"):
        read(case, "nickname")


def test_keeping_puts_off_the_erasure(case: Case) -> None:
    subject = kept(case)
    Subject.objects.update(erase_after=date(2026, 1, 1))
    vault.keep(case.platform, WANG, now=NOW)
    subject.refresh_from_db()
    assert subject.erase_after is None


@pytest.mark.django_db(transaction=True)
def test_two_submissions_at_once_meet_in_one_subject(case: Case) -> None:
    """The first holds its transaction open; the second must wait for it and then take the first's subject."""
    found: list[Subject] = []

    def second() -> None:
        try:
            found.append(vault.keep(case.platform, WANG, now=NOW))
        finally:
            connection.close()

    thread = threading.Thread(target=second)
    with transaction.atomic():
        first = vault.keep(case.platform, WANG, now=NOW)
        thread.start()
        _wait_until(_somebody_waits)
        assert found == []
    thread.join(10)
    assert [subject.pk for subject in found] == [first.pk]
    assert Subject.objects.count() == 1
    assert SubjectField.objects.count() == 3


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
        )
        return bool(cursor.fetchone()[0])


def _wait_until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < end, "nobody waited"
        time.sleep(0.01)


# ---- reading


def test_every_reading_is_logged_with_who_what_and_why(case: Case) -> None:
    subject = kept(case)
    read(case, "phone", "name", purpose="callback", approver="account:9")
    entry = IdentityAccess.objects.get()
    assert (entry.at, entry.actor_id, entry.role) == (NOW, "account:7", "handler")
    assert entry.unit_path == "某街道/某社区"
    assert (entry.case_id, entry.subject_id, entry.part) == (case.pk, subject.pk, "requester")
    assert (entry.kinds, entry.purpose, entry.approver, entry.masked) == (
        ["name", "phone"],
        "callback",
        "account:9",
        False,
    )


def test_masked_reading_shows_stars_and_is_logged_as_such(case: Case) -> None:
    kept(case)
    stars = {"name": "王**", "phone": "139****0001", "address": "***"}
    assert read(case, "name", "phone", "address", masked=True) == stars
    assert read(case, "name", "phone", "address", purpose="masked_display") == stars
    assert list(IdentityAccess.objects.values_list("masked", flat=True)) == [True, True]


def test_reading_without_a_listed_purpose_is_refused_and_leaves_no_log(case: Case) -> None:
    kept(case)
    for purpose in ("", "curiosity", "HANDLE"):
        with pytest.raises(vault.VaultRefused, match="用途"):
            read(case, purpose=purpose)
    assert not IdentityAccess.objects.exists()


@pytest.mark.parametrize(
    "purpose", ["handle", "callback", "intake", "check", "self", "notice", "masked_display", "supervision"]
)
def test_listed_purposes(case: Case, purpose: str) -> None:
    kept(case)
    assert read(case, purpose=purpose).keys() == {"name", "phone"}


@pytest.mark.django_db(transaction=True)
def test_reading_outside_of_a_transaction_is_refused(case: Case) -> None:
    kept(case)
    with pytest.raises(vault.VaultRefused, match="事务"):
        read(case)


def test_a_case_shows_only_what_was_given_with_it(case: Case) -> None:
    """One phone, two people, two cases: neither case tells the other's name."""
    kept(case, {"name": "王小明", "phone": "13900000001"})
    other = another(case)
    kept(other, {"name": "李红", "phone": "13900000001", "address": "东岳路1号"}, level="confidential")
    assert read(case, "name", "address") == {"name": "王小明"}
    assert read(other, "name", "address") == {"name": "李红", "address": "东岳路1号"}


def test_an_anonymous_party_has_nothing_to_read_and_no_log(case: Case) -> None:
    subject = vault.keep(case.platform, WANG, now=NOW)
    party = vault.attach(case, subject, part="requester", level="anonymous")
    assert party.subject is None
    assert read(case) == {}
    assert not IdentityAccess.objects.exists()


def test_no_party_nothing_to_read(case: Case) -> None:
    kept(case)
    assert read(case, part="submitter") == {}


def test_attaching_again_replaces(case: Case) -> None:
    kept(case)
    li = vault.keep(case.platform, {"name": "李红", "phone": "13900000002"}, now=NOW)
    vault.attach(case, li, part="requester", level="open")
    assert read(case) == {"name": "李红", "phone": "13900000002"}
    assert Party.objects.get().level == "open"


def test_a_subject_looked_up_is_attached_with_its_present_values(case: Case) -> None:
    kept(case)
    other = another(case)
    known = vault.find_subject(case.platform, phone=WANG["phone"])
    vault.attach(other, known, part="requester", level="masked")
    assert read(other) == {"name": "王小明", "phone": "13900000001"}


def test_ciphertext_cannot_be_moved_to_another_person_kind_or_version(case: Case) -> None:
    kept(case, {"name": "王小明", "phone": "13900000001", "other": "x"})
    name = SubjectField.objects.get(kind="name")
    SubjectField.objects.filter(kind="other").update(ciphertext=name.ciphertext)
    with pytest.raises(SealBroken):
        read(case, "other")
    other = another(case)
    kept(other, {"name": "李红", "phone": "13900000002"})
    SubjectField.objects.filter(kind="name").exclude(pk=name.pk).update(ciphertext=name.ciphertext)
    with pytest.raises(SealBroken):
        read(other, "name")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cases_identityaccess SET actor_id = 'x'",
        "DELETE FROM cases_identityaccess",
        "ALTER TABLE cases_identityaccess ENABLE ALWAYS TRIGGER identity_access_no_truncate;"
        "TRUNCATE cases_identityaccess",
    ],
)
def test_the_log_of_readings_cannot_be_changed(case: Case, statement: str) -> None:
    kept(case)
    read(case)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute(statement)
    assert IdentityAccess.objects.get().actor_id == "account:7"


# ---- erasing


def test_erased_means_unreadable_and_unfindable_but_the_log_stays(case: Case) -> None:
    subject = kept(case)
    read(case)
    vault.erase(subject)
    subject.refresh_from_db()
    assert subject.wrapped_key is None
    assert vault.find_subject(case.platform, phone="13900000001") is None
    assert read(case) == {}
    assert IdentityAccess.objects.count() == 2
    vault.erase(subject)


def test_the_same_phone_after_an_erasure_is_a_new_subject(case: Case) -> None:
    subject = kept(case)
    vault.erase(subject)
    assert vault.keep(case.platform, WANG, now=NOW).pk != subject.pk


def test_a_subject_on_hold_is_not_erased(case: Case) -> None:
    subject = kept(case)
    Subject.objects.update(hold=True)
    with pytest.raises(vault.VaultRefused, match="保全"):
        vault.erase(subject)
    assert read(case) == {"name": "王小明", "phone": "13900000001"}
