"""`huying demo`: a running platform with made-up cases, on a machine that has nothing but Python.

It starts the embedded PostgreSQL (unless DATABASE_URL names a server), migrates, lets some three hundred made-up cases
live through the actions of the platform, starts web server and worker, and says who can sign in.
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

__all__ = ["CannotRun", "run"]


class CannotRun(Exception):
    """The demo cannot run here. The text says why and what to do."""


def run(*, reset: bool, port: int, serve: bool, cases: int, at: datetime | None, console: Console) -> None:
    """Set up what is missing, serve until somebody stops it, and stop everything that was started.

    Raises: CannotRun.
    """
    if os.environ.get("HUYING_ENV") == "production":
        raise CannotRun("演示不能在生产环境运行（HUYING_ENV=production）。")
    try:
        with stopping_on_signals(), ExitStack() as stack:
            own_server = not os.environ.get("DATABASE_URL")
            if own_server:
                os.environ["DATABASE_URL"] = stack.enter_context(_own_server(reset=reset, console=console))
            _set_up(reset=reset and not own_server, cases=cases, at=at, console=console)
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


def _set_up(*, reset: bool, cases: int, at: datetime | None, console: Console) -> None:
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
        found = database.look()
        if found == "unfinished":
            console.print("上次的演示数据没有建完，重新建立。")
            database.empty()
            _migrate(console)
        if found != "filled":
            _fill(cases, at, console)
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


def _fill(cases: int, at: datetime | None, console: Console) -> None:
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from huying.base import clock
    from huying.cases.policies import regulation
    from huying.site.demo import database
    from huying.site.demo.fill import fill, open_demo
    from huying.site.demo.texts import read

    now = at or clock.now()
    console.print(f"正在建立演示数据，约 {cases} 件诉求，需要一两分钟。")
    columns = (BarColumn(), TextColumn("{task.fields[count]} 件"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=1.0, count=0)
        database.begin()
        platform = open_demo(regulation(read("demo")["regulation"]), now=now)
        filled = fill(
            platform, now=now, cases=cases,
            report=lambda done, count: progress.update(task, completed=done, count=count),
        )  # fmt: skip
        database.finish(filled, now=now)
    for line in filled.refused:
        console.print(f"有一步没有办成：{line}", style="yellow", highlight=False)


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
    from rich.table import Table

    from huying.site.demo import database
    from huying.site.demo.texts import read

    data = read("demo")
    cases, followable = database.shown()
    _let_go(connections)
    console.print()
    console.print(f"呼应演示平台已经启动：[bold]{address}/[/bold]", highlight=False)
    if status >= 500:
        console.print(f"首页应答为 {status}，请看上面的出错信息。", style="yellow")
    console.print(f"工作人员登录：{address}/desk/    所有账号的口令：[bold]{data['password']}[/bold]", highlight=False)
    centre, units = "center", data["units"]
    table = Table("岗位", "账号", "岗位 ", "账号 ", box=None, pad_edge=False)
    people = [(data["roles"][role], f"{units[centre]}-{role}") for role in
              ("operator", "dispatcher", "checker", "caller", "supervisor", "analyst", "leader")]  # fmt: skip
    handling = [path for path in units if path != centre]
    people += [
        (f"{path}{data['roles']['handler']}", f"{units[path]}-handler") for path in handling[2:4] + handling[26:28]
    ]
    people += [(data["roles"][role], name) for role, name in data["single"].items()]
    people.append((data["roles"]["grid_worker"], next(iter(data["grid"]))))
    half = (len(people) + 1) // 2
    for left, right in zip(people[:half], [*people[half:], ("", "")], strict=False):
        table.add_row(*left, *right)
    console.print(table)
    console.print("其他单位的账号：单位短名-handler（承办人）、单位短名-leader（负责人）。")
    if followable:
        console.print(f"平台上有 {cases} 件编写的诉求。可以用编号和查询码在网上查询的有：")
        for one in followable:
            console.print(f"  编号 {one.number}  查询码 {one.query_code}  {one.title}", highlight=False, markup=False)
    console.print("按 Ctrl-C 停止。")
