"""The dossier of an archived case: complete, without names, and every change to it is found offline."""

from __future__ import annotations

import ast
import importlib.util
import io
import json
import sys
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from huying.base.clock import LEGAL_ZONE
from huying.cases import dossier
from huying.cases.attachments import placeholder
from huying.cases.models import Attachment, Case, IdentityAccess, JournalEntry, Reply
from huying.cases.queries.completeness import gaps_of

pytestmark = pytest.mark.django_db

VERIFIER = Path(__file__).parents[2] / "tools" / "verify_dossier.py"
AT = datetime(2026, 3, 20, 10, tzinfo=LEGAL_ZONE)
Parts = dict[str, bytes]


def _load_verifier() -> Any:
    spec = importlib.util.spec_from_file_location("verify_dossier", VERIFIER)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


offline = _load_verifier()


class OneOfEach:
    """Whatever file is asked for, a small one of its type."""

    def open(self, name: str) -> Any:
        return io.BytesIO(placeholder(name))


@pytest.fixture
def archived(actor: Any, settings: Any, tmp_path: Path) -> Any:
    """A case with two files that the citizen took back, and that was archived then."""
    from huying.cases.commands import Done, perform

    settings.HUYING_FILES = tmp_path / "files"
    given = {
        "channel": "hotline_12345", "kind": "complaint", "title": "路灯不亮", "content": "路口的路灯三天不亮。",
        "place": "金湖街道", "requester": {"name": "欧阳小满", "phone": "13912345678"},
        "attachments": ["照片.jpg", "说明.pdf"],
    }  # fmt: skip
    done = perform("case.submit", actor=actor("operator@center"), now=AT.replace(day=2), data=given, files=OneOfEach())
    assert isinstance(done, Done), done
    Case.objects.filter(pk=done.case.pk).update(state="withdrawn")
    done = perform("case.archive", actor=actor("dispatcher@center"), now=AT.replace(day=3), case=done.case)
    assert isinstance(done, Done), done
    return done.case


@pytest.fixture
def made(archived: Any, actor: Any) -> tuple[dossier.Dossier, Parts]:
    return make(archived, actor("auditor@center"))


def make(case: Any, who: Any, **how: Any) -> tuple[dossier.Dossier, Parts]:
    file = io.BytesIO()
    found = dossier.write_dossier(case, file, actor=who, now=AT, **how)
    with zipfile.ZipFile(file) as archive:
        return found, {name: archive.read(name) for name in archive.namelist()}


def packed(parts: Parts | list[tuple[str, bytes]]) -> zipfile.ZipFile:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items() if isinstance(parts, dict) else parts:
            archive.writestr(name, content)
    return zipfile.ZipFile(file)


def problems(parts: Parts, digest: str | None = None) -> list[str]:
    return list(offline.problems(packed(parts), digest))


# --- What is in it ---------------------------------------------------------------------------------


def test_a_dossier_as_it_was_made_is_sound(made: Any) -> None:
    found, parts = made
    assert problems(parts, found.digest) == []
    assert found.gaps == ()


def test_it_holds_record_journal_and_every_file_and_nobodys_name(made: Any, archived: Any) -> None:
    _found, parts = made
    assert {"attachments/附件1.jpg", "attachments/附件2.pdf", "record.json", "rows.json", "卷内目录.txt"} <= set(parts)
    entries = [json.loads(line) for line in parts["journal.jsonl"].splitlines()]
    assert [one["action"] for one in entries] == ["case.submit", "case.archive"]
    assert json.loads(parts["record.json"])["number"] == archived.number
    whole = b"".join(parts.values())
    for private in ("欧阳小满", "13912345678", archived.query_code_hash):
        assert private and private.encode() not in whole
    assert not IdentityAccess.objects.filter(case=archived, at=AT).exists()


def test_that_it_left_is_in_the_platforms_journal_with_its_digest(made: Any, archived: Any) -> None:
    found, _parts = made
    entry = JournalEntry.objects.get(case=None, action="dossier.exported")
    assert entry.data == {"case": archived.pk, "digest": found.digest, "identity": False, "entries": 2}
    assert entry.role == "auditor"


def test_every_relation_of_a_case_is_kept_or_left_out_on_purpose() -> None:
    there = {relation.get_accessor_name() for relation in Case._meta.related_objects}
    known = set(dossier.KEPT) | set(dossier.LEFT_OUT)
    assert there - known == set()
    assert not set(dossier.KEPT) & set(dossier.LEFT_OUT)


