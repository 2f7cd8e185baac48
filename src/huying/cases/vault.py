"""The vault: who the requester is.

Identity never travels with the work. It is kept here under a key for each person, found by a
keyed index, and read through one function, `read`, which logs. WHO may read is decided before,
in `huying.cases.access`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, cast

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from huying.base import crypto
from huying.base.crypto import KeyProvider
from huying.base.ids import mask
from huying.cases.models.vault import (
    BlindIndex,
    FieldKind,
    IdentityAccess,
    Level,
    Part,
    Party,
    Subject,
    SubjectField,
)

if TYPE_CHECKING:
    from huying.cases.models import Case
    from huying.people.models import Platform

PURPOSES = frozenset(
    {"handle", "callback", "intake", "check", "self", "notice", "masked_display", "supervision", "disclosure", "survey"}
)


class VaultRefused(Exception):
    """The vault may not do this: no such purpose, no transaction, a legal hold."""


class Reader(Protocol):
    """What the log needs to know of an actor."""

    @property
    def id(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def unit_path(self) -> str: ...


# ---- writing -----------------------------------------------------------------------


def find_subject(platform: Platform, *, phone: str) -> Subject | None:
    """Find a person by phone through the keyed index. Tells that they are known, not who they are."""
    number = crypto.normalise_phone(phone)
    return _indexed(platform, number).first() if number else None


def keep(platform: Platform, fields: Mapping[str, str], *, now: datetime) -> Subject:
    """Store a person's data and return their subject; the same phone is the same subject.

    Empty values are left out. A value gets a new version only when it differs from the last.
    Without a phone there is nothing to recognise anybody by, so the subject is new. A known
    subject is locked until the end of the transaction, and its day of erasure is taken off:
    it is set again when the new matter ends. `kept` on the result holds the versions of the
    fields given this time, for `attach`.

    Raises: ValueError for an unknown kind of field.
    """
    values = _cleaned(fields)
    phone = values.get(FieldKind.PHONE, "")
    with transaction.atomic(savepoint=False):
        subject = _known(platform, phone)
        if subject is None:
            return _new_subject(platform, values, now=now)
        subject.kept = _store(subject, values, now=now)  # type: ignore[misc]  # per instance on purpose
    return subject


def keep_many(platform: Platform, people: Sequence[Mapping[str, str]], *, now: datetime) -> list[Subject]:
    """As `keep` for each of `people`; those not known before are written together. For bulk writers.

    Raises: IntegrityError when another transaction is first with one of them; then it is known, and all may be kept
    again.
    """
    cleaned = [_cleaned(fields) for fields in people]
    phones = {values[FieldKind.PHONE] for values in cleaned if FieldKind.PHONE in values}
    seen, rows = _known_phones(platform, phones), {}
    for place, values in enumerate(cleaned):
        phone = values.get(FieldKind.PHONE, "")
        if phone not in seen:
            rows[place] = _rows_of(platform, values, now=now)
            seen |= {phone} - {""}
    Subject.objects.bulk_create(subject for subject, _, _ in rows.values())
    BlindIndex.objects.bulk_create(index for _, _, index in rows.values() if index is not None)
    SubjectField.objects.bulk_create(field for _, fields, _ in rows.values() for field in fields)
    for subject, fields, _ in rows.values():
        subject.kept = {field.kind: field.version for field in fields}  # type: ignore[misc]
    return [rows[place][0] if place in rows else keep(platform, fields, now=now) for place, fields in enumerate(people)]


def new_rows(
    platform: Platform, fields: Mapping[str, str], *, now: datetime
) -> tuple[Subject, list[SubjectField], BlindIndex | None]:
    """The rows that `keep` writes for a person not known before, for whoever writes very many at once.

    Whether they are known is then the caller's to find out; the index refuses a second subject for one phone.
    """
    return _rows_of(platform, _cleaned(fields), now=now)


def attach(case: Case, subject: Subject | None, *, part: str, level: str) -> Party:
    """Say that somebody is the requester (or another part) of a case; again for the same part replaces.

    Only the values given with this case (`subject.kept`) can be read through it; for a subject
    that was looked up, the present ones. An anonymous party has no subject, whatever is passed.

    Raises: ValueError for an unknown part or level.
    """
    is_anonymous = level == Level.ANONYMOUS
    subject = None if is_anonymous else subject
    versions: dict[str, int] = {}
    if subject is not None:
        kept = subject.kept
        versions = {row.kind: row.version for row in _latest(subject)} if kept is None else dict(kept)
    party = Party(case=case, part=Part(part), subject=subject, level=Level(level), versions=versions)
    _write_parties([party])
    return party


def attach_many(given: Iterable[tuple[Case, Subject | None, str]], *, part: str) -> None:
    """As `attach` for each case, subject and level; the subjects come from `keep` or `keep_many`."""
    _write_parties([
        Party(case=case, part=Part(part), level=Level(level), subject=subject,
              versions=dict(subject.kept or {}) if subject else {})
        for case, subject, level in given
    ])  # fmt: skip


def erase(subject: Subject) -> None:
    """Destroy a person's key: every sealed value of theirs becomes noise, here and in later backups.

    They can no longer be found by phone either; the same phone later is a new subject. The log
    of readings stays. A backup from before still holds the key, so erasures are run again after
    restoring one. Erasing twice changes nothing.

    Raises: VaultRefused while the subject is on hold.
    """
    with transaction.atomic():
        locked = Subject.objects.select_for_update().get(pk=subject.pk)
        if locked.hold:
            raise VaultRefused("该主体处于法律保全状态，不得删除。")
        BlindIndex.objects.filter(subject=locked).delete()
        locked.wrapped_key = None
        locked.save(update_fields=["wrapped_key"])
    subject.wrapped_key = None


# ---- reading -----------------------------------------------------------------------


def read(
    case: Case,
    kinds: Iterable[str],
    *,
    actor: Reader,
    purpose: str,
    now: datetime,
    masked: bool = False,
    part: str = "requester",
    approver: str = "",
    party: Party | None = None,
) -> dict[str, str]:
    """Give the values of a party to a case, and log who read them. The only way to read the vault.

    The result has the kinds that were given with this case. Nobody to read (no such party,
    or anonymous) gives nothing and logs nothing; an erased subject gives nothing and is logged.
    `party` is the party of that part, with its subject, for who has read it already.
    With purpose `masked_display` values are always masked.

    Raises: VaultRefused for an unknown purpose, or outside of a transaction: a reading whose
    log could be lost is refused. ValueError for an unknown kind.
    """
    wanted = sorted({FieldKind(kind).value for kind in kinds})
    if purpose not in PURPOSES:
        raise VaultRefused(f"读取身份信息须说明用途；“{purpose}”不在用途清单内。")
    if not transaction.get_connection().in_atomic_block:
        raise VaultRefused("读取身份信息须在事务中进行，以便同时留痕。")
    if party is None or party.case_id != case.pk or party.part != part:
        party = Party.objects.select_related("subject").filter(case=case, part=part).first()
    if party is None or party.subject is None:
        return {}
    hidden = masked or purpose == "masked_display"
    IdentityAccess.objects.create(
        at=now,
        actor_id=actor.id,
        role=actor.role,
        unit_path=actor.unit_path,
        case=case,
        subject=party.subject,
        part=part,
        kinds=wanted,
        purpose=purpose,
        approver=approver,
        masked=hidden,
    )
    pinned = {kind: version for kind, version in party.versions.items() if kind in wanted}
    values = _opened(party.subject, pinned)
    return {kind: mask(kind, value) for kind, value in values.items()} if hidden else values


# ---- inside ------------------------------------------------------------------------


def _keys() -> KeyProvider:
    return cast(KeyProvider, settings.HUYING_KEYS)


def _cleaned(fields: Mapping[str, str]) -> dict[str, str]:
    """Strip; write phones in the one way that the index knows; drop what is empty."""
    values = {FieldKind(kind).value: value.strip() for kind, value in fields.items()}
    if FieldKind.PHONE in values:
        values[FieldKind.PHONE] = crypto.normalise_phone(values[FieldKind.PHONE])
    return {str(kind): value for kind, value in values.items() if value}


def _write_parties(parties: Sequence[Party]) -> None:
    Party.objects.bulk_create(
        parties, update_conflicts=True, unique_fields=["case", "part"], update_fields=["subject", "level", "versions"]
    )


def _known_phones(platform: Platform, phones: Iterable[str]) -> set[str]:
    """Those of the normalised phones that lead to a subject."""
    key = _keys().index_key()
    by_hmac = {crypto.blind_index(key, phone, kind=FieldKind.PHONE): phone for phone in phones}
    found = BlindIndex.objects.filter(
        platform=platform, kind=FieldKind.PHONE, key_version=_keys().index_version, hmac__in=list(by_hmac)
    )
    return {by_hmac[bytes(hmac)] for hmac in found.values_list("hmac", flat=True)}


def _indexed(platform: Platform, phone: str) -> QuerySet[Subject]:
    """The subject, one or none, that a normalised phone leads to."""
    return Subject.objects.filter(
        indexes__platform=platform,
        indexes__kind=FieldKind.PHONE,
        indexes__key_version=_keys().index_version,
        indexes__hmac=crypto.blind_index(_keys().index_key(), phone, kind=FieldKind.PHONE),
    )


def _known(platform: Platform, phone: str) -> Subject | None:
    """The subject of this phone, locked, unless it was erased while we waited for the lock."""
    if not phone:
        return None
    subject = _indexed(platform, phone).select_for_update(no_key=True, of=("self",)).first()
    if subject is None or subject.wrapped_key is None:
        return None
    if subject.erase_after is not None:
        subject.erase_after = None
        subject.save(update_fields=["erase_after"])
    return subject


def _new_subject(platform: Platform, values: Mapping[str, str], *, now: datetime) -> Subject:
    """Make a subject with its key, index and fields; if another transaction was first, theirs."""
    subject, fields, index = _rows_of(platform, values, now=now)
    try:
        with transaction.atomic():
            subject.save(force_insert=True)
            if index is not None:
                index.save(force_insert=True)
    except IntegrityError:
        theirs = _known(platform, values.get(FieldKind.PHONE, ""))
        if theirs is None:
            raise
        theirs.kept = _store(theirs, values, now=now)  # type: ignore[misc]
        return theirs
    SubjectField.objects.bulk_create(fields)
    subject.kept = {field.kind: field.version for field in fields}  # type: ignore[misc]
    return subject


def _rows_of(
    platform: Platform, values: Mapping[str, str], *, now: datetime
) -> tuple[Subject, list[SubjectField], BlindIndex | None]:
    """The rows of a person not known before, not yet saved."""
    keys, key = _keys(), crypto.new_data_key()
    subject = Subject(platform=platform, key_id=keys.key_id, alg=crypto.AES_256_GCM)
    subject.wrapped_key = keys.wrap(key, aad=_subject_aad(subject))
    fields = [SubjectField(subject=subject, kind=kind, version=1, created_at=now) for kind in values]
    for field in fields:
        field.ciphertext = crypto.seal(key, values[field.kind].encode(), aad=_field_aad(field))
    phone = values.get(FieldKind.PHONE, "")
    if not phone:
        return subject, fields, None
    hmac = crypto.blind_index(keys.index_key(), phone, kind=FieldKind.PHONE)
    index = BlindIndex(
        platform=platform, kind=FieldKind.PHONE, key_version=keys.index_version, hmac=hmac, subject=subject
    )
    return subject, fields, index


def _store(subject: Subject, values: Mapping[str, str], *, now: datetime) -> dict[str, int]:
    """Add a version for each changed value; give the version that holds each value."""
    key = _data_key(subject)
    latest = {row.kind: row for row in _latest(subject)}
    kept, changed = {}, []
    for kind, value in values.items():
        last = latest.get(kind)
        if last is not None and _open(key, last) == value:
            kept[kind] = last.version
            continue
        kept[kind] = last.version + 1 if last else 1
        field = SubjectField(subject=subject, kind=kind, version=kept[kind], created_at=now)
        field.ciphertext = crypto.seal(key, value.encode(), aad=_field_aad(field))
        changed.append(field)
    if changed:
        SubjectField.objects.bulk_create(changed)
    return kept


def _latest(subject: Subject) -> QuerySet[SubjectField]:
    """The last version of each kind."""
    return SubjectField.objects.filter(subject=subject).order_by("kind", "-version").distinct("kind")


def _open(key: bytes, field: SubjectField) -> str:
    return crypto.open_sealed(key, bytes(field.ciphertext), aad=_field_aad(field)).decode()


def _opened(subject: Subject, versions: Mapping[str, int]) -> dict[str, str]:
    if subject.wrapped_key is None or not versions:
        return {}
    key = _data_key(subject)
    fields = SubjectField.objects.filter(subject=subject, kind__in=list(versions), version__in=set(versions.values()))
    return {field.kind: _open(key, field) for field in fields if field.version == versions[field.kind]}


def _data_key(subject: Subject) -> bytes:
    return _keys().unwrap(bytes(subject.wrapped_key), key_id=subject.key_id, aad=_subject_aad(subject))


def _subject_aad(subject: Subject) -> bytes:
    return b"subject:" + subject.pk.bytes


def _field_aad(field: SubjectField) -> bytes:
    return b"field:" + field.subject_id.bytes + f":{field.kind}:{field.version}".encode()
