"""`huying demo`: a running platform with made-up cases, on a machine that has nothing but Python.

It starts the embedded PostgreSQL (unless DATABASE_URL names a server), migrates, opens a platform for each city and
lets some hundreds of made-up cases live through their actions, starts web server and worker, and says who can sign in.
Nothing here is for production: `HUYING_ENV=production` is refused.
"""

import fcntl
import importlib.util
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.progress import TaskID
from rich.table import Table

from huying.site import embedded
from huying.site.demo.processes import (
    CannotGoOn,
    Children,
    Stopped,
    free_port,
    stopping_on_signals,
    wait_until_it_answers,
    web_command,
    worker_command,
)
from huying.site.demo.texts import City, NoSuchCity, cities, find_cities

__all__ = ["CannotRun", "run"]


class CannotRun(Exception):
    """The demo cannot run here. The text says why and what to do."""


def run(
    *, names: str, reset: bool, port: int, serve: bool, cases: int | None, at: datetime | None, console: Console
) -> None:
    """Set up what is missing of the cities `names` (a list with commas, empty for all), serve until somebody stops it,
    and stop everything that was started. `cases` is a number for each city.

    Raises: CannotRun.
    """
    if os.environ.get("HUYING_ENV") == "production":
        raise CannotRun("演示不能在生产环境运行（HUYING_ENV=production）。")
    try:
        wanted = find_cities(names)
    except NoSuchCity as error:
        raise CannotRun(str(error)) from None
    try:
        with stopping_on_signals(), ExitStack() as stack:
            own_server = not os.environ.get("DATABASE_URL")
            if own_server:
                os.environ["DATABASE_URL"] = stack.enter_context(_own_server(reset=reset, console=console))
            _set_up(wanted, reset=reset and not own_server, cases=cases, at=at, console=console)
            if serve:
                _serve(port, console)
            else:
                console.print("演示数据已经就绪。去掉 --no-serve 启动网站。")
    except Stopped:
        console.print("演示已停止，数据保留；再次运行继续使用，加 --reset 重新开始。")
    except (embedded.EmbeddedError, CannotGoOn) as error:
        raise CannotRun(str(error)) from None


# --- The database server ------------------------------------------------------------------------------------------


def _var() -> Path:
    named = os.environ.get("HUYING_VAR")
    return Path(named).absolute() if named else embedded.default_data_dir().parent


