"""The run: read, translate, take over in batches, and tell what became of every row.

It may be stopped at any moment and started again: what is there already, known by channel and old number, is skipped.
"""

import csv
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO

from huying.cases.commands.imports import (
    STATES,
    OldCase,
    importer,
    judge_old_case,
    known_numbers,
    new_ones,
    submit_new,
    write_history,
)
from huying.cases.policies import policy_of
from huying.channels.legacy.map import Mapping_, UnclearMapping, check_header
from huying.channels.legacy.read import Cell, Row, Table
from huying.channels.legacy.translate import ARCHIVED, Problem, Translator
from huying.channels.legacy.units import Units
from huying.people.models import Platform
from huying.people.units import UnknownUnit, find_unit

BATCH = {"history": 200, "new": 25}
"""Rows a transaction. A new submission takes longer, and other people wait for what it locks."""
SAMPLES = 3
RESERVED = ("行号", "错误原因")
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass
class Report:
    """What became of the rows: `imported + known + failed + blank == total`."""

    total: int
    imported: int = 0
    known: int = 0
    failed: int = 0
    blank: int = 0
    unknown: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Unknown codes and units, as (column, value, what to do), with the number of rows."""
    states: Counter[str] = field(default_factory=Counter)
    odd: Counter[str] = field(default_factory=Counter)
    samples: list[OldCase] = field(default_factory=list)
    first_errors: list[str] = field(default_factory=list)
    errors_path: Path | None = None
    seconds: float = 0.0


def errors_beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.errors.csv")


def run(
    table: Table, mapping: Mapping_, platform: Platform, *, now: Callable[[], datetime], dry_run: bool = False,
    errors: Path | None = None, batch: int = 0, tell: Callable[[Report], None] = lambda report: None,
) -> Report:  # fmt: skip
    """Take over all rows of `table`. A dry run does everything but write: neither cases nor a file of errors.

    `now` is asked once a batch; `tell` hears of the report after each.

    Raises: UnclearMapping when the mapping does not fit the file, the regulation or the platform's units.
    """
    units = Units(platform, mapping.codes.unit, mapping.unit_rewrites)
    _check(table, mapping, platform, units)
    report = Report(table.total)
    begun = time.monotonic()
    with _error_file(errors or errors_beside(table.path), table.header, dry_run) as error_file:
        work = _Work(mapping, platform, Translator(mapping, table.header, units), report, error_file, dry_run)
        for rows in _batches(_unguarded(table), batch or BATCH[mapping.mode]):
            work.take(rows, now())
            report.seconds = time.monotonic() - begun
            tell(report)
    report.errors_path = error_file.path if report.failed and not dry_run else None
    return report


def _check(table: Table, mapping: Mapping_, platform: Platform, units: Units) -> None:
    policy = policy_of(platform)
    problems = check_header(mapping, table.header, RESERVED)
    channels, kinds = [one.key for one in policy.channels], list(policy.kind_rules)
    allowed = {"channel": channels, "kind": kinds}
    for name, keys in allowed.items():
        given = {*getattr(mapping.codes, name).values(), getattr(mapping.defaults, name)} - {""}
        problems += [f"{name}“{key}”不在规定里 → 可用：{'、'.join(keys)}" for key in sorted(given - set(keys))]
    problems += [
        f"codes.unit“{one}”：单位表里没有这个路径 → 改正路径，或先添加单位" for one in units.unknown_variants()
    ]
    if mapping.defaults.unit and units.find(mapping.defaults.unit) is None:
        problems.append(f"defaults.unit“{mapping.defaults.unit}”：单位表里没有这个单位 → 改正，或先添加单位")
    try:
        find_unit(platform, policy.info.competent_unit)
    except UnknownUnit:
        problems.append(f"平台没有单位“{policy.info.competent_unit}”（热线中心）→ 先在单位表里加上")
    states = {*mapping.codes.state.values(), mapping.defaults.state} - {ARCHIVED}
    problems += [f"state“{one}”不能导入 → 可用：{'、'.join([*sorted(STATES), ARCHIVED])}" for one in states - STATES]
    if problems:
        raise UnclearMapping("\n".join(problems))


def _unguarded(table: Table) -> Iterator[Row]:
    """The rows; of a file of errors that comes back, the guards are taken off again."""
    if RESERVED[1] not in table.header:
        yield from table.rows()
        return
    for row in table.rows():
        cells = tuple(
            cell[1:] if isinstance(cell, str) and cell[:1] == "'" and cell[1:].startswith(FORMULA) else cell
            for cell in row.cells
        )
        yield Row(row.number, cells, row.problem)


def _batches(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


class _Work:
    """One run over the rows, batch by batch."""

    def __init__(
        self, mapping: Mapping_, platform: Platform, translator: Translator, report: Report, errors: "_ErrorFile",
        dry_run: bool,
    ) -> None:  # fmt: skip
        self.mapping, self.platform, self.translator = mapping, platform, translator
        self.report, self.errors, self.dry_run = report, errors, dry_run
        self.seen: dict[tuple[str, str], int] = {}
        """Numbers met in this file, and the row of each."""

    def take(self, rows: list[Row], now: datetime) -> None:
        good: dict[tuple[str, str], tuple[Row, OldCase]] = {}
        for row in rows:
            if row.is_blank:
                self.report.blank += 1
                continue
            case = self._judged(row, now)
            if case is not None:
                good[case.channel, case.external_no] = (row, case)
        cases = [case for _, case in good.values()]
        fresh = new_ones(cases, known_numbers(self.platform, cases))
        self.report.known += len(cases) - len(fresh)
        failures = [] if self.dry_run or not fresh else self._write(fresh, now)
        for case, reason in failures:
            self._fail(good[case.channel, case.external_no][0], [Problem("", "", reason)])
        self.report.imported += len(fresh) - len(failures)
        failed = {id(case) for case, _ in failures}
        self._note([case for case in fresh if id(case) not in failed])

    def _judged(self, row: Row, now: datetime) -> OldCase | None:
        case = self.translator.translate(row, now)
        if isinstance(case, list):
            self._fail(row, case)
            return None
        reasons = judge_old_case(case, policy_of(self.platform), mode=self.mapping.mode, now=now)
        first = self.seen.setdefault((case.channel, case.external_no), row.number)
        if first != row.number and case.external_no:
            reasons.append(f"来源编号“{case.external_no}”与第{first}行相同，只导入第{first}行，请核对后改编号")
        if reasons:
            self._fail(row, [Problem("", "", reason) for reason in reasons])
            return None
        return case

    def _write(self, fresh: list[OldCase], now: datetime) -> list[tuple[OldCase, str]]:
        if self.mapping.mode == "new":
            return submit_new(self.platform, fresh, now=now, dispatch=self.mapping.dispatch)
        return write_history(self.platform, fresh, actor=importer(self.platform), now=now)

    def _fail(self, row: Row, problems: list[Problem]) -> None:
        self.report.failed += 1
        for problem in problems:
            if problem.is_code:
                self.report.unknown[problem.column, problem.value, problem.reason] += 1
        reason = "；".join(map(str, problems))
        if len(self.report.first_errors) < SAMPLES and not all(problem.is_code for problem in problems):
            self.report.first_errors.append(f"第{row.number}行 {reason}")
        self.errors.write(row, reason)

    def _note(self, cases: list[OldCase]) -> None:
        for case in cases:
            self.report.states["received" if self.mapping.mode == "new" else case.state] += 1
            self.report.odd["派单时间早于提交时间"] += (case.dispatched_at or case.submitted_at) < case.submitted_at
            self.report.odd["没有承办单位"] += case.unit is None
            self.report.odd["标题过长，已截短"] += bool(case.facts.get("title_cut"))
            if len(self.report.samples) < SAMPLES:
                self.report.samples.append(case)


class _ErrorFile:
    """The rows that failed, as they stood, with their number and the reason; safe to open in a spreadsheet.

    Written to a draft, begun with the first error, that takes the file's name at the end.
    """

    def __init__(self, path: Path, header: tuple[str, ...], *, dry_run: bool) -> None:
        self.path, self.draft = path, path.with_name(f"{path.name}.part")
        self._header, self._dry_run = header, dry_run
        self._came_back = [number for number, name in enumerate(header) if name in RESERVED]
        self._file: IO[str] | None = None

    def _kept(self, cells: tuple[Cell, ...]) -> list[Cell]:
        return [cell for number, cell in enumerate(cells) if number not in self._came_back]

    def write(self, row: Row, reason: str) -> None:
        if self._dry_run:
            return
        if self._file is None:
            # Rows may name people: readable by its owner alone, from the first byte.
            self.draft.unlink(missing_ok=True)
            self.draft.touch(mode=0o600)
            self._file = self.draft.open("w", encoding="utf-8-sig", newline="")
            csv.writer(self._file).writerow([*RESERVED, *self._kept(self._header)])
        csv.writer(self._file).writerow([row.number, guarded(reason), *map(guarded, self._kept(row.cells))])

    def finish(self) -> None:
        """Give the draft its name. An older file is kept with `~`: somebody may work on it."""
        if self._file is None:
            return
        self._file.close()
        if self.path.exists():
            self.path.replace(self.path.with_name(f"{self.path.name}~"))
        self.draft.replace(self.path)

    def abandon(self) -> None:
        if self._file is not None:
            self._file.close()


def guarded(cell: Cell) -> str:
    """A cell that a spreadsheet takes for text, never for a formula."""
    text = cell if isinstance(cell, str) else cell.strftime("%Y-%m-%d %H:%M:%S")
    return f"'{text}" if text.startswith(FORMULA) else text


@contextmanager
def _error_file(path: Path, header: tuple[str, ...], dry_run: bool) -> Iterator[_ErrorFile]:
    errors = _ErrorFile(path, header, dry_run=dry_run)
    try:
        yield errors
        errors.finish()
    finally:
        errors.abandon()
