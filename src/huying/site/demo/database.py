"""The demo's database: empty, half filled, filled or somebody else's; and how it is begun anew.

One small table of the demo's own remembers which platforms it made, and which of the fills came to their end.
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
from huying.site.demo.texts import City

Found = Literal["empty", "unfinished", "filled"]


class NotOurs(Exception):
    """The database holds what the demo did not make, so the demo leaves it alone."""


def look(city: City) -> Found:
    """How far the city's demo is. Raises: NotOurs when its platform was made by somebody else."""
    exists = Platform.objects.filter(slug=city.slug).exists()
    row = _markers().get(city.slug)
    if exists and row is None:
        raise NotOurs(f"这个数据库里已有平台“{city.slug}”，不是演示建立的。请换一个数据库（DATABASE_URL）再运行演示。")
    if row is None:
        return "empty"
    return "filled" if exists and row["filled_at"] is not None else "unfinished"


def begin(city: City) -> None:
    """Note that a fill begins."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS huying_demo (slug text PRIMARY KEY, filled_at timestamptz, "
            "about jsonb NOT NULL DEFAULT '{}')"
        )
        cursor.execute("INSERT INTO huying_demo (slug) VALUES (%s) ON CONFLICT DO NOTHING", [city.slug])


def finish(city: City, filled: Filled, *, now: datetime) -> None:
    """Note that the fill is complete, and what a visitor may follow."""
    about = {"cases": filled.cases, "shown": [asdict(one) for one in filled.shown]}
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE huying_demo SET filled_at = %s, about = %s WHERE slug = %s", [now, json.dumps(about), city.slug]
        )


def shown(city: City) -> tuple[int, list[Followable]]:
    """How many cases the fill made, and those that a visitor may follow."""
    row = _markers().get(city.slug)
    about = row["about"] if row else {}
    return int(about.get("cases", 0)), [Followable(**one) for one in about.get("shown", ())]


def empty() -> None:
    """Drop everything in the database. Raises: NotOurs when it holds platforms that the demo did not make."""
    tables = connection.introspection.table_names()
    if Platform._meta.db_table in tables:
        others = list(Platform.objects.exclude(slug__in=_markers()).values_list("name", flat=True))
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


def _markers() -> dict[str, dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('huying_demo') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return {}
        cursor.execute("SELECT slug, filled_at, about FROM huying_demo")
        rows = cursor.fetchall()
    return {
        slug: {"filled_at": filled_at, "about": json.loads(about) if isinstance(about, str) else about}
        for slug, filled_at, about in rows
    }
