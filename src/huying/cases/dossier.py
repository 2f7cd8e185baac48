"""归档卷: everything of one archived case in a ZIP that a small program checks without us (`tools/verify_dossier.py`).

The requester's identity is not in it unless it is asked for with a purpose; then the vault logs the reading. Every
dossier that leaves is an entry of the platform's journal with the digest of its manifest: who holds that entry can tell
whether a dossier is the one that left.
"""

import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from huying.base.clock import LEGAL_ZONE
from huying.base.crypto import SealBroken
from huying.cases import attachments, journal, vault
from huying.cases.access import identity_view
from huying.cases.models import Case, IdentityAccess, Party
from huying.cases.models.attachment import Attachment
from huying.cases.models.vault import Part
from huying.cases.policies import policy_of
from huying.cases.queries.completeness import Gap, gaps_of
from huying.cases.queries.explain import lines_for
from huying.cases.queries.record import case_record
from huying.people.actors import Actor, system
from huying.people.models import Unit

MANIFEST = "manifest.json"
FORMAT = "huying-dossier/1"
ROLES = ("auditor", "supervisor", "inspector")
"""Who takes a dossier out at the desk: those who may know of clues, for a dossier holds everything."""

KEPT = (
    "accountability", "applications", "assignments", "callbacks", "clues", "concentrations", "consents",
    "contacts", "evaluations", "interviews", "item_scores", "letters", "limits", "links_in", "links_out",
    "materials", "meetings", "notices", "nudges", "publications", "replies", "reports", "score_adjustments",
    "sessions", "subjects", "supervisions", "supplements", "survey_batches", "tasks", "upstream_messages",
    "verifications",
)  # fmt: skip
"""The relations of a case whose rows go into the dossier as they are."""
LEFT_OUT = ("attachments", "identity_accesses", "journal", "marks", "parties", "submission_set")
"""Those with a file of their own, those of the vault, what only serves the machine. No relation is in neither list."""
CASE_FIELDS_LEFT_OUT = ("query_code_hash",)
UNITS = ("holder_id", "decider_id", "issued_by_id", "delegate_id")
"""Columns that name a unit, besides those that say so."""


class CannotExport(Exception):
    """No dossier can be made: no such case, not archived, or identity asked for by who may not have it."""


@dataclass(frozen=True)
class Dossier:
    """What was written: how many files, and the digest of the manifest, to be noted elsewhere."""

    files: int
    digest: str
    gaps: tuple[Gap, ...] = ()


# ---- writing ------------------------------------------------------------------------


def write_dossier(
    case: Case, out: IO[bytes], *, actor: Actor, now: datetime, identity: str = "", approver: str = ""
) -> Dossier:
    """Write the dossier of an archived case to `out`, and journal that it left.

    `identity` is the purpose (of `vault.PURPOSES`) for which who asked goes in, in clear, and images as they were sent;
    empty leaves them out. The actor must be one who may read the requester in clear, or act on behalf of an `approver`.

    Raises: CannotExport.
    """
    if not case.archived:
        raise CannotExport("这件诉求还没有归档，归档以后才能导出归档卷。")
    if identity:
        _judge_identity(case, actor, identity, approver)
    with transaction.atomic(), zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        pack = _Pack(archive, now)
        gaps = gaps_of(case)
        head = _add_journal(pack, case)
        _add_records(pack, case, actor, now)
        lost = _add_attachments(pack, case, originals=bool(identity))
        if identity:
            _add_identity(pack, case, actor=actor, now=now, purpose=identity, approver=approver)
        pack.add("卷内目录.txt", "卷内目录", _index(case, pack, gaps, now).encode())
        manifest = _manifest(case, pack, gaps, lost, head, actor=actor, now=now, identity=identity)
        digest = seal(manifest)
        pack.add(MANIFEST, "", _json(manifest))
        journal.record_for_platform(
            case.platform, "dossier.exported", actor=actor, at=now, case=case.pk, digest=digest,
            identity=bool(identity), entries=head["entries"],
        )  # fmt: skip
    return Dossier(len(pack.files), digest, tuple(gaps))


