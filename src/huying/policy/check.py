"""Checking regulations' data as a lawyer would want it checked: everything resolves, nothing ties, nothing dangles."""

import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from huying.policy.load import Problem, UnclearRegulation, find_versions, load_notices, load_regulation
from huying.policy.model import Regulation, YearNotice

Further = Sequence[Callable[[Regulation], Iterable[Problem]]]
"""Checks of the layers above. The `file` of their problems is the table that the rule stands in."""
ONE_DAY = timedelta(days=1)
AROUND_NEW_YEAR = 14
"""The notice for a year may begin in the last days of the year before, never earlier."""
LONGEST_HOLIDAY = 16
NEEDS = {
    "case.return": "returns", "case.transfer_up": "transfer", "case.request_closure": "closure",
    "case.delegate": "delegate", "case.request_ledger": "ledger", "case.request_complex": "complexity",
    "case.request_exemption": "exemption", "panel.conclude": "panel", "case.official_letter": "letter",
}  # fmt: skip
"""Actions that do nothing without a rule of their own: the table that must stand beside them."""
NOTICE_KEYS = {"year", "notice", "number", "holiday", "makeup"}


def find_regulations(folder: Path) -> list[Path]:
    """The folders below `folder` that hold a regulation."""
    return sorted(path.parent for path in folder.glob("*/regulation.toml"))


def check_folder(folder: Path, further: Further = ()) -> tuple[list[Problem], int, int]:
    """(what is unclear, number of rules, how many of them are defaults) of the regulation in `folder`.

    Every version is checked as it will stand; the numbers are those of the first.
    """
    try:
        regulation = load_regulation(folder)
        load_notices(folder.parent / regulation.info.parent)
    except UnclearRegulation as unclear:
        return unclear.problems, 0, 0
    problems = list(_further(folder, regulation, further))
    for since in find_versions(folder):
        for problem in _of_version(folder, since, further):
            if problem not in problems:
                problems.append(replace(problem, file=f"versions/{since} {problem.file}"))
    problems += _stray(folder)
    defaults = sum(rule.origin == "default" for rule in regulation.rules.values())
    return problems, len(regulation.rules), defaults


def _of_version(folder: Path, since: date, further: Further) -> Iterator[Problem]:
    try:
        regulation = load_regulation(folder, since)
    except UnclearRegulation as unclear:
        yield from unclear.problems
        return
    if regulation.info.id != folder.name:
        yield Problem("regulation.toml", "info.id", f"编号变成了“{regulation.info.id}”", f"仍写“{folder.name}”")
    yield from _further(folder, regulation, further)


def _further(folder: Path, regulation: Regulation, further: Further) -> Iterator[Problem]:
    for check in (_actions_without_rule, *further):
        for problem in check(regulation):
            yield replace(problem, file=_file_of(folder, regulation.info.version, problem.file))


def _actions_without_rule(regulation: Regulation) -> Iterator[Problem]:
    for key, table in NEEDS.items():
        if key in regulation.action_rules and getattr(regulation, table) is None:
            yield Problem("action", key, f"有这项操作，却没有它的规则 [{table}]", f"写上 [{table}]，或删去这项操作")


def _file_of(folder: Path, version: date | None, table: str) -> str:
    """The file in which a table stands, as versions leave it."""
    below = [folder / "versions" / one.isoformat() for one in find_versions(folder) if version and one <= version]
    files: dict[str, Path] = {}
    for place in (folder, *below):
        files |= {path.name: path for path in sorted(place.glob("*.toml"))}
    return next((name for name, path in files.items() if table in _raw(path)), table)


def _raw(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _stray(folder: Path) -> Iterator[Problem]:
    """Folders among the versions that hold for no day: nobody would notice that they never come into force."""
    days = {day.isoformat() for day in find_versions(folder)}
    for path in sorted(folder.glob("versions/*")):
        if path.name not in days and not path.name.startswith("."):
            mend = "文件夹名写成 2027-01-01 的样子，或删去"
            yield Problem(f"versions/{path.name}", "-", "不是施行日期，不会生效", mend)


# --- The country's calendar of a year -----------------------------------------------------------------------------


def read_notice(path: Path) -> YearNotice:
    """The year's official notice in `path`, fit to be counted by.

    Raises: UnclearRegulation with everything that is wrong with it.
    """
    try:
        raw = _raw(path)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnclearRegulation([Problem(path.name, "-", f"读不了：{error}", "应为 UTF-8 的 TOML")]) from None
    known = "、".join(sorted(NOTICE_KEYS))
    problems = [Problem(path.name, key, "不认识的项", f"只用 {known}") for key in raw if key not in NOTICE_KEYS]
    problems += [Problem(path.name, key, "缺少这一项", "按其他年度的日历文件补齐")
                 for key in ("year", "notice") if key not in raw]  # fmt: skip
    if problems:
        raise UnclearRegulation(problems)
    try:
        notice = YearNotice(
            year=raw["year"],
            title=raw["notice"],
            holidays=tuple((one["from"], one["until"], one["name"]) for one in raw.get("holiday", [])),
            makeup_days=tuple((one["on"], one["name"]) for one in raw.get("makeup", [])),
        )
    except (ValidationError, LookupError, TypeError) as error:
        reason = f"缺少 {error}" if isinstance(error, LookupError) else "日期或名称写得不对"
        mend = "放假写 name、from、until，调休写 name、on，日期写成 2027-01-01（不加引号）"
        raise UnclearRegulation([Problem(path.name, "-", reason, mend)]) from None
    problems = [Problem(path.name, *one) for one in _unlikely(notice, path)]
    if problems:
        raise UnclearRegulation(problems)
    return notice


def _unlikely(notice: YearNotice, path: Path) -> Iterator[tuple[str, str, str]]:
    """What no notice of the State Council says: key, reason, mend."""
    year = notice.year
    if path.name.startswith("calendar-") and path.name != f"calendar-{year}.toml":
        yield "year", f"写的是{year}年，与文件名不符", f"文件名写成 calendar-{year}.toml，或改正年份"
    if not notice.holidays:
        yield "holiday", "没有一个放假日", "按通知补齐"
    first, last = date(year, 1, 1) - AROUND_NEW_YEAR * ONE_DAY, date(year, 12, 31)
    seen: Counter[date] = Counter()
    for start, end, name in notice.holidays:
        if start > end:
            yield f"holiday {name}", f"从 {start} 到 {end}，先后颠倒", "改正日期"
        elif (end - start).days >= LONGEST_HOLIDAY:
            yield f"holiday {name}", f"从 {start} 到 {end}，长得不像一次放假", "改正日期"
        elif start < first or end > last or end.year != year:
            yield f"holiday {name}", f"从 {start} 到 {end}，不在{year}年内", "改正日期"
        else:
            seen.update(start + n * ONE_DAY for n in range((end - start).days + 1))
    for day, name in notice.makeup_days:
        if not first <= day <= last:
            yield f"makeup {name}", f"{day} 不在{year}年内", "改正日期"
        elif day.weekday() < 5:
            yield f"makeup {name}", f"{day} 不是星期六、星期日，不能是调休上班日", "改正日期"
        seen[day] += 1
    for day, times in sorted(seen.items()):
        if times > 1:
            yield day.isoformat(), f"这一天写了{times}次", "每一天只写一次，放假日不能同时是上班日"
