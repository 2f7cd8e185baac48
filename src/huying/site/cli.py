"""The command `huying`: everything that the city's IT staff and the legal desk do by hand."""

import os
import sys
from pathlib import Path

import click


def _django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huying.site.settings")
    import django

    django.setup()


@click.group()
def main() -> None:
    """呼应：城市回应群众诉求的平台。"""


@main.group()
def scenario() -> None:
    """规定的情景测试。"""


@scenario.command("run")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
def scenario_run(paths: tuple[Path, ...]) -> None:
    """运行情景文件或文件夹：每个情景一行，随后列出不符之处。"""
    _django()
    from huying.site.scenario import BadScenario, Result, find_scenarios, run_scenario

    try:
        files = find_scenarios(paths)
    except BadScenario as bad:
        raise click.ClickException(str(bad)) from None
    failed = 0
    for path in files:
        try:
            result = run_scenario(path)
        except BadScenario as bad:
            result = Result(path, path.stem, [str(bad)])
        failed += not result.holds
        click.echo(f"{'通过' if result.holds else '不符'}  {path}  {result.title}")
        for difference in result.differences:
            click.echo(f"      {difference}")
    click.echo(f"{len(files) - failed} 个通过，{failed} 个不符")
    sys.exit(1 if failed or not files else 0)


@main.group()
def policy() -> None:
    """规定数据。"""


@policy.command("check")
@click.argument("names", nargs=-1)
def policy_check(names: tuple[str, ...]) -> None:
    """检查规定数据：有不清楚之处就列出文件、键、原因和改法。不写名称则检查全部规定。"""
    from huying.policy.check import check_folder, find_regulations

    folder = Path(os.environ.get("HUYING_REGULATIONS") or Path(__file__).resolve().parents[3] / "regulations")
    wanted = [folder / name for name in names] or find_regulations(folder)
    unclear = 0
    for path in wanted:
        problems, rules, defaults = check_folder(path)
        unclear += bool(problems)
        click.echo(f"{'不清楚' if problems else '清楚'}  {path.name}  规则{rules}条，其中默认{defaults}条")
        for problem in problems:
            click.echo(f"      {problem}")
    sys.exit(1 if unclear or not wanted else 0)


@main.command("explain")
@click.argument("number")
def explain_command(number: str) -> None:
    """逐日说明一件诉求的每个期限是怎样计算的、依据哪一条。"""
    _django()
    from huying.cases.queries.explain import lines_for

    lines = lines_for(number)
    if not lines:
        raise click.ClickException(f"没有编号为“{number}”的诉求，请核对编号。")
    click.echo("\n".join(lines))


if __name__ == "__main__":
    main()