@contextmanager
def _own_server(*, reset: bool, console: Console) -> Iterator[str]:
    """The embedded server of this clone, for one demo at a time; stopped at the end if a demo started it."""
    data = _var() / embedded.default_data_dir().name
    data.parent.mkdir(parents=True, exist_ok=True)
    ours = data.with_name(data.name + ".demo")  # left behind by a demo that was killed: its server is ours to stop
    with data.with_name("demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotRun("演示已经在运行。请先停止它（在它的窗口按 Ctrl-C）。") from None
        try:
            if reset:
                console.print("正在删除原有的演示数据。")
                embedded.reset(data)
            if not embedded.is_running(data):
                ours.touch()
            yield embedded.ensure_running(data)
        finally:
            if ours.exists():
                embedded.stop(data)
                ours.unlink()


# --- The data -----------------------------------------------------------------------------------------------------


def _set_up(wanted: tuple[City, ...], *, reset: bool, cases: int | None, at: datetime | None, console: Console) -> None:
    """Bring the database to a complete demo. Django is only imported here, when its database is known."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huying.site.settings")
    import django

    django.setup()
    from django.db import OperationalError, connections

    from huying.site.demo import database

    try:
        if reset:
            database.empty()
        _migrate(console)
        found = {city: database.look(city) for city in cities()}
        if "unfinished" in found.values():
            # What a killed fill left behind cannot be told from what it would have made, and no case is ever deleted.
            console.print("上次的演示数据没有建完，重新建立。")
            database.empty()
            _migrate(console)
            found = {}
        missing = [city for city in wanted if found.get(city) != "filled"]
        if missing:
            number = {city: cases or int(city.data["few" if len(wanted) > 1 else "cases"]) for city in missing}
            _fill(number, at, console)
    except database.NotOurs as error:
        raise CannotRun(str(error)) from None
    except OperationalError as error:
        raise CannotRun(f"无法使用数据库（DATABASE_URL）：{error}") from None
    finally:
        _let_go(connections)


def _migrate(console: Console) -> None:
    from django.core.management import call_command

    with console.status("正在准备数据库"):
        call_command("migrate", verbosity=0, interactive=False)


def _fill(number: dict[City, int], at: datetime | None, console: Console) -> None:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from huying.base import clock
    from huying.cases.policies import regulation
    from huying.site.demo import database
    from huying.site.demo.fill import fill, open_demo

    now = at or clock.now()
    console.print(f"正在建立演示数据：{len(number)} 个城市，约 {sum(number.values())} 件诉求，需要一两分钟。")
    columns = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[count]} 件"), TimeElapsedColumn(),
    )  # fmt: skip
    refused: list[str] = []
    with Progress(*columns, console=console) as progress:
        for city in number:  # all of them, before the first is complete: killed in between, the demo is unfinished
            database.begin(city)
        tasks = {city: progress.add_task(city.id, total=1.0, count=0, start=False) for city in number}
        for city, cases in number.items():
            task = tasks[city]
            progress.start_task(task)
            platform = open_demo(city, regulation(city.id), now=now)

            def report(done: float, count: int, task: TaskID = task) -> None:
                progress.update(task, completed=done, count=count)

            filled = fill(platform, city, now=now, cases=cases, report=report)
            database.finish(city, filled, now=now)
            refused += [f"{city.id} {line}" for line in filled.refused]
    for line in refused:
        console.print(f"有一步没有办成：{line}", style="yellow", highlight=False, markup=False)


def _let_go(connections: object) -> None:
    """Close this process's database connections: it only watches from here."""
    for connection in connections.all(initialized_only=True):  # type: ignore[attr-defined]
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()


# --- Serving ------------------------------------------------------------------------------------------------------


def _serve(wanted: int, console: Console) -> None:
    port = free_port(wanted)
    if port != wanted:
        console.print(f"端口 {wanted} 已被占用，改用 {port}。")
    from django.conf import settings

    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # else every worker warns that it is missing
    address = f"http://127.0.0.1:{port}"
    with Children(console.print) as children:
        web = children.start("网站", web_command(port), HUYING_BASE_URL=address)
        if importlib.util.find_spec("huying.site.worker") is not None:
            children.start("后台任务", worker_command(), HUYING_BASE_URL=address)
        status = wait_until_it_answers(f"{address}/", web)
        _tell(address, status, console)
        children.watch()


def _tell(address: str, status: int, console: Console) -> None:
    """Where to look, who can sign in, what can be followed, how to stop."""
    from django.db import connections

    from huying.people.models import Platform
    from huying.site.demo import database

    names = dict(Platform.objects.values_list("slug", "name"))
    there = [(city, *database.shown(city)) for city in cities() if city.slug in names]
    _let_go(connections)
    password = there[0][0].data["password"]
    console.print()
    console.print(f"呼应演示平台已经启动：[bold]{address}/[/bold]", highlight=False)
    if status >= 500:
        console.print(f"首页应答为 {status}，请看上面的出错信息。", style="yellow")
    console.print(f"工作人员登录：{address}/desk/    所有账号的口令：[bold]{password}[/bold]", highlight=False)
    for city, cases, followable in there:
        console.print()
        console.print(f"[bold]{names[city.slug]}[/bold]  {city.id}，{cases} 件编写的诉求", highlight=False)
        console.print(f"网上入口：{address}/p/{city.slug}/", highlight=False)
        console.print(_signs(city))
        if followable:
            console.print("可以用编号和查询码在网上查询的：")
            for one in followable:
                line = f"  编号 {one.number}  查询码 {one.query_code}  {one.title}"
                console.print(line, highlight=False, markup=False)
    console.print()
    console.print("这些单位的其他岗位也有账号，登录名是“单位短名-岗位”：-handler 承办人，-leader 负责人。")
    console.print("按 Ctrl-C 停止。")


def _signs(city: City) -> Table:
    """Who can sign in here, and as what, in two columns."""
    table = Table("账号", "做什么", "账号 ", "做什么 ", box=None, pad_edge=False)
    people = [(str(name), str(what)) for name, what in city.data["signs"]]
    half = (len(people) + 1) // 2
    for left, right in zip(people[:half], [*people[half:], ("", "")], strict=False):
        table.add_row(*left, *right)
    return table
