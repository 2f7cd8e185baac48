"""The monitor from outside of the worker (`huying monitor`), for cron or a monitoring system."""

from collections.abc import Iterator
from datetime import datetime

from django.db import DatabaseError

from huying.base.clock import LEGAL_ZONE
from huying.cases.commands.operations import watch
from huying.cases.queries.operations import advice_for, label_of


def report(now: datetime) -> Iterator[str]:
    """A paragraph for each thing that is wrong: what, since when, what follows, what to do. Nothing: all is well."""
    try:
        standing = watch(now)
    except DatabaseError as error:
        yield f"数据库不能使用（{type(error).__name__}）。"
        yield "  全部功能都停着。检查 PostgreSQL 是否在运行、DATABASE_URL 是否正确。"
        return
    for alert in standing:
        began = alert.began_at.astimezone(LEGAL_ZONE).strftime("%Y-%m-%d %H:%M")
        yield f"{label_of(alert.kind)}（自{began}）：{alert.detail}"
        yield f"  {advice_for(alert.kind)}"
