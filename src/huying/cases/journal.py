"""The journal: one entry for every action, in the transaction of its effect, chained by hash.

No personal datum goes in, and what is in stays for good. The chain is computed in the
database (`migrations/sql/journal.sql`); `tools/verify_journal.py` checks an export without one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from huying.cases.models.journal import JournalEntry

if TYPE_CHECKING:
    from huying.cases.models import Case
    from huying.people.models import Platform

LONGEST_TEXT = 200

Value = bool | int | str | date | UUID | None


class Doer(Protocol):
    """What the journal needs to know of an actor."""

    @property
    def id(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def unit_path(self) -> str: ...


def record(
    case: Case,
    action: str,
    /,
    *,
    actor: Doer,
    at: datetime,
    rule: str = "",
    article: str = "",
    **data: Value | list[Value] | tuple[Value, ...],
) -> JournalEntry:
    """Append one entry to a case's journal. The caller holds the lock on the case.

    `data` says what the action did, in values nobody can be named by: whole numbers, yes/no,
    codes and ids of at most 200 characters, dates, and lists of these. Free text (reasons,
    contents, names) stays in its own row; the entry carries that row's id.

    Raises: ValueError for any other value. RuntimeError outside of a transaction.
    """
    return _append(case.platform_id, case.pk, action, actor=actor, at=at, rule=rule, article=article, data=data)


def record_many(
    action: str, /, entries: Iterable[tuple[Case, Mapping[str, Any]]], *, actor: Doer, at: datetime
) -> None:
    """Append the same action to many cases' journals at once, each with its `data`; else as `record`.

    For bulk writers, whose cases nobody else can know of yet.
    """
    write(entry(case, action, actor=actor, at=at, **data) for case, data in entries)


def entry(
    case: Case,
    action: str,
    /,
    *,
    actor: Doer,
    at: datetime,
    rule: str = "",
    article: str = "",
    **data: Value | list[Value] | tuple[Value, ...],
) -> JournalEntry:
    """An entry as `record` appends it, not yet written: for `write`."""
    return _entry(case.platform_id, case.pk, action, actor, at, rule, article, data)


def write(entries: Iterable[JournalEntry]) -> None:
    """Append the entries in their order, of whichever cases, by one statement."""
    JournalEntry.objects.bulk_create(entries)


def record_for_platform(
    platform: Platform,
    action: str,
    /,
    *,
    actor: Doer,
    at: datetime,
    rule: str = "",
    article: str = "",
    **data: Value | list[Value] | tuple[Value, ...],
) -> JournalEntry:
    """Append an entry that belongs to no single case (an export, a bulletin); else as `record`.

    These form one chain for each platform, so such a transaction makes the next one wait.
    """
    return _append(platform.pk, None, action, actor=actor, at=at, rule=rule, article=article, data=data)


def history(case: Case) -> QuerySet[JournalEntry]:
    """Give a case's entries in the order in which they happened."""
    return JournalEntry.objects.filter(case=case).order_by("seq")


def verify(case: Case) -> list[str]:
    """Check a case's chain in the database; give what is wrong, nothing if all is well.

    Finds altered, inserted and missing entries. A cut-off end is found only by comparing the
    last hash with one noted elsewhere.
    """
    with connection.cursor() as cursor:
        cursor.execute(_VERIFY, [case.pk])
        return [_problem(*row) for row in cursor.fetchall()]


def export(case: Case) -> Iterator[dict[str, Any]]:
    """Give a case's entries as `tools/verify_journal.py` reads them: one JSON object a line."""
    for entry in history(case).iterator():
        yield {
            "platform": str(entry.platform_id),
            "case": str(entry.case_id),
            "seq": entry.seq,
            "at": entry.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "action": entry.action,
            "actor_id": entry.actor_id,
            "role": entry.role,
            "unit_path": entry.unit_path,
            "rule": entry.rule,
            "article": entry.article,
            "data": entry.data,
            "prev_hash": bytes(entry.prev_hash).hex(),
            "hash": bytes(entry.hash).hex(),
        }


def export_lines(case: Case) -> Iterator[str]:
    """Give the export as lines of JSON."""
    return (json.dumps(entry, ensure_ascii=False) for entry in export(case))


# ---- inside ------------------------------------------------------------------------


def _append(
    platform_id: Any,
    case_id: Any,
    action: str,
    *,
    actor: Doer,
    at: datetime,
    rule: str,
    article: str,
    data: dict[str, Any],
) -> JournalEntry:
    entry = _entry(platform_id, case_id, action, actor, at, rule, article, data)
    entry.save(force_insert=True)
    return entry


def _entry(
    platform_id: Any, case_id: Any, action: str, actor: Doer, at: datetime, rule: str, article: str,
    data: Mapping[str, Any],
) -> JournalEntry:  # fmt: skip
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("日志须与其所记的操作在同一事务中写入。")
    if at.tzinfo is None:
        raise ValueError("日志时间须带时区。")
    return JournalEntry(
        platform_id=platform_id,
        case_id=case_id,
        at=at,
        action=action,
        actor_id=actor.id,
        role=actor.role,
        unit_path=actor.unit_path,
        rule=rule,
        article=article,
        data={key: _plain(key, value) for key, value in data.items()},
    )


def _plain(key: str, value: Any) -> Any:
    """Turn an accepted value into what JSON knows; refuse the rest."""
    match value:
        case bool() | None:
            return value
        case int():
            return int(value)
        case str() if len(value) <= LONGEST_TEXT and "\0" not in value:
            return str(value)
        case UUID():
            return str(value)
        case date():  # a datetime too
            return value.isoformat()
        case list() | tuple():
            return [_plain(key, _no_list(key, item)) for item in value]
    raise ValueError(f"日志数据“{key}”不被接受：只收编号、整数、是否、日期和不超过 {LONGEST_TEXT} 字的代码。")


def _no_list(key: str, item: Any) -> Any:
    if isinstance(item, list | tuple):
        raise ValueError(f"日志数据“{key}”的列表不得再含列表。")
    return item


_VERIFY = """
SELECT seq, due, seq = due, prev_hash = before, hash = digest FROM (
    SELECT entry.seq, entry.prev_hash, entry.hash,
           row_number() OVER by_seq AS due,
           coalesce(lag(entry.hash) OVER by_seq, decode(repeat('00', 32), 'hex')) AS before,
           cases_journal_digest(entry) AS digest
      FROM cases_journalentry entry WHERE entry.case_id = %s
    WINDOW by_seq AS (ORDER BY entry.seq)
) chain
WHERE seq <> due OR prev_hash <> before OR hash <> digest
ORDER BY seq
"""


def _problem(seq: int, due: int, is_in_place: bool, follows: bool, is_intact: bool) -> str:
    faults = []
    if not is_in_place:
        faults.append(f"序号应为 {due}")
    if not follows:
        faults.append("与上一条的哈希不衔接")
    if not is_intact:
        faults.append("内容与哈希不符")
    return f"第 {seq} 条：" + "，".join(faults)
