"""Versions of a regulation: files that take the place of those before them from a day on.

A version is checked as the regulation will then stand, with every later version on top, before anything is written.
"""

import shutil
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from huying.policy.check import Further, check_folder, find_regulations
from huying.policy.load import Problem, UnclearRegulation, find_versions, load_regulation
from huying.policy.model import Regulation

NOT_RULES = ("calendar-",)
"""What begins so belongs to the country and is loaded by another command."""


def which_regulation(root: Path, files: Path, name: str = "") -> Path:
    """The folder below `root` of the regulation that `files` are a version of.

    `name` says which; without it what `files` say of themselves, their folder's name, or the only one that there is.

    Raises: UnclearRegulation.
    """
    known = {path.name: path for path in find_regulations(root)}
    for one in (name, _own_id(files), files.resolve().name):
        if one in known:
            return known[one]
        if one and one == name:
            break
    if not name and len(known) == 1:
        return next(iter(known.values()))
    reason = f"没有规定“{name}”" if name else "看不出是哪一部规定的新版本"
    raise UnclearRegulation([Problem(str(files), "--regulation", reason, f"写明其中之一：{'、'.join(known)}")])


def _own_id(files: Path) -> str:
    try:
        raw = tomllib.loads((files / "regulation.toml").read_text(encoding="utf-8"))
        return str(raw["info"]["id"])
    except (OSError, ValueError, LookupError, TypeError):
        return ""


@contextmanager
def staged(folder: Path, files: Path, since: date) -> Iterator[Path]:
    """A copy of the regulation in `folder` with `files` as its version from `since` on, while it is looked at."""
    with TemporaryDirectory(prefix="huying-version-") as temporary:
        root = Path(temporary)
        for other in folder.parent.iterdir():
            if other.is_dir() and other != folder:
                (root / other.name).symlink_to(other.resolve(), target_is_directory=True)
        copy = root / folder.name
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("cases", ".*"))
        _put(copy, files, since)
        yield copy


def judge_version(folder: Path, files: Path, since: date, *, today: date, further: Further = ()) -> list[Problem]:
    """Why `files` cannot be the version of the regulation in `folder` from `since` on; empty when they can."""
    names = [path.name for path in _rules_in(files)]
    if not names:
        return [Problem(str(files), "-", "文件夹里没有 TOML 文件", "放入要改的文件，文件名与现行的相同")]
    problems = [
        Problem(name, "-", "这是全国工作日历，不属于规定的版本", "用 huying calendar load 载入")
        for name in names
        if name.startswith(NOT_RULES)
    ]
    if since < today:
        problems.append(Problem(str(files), "--from", f"{since} 已经过去，不能追溯", "施行日期不早于今天"))
    if since in find_versions(folder):
        problems.append(Problem(str(files), "--from", f"已有自 {since} 起施行的版本", "换一个日期"))
    own = _own_id(files)
    if own and own != folder.name:
        problems.append(Problem("regulation.toml", "info.id", f"编号是“{own}”，不是“{folder.name}”", "改成一致"))
    if problems:
        return problems
    with staged(folder, files, since) as copy:
        return check_folder(copy, further)[0]


def before_and_after(folder: Path, files: Path, since: date) -> tuple[Regulation, Regulation]:
    """The regulation as it stood the day before `since`, and as it stands with `files` from then on.

    Raises: UnclearRegulation.
    """
    with staged(folder, files, since) as copy:
        return load_regulation(folder, since), load_regulation(copy, since)


def put_version(folder: Path, files: Path, since: date) -> Path:
    """Copy `files` into their place; either all of them stand there or none does. Gives the folder of the version."""
    return _put(folder, files, since)


def _put(folder: Path, files: Path, since: date) -> Path:
    place = folder / "versions" / since.isoformat()
    place.parent.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix=".new-", dir=place.parent) as temporary:
        half = Path(temporary) / since.isoformat()
        half.mkdir()
        for path in _rules_in(files):
            shutil.copyfile(path, half / path.name)
        half.rename(place)
    return place


def _rules_in(files: Path) -> list[Path]:
    return sorted(files.glob("*.toml"))
