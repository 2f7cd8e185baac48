"""What a start in production refuses: settings and a database that would lose or give away what people entrusted."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection

SHORTEST_SECRET = 32
NEEDED = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    # Those beyond `on` wait for a standby as well; `off` and `local` with a standby may lose what was confirmed.
    "synchronous_commit": ("on", "remote_write", "remote_apply", "local"),
    "log_parameter_max_length": ("0",),
    "log_parameter_max_length_on_error": ("0",),
    "log_error_verbosity": ("terse",),
}
"""What each setting of PostgreSQL must be: nothing confirmed is lost, and no value of a row is logged."""


def refuse_unsafe_start() -> None:
    """For web and worker at their start; does nothing outside of production.

    Raises: ImproperlyConfigured with everything that is wrong.
    """
    if not settings.PRODUCTION:
        return
    found = [*problems_of_settings(), *problems_of_database()]
    if found:
        raise ImproperlyConfigured("生产环境不能这样启动：\n" + "\n".join(f"- {one}" for one in found))


def problems_of_settings() -> list[str]:
    """What is wrong with the process's own settings."""
    found = []
    if settings.DEBUG:
        found.append("DEBUG 打开着。")
    if len(settings.SECRET_KEY) < SHORTEST_SECRET or settings.SECRET_KEY.startswith(("only-for", "django-insecure")):
        found.append(f"HUYING_SECRET_KEY 须为不少于 {SHORTEST_SECRET} 个字符的随机文本，不能用默认值。")
    if "*" in settings.ALLOWED_HOSTS:
        found.append("HUYING_HOSTS 不能是 *，请写明域名。")
    if _open_to_others(settings.HUYING_FILES):
        found.append(f"附件文件夹 {settings.HUYING_FILES.name} 可被其他用户读取，请执行 chmod 700。")
    return found


def problems_of_database() -> list[str]:
    """What is wrong with the PostgreSQL server and the role in use. A server that cannot be asked is a problem."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [[*NEEDED, "cluster_name"]])
            now = dict(cursor.fetchall())
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
            is_superuser = bool(cursor.fetchone()[0])
    except DatabaseError as error:
        return [f"数据库不能查询（{type(error).__name__}）。"]
    finally:
        connection.close()
    found = [
        f"PostgreSQL 的 {name} 须为 {needed[0]}，现在是 {now.get(name, '未知')}。"
        for name, needed in NEEDED.items()
        if now.get(name) not in needed
    ]
    if now.get("cluster_name") == "huying-embedded":
        found.append("这是随附的演示数据库，生产环境不得使用。")
    if is_superuser:
        found.append("数据库角色是超级用户，可以绕过日志的只增限制，请换一个普通角色。")
    return found


def _open_to_others(folder: Path) -> bool:
    return folder.is_dir() and bool(stat.S_IMODE(os.stat(folder).st_mode) & 0o007)


def check_settings(app_configs: Any, **rest: Any) -> Sequence[CheckMessage]:
    """For `check --deploy`."""
    return [Error(text, id="huying.E001") for text in problems_of_settings()]


def check_database(app_configs: Any, databases: Sequence[str] | None = None, **rest: Any) -> Sequence[CheckMessage]:
    """For `check --deploy --database default`."""
    if not databases:
        return []
    return [Error(text, id="huying.E002") for text in problems_of_database()]


def register_checks() -> None:
    register(check_settings, Tags.security, deploy=True)
    register(check_database, Tags.database, deploy=True)
