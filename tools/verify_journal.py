#!/usr/bin/env python3
"""Check an exported journal, hash by hash, with nothing but Python's standard library.

    python verify_journal.py CASE.jsonl [--head HASH]

The file holds one entry a line, in order. `--head` is the last entry's hash as noted earlier by
somebody else (in a report, on paper): it also finds an end that was cut off or a chain that was
made anew. Exit status 0: nothing wrong. 1: problems, one a line. 2: not a journal.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

START = bytes(32)
FIELDS = (
    "platform", "case", "seq", "at", "action", "actor_id", "role", "unit_path", "rule", "article", "data",
)  # fmt: skip


def canonical(value: Any) -> str:
    """Write a JSON value exactly as PostgreSQL writes a jsonb: shorter keys first, then by bytes."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        return "{" + ", ".join(f"{_text(key)}: {canonical(value[key])}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(canonical(item) for item in value) + "]"
    return _text(value)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def digest(entry: Mapping[str, Any], prev_hash: bytes) -> bytes:
    """Compute the hash that an entry must have after `prev_hash`."""
    parts = []
    for name in FIELDS:
        value = entry[name]
        if value is None:
            parts.append(b"-,")
            continue
        text = (canonical(value) if name == "data" else str(value)).encode()
        parts.append(b"%d:%s," % (len(text), text))
    return hashlib.sha256(prev_hash + b"".join(parts)).digest()


def problems(entries: Iterable[Mapping[str, Any]], head: str | None = None) -> list[str]:
    """Say what is wrong with a chain; an empty list is a sound one."""
    found: list[str] = []
    before, owner, count = START, None, 0
    for count, entry in enumerate(entries, start=1):
        seq, place = entry["seq"], (entry["platform"], entry["case"])
        owner = owner or place
        if place != owner:
            found.append(f"第 {seq} 条：属于另一诉求件")
        if seq != count:
            found.append(f"第 {seq} 条：序号应为 {count}")
        if entry["prev_hash"] != before.hex():
            found.append(f"第 {seq} 条：与上一条的哈希不衔接")
        if entry["hash"] != digest(entry, bytes.fromhex(entry["prev_hash"])).hex():
            found.append(f"第 {seq} 条：内容与哈希不符")
        before = bytes.fromhex(entry["hash"])
    if head is not None and before.hex() != head.lower():
        found.append(f"末条哈希与留存的不符：共 {count} 条")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; give the exit status."""
    parser = argparse.ArgumentParser(description="Check an exported journal without a database.")
    parser.add_argument("file", type=argparse.FileType("r", encoding="utf-8"))
    parser.add_argument("--head", help="the last hash, as noted elsewhere")
    options = parser.parse_args(arguments)
    try:
        entries = [json.loads(line) for line in options.file if line.strip()]
        found = problems(entries, options.head)
    except (ValueError, KeyError, TypeError) as error:
        print(f"不是可核验的日志：{error!r}", file=sys.stderr)
        return 2
    print("\n".join(found) or f"{len(entries)} 条，未发现问题")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
