"""The command `huying`: everything that the city's IT staff and the legal desk do by hand."""

import os
import re
import sys
from datetime import datetime
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
    from huying.site.scenario import BadScenario, find_scenarios, run_scenarios

    try:
        files = find_scenarios(paths)
    except BadScenario as bad:
        raise click.ClickException(str(bad)) from None
    failed = 0
    for result in run_scenarios(files):
        failed += not result.holds
        click.echo(f"{'通过' if result.holds else '不符'}  {result.path}  {result.title}")
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
    """检查规定数据，含各个版本和权责清单：有不清楚之处就列出文件、键、原因和改法。不写名称则检查全部规定。"""
    from huying.core.assessment_items import assessment_problems
    from huying.core.duties import duty_problems
    from huying.policy.check import check_folder, find_regulations

    folder = _regulations()
    wanted = [folder / name for name in names] or find_regulations(folder)
    unclear = 0
    for path in wanted:
        problems, rules, defaults = check_folder(path, (duty_problems, assessment_problems))
        unclear += bool(problems)
        click.echo(f"{'不清楚' if problems else '清楚'}  {path.name}  规则{rules}条，其中默认{defaults}条")
        for problem in problems:
            click.echo(f"      {problem}")
    sys.exit(1 if unclear or not wanted else 0)


def _regulations() -> Path:
    """The folder of the regulations, also where no database is set up."""
    return Path(os.environ.get("HUYING_REGULATIONS") or Path(__file__).resolve().parents[3] / "regulations")


FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@policy.command("load")
@click.argument("folder", type=FOLDER)
@click.option("--from", "since", required=True, type=click.DateTime(["%Y-%m-%d"]), help="自哪一天起施行。")
@click.option("--regulation", default="", help="是哪一部规定的新版本；看得出来的可以不写。")
def policy_load(folder: Path, since: datetime, regulation: str) -> None:
    """载入规定的新版本：检查文件夹里的文件，逐条说明改了什么，放到规定的 versions/ 之下。以前收到的诉求不受影响。"""
    _django()
    from django.conf import settings

    from huying.base import clock
    from huying.policy.load import UnclearRegulation
    from huying.site.loading import load_version

    today = clock.local_date(clock.now())
    try:
        for line in load_version(settings.HUYING_REGULATIONS, folder, since.date(), name=regulation, today=today):
            click.echo(line)
    except UnclearRegulation as unclear:
        raise click.ClickException(f"没有载入：\n{unclear}") from None


@policy.command("diff")
@click.argument("one")
@click.argument("other")
@click.option("--cases", "month", type=click.DateTime(["%Y-%m"]), help="再看这个月的诉求有哪些会不同，例如 2026-10。")
@click.option("--platform", "slug", default="", help="看哪个平台的诉求；只有一个平台用这部规定时可以不写。")
@click.option("--most", default=100, show_default=True, type=click.IntRange(0), help="最多列出多少件诉求。")
def policy_diff(one: str, other: str, month: datetime | None, slug: str, most: int) -> None:
    """逐条列出两部规定（或两个版本）的不同。写编号（现行的）、编号@日期，或放着改动文件的文件夹。"""
    _django()
    from django.conf import settings

    from huying.base import clock
    from huying.policy.load import UnclearRegulation
    from huying.site.loading import compare, compare_cases

    root, today = settings.HUYING_REGULATIONS, clock.local_date(clock.now())
    try:
        for line in compare(root, one, other, today=today):
            click.echo(line)
        if month is not None:
            for line in compare_cases(root, one, other, month.date(), platform=slug, today=today, most=most):
                click.echo(line)
    except UnclearRegulation as unclear:
        raise click.ClickException(str(unclear)) from None


@main.group("calendar")
def calendar_group() -> None:
    """全国工作日历。"""


