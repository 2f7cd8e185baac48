#!/usr/bin/env python3
"""Check an archived case's dossier (归档卷), file by file and entry by entry, with Python's standard library alone.

    python verify_dossier.py DOSSIER.zip [--digest DIGEST]

Says what was changed, added or taken away since the dossier was made: files against the manifest, the manifest against
its own digest, the journal against its chain of hashes. Whoever makes all of these anew leaves no trace in the dossier
itself: `--digest` is the digest noted elsewhere (in the platform's journal, on paper), and finds that too.

Needs `verify_journal.py` beside it. Exit status 0: nothing wrong. 1: problems, one a line. 2: not a dossier.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import verify_journal

FORMAT = "huying-dossier/1"
MANIFEST = "manifest.json"
JOURNAL = "journal.jsonl"
ROWS = "rows.json"
PIECE = 1024 * 1024
LONGEST = 64 * PIECE
"""The most that is read at once: of the manifest, the journal and the rows."""


class NotADossier(Exception):
    """The file is something else, or too damaged to be read at all."""


def digest_of(manifest: Mapping[str, Any]) -> str:
    """The digest of a manifest: SHA-256 of all but `digest` as JSON with sorted keys, no blanks and UTF-8."""
    rest = {name: value for name, value in manifest.items() if name != "digest"}
    text = json.dumps(rest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def read_manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    """The manifest. Raises: NotADossier."""
    try:
        manifest = json.loads(_content(archive, MANIFEST))
        is_one = manifest["format"] == FORMAT and {"files", "journal", "case", "digest"} <= manifest.keys()
    except (KeyError, ValueError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise NotADossier(f"读不出目录 {MANIFEST}：{error}") from None
    if not is_one:
        raise NotADossier(f"不是格式为 {FORMAT} 的归档卷")
    return manifest


def problems(archive: zipfile.ZipFile, digest: str | None = None) -> list[str]:
    """Say what is wrong with a dossier; an empty list is a sound one. Raises: NotADossier."""
    manifest = read_manifest(archive)
    try:
        return [
            *_of_manifest(manifest, digest),
            *_of_files(archive, manifest),
            *_of_journal(archive, manifest),
            *_of_attachments(archive, manifest),
        ]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise NotADossier(f"归档卷的内容读不懂：{error!r}") from None


def _of_manifest(manifest: Mapping[str, Any], digest: str | None) -> Iterator[str]:
    if digest_of(manifest) != manifest["digest"]:
        yield f"{MANIFEST}：目录被改动，与其中的全卷摘要不符"
    if digest is not None and manifest["digest"] != digest.strip().lower():
        yield f"{MANIFEST}：全卷摘要与留存的不符，本卷不是当时导出的那一卷"


def _of_files(archive: zipfile.ZipFile, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Every file is there once, is listed, and is what it was."""
    listed = {one["path"]: one for one in manifest["files"]}
    there = Counter(archive.namelist())
    for path, one in listed.items():
        if path not in there:
            yield f"{path}：缺少这个文件（{one['what']}）"
            continue
        size, sha256 = _measure(archive, path)
        if sha256 is None:
            yield f"{path}：文件损坏，读不出来"
        elif (size, sha256) != (one["size"], one["sha256"]):
            yield f"{path}：内容被改动（{one['what']}，原为 {one['size']} 字节，现为 {size} 字节）"
    for path, times in there.items():
        if times > 1:
            yield f"{path}：同名文件有 {times} 个"
        if path != MANIFEST and path not in listed:
            yield f"{path}：目录中没有这个文件，是后来加入的"


