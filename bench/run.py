"""`huying bench`: fill, measure, fill further, measure again; tables, JSON in `var/bench/`, figures in the docs."""

import json
import os
import platform as machine
import re
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import city

MOULDS_FROM = 1_000_000
"""The number of the first copied person; those of the moulds lie below."""
IMPORTED = 2_000
"""Rows of the old system's file."""


def run(
    *, root: Path, sizes: Sequence[int], n: int, limits: int, write_docs: bool, console: Console, now: datetime
) -> dict[str, Any]:
    """Everything that issue and architecture promise about speed, measured; gives the results."""
    var = root / "var"
    (var / "bench").mkdir(parents=True, exist_ok=True)
    city.prepare(root, var)
    import django

    django.setup()
    results: dict[str, Any] = {"machine": describe_machine(), "at": now.isoformat(timespec="minutes"), "n": n,
                               "sizes": {}}  # fmt: skip
    city.migrate()
    results["database"] = _version()
    from django.conf import settings

    from bench import old_system
    from bench.stories import REGULATION, cast_moulds, open_city
    from bench.words import request

    started, random = time.monotonic(), Random(3)
    cast = open_city(settings.HUYING_REGULATIONS, now)
    days = min(24, max(4, max(sizes) // 2000))
    moulds = cast_moulds(cast, now, lambda number: request(random, number), days=days)
    console.print(f"模具 {sum(map(len, moulds.values()))} 件（规定 {REGULATION}），{time.monotonic() - started:.0f} 秒")
    there = 0
    for size in sorted(sizes):
        started = time.monotonic()
        city.fill(cast.platform.pk, moulds, MOULDS_FROM + there, size - there)
        seconds = time.monotonic() - started
        console.print(f"已有 {size:,} 件，本次写入 {size - there:,} 件用时 {seconds:.0f} 秒")
        results["sizes"][str(size)] = _measure(cast, now, n, var, console) | {
            "fill_seconds": round(seconds), "filled": size - there
        }  # fmt: skip
        there = size
    results["import"] = old_system.measure(cast, var / "bench", now, rows=IMPORTED)
    results["plans"] = _plans(cast, now, var)
    if limits:
        results["sweep"] = _sweep(cast, moulds, now, limits, there)
    show(results, console)
    file = var / "bench" / f"{now:%Y%m%d-%H%M}.json"
    file.write_text(json.dumps(results, ensure_ascii=False, indent=1), encoding="utf-8")
    console.print(f"结果已写入 {file}")
    if write_docs:
        document(results, root / "docs" / "performance.md")
    return results


def _measure(cast: Any, now: datetime, n: int, var: Path, console: Console) -> dict[str, Any]:
    from bench import measure, web

    statements = measure.statements(cast, now)
    samples = {name: one.as_json() for name, one in measure.commands(cast, now, n=n).items()}
    console.print("命令已测")
    city.vacuum()
    with web.server(var / "bench" / "web.log") as port:
        web.pages(port, cast, n=3)  # fills the caches of both workers
        samples |= {name: one.as_json() for name, one in web.pages(port, cast, n=n).samples().items()}
        samples |= {name: one.as_json() for name, one in web.submissions(port, cast, n=n).samples().items()}
    console.print("网页已测")
    return {"samples": samples, "statements": statements}


def _plans(cast: Any, now: datetime, var: Path) -> list[dict[str, Any]]:
    """The plans that read a whole table of some size; all plans go to a file."""
    from bench.plans import of_pages

    found = of_pages(cast, now)
    with (var / "bench" / "plans.txt").open("w", encoding="utf-8") as file:
        for one in found:
            file.write(f"=== {one.page}: {one.milliseconds} ms\n{one.statement}\n{one.plan}\n\n")
    sizes = _table_sizes()
    return [
        {"page": one.page, "ms": one.milliseconds, "tables": tables, "plan": one.plan}
        for one in found
        if (tables := [table for table in one.whole_tables if sizes.get(table, 0) > 5_000])
    ]


def _table_sizes() -> dict[str, int]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, reltuples::bigint FROM pg_class WHERE relkind = 'r'")
        return dict(cursor.fetchall())


def _sweep(cast: Any, moulds: dict[str, list[int]], now: datetime, limits: int, there: int) -> dict[str, Any]:
    """`limits` further cases in hand whose handling limit ends on one day; then that day comes."""
    from bench.measure import sweep
    from huying.cases.models import TimeLimit

    mould = moulds["in_hand"][-1]
    handle = TimeLimit.objects.get(case=mould, name="handle")
    city.fill(cast.platform.pk, {key: [mould] for key in moulds}, MOULDS_FROM + there, limits)
    return sweep(cast, handle.due_at)


def _version() -> str:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return f"PostgreSQL {cursor.fetchone()[0]}"


def describe_machine() -> str:
    """Processor, cores and memory, as far as the system tells."""
    try:
        processor = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
        memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    except OSError:
        processor = memory = None
    name = processor[1].strip() if processor else machine.processor()
    size = f"，内存 {int(memory[1]) / 1024**2:.0f} GB" if memory else ""
    return f"{name}，{os.cpu_count()} 核{size}，{machine.system()}，Python {machine.python_version()}"


# ---- report ------------------------------------------------------------------------

LABELS = {"case.submit": "提交", "case.dispatch": "派单", "case.claim": "签收", "case.reply": "答复"}


def command_rows(results: dict[str, Any]) -> list[list[str]]:
    """For each size and step: the command, its bare SQL, the ratio, the statements."""
    rows = []
    for size, one in results["sizes"].items():
        samples = one["samples"]
        for action, label in LABELS.items():
            command, bare = samples[action], samples[f"{action} sql"]
            rows.append([f"{int(size):,}", label, *_figures(command), *_figures(bare), _ratio(command, bare),
                         "{writes}/{all}".format(**one["statements"][action])])  # fmt: skip
            if action == "case.submit":
                without = {**command, "median": command["median"] - samples["argon2"]["median"]}
                rows.append([f"{int(size):,}", "提交，不计查询码的 Argon2", f"{without['median']:.1f}", "", "", "", "",
                             "", _ratio(without, bare), ""])  # fmt: skip
    return rows


def page_rows(results: dict[str, Any]) -> list[list[str]]:
    """For each page: median and p95 at each size, and how it grows from the smallest to the largest."""
    sizes = list(results["sizes"].values())
    names = [name for name in sizes[-1]["samples"] if f"server: {name}" in sizes[-1]["samples"]]
    rows = []
    for name in names:
        figures = [one["samples"][name] for one in sizes]
        on_server = [one["samples"].get(f"server: {name}") for one in sizes]
        rows.append([name, *(text for one, inside in zip(figures, on_server, strict=True) for text in (
            f"{inside['median']:.1f}" if inside else "", f"{one['median']:.1f}", f"{one['p95']:.1f}"
        )), _ratio(on_server[-1] or figures[-1], on_server[0] or figures[0])])  # fmt: skip
    return rows


def _figures(one: dict[str, Any]) -> list[str]:
    return [f"{one['median']:.1f}", f"{one['p95']:.1f}", str(one["n"])]


def _ratio(one: dict[str, Any], other: dict[str, Any]) -> str:
    return f"{one['median'] / other['median']:.1f}" if other["median"] else ""


COMMAND_HEAD = ["件数", "命令", "中位 ms", "p95", "n", "裸 SQL 中位", "p95", "n", "倍数", "写/全部语句"]


def page_head(results: dict[str, Any]) -> list[str]:
    columns = [f"{int(size):,} 件 {what}" for size in results["sizes"] for what in ("服务端中位 ms", "往返中位", "p95")]
    return ["页面", *columns, "倍数"]


def show(results: dict[str, Any], console: Console) -> None:
    """The tables in the terminal."""
    for title, head, rows in (
        ("命令与裸 SQL", COMMAND_HEAD, command_rows(results)),
        ("网页（HTTP，本机）", page_head(results), page_rows(results)),
    ):
        table = Table(title=title)
        for name in head:
            table.add_column(name)
        for row in rows:
            table.add_row(*row)
        console.print(table)
    if "sweep" in results:
        console.print("期限同时到期：", results["sweep"])
    if "import" in results:
        console.print("导入：", results["import"])
    for plan in results["plans"]:
        console.print(f"整表读取：{plan['page']} {', '.join(plan['tables'])} {plan['ms']} ms")


def document(results: dict[str, Any], file: Path) -> None:
    """Write the figures with machine, date and command."""
    lines = [
        "# Performance", "",
        "Written by `huying bench --write-docs`. Targets: list, case page and search under 40 ms at 100,000 cases and",
        "at most 1.3 times the time at 10,000; submission over HTTP under 60 ms; a command at most 6 times its bare",
        "SQL. Pages are timed by the server itself (`Server-Timing`) and by a client on loopback, from the request to",
        "the last byte; the growth is that of the server's median.", "",
        f"- Machine: {results['machine']}", f"- Database: {results['database']}", f"- Date: {results['at']}",
        f"- Command: `huying bench --sizes {','.join(results['sizes'])} -n {results['n']}`", "",
        "## Commands beside the bare SQL of the same rows", "",
        "The bare run replays, in one transaction on the same connection, the INSERT, UPDATE and DELETE statements",
        "that the command sends, with the same ids. `提交` hashes the query code with Argon2id on purpose (20 ms).", "",
        *_markdown(COMMAND_HEAD, command_rows(results)), "", "## Pages", "",
        *_markdown(page_head(results), page_rows(results)), "",
    ]  # fmt: skip
    for size, one in results["sizes"].items():
        lines.append(f"- Filling to {int(size):,}: {one['filled']:,} cases in {one['fill_seconds']} s.")
    if "sweep" in results:
        sweep = results["sweep"]
        lines += ["", "## Limits falling due at once", "",
                  f"{sweep['handled']:,} limits in {sweep['seconds']} s, {sweep['ms_each']} ms each; the bare SQL of"
                  f" one takes {sweep['sql_ms_each']} ms ({sweep['ratio']} times)."]  # fmt: skip
    if "import" in results:
        taken = results["import"]
        lines += ["", "## Taking over an old system's file", "",
                  f"{taken['imported']:,} rows with names, phones and replies as history, into the largest database:"
                  f" {taken['seconds']} s, {taken['rows_a_second']} rows a second (target: 200)."]  # fmt: skip
    lines += ["", "## Plans that read a whole table", ""]
    lines += [f"- {one['page']}: {', '.join(one['tables'])}, {one['ms']} ms\n\n```\n{one['plan']}\n```\n"
              for one in results["plans"]] or ["None over 5,000 rows."]  # fmt: skip
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return ["| " + " | ".join(one) + " |" for one in (head, ["---"] * len(head), *rows)]