@calendar_group.command("load")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="不再询问。")
@click.option("--country", default="cn", show_default=True, help="放日历的文件夹。")
@click.option("--no-wait", is_flag=True, help="没有正在运行的网站和后台进程，不必等它们读到新日历。")
def calendar_load(file: Path, yes: bool, country: str, no_wait: bool) -> None:
    """载入一年的放假通知（calendar-<年>.toml），重新计算因它未公布而暂定的期限。可随时中断，再运行即接着做。"""
    _django()
    import time

    from django.conf import settings

    from huying.cases.policies import LOOK_AGAIN
    from huying.policy.load import UnclearRegulation
    from huying.site.loading import judge_calendar, put_calendar, recount

    try:
        new = judge_calendar(settings.HUYING_REGULATIONS, file, country)
    except UnclearRegulation as unclear:
        raise click.ClickException(f"没有载入：\n{unclear}") from None
    notice = new.notice
    click.echo(f"{notice.title}：放假{len(notice.holidays)}次，调休上班{len(notice.makeup_days)}日。")
    click.echo(f"现有暂定的期限{new.provisional}个（含其他年度的）。")
    if not yes:
        click.confirm("载入并重新计算？", abort=True)
    put_calendar(new)
    done = recount(new)
    click.echo(f"已看{done.cases}件：改期{done.moved}个期限，日期不变、不再暂定{done.confirmed}个。")
    if not no_wait:
        click.echo(f"等待其他进程读到新日历（{LOOK_AGAIN:.0f}秒），再看一遍……")
        time.sleep(LOOK_AGAIN)
        done = recount(new)
        click.echo(f"又改期{done.moved}个期限，不再暂定{done.confirmed}个。")


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


@main.command("worker")
@click.option("--once", is_flag=True, help="只处理当前已到期的，处理完就退出。")
def worker_command(once: bool) -> None:
    """运行时钟与投递进程；可同时运行多个。"""
    _django()
    from huying.site.worker import run_worker

    run_worker(once=once)


@main.command("monitor")
def monitor_command() -> None:
    """检查运行情况：一切正常时不出声、以 0 退出；有告警时逐条列出原因和处理办法，以 1 退出。供 cron 和监控系统调用。"""
    _django()
    from huying.base import clock
    from huying.site.monitor import report

    found = list(report(clock.now()))
    for line in found:
        click.echo(line)
    sys.exit(1 if found else 0)


@main.command("openapi")
def openapi_command() -> None:
    """接口的 OpenAPI 说明，写到标准输出。"""
    _django()
    import json

    from huying.api.routes import api

    schema = api.get_openapi_schema(path_prefix="/api/v1/")
    click.echo(json.dumps(schema, ensure_ascii=False, indent=1, sort_keys=True))


@main.command("api-key")
@click.argument("action", type=click.Choice(["create", "revoke"]))
@click.argument("platform")
@click.argument("channel_or_id")
@click.argument("label", default="")
def api_key_command(action: str, platform: str, channel_or_id: str, label: str) -> None:
    """接口密钥：create 平台 渠道 名称（密钥只显示一次）；revoke 平台 编号。"""
    _django()
    from huying.base import clock
    from huying.cases.commands import api_keys
    from huying.people.models import Platform

    found = Platform.objects.filter(slug=platform).first()
    if found is None:
        raise click.ClickException(f"没有平台“{platform}”。")
    if action == "revoke":
        if not (channel_or_id.isdigit() and api_keys.revoke_api_key(found, int(channel_or_id), now=clock.now())):
            raise click.ClickException("没有这个编号的有效密钥。")
        click.echo("已作废。")
        return
    try:
        key_id, key = api_keys.create_api_key(found, channel_or_id, label, now=clock.now())
    except api_keys.UnknownChannel as unknown:
        raise click.ClickException(str(unknown)) from None
    click.echo(f"编号 {key_id}，密钥（只显示这一次，请妥善保存）：")
    click.echo(key)


@main.command("docs")
@click.option("--check", is_flag=True, help="只检查，不写文件；有过时或缺漏之处以 1 退出。")
def docs_command(check: bool) -> None:
    """由代码和规定生成 docs/ 里的各页。"""
    _django()
    from huying.site.docs import Docs, problems, write

    docs = Docs()
    if not check:
        for path in write(docs):
            click.echo(f"已写  {path.relative_to(docs.root)}")
    found = problems(docs)
    for problem in found:
        click.echo(problem)
    click.echo(f"文档有{len(found)}处问题" if found else "文档与代码、规定一致")
    sys.exit(1 if found else 0)