def _of_journal(archive: zipfile.ZipFile, manifest: Mapping[str, Any]) -> Iterator[str]:
    """The chain holds from the first entry to the one that the manifest names, and is this case's."""
    try:
        entries = [json.loads(line) for line in _content(archive, JOURNAL).splitlines() if line.strip()]
        found = verify_journal.problems(entries, manifest["journal"]["head"] or None)
    except (KeyError, ValueError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        yield f"{JOURNAL}：操作日志读不出来（{error!r}）"
        return
    yield from (f"{JOURNAL}：{problem}" for problem in found)
    if len(entries) != manifest["journal"]["entries"]:
        yield f"{JOURNAL}：导出时有 {manifest['journal']['entries']} 条，现有 {len(entries)} 条"
    if any(entry["case"] != manifest["case"]["id"] for entry in entries):
        yield f"{JOURNAL}：有别的诉求件的记录"


def _of_attachments(archive: zipfile.ZipFile, manifest: Mapping[str, Any]) -> Iterator[str]:
    """The attachments are those of the record, as they were when they were taken in."""
    for one in manifest.get("lost", ()):
        yield f"{one['label']}：导出时就缺少（{one['problem']}），应有的摘要为 {one['sha256']}"
    for one in manifest["files"]:
        if one.get("recorded_sha256") not in (None, one["sha256"]):
            yield f"{one['path']}：导出时就与上传时的摘要不符"
    try:
        recorded = {row["label"]: row for row in json.loads(_content(archive, ROWS))["attachments"]}
    except (KeyError, ValueError, TypeError, zipfile.BadZipFile, zlib.error):
        return  # told of already as a file that is missing or was changed
    packed = {one["path"].removeprefix("attachments/"): one for one in manifest["files"] if _is_attachment(one)}
    lost = {one["label"] for one in manifest.get("lost", ())}
    for label, row in recorded.items():
        if label not in packed and label not in lost:
            yield f"{label}：登记过这个附件，卷内没有"
        elif label in packed and packed[label].get("recorded_sha256") != row["served_sha256"]:
            yield f"{label}：目录中的摘要与附件登记的不一致"
    for label in packed.keys() - recorded.keys():
        yield f"{label}：卷内有这个附件，没有登记"


def _is_attachment(one: Mapping[str, Any]) -> bool:
    return str(one["path"]).startswith("attachments/")


def _content(archive: zipfile.ZipFile, path: str) -> str:
    """A file as text. Raises: KeyError when it is not there, ValueError when it is too long or no text."""
    if archive.getinfo(path).file_size > LONGEST:
        raise ValueError(f"{path} 太大")
    return archive.read(path).decode("utf-8")


def _measure(archive: zipfile.ZipFile, path: str) -> tuple[int, str | None]:
    """Size and hash, read piece by piece; no hash for what cannot be unpacked."""
    size, digest = 0, hashlib.sha256()
    try:
        with archive.open(path) as file:
            while piece := file.read(PIECE):
                size += len(piece)
                digest.update(piece)
    # By NotImplementedError zipfile tells a compression that it does not know, by RuntimeError a file with a password.
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError):
        return size, None
    return size, digest.hexdigest()


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; give the exit status."""
    parser = argparse.ArgumentParser(description="Check an archived case's dossier offline.")
    parser.add_argument("file", help="the dossier (ZIP)")
    parser.add_argument("--digest", help="the digest of the whole, as noted elsewhere")
    options = parser.parse_args(arguments)
    try:
        with zipfile.ZipFile(options.file) as archive:
            manifest = read_manifest(archive)
            found = problems(archive, options.digest)
    except (OSError, zipfile.BadZipFile, NotADossier, NotImplementedError, RuntimeError) as error:
        print(f"不是可核验的归档卷：{error}", file=sys.stderr)
        return 2
    number, count = manifest["case"].get("number", ""), len(manifest["files"])
    print(f"{number}  文件 {count} 个，日志 {manifest['journal'].get('entries')} 条，导出于 {manifest.get('made_at')}")
    for gap in manifest.get("gaps", ()):
        print(f"提示：导出时材料不完整：{gap}")
    print("\n".join(found) or "未发现改动")
    print(f"全卷摘要：{manifest['digest']}" + ("" if options.digest else "（请与平台日志或者书面留存的核对）"))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
