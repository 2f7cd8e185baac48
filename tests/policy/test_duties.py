"""`huying policy check` on the duty list: what is wrong is told with file, key, reason and mend."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from huying.core.duties import duty_problems
from huying.policy.check import check_folder
from huying.site.cli import main

REGULATIONS = Path(__file__).parents[2] / "regulations"
ROW = """
[[duty]]
key = "{key}"
label = "路灯"
origin = "default"
decision = "ADR-0003"
matter = "道路与路灯"
lead = "{lead}"
{more}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("cn", "daye-2023"):
        shutil.copytree(REGULATIONS / name, tmp_path / name, ignore=shutil.ignore_patterns("cases", "versions"))
    return tmp_path / "daye-2023"


def write(folder: Path, *rows: str, file: str = "duties.toml") -> None:
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text("".join(rows), "utf-8")


def row(key: str, lead: str, more: str = "") -> str:
    return ROW.format(key=key, lead=lead, more=more)


def check(folder: Path) -> Result:
    return CliRunner(env={"HUYING_REGULATIONS": str(folder.parent)}).invoke(main, ["policy", "check", folder.name])


def test_sound_list_is_clear(folder: Path) -> None:
    write(folder, row("lamps", "市住建局", 'co = ["{town}"]'))

    result = check(folder)

    assert result.exit_code == 0, result.output


def test_problem_reads_as_file_key_reason_and_mend(folder: Path) -> None:
    write(folder, row("lamps", "市路灯局"), file="who_does_what.toml")

    result = check(folder)

    assert result.exit_code == 1
    assert (
        "who_does_what.toml: lamps: 主办单位“市路灯局”在单位表里找不到 → 补上单位，或把这些地方写成另一行（places）"
        in result.output
    )


def test_two_leads_and_no_lead_are_told(folder: Path) -> None:
    write(folder, row("a", "市住建局"), row("b", "市城管执法局"))
    assert "主办单位不止一个" in check(folder).output

    write(folder, row("a", "市住建局", 'places = ["金湖街道"]'))
    told = check(folder).output
    assert "没有主办单位" in told and "等" in told


def test_what_a_towns_own_list_does_not_hold_is_not_pushed_down(folder: Path) -> None:
    own = (
        '[[own_list]]\nkey = "own.town"\nlabel = "镇街清单"\ncite = "daye-2023#2"\nlevel = "town"\nmatters = ["供水"]\n'
    )
    write(folder, row("lamps", "{town}"), own)

    result = check(folder)

    assert result.exit_code == 1
    assert result.output.count("duties.toml: lamps:") == 4  # zones, streets, towns, the farm
    assert "“镇街清单”里没有“道路与路灯”，不能交乡镇、街道主办" in result.output


def test_list_of_a_version_is_checked_in_its_own_file(folder: Path) -> None:
    write(folder, row("lamps", "市住建局"))
    write(folder, row("lamps", "市路灯局"), file="versions/2027-01-01/duties.toml")

    problems, _, _ = check_folder(folder, (duty_problems,))

    assert [(one.file, one.key) for one in problems] == [("versions/2027-01-01 duties.toml", "lamps")]
