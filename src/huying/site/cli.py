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


if __name__ == "__main__":
    main()