def test_only_an_archived_case_has_one(archived: Any, actor: Any) -> None:
    Case.objects.filter(pk=archived.pk).update(archived=False)
    archived.refresh_from_db()
    with pytest.raises(dossier.CannotExport, match="没有归档"):
        make(archived, actor("auditor@center"))


# --- Identity --------------------------------------------------------------------------------------


def test_identity_goes_in_only_when_asked_for_and_is_logged(archived: Any, actor: Any) -> None:
    found, parts = make(archived, actor("dispatcher@center"), identity="supervision")
    told = json.loads(parts["identity.json"])
    assert told["parties"]["requester"] == {"name": "欧阳小满", "phone": "13912345678"}
    assert "originals/附件1.jpg" in parts
    assert problems(parts, found.digest) == []
    reading = IdentityAccess.objects.filter(case=archived, at=AT).get()
    assert (reading.actor_id, reading.purpose, reading.masked) == ("dispatcher@center", "supervision", False)


@pytest.mark.parametrize(
    ("who", "how"),
    [
        ("auditor@center", {"identity": "check"}),  # reads conduct and no persons
        ("dispatcher@center", {"identity": "curiosity"}),
        ("dispatcher@center", {"identity": "masked_display"}),
    ],
)
def test_identity_is_not_given_to_who_may_not_have_it(archived: Any, actor: Any, who: str, how: Any) -> None:
    with pytest.raises(dossier.CannotExport):
        make(archived, actor(who), **how)
    assert not IdentityAccess.objects.filter(case=archived, at=AT).exists()


def test_the_shell_needs_somebody_who_approved(archived: Any, tmp_path: Path) -> None:
    path = tmp_path / "out.zip"
    with pytest.raises(dossier.CannotExport, match="批准人"):
        dossier.export_dossier(archived.number, path, now=AT, identity="check")
    assert not path.exists() and list(tmp_path.glob(".dossier-*")) == []
    dossier.export_dossier(archived.number, path, now=AT, identity="check", approver="王主任")
    assert path.stat().st_mode & 0o777 == 0o600
    assert IdentityAccess.objects.get(case=archived, at=AT).approver == "王主任"
    with pytest.raises(dossier.CannotExport, match="已经存在"):
        dossier.export_dossier(archived.number, path, now=AT)
    with pytest.raises(dossier.CannotExport, match="没有编号"):
        dossier.export_dossier("20260302999999999", tmp_path / "no.zip", now=AT)


# --- What the verifier finds -----------------------------------------------------------------------


def test_a_change_of_any_file_is_found_and_named(made: Any) -> None:
    _found, parts = made
    for name in parts.keys() - {"manifest.json"}:
        changed = parts | {name: parts[name].replace(b"2", b"3", 1) if b"2" in parts[name] else parts[name] + b" "}
        assert [one for one in problems(changed) if one.startswith(f"{name}：内容被改动")], name


def test_what_was_added_taken_away_or_doubled_is_found(made: Any) -> None:
    _found, parts = made
    without = {name: content for name, content in parts.items() if name != "attachments/附件2.pdf"}
    assert problems(without) == ["attachments/附件2.pdf：缺少这个文件（附件）"]
    assert problems(parts | {"attachments/附件3.pdf": b"x"}) == [
        "attachments/附件3.pdf：目录中没有这个文件，是后来加入的"
    ]
    with pytest.warns(UserWarning, match="Duplicate"):
        doubled = packed([*parts.items(), ("record.json", b"{}")])
    assert "record.json：同名文件有 2 个" in offline.problems(doubled)


def _with_manifest(parts: Parts, change: Callable[[dict[str, Any]], None], *, sealed: bool) -> Parts:
    manifest = json.loads(parts["manifest.json"])
    change(manifest)
    if sealed:
        manifest["digest"] = offline.digest_of(manifest)
    return parts | {"manifest.json": json.dumps(manifest).encode()}


def test_a_changed_manifest_is_found(made: Any) -> None:
    _found, parts = made
    changed = _with_manifest(parts, lambda one: one["case"].update(state="closed"), sealed=False)
    assert problems(changed) == ["manifest.json：目录被改动，与其中的全卷摘要不符"]


def _rewrite(parts: Parts, name: str, content: bytes) -> Parts:
    """A file changed by somebody who also mends the manifest."""
    import hashlib

    def mend(manifest: dict[str, Any]) -> None:
        line = next(one for one in manifest["files"] if one["path"] == name)
        line.update(size=len(content), sha256=hashlib.sha256(content).hexdigest())

    return _with_manifest(parts | {name: content}, mend, sealed=True)


