"""The documentation is true to the code: generated pages, glossary, decisions, links, quoted code, worked dates."""

import re
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner

from huying.cases.commands.registry import Holder
from huying.core.calendar import Calendar
from huying.policy.load import load_notices
from huying.site import docs as made
from huying.site.cli import main
from huying.site.docs import HOLDERS, ROOT, Docs, problems, write


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all that the documentation is made from, with its pages fresh."""
    root = tmp_path_factory.mktemp("clone")
    for folder in ("docs", "examples", "regulations", "src", "tests"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("README.md", "CONTRIBUTING.md", "LICENSE"):
        shutil.copy(ROOT / name, root)
    write(Docs(root))
    return root


@pytest.fixture
def clone(whole: Path, tmp_path: Path) -> Path:
    """One's own copy of it."""
    return Path(shutil.copytree(whole, tmp_path / "clone"))


def told(root: Path) -> str:
    return "\n".join(problems(Docs(root)))


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


# --- The repository as it stands ------------------------------------------------------------------


def test_documentation_agrees_with_code_and_regulations() -> None:
    assert problems(Docs()) == []


def test_every_relation_to_a_case_has_its_words() -> None:
    assert set(HOLDERS) == set(get_args(Holder))


def test_production_page_names_every_setting() -> None:
    page = (ROOT / "docs/howto/production.md").read_text(encoding="utf-8")
    settings = (ROOT / "src/huying/site/settings.py").read_text(encoding="utf-8")
    keys = (ROOT / "src/huying/base/crypto.py").read_text(encoding="utf-8")
    names = set(re.findall(r'env(?:_\w+)?\(\s*"(\w+)"', settings)) | set(re.findall(r'"(HUYING_\w+)"', keys))
    assert len(names) > 15
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []


