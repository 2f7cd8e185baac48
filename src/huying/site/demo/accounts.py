"""The demo's staff: one account for each role of each chosen unit, all with one password, which is printed."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction

from huying.people.actors import Actor, actors_of
from huying.people.models import Account, Grant, Platform
from huying.people.units import find_unit
from huying.policy.model import UnitTree
from huying.site.demo.texts import City


@dataclass(frozen=True)
class Post:
    """One person's place: what they sign in with, in which role, at which unit."""

    username: str
    role: str
    unit: str
    name: str


def posts(city: City, tree: UnitTree) -> list[Post]:
    """Everybody who may sign in to this city's platform."""
    data = city.data
    prefix, labels = data["prefix"], data["roles"]
    units = {unit.path: unit for unit in tree.units}
    single = data.get("single", {})
    found: list[Post] = []
    for path, short in data["units"].items():
        unit = units[path]
        for role in unit.roles:
            if role not in single and (unit.kind == "centre" or role in data["everywhere"]):
                name = f"{_where(path, unit.display_name)}{labels[role]}"
                found.append(Post(f"{prefix}{short}-{role.replace('_', '-')}", role, path, name))
    for role, username in single.items():
        found.append(Post(f"{prefix}{username}", role, tree.role_home[role], labels[role]))
    for username, path in data.get("grid", {}).items():
        name = f"{units[path].display_name}{labels['grid_worker']}"
        found.append(Post(f"{prefix}{username}", "grid_worker", path, name))
    return found


def _where(path: str, display_name: str) -> str:
    """Units of the same name in several districts are told apart by the district."""
    top, _, below = path.partition("/")
    return f"{top}{display_name}" if below and not display_name.startswith(top) else display_name


@transaction.atomic
def make_accounts(platform: Platform, city: City, tree: UnitTree, *, since: datetime) -> None:
    """Create the accounts and their roles, held from `since`."""
    people = posts(city, tree)
    # One hash for all: Argon2 is slow on purpose, and this one password is printed anyway.
    password = make_password(city.data["password"])
    accounts = Account.objects.bulk_create(
        Account(username=post.username, password=password, platform=platform, display_name=post.name, date_joined=since)
        for post in people
    )
    Grant.objects.bulk_create(
        Grant(account=account, unit=find_unit(platform, post.unit), role=post.role, since=since, granted_by="demo")
        for account, post in zip(accounts, people, strict=True)
    )


def actors(platform: Platform, now: datetime) -> dict[tuple[str, str], Actor]:
    """The actors of the demo's accounts, by role and unit: what the pages would make of who signs in."""
    accounts = Account.objects.filter(platform=platform, is_active=True).order_by("pk")
    return {(actor.role, actor.unit_path): actor for account in accounts for actor in actors_of(account, now)}