@main.command("who-saw")
@click.argument("number")
@click.option("--before", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%d %H:%M"]), help="北京时间；不写则到现在。")
def who_saw_command(number: str, before: datetime | None) -> None:
    """列出某一时刻之前谁读过一件诉求的诉求人身份、谁办理过这件诉求。"""
    _django()
    from huying.base import clock
    from huying.cases.queries.who_saw import lines_for

    until = before.replace(tzinfo=clock.LEGAL_ZONE) if before else clock.now()
    lines = lines_for(number, before=until)
    if lines is None:
        raise click.ClickException(f"没有编号为“{number}”的诉求，请核对编号。")
    click.echo("\n".join(lines))


@main.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--map", "map_path", required=True, type=click.Path(path_type=Path), help="映射文件（TOML）。")
@click.option("--platform", default="", help="导入到哪个平台；不写则按映射文件。")
@click.option(
    "--mode", type=click.Choice(["", "history", "new"]), default="", help="history 按原时间；new 作为新诉求。"
)
@click.option("--dry-run", is_flag=True, help="只试，不写入任何东西。")
@click.option("--errors", type=click.Path(path_type=Path), help="错误文件的位置；不写则在原文件旁边。")
def import_command(file: Path, map_path: Path, platform: str, mode: str, dry_run: bool, errors: Path | None) -> None:
    """导入原有系统的诉求（CSV 或 XLSX）。可随时中断，再运行即接着导入，不会重复。有行不成时以 1 退出。"""
    _django()
    from huying.site.importing import CannotImport, import_file, lines_of

    try:
        report = import_file(file, map_path, platform=platform, mode=mode, dry_run=dry_run, errors=errors)  # type: ignore[arg-type]
    except CannotImport as bad:
        click.echo(str(bad), err=True)
        sys.exit(2)
    click.echo("\n".join(lines_of(report, dry_run=dry_run)))
    sys.exit(1 if report.failed else 0)


@main.group()
def platform() -> None:
    """平台。"""


@platform.command("open")
@click.argument("slug")
@click.option("--name", required=True, help="平台名称。")
@click.option("--regulation", required=True, help="所依规定的编号，例如 regulations/ 下的文件夹名。")
@click.option("--units", type=click.Path(path_type=Path), help="单位表（TOML 或 CSV）；不写则用规定自带的单位树。")
def platform_open(slug: str, name: str, regulation: str, units: Path | None) -> None:
    """开设平台：建立单位树，并核对规定用到的单位都在其中。"""
    _django()
    from huying.cases.policies import regulation as regulation_of
    from huying.policy.load import UnclearRegulation
    from huying.site.platforms import BadTree, open_with_units

    try:
        opened = open_with_units(slug, name, regulation_of(regulation), units)
    except (BadTree, UnclearRegulation) as bad:
        raise click.ClickException(str(bad)) from None
    click.echo(f"已开设平台“{opened.name}”（{opened.slug}），单位 {opened.units.count()} 个。")


@main.group()
def account() -> None:
    """工作人员账号。"""


@account.command("create")
@click.argument("username")
@click.option("--platform", "slug", required=True)
@click.option("--role", required=True)
@click.option("--unit", default="center", show_default=True, help="单位路径。")
@click.option("--name", default="", help="姓名。")
@click.password_option("--password", prompt="口令", help="不写则询问。")
def account_create(username: str, slug: str, role: str, unit: str, name: str, password: str) -> None:
    """新建账号并授予一个角色；账号已有则只加这个角色。"""
    _django()
    from huying.base import clock
    from huying.site.platforms import BadAccount, create_account

    try:
        made = create_account(username, slug, role, unit, name=name, password=password, now=clock.now())
    except BadAccount as bad:
        raise click.ClickException(str(bad)) from None
    click.echo(f"{'已新建账号并授予' if made else '账号已有，已授予'}“{role}”。")


@main.command()
@click.option("--reset", is_flag=True, help="先清空演示数据，重新开始。")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="网站的端口，被占用则顺延。"
)
@click.option("--no-serve", is_flag=True, help="只建立数据，不启动网站。")
@click.option("--city", default="", help="只要哪些城市，写规定的编号，几个之间用逗号；不写则全部。")
@click.option("--cases", type=click.IntRange(1, 3000), help="每个城市大约多少件诉求；不写则由各城自定。")
@click.option("--now", "at", type=click.DateTime(), help="演示数据截至的时刻（北京时间），默认为现在。")
def demo(reset: bool, port: int, no_serve: bool, city: str, cases: int | None, at: datetime | None) -> None:
    """启动带有演示数据的平台：数据库、网站和后台任务，按 Ctrl-C 全部停止。每个城市一个平台。"""
    from rich.console import Console

    from huying.base.clock import LEGAL_ZONE
    from huying.site.demo import CannotRun, run

    at = at.replace(tzinfo=LEGAL_ZONE) if at else None
    try:
        run(names=city, reset=reset, port=port, serve=not no_serve, cases=cases, at=at, console=Console())
    except CannotRun as bad:
        raise click.ClickException(str(bad)) from None


