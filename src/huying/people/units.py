"""The tree of units: built from a regulation's data, found by path, numbered so that “below” is a range."""

from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

from django.db import connection, transaction

from huying.base.text import is_storable
from huying.people.models import Platform, Unit
from huying.policy.model import UnitSpec, UnitTree


class UnknownUnit(LookupError):
    """No unit of the platform has that path."""


@transaction.atomic
def open_platform(slug: str, name: str, regulation: str, tree: UnitTree) -> Platform:
    """Create a platform with its whole tree of units."""
    platform = Platform.objects.create(slug=slug, name=name, regulation=regulation)
    add_units(platform, [UnitSpec(path="", name=tree.root, kind="root"), *tree.units])
    return platform


@transaction.atomic
def add_units(platform: Platform, specs: Iterable[UnitSpec]) -> None:
    """Add units (a parent before its children, or already there) and number the tree anew."""
    known = {unit.path: unit for unit in Unit.objects.filter(platform=platform)}
    by_depth: dict[int, list[Unit]] = defaultdict(list)
    for spec in specs:
        if spec.path in known:
            continue
        unit = Unit(
            platform=platform, path=spec.path, name=spec.display_name or spec.path, kind=spec.kind,
            handles=spec.handles, roles=list(spec.roles), aliases=list(spec.aliases),
        )  # fmt: skip
        known[spec.path] = unit
        by_depth[spec.path.count("/") + 1 if spec.path else 0].append(unit)
    for depth in sorted(by_depth):
        for unit in by_depth[depth]:
            if unit.path:
                parent = known.get(unit.path.rpartition("/")[0])
                if parent is None:
                    raise UnknownUnit(f"单位“{unit.path}”的上级不存在，请先添加上级单位。")
                unit.parent = parent
        Unit.objects.bulk_create(by_depth[depth], batch_size=2000)
    number_tree(platform)


def number_tree(platform: Platform) -> None:
    """Number `left` and `right` by a walk of the tree: a subtree is a range of `left`."""
    units = list(Unit.objects.filter(platform=platform).order_by("pk"))
    children: dict[int | None, list[Unit]] = defaultdict(list)
    for unit in units:
        children[unit.parent_id].append(unit)
    counter = 0

    def walk(unit: Unit) -> None:
        nonlocal counter
        counter += 1
        unit.left = counter
        for child in children[unit.pk]:
            walk(child)
        unit.right = counter

    for root in children[None]:
        walk(root)
    with connection.cursor() as cursor:
        cursor.execute(_NUMBER, [[one.pk for one in units], [one.left for one in units], [one.right for one in units]])
    _index.cache_clear()


_NUMBER = """
UPDATE people_unit SET "left" = new."left", "right" = new."right"
  FROM unnest(%s::bigint[], %s::integer[], %s::integer[]) AS new (id, "left", "right")
 WHERE people_unit.id = new.id
"""


@lru_cache(maxsize=64)
def _index(platform_id: int) -> dict[str, Unit]:
    units = Unit.objects.filter(platform_id=platform_id).select_related("platform")
    return {path: unit for unit in units for path in (unit.path, *unit.aliases)}


def find_unit(platform: Platform, path: str) -> Unit:
    """The unit at `path` (or with that alias).

    Raises: UnknownUnit. The index is kept in the process; a unit added elsewhere is found by looking again.
    """
    if not is_storable(path):
        raise UnknownUnit("?")
    unit = _index(platform.pk).get(path)
    if unit is None or unit.platform_id != platform.pk:
        unit = Unit.objects.filter(platform=platform, path=path).select_related("platform").first()
    if unit is None:
        raise UnknownUnit(path)
    return unit


def full_name(unit: Unit) -> str:
    """A unit as people call it, with the units above it but not the root; no part of it is said twice."""
    index, said = _index(unit.platform_id), ""
    parts = unit.path.split("/")
    for depth in range(1, len(parts) + 1):
        found = unit if depth == len(parts) else index.get("/".join(parts[:depth]))
        name = found.name if found else parts[depth - 1]
        # A name that begins with the one above says it already.
        said = name if not said or name.startswith(said.rpartition(" ")[2]) else f"{said} {name}"
    return said or unit.name


def known_unit(platform: Platform, path: str) -> Unit | None:
    """The unit at `path` (or with that alias) as this process knows it; the database is not asked for any other."""
    return _index(platform.pk).get(path)


def forget_units() -> None:
    """Drop the process's index of units (after the tree changed or a test database was emptied)."""
    _index.cache_clear()


def find_centre(unit: Unit) -> Unit | None:
    """The operating centre of the level that `unit` stands for: with the path `center`, if there are several."""
    centres = Unit.objects.filter(parent=unit, kind="centre").select_related("platform", "parent")
    return next(iter(sorted(centres, key=lambda one: (not one.path.endswith("center"), one.pk))), None)


def superior_of(unit: Unit) -> Unit:
    """上一级管理单位 (decision A-14): the unit that contains `unit`, if it handles, else the operating centre above.

    The centre of the whole platform is its own superior. Where several centres stand side by side (a service desk, a
    hotline), the one with the path `center` is meant.
    """
    above = unit.parent
    while above is not None:
        if above.handles:
            return above
        centre = find_centre(above)
        if centre is not None and centre.pk != unit.pk:
            return centre
        above = above.parent
    return unit
