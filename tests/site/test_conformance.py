"""Each requirement with what proves it; whatever cannot be so is told."""

from pathlib import Path

import pytest

from huying.policy.load import load_regulation
from huying.policy.model import Regulation
from huying.site.conformance import Conformance, page, problems

ROOT = Path(__file__).parents[2]
ROW = """
[[requirement]]
id = "{id}"
article = "{article}"
says = "一个工作日内签收"
state = "{state}"
rules = {rules}
tests = {tests}
{more}
"""


@pytest.fixture(scope="module")
def regulation() -> Regulation:
    return load_regulation(ROOT / "regulations" / "daye-2023")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clone with one regulation, one story of `DY-07-1`, one test and no requirements yet."""
    folder = tmp_path / "regulations" / "daye-2023"
    story(folder, "claim", "[DY-07-1]")
    tests = tmp_path / "tests" / "cases" / "test_claim.py"
    tests.parent.mkdir(parents=True)
    tests.write_text("def test_one() -> None: ...\n\n\nclass TestMore:\n    def test_two(self) -> None: ...\n")
    return folder


def story(folder: Path, name: str, requirements: str) -> None:
    path = folder / "cases" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"title: t\nregulation: daye-2023\nrequirements: {requirements}\nsteps:\n  - at: 2026-03-02 09:00\n"
    )


def rows(folder: Path, *given: dict[str, str]) -> None:
    plain = {"id": "DY-07-1", "article": "daye-2023#7", "state": "works", "rules": "[]", "tests": "[]", "more": ""}
    text = "".join(ROW.format(**{**plain, **one}) for one in given)
    (folder / "requirements.toml").write_text(text, encoding="utf-8")


def conformance(folder: Path, regulation: Regulation) -> Conformance:
    return Conformance(folder.parents[1], [regulation])


def told(folder: Path, regulation: Regulation) -> list[str]:
    return list(problems(conformance(folder, regulation)))


def test_row_with_its_story_is_right(folder: Path, regulation: Regulation) -> None:
    rows(folder, {"rules": '["time_limits.claim.all"]'})

    assert told(folder, regulation) == []


def test_page_sets_rule_story_test_and_state_side_by_side(folder: Path, regulation: Regulation) -> None:
    rows(
        folder,
        {"rules": '["time_limits.claim.all"]', "tests": '["tests/cases/test_claim.py::TestMore::test_two"]'},
        {"id": "DY-15-1", "article": "daye-2023#15", "state": "open", "more": 'note = "还没有"'},
    )

    text = page(conformance(folder, regulation), "made")

    assert "| [daye-2023](#daye-2023) | 2 | 1 | 0 | 0 | 1 |" in text
    assert "| DY-15-1 | 一个工作日内签收 | 还没有 |" in text.split("## What is open")[1]
    (row,) = [line for line in text.splitlines() if line.startswith("| DY-07-1 ")]
    assert "| （七） | `time_limits.claim.all` |" in row
    assert "[claim](../regulations/daye-2023/cases/claim.yaml)" in row
    assert "[TestMore::test_two](../tests/cases/test_claim.py)" in row


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"article": "daye-2023#99"}, "`daye-2023#99` resolves to no article"),
        ({"rules": '["time_limits.claim.none"]'}, "no rule `time_limits.claim.none`"),
        ({"tests": '["tests/cases/test_claim.py::test_none"]'}, "no test `tests/cases/test_claim.py::test_none`"),
        ({"tests": '["tests/cases/test_none.py::test_one"]'}, "no test `tests/cases/test_none.py::test_one`"),
        ({"id": "DY-07-2"}, "works, but no story and no test shows it"),
        ({"state": "open"}, "open without a `note`"),
        ({"state": "done"}, "DY-07-1: state:"),
        ({"more": 'why = "x"'}, "DY-07-1: why:"),
    ],
)
def test_row_that_cannot_be_so_is_told(
    folder: Path, regulation: Regulation, given: dict[str, str], problem: str
) -> None:
    rows(folder, given)

    assert any(problem in line and "requirements.toml" in line for line in told(folder, regulation))


def test_what_works_of_the_support_tier_or_is_organisational_needs_no_proof(
    folder: Path, regulation: Regulation
) -> None:
    rows(
        folder, {}, {"id": "DY-14-1", "more": 'tier = "support"'}, {"id": "DY-03-1", "state": "organisational"}
    )  # fmt: skip

    assert told(folder, regulation) == []


def test_requirement_twice_and_story_of_none_are_told(folder: Path, regulation: Regulation) -> None:
    rows(folder, {}, {})
    story(folder, "return", "[DY-07-9]")

    found = told(folder, regulation)

    assert sum("stands 2 times" in line for line in found) == 2
    assert [line for line in found if line.startswith("regulations/daye-2023/cases/return.yaml: requirement DY-07-9")]


@pytest.mark.parametrize("requirements", ["DY-07-1", "{DY-07-1: yes}", "[DY-07-1"])
def test_story_whose_requirements_are_no_list_is_told(folder: Path, regulation: Regulation, requirements: str) -> None:
    rows(folder, {})
    story(folder, "odd", requirements)

    assert "regulations/daye-2023/cases/odd.yaml: `requirements` is no list of ids" in told(folder, regulation)


def test_requirements_of_a_story_may_take_several_lines(folder: Path, regulation: Regulation) -> None:
    rows(folder, {"id": "DY-07-3"}, {})
    story(folder, "return", "\n  # why\n  - DY-07-3")

    assert told(folder, regulation) == []