def test_walk_through_quotes_code_that_exists() -> None:
    """Every line in a block of Python or TOML stands in a file of the product."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    files = [*ROOT.glob("src/huying/**/*.py"), *ROOT.glob("regulations/*/*.toml")]
    lines = {line.strip() for file in files for line in file.read_text(encoding="utf-8").splitlines()}
    blocks = re.findall(r"```(?:python|toml)\n(.*?)```", text, re.DOTALL)
    quoted = [line.strip() for block in blocks for line in block.splitlines() if line.strip() not in ("", "...")]
    without_remark = {line.partition("  #")[0].strip() for line in lines}
    assert len(quoted) > 20
    assert [line for line in quoted if line.partition("  #")[0].strip() not in lines | without_remark] == []


@pytest.mark.parametrize(
    ("day_zero", "working_days", "last_day"),
    [  # as docs/explain/deadlines.md has them, counted by hand on the calendar of 2026
        (date(2026, 4, 29), 1, date(2026, 4, 30)),
        (date(2026, 4, 29), 2, date(2026, 5, 6)),
        (date(2026, 4, 29), 5, date(2026, 5, 9)),
        (date(2026, 4, 30), 5, date(2026, 5, 11)),
        (date(2026, 5, 11), -1, date(2026, 5, 9)),
        (date(2026, 5, 11), 10, date(2026, 5, 25)),
        (date(2026, 4, 30), 30, date(2026, 6, 15)),
        (date(2026, 5, 11), 26, date(2026, 6, 16)),
        (date(2026, 5, 25), 15, date(2026, 6, 15)),
        (date(2026, 9, 28), 5, date(2026, 10, 10)),
        (date(2026, 9, 29), 5, date(2026, 10, 12)),
        (date(2026, 9, 30), 5, date(2026, 10, 13)),
        (date(2026, 10, 8), 5, date(2026, 10, 14)),
        (date(2026, 10, 10), 5, date(2026, 10, 16)),
        (date(2026, 10, 10), 2, date(2026, 10, 13)),
        (date(2026, 9, 29), 30, date(2026, 11, 16)),
    ],
)
def test_worked_dates_of_the_deadlines_page_hold(day_zero: date, working_days: int, last_day: date) -> None:
    calendar = Calendar(load_notices(ROOT / "regulations" / "cn"))
    assert calendar.add_working_days(day_zero, working_days) == last_day


# --- What the pages tell --------------------------------------------------------------------------


def test_action_is_told_with_article_parties_and_fields(whole: Path) -> None:
    page = (whole / "docs/actions.md").read_text(encoding="utf-8")
    section = page.split("## `case.request_extension`")[1].split("\n## ")[0]
    assert "**Parties**: 承办人员 `handler`" in section
    assert "**daye-2023**: （九） 延期申请" in section
    assert "| `workdays` | 延长工作日数 | required | whole number |" in section
    assert "| `progress` | 目前进展 | optional | text |" in section


def test_what_is_not_law_is_listed_first(whole: Path) -> None:
    page = (whole / "docs/rules-daye-2023.md").read_text(encoding="utf-8")
    defaults = page.split("## What is not law")[1].split("\n## ")[0]
    assert "`time_limits.extension_request.before_due` | 申请延期 | （九） 延期申请 | [D-4]" in defaults
    assert "`channels.legacy` | 原有系统 | — | [ADR-0003](adr/0003-defaults-without-a-decision.md)" in defaults
    assert "time_limits.claim.all" not in defaults
    assert "| `time_limits.claim.all` | 签收认领 | （七） 及时受理 | text |" in page


def test_topic_leads_to_its_file_in_every_layer(whole: Path) -> None:
    page = (whole / "docs/topics.md").read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith("| 延期 `extension`"))
    targets = (
        "../regulations/daye-2023/extension.toml",
        "../src/huying/core/extension.py",
        "actions.md#caserequest_extension",
        "../src/huying/cases/commands/handling.py",
        "../src/huying/cases/commands/applications.py",
    )
    assert [target for target in targets if target not in row] == []


# --- What the check finds -------------------------------------------------------------------------


def add_core_file(root: Path) -> None:
    (root / "src/huying/core/weather.py").write_text('"""天气。"""\n', encoding="utf-8")


def drop_term(root: Path) -> None:
    change(root / "docs/glossary.toml", "\nledger = { zh", "\nledgers = { zh")


def cite_nothing(root: Path) -> None:
    change(root / "docs/glossary.toml", 'cite = "daye-2023#9"', 'cite = "daye-2023#99"')


def confuse_with_nothing(root: Path) -> None:
    change(root / "docs/glossary.toml", '["topic.ledger"]', '["topic.leger"]')


def rest_on_unknown_decision(root: Path) -> None:
    change(root / "regulations/daye-2023/ledger.toml", 'cite = "daye-2023#8"', 'origin = "default"\ndecision = "Z-99"')


def break_link(root: Path) -> None:
    change(root / "README.md", "(docs/topics.md)", "(docs/topic.md)")


def edit_generated_page(root: Path) -> None:
    change(root / "docs/actions.md", "# Actions", "# Deeds")


FAULTS: tuple[tuple[Callable[[Path], None], tuple[str, ...]], ...] = (
    (add_core_file, ("docs/topics.md: stale", "[topic] has no `weather`")),
    (drop_term, ("[topic] has no `ledger`",)),
    (cite_nothing, ("`daye-2023#99` resolves to no article",)),
    (confuse_with_nothing, ("`topic.leger`, which is no term",)),
    (rest_on_unknown_decision, ("daye-2023 rests on Z-99", "docs/rules-daye-2023.md: stale")),
    (break_link, ("README.md: link to docs/topic.md leads nowhere",)),
    (edit_generated_page, ("docs/actions.md: stale",)),
)


def test_check_names_each_thing_that_is_wrong(clone: Path) -> None:
    for spoil, _ in FAULTS:
        spoil(clone)
    found = told(clone)
    assert [line for _, lines in FAULTS for line in lines if line not in found] == []


@pytest.mark.slow
def test_command_check_writes_nothing_and_ends_with_one_until_the_pages_are_made(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(made, "ROOT", clone)
    edit_generated_page(clone)

    checked = CliRunner().invoke(main, ["docs", "--check"])
    assert checked.exit_code == 1
    assert "docs/actions.md: stale" in checked.output
    assert "# Deeds" in (clone / "docs/actions.md").read_text(encoding="utf-8")

    written = CliRunner().invoke(main, ["docs"])
    assert written.exit_code == 0, written.output
    assert CliRunner().invoke(main, ["docs", "--check"]).exit_code == 0