def seal(manifest: dict[str, Any]) -> str:
    """Put the digest of everything else in a manifest into it, and give it.

    It is the SHA-256 of the manifest without `digest` as JSON with sorted keys, no blanks and UTF-8.
    """
    rest = {name: value for name, value in manifest.items() if name != "digest"}
    text = json.dumps(rest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    manifest["digest"] = hashlib.sha256(text.encode()).hexdigest()
    return str(manifest["digest"])


def export_dossier(
    number: str, path: Path, *, now: datetime, identity: str = "", approver: str = "", overwrite: bool = False
) -> Dossier:
    """Write the dossier of the case with that number to the file `path`, readable by its owner alone. For the shell.

    The platform itself is the actor; identity needs the name of whoever approved it.

    Raises: CannotExport.
    """
    case = Case.objects.select_related("platform").filter(Q(number=number) | Q(external_no=number)).first()
    if case is None:
        raise CannotExport(f"没有编号为“{number}”的诉求，请核对编号。")
    if path.exists() and not overwrite:
        raise CannotExport(f"文件“{path}”已经存在，请换一个名称。")
    if not path.parent.is_dir():
        raise CannotExport(f"没有文件夹“{path.parent}”。")
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".dossier-")  # 0600
    try:
        with os.fdopen(handle, "w+b") as file:
            made = write_dossier(case, file, actor=system(case.platform), now=now, identity=identity, approver=approver)
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise
    return made


# ---- inside -------------------------------------------------------------------------


@dataclass
class _Pack:
    """The archive in the making, with a line for each file."""

    archive: zipfile.ZipFile
    now: datetime
    files: list[dict[str, Any]] = field(default_factory=list)

    def add(self, path: str, what: str, content: bytes, **more: Any) -> None:
        """Add a file. One without `what` is not listed: only the manifest, which does the listing."""
        info = zipfile.ZipInfo(path, self.now.astimezone(LEGAL_ZONE).timetuple()[:6])
        info.external_attr = 0o600 << 16
        info.compress_type = zipfile.ZIP_DEFLATED
        self.archive.writestr(info, content)
        if what:
            sha256 = hashlib.sha256(content).hexdigest()
            self.files.append({"path": path, "what": what, "size": len(content), "sha256": sha256, **more})


def _judge_identity(case: Case, actor: Actor, purpose: str, approver: str) -> None:
    if purpose not in vault.PURPOSES or purpose in ("masked_display", "notice", "self", "survey"):
        raise CannotExport(f"用途“{purpose}”不在用途清单内。")
    if actor.role == "system":
        if not approver:
            raise CannotExport("导出诉求人身份须写明批准人。")
        return
    party = Party.objects.filter(case=case, part="requester").first()
    if identity_view(actor, case, party) != "clear":
        raise CannotExport("您的身份不能查看诉求人的身份信息，归档卷中不能附带。")


def _add_journal(pack: _Pack, case: Case) -> dict[str, Any]:
    """Every entry with its hashes, as `tools/verify_journal.py` reads them; gives count and last hash."""
    lines = list(journal.export_lines(case))
    pack.add("journal.jsonl", "操作日志（逐条哈希相连）", ("\n".join(lines) + "\n").encode())
    last = json.loads(lines[-1]) if lines else {}
    return {"entries": len(lines), "head": last.get("hash", "")}


def _add_records(pack: _Pack, case: Case, actor: Actor, now: datetime) -> None:
    pack.add("record.json", "诉求件全貌", _json(_record(case, actor, now)))
    pack.add("rows.json", "各环节原始记录", _json(_rows(case)))
    pack.add("documents.json", "公文与会议", _json(_documents(case)))
    pack.add("limits.txt", "期限计算说明", ("\n".join(lines_for(case.number)) + "\n").encode())
    readings = IdentityAccess.objects.filter(case=case).order_by("at", "pk")
    kept = ("at", "actor_id", "role", "unit_path", "part", "kinds", "purpose", "approver", "masked")
    pack.add("readings.json", "身份信息读取记录", _json(list(readings.values(*kept))))


