"""A new version of the rules: cases that came in before keep theirs to the end, those after take the new ones."""

import shutil
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from huying.base import clock as time
from huying.base.clock import LEGAL_ZONE
from huying.cases.commands import perform
from huying.cases.models import TimeLimit
from huying.cases.policies import forget_regulations, policy_of, rules_of, version_on
from huying.cases.queries.time_limits import handle_limit
from huying.core.verdict import Refused
from huying.policy.load import load_regulation
from huying.site.cli import main

REGULATIONS = Path(__file__).parents[2] / "regulations"
SINCE = date(2026, 9, 1)
LONGER = {  # file: what it says, what it says from then on
    "time_limits.toml": [("working_days = 5\n", "working_days = 8\n")],
    "extension.toml": [("max_total_working_days = 30", "max_total_working_days = 12")],
}
WHO = "handler@市住建局"

pytestmark = pytest.mark.django_db


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LEGAL_ZONE)


def changed(folder: Path, into: Path) -> Path:
    """The files of the new version, made from those in force."""
    into.mkdir(parents=True, exist_ok=True)
    for name, changes in LONGER.items():
        text = (folder / name).read_text("utf-8")
        for old, new in changes:
            assert old in text, (name, old)
            text = text.replace(old, new)
        (into / name).write_text(text, "utf-8")
    return into


