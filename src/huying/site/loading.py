"""Putting new data in place by hand: a new version of a regulation, the official calendar of a year."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from huying.base import clock
from huying.cases.commands import ACTIONS, calendars
from huying.cases.commands.calendars import Recounted
from huying.cases.commands.intake import Requester
from huying.cases.policies import forget_regulations, regulation
from huying.cases.queries.what_if import WHATS, What, what_if
from huying.core.duties import duty_problems
from huying.core.form_fields import PRINTED
from huying.people.models import Platform
from huying.policy.check import read_notice
from huying.policy.diff import diff, lines_of, resolve
from huying.policy.load import Problem, UnclearRegulation, load_notices
from huying.policy.model import Regulation, YearNotice
from huying.policy.versions import before_and_after, judge_version, put_version, which_regulation


def form_field_problems(policy: Regulation) -> Iterator[Problem]:
    """Rows that ask for a field that no form has: nobody would ever be asked."""
    for rule in policy.form_fields:
        known = ACTIONS[rule.action].input.model_fields if rule.action in ACTIONS else {}
        outer, _dot, inner = rule.field.partition(".")
        inside = Requester.model_fields if outer == "requester" else {}
        if rule.action not in policy.action_rules:
            yield Problem("form_field", rule.key, f"本规定没有操作“{rule.action}”", "改成 actions.toml 里有的操作")
        elif rule.field != PRINTED and (outer not in known or (inner and inner not in inside)):
            yield Problem("form_field", rule.key, f"“{rule.action}”没有“{rule.field}”这一栏", "改成该操作有的栏目")


CHECKS = (duty_problems, form_field_problems)
"""What `policy check` looks at beyond the files by themselves."""


def load_version(root: Path, files: Path, since: date, *, name: str, today: date) -> Iterator[str]:
    """Put `files` in place as the version of a regulation below `root` that holds from `since` on; says what changes.

    Raises: UnclearRegulation, and then nothing was written.
    """
    folder = which_regulation(root, files, name)
    problems = judge_version(folder, files, since, today=today, further=CHECKS)
    if problems:
        raise UnclearRegulation(problems)
    changes = diff(*before_and_after(folder, files, since))
    if not changes:
        raise UnclearRegulation([Problem(str(files), "-", "与现行规定没有任何不同", "放入改过的文件")])
    put_version(folder, files, since)
    forget_regulations()
    yield f"{folder.name} 自 {since} 起改为："
    yield from lines_of(changes)
    if any(change.topic == "tree" for change in changes):
        yield "单位表有变化：已开设的平台的单位不会自动增减，请在施行前另行调整。"
    yield f"{since} 以前收到的诉求仍按原规定办理。请在施行日之前重新启动网站和后台进程。"


def compare(root: Path, one: str, other: str, *, today: date) -> Iterator[str]:
    """What changes from `one` to `other` (each an id, id@day or a folder), in words.

    Raises: UnclearRegulation.
    """
    before, after = _both(root, one, other, today)
    changes = diff(before, after)
    yield from lines_of(changes)
    yield f"共{len(changes)}处不同" if changes else "没有不同"


def compare_cases(
    root: Path, one: str, other: str, month: date, *, platform: str, today: date, most: int
) -> Iterator[str]:
    """Which cases of that month would have gone otherwise, `most` of them by number, and how many in all.

    Raises: UnclearRegulation.
    """
    before, after = _both(root, one, other, today)
    counts: dict[What, int] = dict.fromkeys(WHATS, 0)
    cases = otherwise = 0
    for found in what_if(_platform(before.info.id, platform), before, after, month):
        cases += 1
        if found.otherwise:
            otherwise += 1
            if otherwise <= most:
                yield f"{found.number}  {'；'.join(map(str, found.otherwise))}"
        for each in found.otherwise:
            counts[each.what] += 1
    if otherwise > most:
        yield f"……另有{otherwise - most}件（--most 可以多列）"
    told = "，".join(f"{label}不同{counts[what]}件" for what, label in WHATS.items())
    yield f"{month:%Y-%m}共{cases}件，其中{otherwise}件会不同：{told}"


def _both(root: Path, one: str, other: str, today: date) -> tuple[Regulation, Regulation]:
    base = root / one.partition("@")[0]
    is_known = (base / "regulation.toml").is_file()
    before = resolve(one, root, today=today)
    return before, resolve(other, root, today=today, base=base if is_known else None)


def _platform(regulation_id: str, slug: str) -> Platform:
    """The platform with that slug; without one, the only one that runs by the regulation.

    Raises: UnclearRegulation.
    """
    found = list(Platform.objects.filter(slug=slug) if slug else Platform.objects.filter(regulation=regulation_id))
    if len(found) != 1:
        known = "、".join(Platform.objects.order_by("slug").values_list("slug", flat=True))
        reason = f"没有平台“{slug}”" if slug else f"有{len(found)}个平台用“{regulation_id}”"
        raise UnclearRegulation([Problem("-", "--platform", reason, f"写明其中之一：{known or '还没有平台'}")])
    return found[0]


# --- The calendar of a year ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NewCalendar:
    """A notice that may be put in place, and what waits for it."""

    notice: YearNotice
    file: Path
    place: Path
    platforms: list[Platform]
    provisional: int
    """Open limits that are marked provisional, of whatever year."""


def judge_calendar(root: Path, file: Path, country: str) -> NewCalendar:
    """The notice in `file`, fit to stand beside the others of that country.

    Raises: UnclearRegulation.
    """
    notice = read_notice(file)
    place = root / country / f"calendar-{notice.year}.toml"
    problems = []
    if not place.parent.is_dir():
        problems.append(Problem(str(place.parent), "-", "没有这个文件夹", "用 --country 写明日历所在的文件夹"))
    elif place.is_file() and place.read_bytes() != file.read_bytes():
        mend = "通知有修订的，先核对两个文件，改好原文件后再运行"
        problems.append(Problem(file.name, "year", f"{notice.year}年的日历已经有了，而且内容不同", mend))
    else:
        problems += _twice(notice, [one for one in load_notices(place.parent) if one.year != notice.year], file)
    if problems:
        raise UnclearRegulation(problems)
    platforms = [one for one in Platform.objects.order_by("pk") if regulation(one.regulation).info.parent == country]
    return NewCalendar(notice, file, place, platforms, calendars.count_provisional(platforms))


def _twice(notice: YearNotice, others: list[YearNotice], file: Path) -> Iterator[Problem]:
    """Days that the notice of another year names as well."""
    named = {day: one.year for one in others for day in _days(one)}
    for day in sorted(_days(notice) & named.keys()):
        yield Problem(file.name, day.isoformat(), f"这一天在{named[day]}年的日历里已经写过", "每一天只写一次")


def _days(notice: YearNotice) -> set[date]:
    blocks = [(first, (last - first).days + 1) for first, last, _ in notice.holidays]
    off = {first + timedelta(days=n) for first, length in blocks for n in range(length)}
    return off | {day for day, _ in notice.makeup_days}


def put_calendar(new: NewCalendar) -> None:
    """Copy the file beside the others: a process that looks meanwhile finds all of it or nothing."""
    with TemporaryDirectory(prefix=".new-", dir=new.place.parent) as temporary:
        half = Path(temporary) / new.place.name
        shutil.copyfile(new.file, half)
        half.rename(new.place)
    forget_regulations()


def recount(new: NewCalendar) -> Recounted:
    """Count anew what waits for the calendar, page by page; gives the sums."""
    total = Recounted()
    while True:
        page = calendars.recount_page(new.notice.year, new.platforms, now=clock.now(), after=total.last)
        if not page.cases:
            return total
        total.cases += page.cases
        total.moved += page.moved
        total.confirmed += page.confirmed
        total.last = page.last
