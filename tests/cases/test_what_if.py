"""A month's cases under other rules: which would have had another date, lead or procedure. Nothing is written."""

import shutil
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from django.test.utils import CaptureQueriesContext

from huying.base.clock import LEGAL_ZONE
from huying.cases.policies import forget_regulations, regulation
from huying.cases.queries import what_if as module
from huying.cases.queries.what_if import what_if
from huying.policy.diff import resolve
from huying.site.cli import main

REGULATIONS = Path(__file__).parents[2] / "regulations"
WHO = "handler@市住建局"
MARCH = date(2026, 3, 1)
ROW = (
    '[[duty]]\nkey = "lamps"\nlabel = "路灯"\ncite = "daye-2023#7"\n'
    'matter = "道路与路灯"\nwords = ["路灯"]\nlead = "{}"\n'
)

pytestmark = pytest.mark.django_db


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LEGAL_ZONE)


@pytest.fixture
def root(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """The regulation with a duty list of one row."""
    place = tmp_path / "regulations"
    for name in ("cn", "daye-2023"):
        shutil.copytree(REGULATIONS / name, place / name, ignore=shutil.ignore_patterns("cases", "versions"))
    (place / "daye-2023" / "duties.toml").write_text(ROW.format("市住建局"), "utf-8")
    settings.HUYING_REGULATIONS = place
    forget_regulations()
    yield place
    forget_regulations()


@pytest.fixture
def other(root: Path, tmp_path: Path) -> Path:
    """A draft: eight working days for complaints that are claimed, another lead, and no check of the reply."""
    files = tmp_path / "draft"
    files.mkdir()
    for name, old, new in (
        ("time_limits.toml", "working_days = 5\n", "working_days = 8\n"),
        ("duties.toml", "市住建局", "市城管执法局"),
        ("reply.toml", "central_check = true", "central_check = false"),
    ):
        text = (root / "daye-2023" / name).read_text("utf-8")
        assert old in text
        (files / name).write_text(text.replace(old, new), "utf-8")
    return files


def compared(platform: Any, root: Path, other: Path, month: date = MARCH) -> dict[str, list[str]]:
    new = resolve(str(other), root, today=date(2026, 4, 1), base=root / "daye-2023")
    return {
        one.number: [str(each) for each in one.otherwise]
        for one in what_if(platform, regulation("daye-2023"), new, month)
    }  # fmt: skip


def test_date_lead_and_procedure_are_told_before_and_after(
    platform: Any, root: Path, other: Path, submit: Any, take: Any
) -> None:
    case = submit(at("2026-03-02 09:00")).case
    take("case.dispatch", "dispatcher@center", case, at("2026-03-02 10:00"), lead="市住建局")
    take("case.claim", WHO, case, at("2026-03-02 11:00"))

    assert compared(platform, root, other) == {
        case.number: [
            "办理期限：2026-03-09 → 2026-03-12",
            "主办单位：市住建局 → 市城管执法局",
            "办理方式：统一由平台运行中心受理、分办；由中心审核后反馈，审核不通过的退回重新办理"
            " → 统一由平台运行中心受理、分办；答复直接反馈诉求人",
        ]
    }


def test_what_somebody_set_or_the_list_does_not_touch_stays(
    platform: Any, root: Path, other: Path, submit: Any, take: Any
) -> None:
    (other / "reply.toml").unlink()
    case = submit(at("2026-03-02 09:00"), title="来信", content="请转告。").case
    take("case.dispatch", "dispatcher@center", case, at("2026-03-02 10:00"), lead="市住建局", limit_workdays=3)

    assert compared(platform, root, other) == {case.number: []}


def test_an_unclaimed_case_counts_from_the_end_of_the_claim_limit(
    platform: Any, root: Path, other: Path, submit: Any, take: Any
) -> None:
    case = submit(at("2026-03-02 09:00")).case
    take("case.dispatch", "dispatcher@center", case, at("2026-03-02 10:00"), lead="市住建局")

    assert compared(platform, root, other)[case.number][0] == "办理期限：2026-03-10 → 2026-03-13"


def test_only_that_months_cases_are_read_in_pages(
    platform: Any, root: Path, other: Path, submit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    moments = ["2026-02-28 23:59", "2026-03-01 00:00", "2026-03-15 09:00", "2026-03-31 23:59", "2026-04-01 00:00"]
    numbers = [submit(at(moment)).case.number for moment in moments]

    assert list(compared(platform, root, other)) == numbers[1:4]
    assert list(compared(platform, root, other, date(2026, 4, 30))) == numbers[4:]
    assert list(compared(platform, root, other, date(2026, 12, 1))) == []


def test_nothing_is_written(platform: Any, root: Path, other: Path, submit: Any) -> None:
    from django.db import connection

    submit(at("2026-03-02 09:00"))
    with CaptureQueriesContext(connection) as queries:
        compared(platform, root, other)

    assert queries.captured_queries
    assert [one["sql"] for one in queries.captured_queries if not one["sql"].startswith("SELECT")] == []


def test_a_case_that_the_other_rules_do_not_know_is_told(platform: Any, root: Path, submit: Any) -> None:
    case = submit(at("2026-03-02 09:00"), kind="help").case
    policy = regulation("daye-2023")
    without = policy.model_copy(update={"kinds": tuple(one for one in policy.kinds if one.key != "help")})
    without.__dict__.pop("kind_rules", None)

    (found,) = what_if(platform, policy, without, MARCH)

    assert found.number == case.number
    assert [str(one).split(" → ")[1] for one in found.otherwise] == ["没有这个诉求类型"]


# --- The command --------------------------------------------------------------------------------------------------


def command(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["policy", "diff", *map(str, arguments)])


def test_command_tells_rules_then_cases_then_sums(platform: Any, root: Path, other: Path, submit: Any) -> None:
    numbers = [submit(at("2026-03-02 09:00")).case.number for _ in range(3)]

    result = command("daye-2023", other, "--cases", "2026-03", "--most", "2")

    assert result.exit_code == 0, result.output
    assert "5个工作日，自签收次日起算 → 8个工作日，自签收次日起算" in result.output
    assert numbers[0] in result.output and numbers[1] in result.output and numbers[2] not in result.output
    assert "……另有1件" in result.output
    assert "2026-03共3件，其中3件会不同：办理期限不同0件，主办单位不同3件，办理方式不同3件" in result.output


def test_command_names_the_platforms_when_it_cannot_tell_which(platform: Any, root: Path, other: Path) -> None:
    result = command("daye-2023", other, "--cases", "2026-03", "--platform", "nowhere")

    assert result.exit_code == 1
    assert "没有平台“nowhere”" in result.output and "city" in result.output
    assert command("daye-2023", "daye-2023").output == "没有不同\n"