def test_a_mended_manifest_does_not_hide_a_change_of_the_journal(made: Any) -> None:
    _found, parts = made
    lines = parts["journal.jsonl"].decode().splitlines()
    altered = parts["journal.jsonl"].replace(b"dispatcher", b"supervisor")
    assert problems(_rewrite(parts, "journal.jsonl", altered)) == ["journal.jsonl：第 2 条：内容与哈希不符"]
    cut = (lines[0] + "\n").encode()
    assert "journal.jsonl：导出时有 2 条，现有 1 条" in problems(_rewrite(parts, "journal.jsonl", cut))


def test_a_mended_manifest_does_not_hide_an_exchanged_attachment(made: Any) -> None:
    _found, parts = made
    exchanged = _rewrite(parts, "attachments/附件2.pdf", b"%PDF-1.4 other")
    assert problems(exchanged) == ["attachments/附件2.pdf：导出时就与上传时的摘要不符"]


def test_a_dossier_made_anew_is_found_by_the_digest_noted_elsewhere(made: Any) -> None:
    found, parts = made
    forged = _rewrite(parts, "record.json", parts["record.json"].replace("三天".encode(), "半天".encode()))
    assert problems(forged) == []
    assert problems(forged, found.digest) == ["manifest.json：全卷摘要与留存的不符，本卷不是当时导出的那一卷"]


def test_the_command_line_says_so(made: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found, parts = made
    path = tmp_path / "case.zip"
    path.write_bytes(packed(parts).fp.getvalue())  # type: ignore[union-attr]
    assert offline.main([str(path), "--digest", found.digest]) == 0
    assert "未发现改动" in capsys.readouterr().out
    path.write_bytes(packed(parts | {"record.json": b"{}"}).fp.getvalue())  # type: ignore[union-attr]
    assert offline.main([str(path)]) == 1
    assert "record.json：内容被改动" in capsys.readouterr().out
    path.write_bytes(path.read_bytes()[:-30])
    assert offline.main([str(path)]) == 2
    path.write_bytes(packed({"a": b"b"}).fp.getvalue())  # type: ignore[union-attr]
    assert offline.main([str(path)]) == 2


def test_a_byte_that_fell_over_is_found(made: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the packed bytes themselves, where the archive's own checksum notices first."""
    _found, parts = made
    path = tmp_path / "case.zip"
    whole = bytearray(packed(parts).fp.getvalue())  # type: ignore[union-attr]
    whole[whole.index(parts["attachments/附件2.pdf"]) + 5] ^= 1
    path.write_bytes(whole)
    assert offline.main([str(path)]) == 1
    assert "attachments/附件2.pdf：文件损坏，读不出来" in capsys.readouterr().out


def test_the_verifier_needs_only_the_standard_library() -> None:
    for node in ast.walk(ast.parse(VERIFIER.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert name.partition(".")[0] in sys.stdlib_module_names | {"verify_journal"}


# --- Is everything there? --------------------------------------------------------------------------


def test_a_file_lost_or_altered_in_the_store_is_told_by_both(archived: Any, actor: Any, settings: Any) -> None:
    first, second = Attachment.objects.filter(case=archived).order_by("label")
    (Path(settings.HUYING_FILES) / first.key[:2] / first.key).unlink()
    (Path(settings.HUYING_FILES) / second.key[:2] / second.key).write_bytes(b"%PDF-1.4 other")
    assert [gap.text for gap in gaps_of(archived)] == ["附件1.jpg已经不在存储中", "附件2.pdf与上传时的摘要不符"]
    found, parts = make(archived, actor("auditor@center"))
    told = "\n".join(problems(parts, found.digest))
    assert "附件1.jpg：导出时就缺少" in told and "附件2.pdf：导出时就与上传时的摘要不符" in told


def test_what_a_closed_case_lacks(archived: Any, actor: Any) -> None:
    unit = actor("handler@市住建局").unit
    Case.objects.filter(pk=archived.pk).update(state="closed")
    archived.refresh_from_db()
    archived.assignments.create(
        unit=unit, unit_left=unit.left, unit_right=unit.right, role="lead", state="done", round=1, assigned_at=AT
    )
    assert [gap.code for gap in gaps_of(archived)] == ["reply", "callback"]
    Reply.objects.create(
        case=archived, unit=unit, round=1, content="已修好。", outcome="solved", state="passed", at=AT, by="x"
    )
    archived.callbacks.create(round=1, method="phone", result="reached", at=AT, by="x")
    assert gaps_of(archived) == []
    archived.supervisions.create(unit=unit, method="phone", ground="overdue", state="open", at=AT, by="x")
    assert [gap.code for gap in gaps_of(archived)] == ["supervision"]
