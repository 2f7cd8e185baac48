"""The demo's database: empty, half filled, filled or somebody else's; and how it is begun anew.

One small table of the demo's own remembers which platform it made, and whether the fill came to its end.
"""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from huying.people.models import Platform
from huying.people.units import forget_units
from huying.site.demo.fill import Filled, Followable
from huying.site.demo.texts import read

Found = Literal["empty", "unfinished", "filled"]


class NotOurs(Exception):
    """The database holds what the demo did not make, so the demo leaves it alone."""


def look() -> Found:
    """How far the demo of this database is. Raises: NotOurs when its platform was made by somebody else."""
    slug = read("demo")["slug"]
    exists = Platform.objects.filter(slug=slug).exists()
    row = _marker(slug)
    if exists and row is None:
        raise NotOurs(f"这个数据库里已有平台“{slug}”，不是演示建立的。请换一个数据库（DATABASE_URL）再运行演示。")
    if row is None:
        return "empty"
    return "filled" if exists and row["filled_at"] is not None else "unfinished"


def begin() -> None:
    """Note that a fill begins."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS huying_demo (slug text PRIMARY KEY, filled_at timestamptz, "
            "about jsonb NOT NULL DEFAULT '{}')"
        )
        cursor.execute("INSERT INTO huying_demo (slug) VALUES (%s) ON CONFLICT DO NOTHING", [read("demo")["slug"]])


def finish(filled: Filled, *, now: datetime) -> None:
    """Note that the fill is complete, and what a visitor may follow."""
    about = {"cases": filled.cases, "shown": [asdict(one) for one in filled.shown]}
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE huying_demo SET filled_at = %s, about = %s WHERE slug = %s",
            [now, json.dumps(about), read("demo")["slug"]],
        )


def shown() -> tuple[int, list[Followable]]:
    """How many cases the fill made, and those that a visitor may follow."""
    row = _marker(read("demo")["slug"])
    about = row["about"] if row else {}
    return int(about.get("cases", 0)), [Followable(**one) for one in about.get("shown", ())]


def empty() -> None:
    """Drop everything in the database. Raises: NotOurs when it holds platforms that the demo did not make."""
    tables = connection.introspection.table_names()
    if Platform._meta.db_table in tables:
        made = [slug for slug in [read("demo")["slug"]] if _marker(slug) is not None]
        others = list(Platform.objects.exclude(slug__in=made).values_list("name", flat=True))
        if others:
            raise NotOurs(f"这个数据库里有不是演示建立的平台（{'、'.join(others)}），没有清空。请换一个数据库。")
    elif tables:
        raise NotOurs("这个数据库里有其他程序的表，没有清空。请换一个数据库。")
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT current_schema()")
            schema = connection.ops.quote_name(cursor.fetchone()[0])
            cursor.execute(f"DROP SCHEMA {schema} CASCADE")
            cursor.execute(f"CREATE SCHEMA {schema}")
    except ProgrammingError as error:
        raise NotOurs(f"没有权限清空这个数据库（{error}）。请用数据库的属主，或者换一个空的数据库。") from None
    forget_units()
    ContentType.objects.clear_cache()


def _marker(slug: str) -> dict[str, Any] | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('huying_demo') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return None
        cursor.execute("SELECT filled_at, about FROM huying_demo WHERE slug = %s", [slug])
        row = cursor.fetchone()
    if row is None:
        return None
    about = json.loads(row[1]) if isinstance(row[1], str) else row[1]
    return {"filled_at": row[0], "about": about}
