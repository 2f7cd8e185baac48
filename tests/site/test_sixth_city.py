"""A city that no code has heard of: a folder of TOML files is checked, opened, runs its stories and shows its pages."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.urls import reverse

from huying.cases.policies import forget_regulations, regulation
from huying.core.duties import duty_problems, propose
from huying.people.units import forget_units
from huying.policy.check import check_folder
from huying.site.cli import main
from huying.site.platforms import open_with_units
from huying.site.scenario import find_scenarios, run_scenario

ROOT = Path(__file__).parents[2]
CITY = ROOT / "examples" / "yunting-2026"
STORIES = find_scenarios([CITY / "cases"])


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """Regulations among which is only the made-up city, beside the country's calendars."""
    shutil.copytree(ROOT / "regulations" / "cn", tmp_path / "cn")
    shutil.copytree(CITY, tmp_path / CITY.name, ignore=shutil.ignore_patterns("cases"))
    settings.HUYING_REGULATIONS = tmp_path
    forget_regulations()
    yield tmp_path / CITY.name
    forget_regulations()
    forget_units()


def test_it_is_small_and_clear(folder: Path) -> None:
    assert len(list(folder.glob("*.toml"))) < 8
    assert check_folder(folder, (duty_problems,))[0] == []


def test_no_code_knows_it() -> None:
    texts = (path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py"))

    assert not [text for text in texts if "云汀" in text or "yunting" in text]


@pytest.mark.django_db
@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_its_story_holds(folder: Path, path: Path) -> None:
    assert run_scenario(path).differences == []


@pytest.mark.django_db
def test_its_number_is_what_counts(folder: Path) -> None:
    """Another number in the file, another date in the story."""
    rules = folder / "rules.toml"
    rules.write_text(rules.read_text("utf-8").replace("working_days = 6", "working_days = 7"), "utf-8")
    forget_regulations()

    (told, *_) = run_scenario(CITY / "cases" / "appeal.yaml").differences

    assert "应为 '2026-10-12'，实际为 '2026-10-13'" in told


def test_its_duty_list_knows_its_places(folder: Path) -> None:
    policy = regulation(CITY.name)
    units = {unit.path: unit for unit in policy.tree.units}

    (found,) = propose(policy, units.get, category="道路", place="北郡/山下镇")

    assert (found.lead, found.co) == ("北郡/市政局", ("北郡/山下镇",))


@pytest.mark.django_db
def test_it_opens_and_its_pages_speak_its_words(folder: Path, client: Any) -> None:
    opened = open_with_units("cloud", "云汀市便民诉求平台", regulation(CITY.name), None)

    start = client.get(reverse("portal:start", args=[opened.slug])).content.decode()
    rules = client.get(reverse("portal:regulation", args=[opened.slug])).content.decode()

    assert opened.units.count() == 12
    assert "云汀市便民诉求平台" in start
    assert "申诉、点子的答复" in rules and "第三条" in rules


def test_a_mistake_is_told_with_file_key_reason_and_mend(folder: Path) -> None:
    matters = folder / "matters.toml"
    matters.write_text(matters.read_text("utf-8").replace('"环境卫生", "道路"]', '"道路"]'), "utf-8")

    told = CliRunner(env={"HUYING_REGULATIONS": str(folder.parent)}).invoke(main, ["policy", "check"])

    assert told.exit_code == 1
    assert (
        "matters.toml: clean: “镇级事项清单”里没有“环境卫生”，不能交乡镇、街道主办 → 改由上一级单位办理" in told.output
    )
