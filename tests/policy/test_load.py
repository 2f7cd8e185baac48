"""The loader refuses what is unclear, and says file, key, reason and mend: each broken copy has exactly its problem."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from huying.policy.load import Problem, UnclearRegulation, load_notices, load_regulation

REGULATIONS = Path(__file__).parents[2] / "regulations"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a regulation that may be broken."""
    for name in ("cn", "daye-2023"):
        shutil.copytree(REGULATIONS / name, tmp_path / name, ignore=shutil.ignore_patterns("cases"))
    return tmp_path / "daye-2023"


def problems(folder: Path) -> list[Problem]:
    with pytest.raises(UnclearRegulation) as unclear:
        load_regulation(folder)
    return unclear.value.problems


def replace(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def append(folder: Path, file: str, text: str) -> None:
    with (folder / file).open("a", encoding="utf-8") as out:
        out.write(text)


Break = Callable[[Path], None]
LIMIT = (
    '\n[[time_limit]]\nkey = "more"\nlabel = "另一条"\nlimit = "{}"\ncite = "daye-2023#8"\n'
    'starts = "{}"\nworking_days = 3\n{}'
)

BROKEN: dict[str, tuple[Break, str, str, str]] = {
    "unknown key of a rule": (
        lambda folder: append(folder, "extension.toml", "\nmax_weeks = 2\n"),
        "extension.toml", "extensions[extension.ordinary].max_weeks", "xtra inputs",
    ),
    "unknown table": (
        lambda folder: append(
            folder, "kinds.toml", '\n[[kindness]]\nkey = "x"\n'
        ), "kinds.toml", "kindness", "不认识的表名",
    ),
    "table written twice": (
        lambda folder: append(folder, "returns.toml", '\n[ledger]\nkey = "again"\n'), "returns.toml", "ledger", "已在",
    ),
    "value outside the list": (
        lambda folder: replace(
            folder, "returns.toml", '"centre"', '"mayor"'
        ),
        "returns.toml", "returns.decider", "nput should be",
    ),
    "missing value": (
        lambda folder: replace(
            folder, "reply.toml", "central_check = true\n", ""
        ),
        "reply.toml", "replies[reply.central_check].central_check", "required",
    ),
    "days below zero": (
        lambda folder: replace(folder, "time_limits.toml", "working_days = 2", "working_days = -2"),
        "time_limits.toml", "time_limits[return.all].working_days", "greater than or equal",
    ),
    "two lengths": (
        lambda folder: replace(folder, "time_limits.toml", "working_days = 2", "working_days = 2\ncalendar_days = 2"),
        "time_limits.toml", "time_limits[return.all]", "either",
    ),
    "text without an article": (
        lambda folder: replace(folder, "contact.toml", 'cite = "daye-2023#8"\n', ""), "contact.toml", "contact", "cite",
    ),
    "default without a decision": (
        lambda folder: replace(folder, "time_limits.toml", 'decision = "D-9"\n', ""),
        "time_limits.toml", "time_limits[handle.formal_assignment]", "decision",
    ),
    "dangling citation": (
        lambda folder: replace(folder, "contact.toml", "daye-2023#8", "daye-2023#80"),
        "contact.toml", "contact.before_reply", "找不到条文",
    ),
    "citation of another text": (
        lambda folder: replace(folder, "contact.toml", "daye-2023#8", "daye#8"),
        "contact.toml", "contact.before_reply", "找不到条文",
    ),
    "duplicate key": (
        lambda folder: append(folder, "kinds.toml", '\n[[kind]]\nkey = "help"\nlabel = "求助"\ncite = "daye-2023#4"\n'),
        "kinds.toml", "help", "键重复",
    ),
    "two rules as specific": (
        lambda folder: append(folder, "time_limits.toml", LIMIT.format("handle", "claim", "")),
        "time_limits.toml", "more", "同样具体",
    ),
    "limit that nobody watches": (
        lambda folder: append(folder, "time_limits.toml", LIMIT.format("rework", "assignment", "")),
        "time_limits.toml", "more", "没有人看着",
    ),
    "limit that leans on none": (
        lambda folder: append(
            folder, "time_limits.toml", LIMIT.format("check", "assignment", 'soft = true\nbefore = "letter"\n')
        ),
        "time_limits.toml", "more", "所依的期限",
    ),
    "unknown method": (
        lambda folder: replace(folder, "supervision.toml", 'method = "onsite"\nground', 'method = "drone"\nground'),
        "supervision.toml", "repeat.same_person", "没有督办方式",
    ),
    "unknown ground": (
        lambda folder: replace(folder, "supervision.toml", 'ground = "contradiction"\n', 'ground = "quarrel"\n'),
        "supervision.toml", "contradiction.solved", "没有督办事由",
    ),
    "unknown parent unit": (
        lambda folder: append(folder, "units.toml", '\n[[unit]]\npath = "没有的街道/某所"\nkind = "station"\n'),
        "units.toml", "没有的街道/某所", "不存在",
    ),
    "unit listed twice": (
        lambda folder: append(folder, "units.toml", '\n[[unit]]\npath = "市住建局"\nkind = "department"\n'),
        "units.toml", "市住建局", "重复",
    ),
    "alias of another unit": (
        lambda folder: append(
            folder, "units.toml", '\n[[unit]]\npath = "新局"\nkind = "department"\naliases = ["还地桥镇"]\n'
        ),
        "units.toml", "还地桥镇", "重复",
    ),
    "home of a role that is no unit": (
        lambda folder: replace(folder, "units.toml", 'inspector = "市纪委监委"', 'inspector = "监察局"'),
        "units.toml", "role_home.inspector", "没有单位",
    ),
    "not TOML": (lambda folder: append(folder, "ledger.toml", "\nkey = \n"), "ledger.toml", "-", "不是合法的 TOML"),
}  # fmt: skip


def test_regulation_loads_as_it_stands(folder: Path) -> None:
    regulation = load_regulation(folder)

    assert regulation.info.id == "daye-2023"
    assert regulation.extensions[0].max_total_working_days == 30
    assert regulation.quote("daye-2023#7").endswith("（七）")


@pytest.mark.parametrize("name", BROKEN)
def test_broken_copy_has_exactly_its_problem(folder: Path, name: str) -> None:
    break_it, file, key, reason = BROKEN[name]
    break_it(folder)

    (problem,) = problems(folder)

    assert (problem.file, problem.key) == (file, key)
    assert reason in problem.reason
    assert problem.mend


def test_problem_reads_as_file_key_reason_and_mend(folder: Path) -> None:
    replace(folder, "contact.toml", "daye-2023#8", "daye-2023#80")

    assert str(problems(folder)[0]) == (
        "contact.toml: contact.before_reply: 引用“daye-2023#80”找不到条文 → 改成 sources.toml 里有的条号"
    )


def test_every_problem_is_told_at_once(folder: Path) -> None:
    replace(folder, "contact.toml", "daye-2023#8", "daye-2023#80")
    replace(folder, "supervision.toml", 'ground = "contradiction"\n', 'ground = "quarrel"\n')

    assert {problem.file for problem in problems(folder)} == {"contact.toml", "supervision.toml"}


def test_mended_copy_loads_again(folder: Path) -> None:
    replace(folder, "returns.toml", '"centre"', '"mayor"')
    assert problems(folder)
    replace(folder, "returns.toml", '"mayor"', '"superior"')

    assert load_regulation(folder).returns


def test_missing_folder_is_told(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path / "nowhere")

    assert problem.key == "regulation.toml"


def test_notice_without_a_year_is_told(tmp_path: Path) -> None:
    (tmp_path / "calendar-2030.toml").write_text('notice = "通知"\n', encoding="utf-8")

    with pytest.raises(UnclearRegulation) as unclear:
        load_notices(tmp_path)

    assert unclear.value.problems[0].file == "calendar-2030.toml"
