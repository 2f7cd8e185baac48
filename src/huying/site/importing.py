"""`huying import` at the terminal: progress, and what became of the rows in plain words."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from django.db import DatabaseError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from huying.base import clock
from huying.cases.queries.record import stamp
from huying.channels.legacy.map import Mapping_, UnclearMapping, load_mapping
from huying.channels.legacy.read import BadFile, open_table
from huying.channels.legacy.run import Report, run
from huying.core.lifecycle import CASE_STATES
from huying.people.models import Platform

MOST_TOLD = 40


class CannotImport(Exception):
    """Nothing was imported: what, where, what to do."""


def import_file(
    path: Path, map_path: Path, *, platform: str = "", mode: Literal["", "history", "new"] = "",
    dry_run: bool = False, errors: Path | None = None, batch: int = 0,
) -> Report:  # fmt: skip
    """Run one import with a progress bar.

    Raises: CannotImport when the file or its mapping cannot be taken.
    """
    console = Console(stderr=True)
    try:
        mapping = _with_mode(load_mapping(map_path), mode)
        found = _platform(platform or mapping.platform)
        how = mapping.file
        table = open_table(path, encoding=how.encoding, delimiter=how.delimiter, sheet=how.sheet)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, TextColumn("{task.fields[failed]}"), console=console) as progress:
            task = progress.add_task("试运行" if dry_run else "导入", total=table.total, failed="")

            def tell(report: Report) -> None:
                done = report.imported + report.known + report.failed + report.blank
                progress.update(task, completed=done, failed=f"不成 {report.failed}" if report.failed else "")

            return run(
                table, mapping, found, now=clock.now, dry_run=dry_run, errors=errors, batch=batch, tell=tell
            )  # fmt: skip
    except (BadFile, UnclearMapping) as bad:
        raise CannotImport(str(bad)) from None
    except DatabaseError as error:
        reason = str(error).strip().splitlines()[0]
        raise CannotImport(f"数据库出错：{reason}。已导入的都在，处理后再运行一次即可接着导入。") from None
    except OSError as error:
        raise CannotImport(
            f"{error.filename}：写不了（{error.strerror}），可用 --errors 另指错误文件的位置。"
        ) from None


def _with_mode(mapping: Mapping_, mode: str) -> Mapping_:
    return mapping.model_copy(update={"mode": mode}) if mode else mapping


def _platform(slug: str) -> Platform:
    found = Platform.objects.filter(slug=slug).first()
    if found is None:
        slugs = "、".join(Platform.objects.order_by("slug").values_list("slug", flat=True)) or "还没有任何平台"
        raise CannotImport(f"没有平台“{slug}”（现有：{slugs}）→ 用 --platform 指明，或先 huying platform open。")
    return found


def lines_of(report: Report, *, dry_run: bool, mode: str = "") -> Iterator[str]:
    """The report as text."""
    verb = "将导入" if dry_run else "已导入"
    rate = (report.imported + report.known + report.failed) / report.seconds if report.seconds else 0
    yield (
        f"共 {report.total} 行：{verb} {report.imported} 件，原已导入 {report.known} 件，"
        f"不成 {report.failed} 行，空行 {report.blank} 行；用时 {report.seconds:.1f} 秒，每秒 {rate:.0f} 行"
    )
    if report.states:
        states = "、".join(f"{CASE_STATES.get(state, state)} {count}" for state, count in report.states.most_common())
        yield f"导入后的状态：{states}"
    yield from (f"注意：{text} {count} 件" for text, count in report.odd.items() if count)
    if report.unknown:
        yield f"不认识的代码和单位（{len(report.unknown)} 种）："
        for (column, value, reason), count in report.unknown.most_common(MOST_TOLD):
            yield f"  {column}“{value}” {count} 行：{reason}"
        if len(report.unknown) > MOST_TOLD:
            yield f"  …… 另有 {len(report.unknown) - MOST_TOLD} 种"
    if report.first_errors:
        yield "其他错误，例如："
        yield from (f"  {one}" for one in report.first_errors)
    if dry_run and report.samples:
        yield "例如："
        for case in report.samples:
            unit = case.unit.path if case.unit else "（无）"
            yield (
                f"  {case.external_no} {stamp(case.submitted_at)} {case.kind} {case.state} 单位：{unit} "
                f"地点：{case.place[:30]} 标题：{case.title[:30]}"
            )
    if report.errors_path:
        yield f"不成的各行及原因：{report.errors_path}（改好后可以直接导入这个文件）"