def _record(case: Case, actor: Actor, now: datetime) -> dict[str, Any]:
    """The record with an auditor's eyes, whoever asks for it: everything of the conduct and no personal data."""
    root = Unit.objects.get(platform=case.platform, parent__isnull=True)
    eyes = Actor(id=actor.id, role="auditor", platform=case.platform, unit=root)
    record = case_record(case, eyes, now=now)
    record["requester"] = None
    return record


def _rows(case: Case) -> dict[str, Any]:
    """The case's own row and the rows that hang on it, column by column."""
    own = Case.objects.filter(pk=case.pk).values().get()
    rows: dict[str, Any] = {"case": [{name: own[name] for name in own if name not in CASE_FIELDS_LEFT_OUT}]}
    present = {relation.get_accessor_name() for relation in Case._meta.related_objects}
    for name in KEPT:
        if name in present:
            rows[name] = list(getattr(case, name).order_by("pk").values())
    rows["attachments"] = list(
        case.attachments.order_by("uploaded_at", "label").values(
            "id", "label", "content_type", "size", "sha256", "served_sha256", "uploaded_at", "uploaded_by", "action",
            "purpose",
        )
    )  # fmt: skip
    units = {
        value
        for table in rows.values()
        for row in table
        for column, value in row.items()
        if isinstance(value, int)
        and (column.endswith("unit_id") or column in ("holder_id", "decider_id", "issued_by_id"))
    }
    named = Unit.objects.filter(pk__in=units).order_by("left").values("id", "path", "name", "kind")
    return {**rows, "units": list(named)}


def _documents(case: Case) -> list[dict[str, Any]]:
    """What was issued in the case, with number and text, oldest first."""
    found = [
        {"kind": "书面交办", "no": row.document_no, "at": row.assigned_at, "unit": row.unit.name, "text": row.note}
        for row in case.assignments.exclude(document_no="").select_related("unit")
    ]
    found += [
        {"kind": f"督办（{row.method}）", "no": row.document_no, "at": row.opened_at or row.at,
         "unit": row.unit.name if row.unit else "", "text": row.request, "answer": row.response,
         "conclusion": row.conclusion, "article": row.article}
        for row in case.supervisions.exclude(state="proposed").select_related("unit")
    ]  # fmt: skip
    found += [
        {"kind": row.kind, "no": "", "at": row.at, "unit": "、".join(map(str, row.attendees)), "text": row.minutes}
        for row in case.meetings.all()
    ]
    found += [
        {"kind": f"报告（{row.kind}）", "no": "", "at": row.at, "unit": row.to_unit.name if row.to_unit else "",
         "text": row.content, "answer": row.instruction}
        for row in case.reports.select_related("to_unit")
    ]  # fmt: skip
    found += [
        {"kind": "正式函告", "no": row.document_no, "at": row.at, "unit": row.unit.name, "text": row.content}
        for row in case.letters.select_related("unit")
    ]
    return sorted(found, key=lambda one: one["at"])


def _add_attachments(pack: _Pack, case: Case, *, originals: bool) -> list[dict[str, str]]:
    """Each file as it is handed out; with `originals` images also as they were sent. Gives what could not be had.

    An image as it was sent may tell where and with which device it was taken: it goes with the identity or not at all.
    """
    lost = []
    for row in case.attachments.order_by("uploaded_at", "label"):
        try:
            content = _served(row)
        except FileNotFoundError:
            lost.append({"label": row.label, "sha256": row.served_sha256, "problem": "文件不在存储中"})
            continue
        pack.add(
            f"attachments/{row.label}", "附件", content, recorded_sha256=row.served_sha256, original_sha256=row.sha256
        )
        if originals and row.sealed_original:
            try:
                pack.add(
                    f"originals/{row.label}", "附件原件", attachments.open_original(row), recorded_sha256=row.sha256
                )
            except (FileNotFoundError, SealBroken):
                lost.append({"label": row.label, "sha256": row.sha256, "problem": "原件不在存储中或者已经损坏"})
    return lost


