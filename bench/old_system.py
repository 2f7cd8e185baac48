"""Taking over an old system's file: made-up rows through the whole of `huying import`, with names and phones."""

import csv
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from bench.stories import Cast
from bench.words import request
from huying.channels.legacy.map import load_mapping
from huying.channels.legacy.read import open_table
from huying.channels.legacy.run import run

HEADER = ("编号", "类型", "标题", "内容", "提交", "派单", "签收", "答复时间", "办结", "单位", "答复", "姓名", "电话")
MAP = """
platform = "{platform}"
mode = "history"
time_zone = "Asia/Shanghai"
time_formats = ["%Y-%m-%d %H:%M"]

[columns]
external_no = "编号"
kind = "类型"
title = "标题"
content = "内容"
submitted_at = "提交"
dispatched_at = "派单"
claimed_at = "签收"
replied_at = "答复时间"
closed_at = "办结"
unit = "单位"
reply = "答复"
name = "姓名"
phone = "电话"

[defaults]
channel = "hotline_12345"
state = "closed"
place = "城区"

[codes.kind]
"求助" = "help"
"""


def measure(cast: Cast, folder: Path, now: datetime, *, rows: int) -> dict[str, Any]:
    """Import `rows` cases of an old system as history; gives rows a second."""
    table, mapping = folder / "old.csv", folder / "old.toml"
    mapping.write_text(MAP.format(platform=cast.platform.slug), encoding="utf-8")
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(_row(cast, now, number) for number in range(rows))
    report = run(open_table(table), load_mapping(mapping), cast.platform, now=lambda: now)
    return {"rows": report.total, "imported": report.imported, "failed": report.failed,
            "seconds": round(report.seconds, 1), "rows_a_second": round(report.imported / report.seconds)}  # fmt: skip


def _row(cast: Cast, now: datetime, number: int) -> list[str]:
    random = Random(f"old {number}")
    said = request(random, 20_000_000 + number)
    start = now - timedelta(days=random.randrange(60, 400), minutes=random.randrange(600))
    moments = [(start + timedelta(hours=hours)).strftime("%Y-%m-%d %H:%M") for hours in (0, 2, 5, 48, 72)]
    unit, own_number = random.choice(cast.units), f"OLD{now:%Y%m%d%H%M}{number:07d}"
    return [own_number, "求助", said.title, said.content, *moments, unit.path, "已处理并答复。", said.name, said.phone]