@pytest.fixture
def regulations(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """A copy of the regulations that may get versions."""
    root = tmp_path / "regulations"
    for name in ("cn", "daye-2023"):
        shutil.copytree(REGULATIONS / name, root / name, ignore=shutil.ignore_patterns("cases", "versions"))
    settings.HUYING_REGULATIONS = root
    forget_regulations()
    yield root
    forget_regulations()


@pytest.fixture
def version(regulations: Path) -> Path:
    """A version in force from 1 September 2026: eight working days, with extensions no more than twelve."""
    files = changed(regulations / "daye-2023", regulations / "daye-2023" / "versions" / SINCE.isoformat())
    forget_regulations()
    return files


@pytest.fixture
def claimed(submit: Any, take: Any) -> Any:
    def make(on: str) -> Any:
        case = submit(at(f"{on} 09:00")).case
        take("case.dispatch", "dispatcher@center", case, at(f"{on} 10:00"), lead="市住建局")
        take("case.claim", WHO, case, at(f"{on} 11:00"))
        return case

    return make


def due(case: Any) -> str:
    limit = handle_limit(case)
    assert limit is not None
    return limit.due_on.isoformat()


def test_each_case_counts_by_the_rules_that_it_came_in_under(version: Path, claimed: Any, platform: Any) -> None:
    before, after = claimed("2026-08-31"), claimed("2026-09-01")

    assert (before.rules_since, after.rules_since) == (None, SINCE)
    assert due(before) == "2026-09-07"  # 1, 2, 3, 4, 7 September
    assert due(after) == "2026-09-11"  # 2, 3, 4, 7, 8, 9, 10, 11 September
    assert [rules_of(case).extensions[0].max_total_working_days for case in (before, after)] == [30, 12]
    assert policy_of(platform, date(2026, 8, 31)).info.version is None
    assert policy_of(platform, date(2026, 9, 1)).info.version == SINCE


def test_dispatched_only_after_the_day_it_still_keeps_the_old_rules(version: Path, submit: Any, take: Any) -> None:
    case = submit(at("2026-08-31 23:59")).case
    take("case.dispatch", "dispatcher@center", case, at("2026-09-02 10:00"), lead="市住建局")
    take("case.claim", WHO, case, at("2026-09-02 11:00"))

    assert due(case) == "2026-09-09"  # 3, 4, 7, 8, 9: five days as before


def test_extension_is_judged_by_the_cases_own_rules(version: Path, claimed: Any, actor: Any, take: Any) -> None:
    before, after = claimed("2026-08-31"), claimed("2026-09-01")
    asked = {"workdays": 10, "reason": "需要采购"}

    take("case.request_extension", WHO, before, at("2026-09-03 09:00"), **asked)
    take("application.approve", "dispatcher@center", before, at("2026-09-03 10:00"), opinion="同意")
    refused = perform("case.request_extension", actor=actor(WHO), now=at("2026-09-03 09:00"), case=after, data=asked)

    assert due(before) == "2026-09-20"  # 8 to 11, 14 to 18, and the worked Sunday 20
    assert isinstance(refused, Refused) and refused.code == "exceeds_limit" and "12个工作日" in refused.reason


def test_later_rounds_keep_the_rules_too(version: Path, claimed: Any, take: Any) -> None:
    cases = claimed("2026-08-31"), claimed("2026-09-01")
    fine = {"facts_clear": True, "basis_right": True, "handled_well": True}
    for case in cases:
        take("case.contact", WHO, case, at("2026-09-03 09:00"), method="phone", result="reached", note="已说明")
        take("case.reply", WHO, case, at("2026-09-03 10:00"), content="已修好", outcome="solved")
        take("check.pass", "checker@center", case, at("2026-09-03 11:00"), criteria=fine)
        take("case.rework", "dispatcher@center", case, at("2026-09-04 09:00"), reason="又坏了", ground="poor_quality")

    # From Friday the 4th: five working days end on the 11th, eight on the 16th.
    assert [due(case) for case in cases] == ["2026-09-11", "2026-09-16"]
    assert [TimeLimit.objects.filter(case=case, name="handle").count() for case in cases] == [2, 2]


def test_version_is_the_day_that_it_holds_from(version: Path, regulations: Path) -> None:
    folder = regulations / "daye-2023"

    assert version_on("daye-2023", date(2027, 5, 5)) == SINCE
    assert load_regulation(folder, date(2027, 5, 5)).info.version == SINCE
    assert load_regulation(folder, date(2026, 8, 1)).info.version is None


def test_text_of_the_law_may_change_with_the_version(version: Path, regulations: Path) -> None:
    folder = regulations / "daye-2023"
    text = (folder / "sources.toml").read_text("utf-8")
    first = next(line for line in text.splitlines() if line.startswith("title"))
    (version / "sources.toml").write_text(text.replace(first, 'title = "修订后的工作机制"', 1), "utf-8")

    assert load_regulation(folder, SINCE).sources[0].title == "修订后的工作机制"
    assert load_regulation(folder).sources[0].title != "修订后的工作机制"


# --- The command --------------------------------------------------------------------------------------------------


def command(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["policy", *map(str, arguments)])


@pytest.fixture
def files(regulations: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """New files, a fortnight before they come into force."""
    monkeypatch.setattr(time, "now", lambda: at("2026-08-18 09:00"))
    return changed(regulations / "daye-2023", tmp_path / "new")


def test_load_says_what_changes_and_puts_the_files_in_place(files: Path, regulations: Path, claimed: Any) -> None:
    result = command("load", files, "--from", "2026-09-01", "--regulation", "daye-2023")

    assert result.exit_code == 0, result.output
    assert "5个工作日，自签收次日起算 → 8个工作日，自签收次日起算" in result.output
    assert "自签收起连同延期不超过30个工作日 → 自签收起连同延期不超过12个工作日" in result.output
    folder = regulations / "daye-2023" / "versions"
    assert sorted(path.name for path in folder.iterdir()) == ["2026-09-01"]
    assert sorted(path.name for path in (folder / "2026-09-01").iterdir()) == ["extension.toml", "time_limits.toml"]
    assert due(claimed("2026-08-31")) == "2026-09-07"
    assert due(claimed("2026-09-01")) == "2026-09-11"


@pytest.mark.parametrize(
    ("since", "reason"), [("2026-08-17", "已经过去"), ("2026-09-01", "已有自 2026-09-01 起施行的版本")]
)
def test_load_refuses_a_day_that_is_past_or_taken(files: Path, version: Path, since: str, reason: str) -> None:
    result = command("load", files, "--from", since)

    assert result.exit_code == 1
    assert reason in result.output
    assert sorted(path.name for path in version.parent.iterdir()) == ["2026-09-01"]


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("ledger.toml", '[ledger]\nkey = "ledger"\nlabel = "挂账"\ncite = "daye-2023#99"\n', "找不到条文"),
        ("ledger.toml", "[ledger\n", "不是合法的 TOML"),
        ("calendar-2027.toml", "year = 2027\n", "calendar load"),
        ("regulation.toml", '[info]\nid = "other"\n', "编号是“other”"),
        ("duties.toml", '[[duty]]\nkey = "a"\nlabel = "a"\ncite = "daye-2023#2"\nmatter = "供水"\nlead = "没有局"\n',
         "在单位表里找不到"),
    ],
)  # fmt: skip
def test_load_refuses_what_is_unclear_and_writes_nothing(
    files: Path, regulations: Path, file: str, text: str, reason: str
) -> None:
    (files / file).write_text(text, "utf-8")

    result = command("load", files, "--from", "2026-09-01", "--regulation", "daye-2023")

    assert result.exit_code == 1
    assert reason in result.output
    assert not (regulations / "daye-2023" / "versions").exists()


def test_load_looks_at_later_versions_with_the_new_one_below(files: Path, regulations: Path) -> None:
    later = regulations / "daye-2023" / "versions" / "2027-01-01"
    later.mkdir(parents=True)
    (later / "more.toml").write_text('[letter]\nkey = "x"\nlabel = "x"\ncite = "daye-2023#2"\nafter_bad = 2\n', "utf-8")
    assert command("check", "daye-2023").exit_code == 0  # the repository's own
    (files / "letter.toml").write_text((later / "more.toml").read_text("utf-8"), "utf-8")

    result = command("load", files, "--from", "2026-09-01")

    assert result.exit_code == 1
    assert "versions/2027-01-01" in result.output and "已在" in result.output


def test_load_without_any_change_is_refused(files: Path, regulations: Path) -> None:
    for name in LONGER:
        shutil.copy(regulations / "daye-2023" / name, files / name)

    result = command("load", files, "--from", "2026-09-01")

    assert result.exit_code == 1 and "没有任何不同" in result.output