def _served(attachment: Attachment) -> bytes:
    """The bytes that are handed out. Raises: FileNotFoundError."""
    return attachments.open_for(system(attachment.case.platform), attachment).path.read_bytes()


def _add_identity(pack: _Pack, case: Case, *, actor: Actor, now: datetime, purpose: str, approver: str) -> None:
    kinds = ("name", "phone", "email", "address", "id_number", "organisation", "other")
    parties = {
        part: vault.read(case, kinds, actor=actor, purpose=purpose, now=now, part=part, approver=approver)
        for part in Part.values
    }
    known = {part: values for part, values in parties.items() if values}
    pack.add("identity.json", "诉求人身份（涉密，专人保管）", _json({"purpose": purpose, "parties": known}))


def _manifest(
    case: Case, pack: _Pack, gaps: Iterable[Gap], lost: list[dict[str, str]], head: Mapping[str, Any], *,
    actor: Actor, now: datetime, identity: str,
) -> dict[str, Any]:  # fmt: skip
    return {
        "format": FORMAT,
        "case": {"number": case.number, "id": str(case.pk), "state": case.state, "external_no": case.external_no},
        "platform": {"id": str(case.platform_id), "name": case.platform.name},
        "regulation": {"id": case.regulation, "title": policy_of(case.platform).info.title},
        "made_at": _plain(now),
        "made_by": {"actor": actor.id, "role": actor.role, "unit": actor.unit_path},
        "identity": identity,
        "journal": dict(head),
        "gaps": [gap.text for gap in gaps],
        "lost": lost,
        "files": pack.files,
    }


def _index(case: Case, pack: _Pack, gaps: Iterable[Gap], now: datetime) -> str:
    """The list of contents as an archivist reads it."""
    missing = [gap.text for gap in gaps]
    lines = [
        f"诉求归档卷　{case.number}", case.platform.name, f"标题：{case.title}",
        f"导出时间：{now.astimezone(LEGAL_ZONE):%Y-%m-%d %H:%M}", f"完整性：{'；'.join(missing) or '材料齐全'}", "",
        *(f"{place:>3}. {one['path']}　{one['what']}　{one['size']} 字节" for place, one in enumerate(pack.files, 1)),
        "",
        "核验：用随平台源代码提供的 tools/verify_dossier.py（只需 Python，不用联网）检查本卷有没有改动。",
        "manifest.json 列有每个文件的 SHA-256 摘要和全卷摘要；全卷摘要同时记入平台日志（dossier.exported），可以核对。",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, default=_plain) + "\n").encode()


def _plain(value: Any) -> Any:
    """What JSON does not know: instants in UTC, days, ids, decimals, and bytes as hex."""
    match value:
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        case date():
            return value.isoformat()
        case UUID() | Decimal():
            return str(value)
        case bytes() | memoryview():
            return bytes(value).hex()
    raise TypeError(f"not for a dossier: {type(value).__name__}")


def dossier_bytes(case: Case, **how: Any) -> tuple[Dossier, IO[bytes]]:
    """As `write_dossier`, into a temporary file that stands at its beginning and goes when it is closed."""
    file = tempfile.SpooledTemporaryFile(max_size=8 * 1024 * 1024)  # noqa: SIM115  # closed by whoever sends it
    try:
        made = write_dossier(case, file, **how)
    except BaseException:
        file.close()
        raise
    file.seek(0, io.SEEK_SET)
    return made, file