@main.command()
@click.option("--sizes", default="10000,100000", show_default=True, help="诉求件数，逗号分隔，从小到大。")
@click.option("-n", "repeats", default=100, show_default=True, type=click.IntRange(5), help="每项测多少次。")
@click.option("--limits", default=10_000, show_default=True, type=click.IntRange(0), help="同时到期的期限数，0为不测。")
@click.option("--write-docs", is_flag=True, help="把数字写入 docs/performance.md。")
def bench(sizes: str, repeats: int, limits: int, write_docs: bool) -> None:
    """测量命令、列表、诉求页、搜索和期限到期的用时（须在源代码目录中运行，用单独的数据库）。"""
    from rich.console import Console

    from huying.base import clock

    root = Path(__file__).resolve().parents[3]
    if not (root / "bench" / "run.py").is_file() or not re.fullmatch(r"[1-9]\d*(,[1-9]\d*)*", sizes):
        raise click.ClickException("请在源代码目录中运行，件数写成如 10000,100000 的样子。")
    sys.path.insert(0, str(root))
    os.environ["PYTHONPATH"] = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
    from bench.run import run

    wanted = sorted({int(size) for size in sizes.split(",")})
    run(root=root, sizes=wanted, n=repeats, limits=limits, write_docs=write_docs, console=Console(), now=clock.now())


@main.command("dossier")
@click.argument("number")
@click.option("--out", "path", required=True, type=click.Path(path_type=Path), help="写到哪个文件（ZIP）。")
@click.option("--identity", default="", help="附带诉求人身份的用途（supervision、check 等）；不写则不附带。")
@click.option("--approver", default="", help="批准附带身份的人。")
def dossier_command(number: str, path: Path, identity: str, approver: str) -> None:
    """导出一件已归档诉求的归档卷（ZIP），用 tools/verify_dossier.py 核验。"""
    _django()
    from huying.base import clock
    from huying.cases.dossier import CannotExport, export_dossier

    try:
        made = export_dossier(number, path, now=clock.now(), identity=identity, approver=approver)
    except CannotExport as cannot:
        raise click.ClickException(str(cannot)) from None
    for gap in made.gaps:
        click.echo(f"材料不完整：{gap.text}")
    click.echo(f"已写 {path}，文件 {made.files} 个，全卷摘要 {made.digest}")


@main.command("report")
@click.argument("slug")
@click.option("--out", "folder", required=True, type=click.Path(path_type=Path), help="写到哪个文件夹。")
@click.option(
    "--kind", "kinds", multiple=True, default=("month",), type=click.Choice(["day", "week", "month", "quarter", "year"])
)
@click.option(
    "--what", multiple=True, default=("circular",), type=click.Choice(["circular", "assessment", "indicators"]),
    help="通报稿（已有的不重写）、纳入部门和镇街考核的表格、各单位指标。可以写多次。",
)  # fmt: skip
def report_command(slug: str, folder: Path, kinds: tuple[str, ...], what: tuple[str, ...]) -> None:
    """刚结束的时段的通报稿、考核表格、指标。"""
    _django()
    from huying.base import clock
    from huying.cases.policies import policy_of
    from huying.people.actors import Actor
    from huying.people.models import Platform
    from huying.people.units import find_unit
    from huying.reports.assessment import write_ended
    from huying.reports.circular import write_drafts

    platform = Platform.objects.filter(slug=slug).first()
    if platform is None:
        raise click.ClickException(f"没有平台“{slug}”。")
    centre = find_unit(platform, policy_of(platform).info.competent_unit)
    actor = Actor(id="system", role="supervisor", platform=platform, unit=centre)
    now = clock.now()
    paths = write_drafts(actor, folder, kinds, now=now) if "circular" in what else []
    for written in [*paths, *write_ended(actor, folder, kinds, what, now=now)]:
        click.echo(f"已写 {written}")


if __name__ == "__main__":
    main()
