"""The bench's own database: made anew, then filled in steps by two processes."""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from bench.words import request
from huying.site import embedded

DATABASE = "huying_bench"
BATCH = 500
REGULARS = 0.3
"""The share of cases whose requester wrote before."""


def prepare(root: Path, var: Path) -> str:
    """An empty database on the server of DATABASE_URL, else on an embedded one; sets the environment for Django."""
    given = os.environ.get("DATABASE_URL") or embedded.ensure_running(var / "bench-postgres")
    url = urlsplit(given)._replace(path=f"/{DATABASE}").geturl()
    with psycopg.connect(given, autocommit=True) as connection:
        name = sql.Identifier(DATABASE)
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
    os.environ["DATABASE_URL"] = url
    os.environ["HUYING_KEYS_PATH"] = str(var / "bench" / "huying.keys")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "huying.site.settings")
    return url


def migrate() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def fill(platform_id: int, moulds: dict[str, list[int]], first: int, count: int, *, processes: int = 2) -> None:
    """Add `count` copies; `first` numbers them, so that a later call makes other people."""
    set_search_index(False)
    chunks = [(first + start, min(BATCH, count - start)) for start in range(0, count, BATCH)]
    shares = [chunks[number::processes] for number in range(processes)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        list(pool.map(_fill_share, [platform_id] * processes, [moulds] * processes, shares))
    set_search_index(True)
    vacuum()


def set_search_index(wanted: bool) -> None:
    """The index of words is quicker to build once than to keep while very many cases are loaded."""
    from django.db import connection

    from huying.cases.models import SearchMarks

    index = next(one for one in SearchMarks._meta.indexes if one.name == "search_grams")
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX IF EXISTS search_grams")
        cursor.execute("SET maintenance_work_mem = '512MB'")
    if wanted:
        with connection.schema_editor() as editor:
            editor.add_index(SearchMarks, index)


def vacuum() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _fill_share(platform_id: int, moulds: dict[str, list[int]], chunks: Sequence[tuple[int, int]]) -> None:
    import django

    django.setup()
    from bench.bulk import Caster
    from bench.stories import the_cast
    from huying.people.models import Platform

    cast = the_cast(Platform.objects.get(pk=platform_id))
    caster = Caster({path: actor.id for path, actor in cast.handlers.items()})
    for first, count in chunks:
        caster.write(list(copies(cast, moulds, first, count)))


def copies(cast: Any, moulds: dict[str, list[int]], first: int, count: int) -> Iterator[Any]:
    """What is particular to copies `first` … `first + count - 1`: the same for the same numbers."""
    from bench.bulk import Copy
    from bench.stories import STORIES

    random = Random(first)
    units = cast.units
    places = [unit for unit in units if unit.kind in ("town", "street")]
    keys, shares = [story.key for story in STORIES], [story.share for story in STORIES]
    for number in range(first, first + count):
        regular = random.random() < REGULARS and number > first + 10
        who = random.randrange(first, number) if regular else number
        unit = random.choice(units)
        yield Copy(
            mould=random.choice(moulds[random.choices(keys, shares)[0]]),
            request=request(random, who),
            unit=unit,
            handler=cast.handlers[unit.path].id,
            shift=timedelta(seconds=random.randrange(0, 14_400, 20)),
            place=random.choice(places),
        )
