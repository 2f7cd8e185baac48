"""Opening a platform with a tree of units of its own, and checking that its regulation can run on that tree."""

import csv
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as WeakPassword
from django.db import transaction
from pydantic import ValidationError

from huying.cases.policies import policy_of
from huying.people.models import Account, Grant, Platform
from huying.people.units import UnknownUnit, find_unit, open_platform
from huying.policy.load import UnclearRegulation, read_tree
from huying.policy.model import Regulation, UnitSpec, UnitTree

COLUMNS = ("path", "name", "kind", "handles", "roles", "aliases")


class BadTree(Exception):
    """The units cannot be taken as they stand; one line a problem: where, what, mend."""


def open_with_units(slug: str, name: str, regulation: Regulation, units: Path | None) -> Platform:
    """A new platform under `regulation` with the tree in the file `units`, or the regulation's own without one.

    Raises: BadTree when the file is unclear, or units are missing that the regulation's rules name.
    """
    if Platform.objects.filter(slug=slug).exists():
        raise BadTree(f"平台“{slug}”已经有了 → 换一个代号。")
    tree = load_tree(units) if units else regulation.tree
    problems = [f"{units}：{one}" for one in (*_problems(tree), *missing_units(regulation, tree))]
    if problems:
        raise BadTree("\n".join(problems))
    return open_platform(slug, name, regulation.info.id, tree)


def named_units(regulation: Regulation) -> Mapping[str, list[str]]:
    """The units that the regulation's rules need, by path, each with the rules that name it."""
    named: dict[str, list[str]] = {regulation.info.competent_unit: ["info.competent_unit"]}
    rules = [(f"escalations.{one.key}", one.to) for one in regulation.escalations]
    rules += [(f"triggers.{one.key}", one.to) for one in regulation.triggers]
    if regulation.panel is not None:
        rules += [("panel.copy_to", to) for to in regulation.panel.copy_to]
    rules += [(f"role_home.{role}", home) for role, home in regulation.tree.role_home.items()]
    for key, path in rules:
        if path:
            named.setdefault(path, []).append(key)
    return named


def missing_units(regulation: Regulation, tree: UnitTree) -> Iterator[str]:
    """What the regulation needs and the tree lacks."""
    paths = {path: unit for unit in tree.units for path in (unit.path, *unit.aliases)}
    for path, keys in named_units(regulation).items():
        if path not in paths:
            yield f"缺少单位“{path}”，规定的这些规则要用到它：{'、'.join(keys)} → 在单位表里加上"
    centre = paths.get(regulation.info.competent_unit)
    if centre is not None and centre.kind != "centre":
        yield f"单位“{centre.path}”是热线中心，kind 应为 centre，现在是“{centre.kind}” → 改正"


def _problems(tree: UnitTree) -> Iterator[str]:
    seen: set[str] = set()
    for unit in tree.units:
        for path in (unit.path, *unit.aliases):
            if path in seen:
                yield f"单位“{path}”出现了不止一次 → 每个单位一个路径，别名也不能重复"
            seen.add(path)
    paths = {unit.path for unit in tree.units}
    for unit in tree.units:
        above = unit.path.rpartition("/")[0]
        if above and above not in paths:
            yield f"单位“{unit.path}”的上级“{above}”不存在 → 先列出上级单位"


# ---- reading -----------------------------------------------------------------------


def load_tree(path: Path) -> UnitTree:
    """The tree in a TOML or CSV file.

    Raises: BadTree.
    """
    try:
        if path.suffix.lower() == ".csv":
            return _from_csv(path, path.read_text(encoding="utf-8-sig"))
        return read_tree([path])
    except UnclearRegulation as unclear:
        raise BadTree("\n".join(map(str, unclear.problems))) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadTree(f"{path}：读不了（{error}）→ 应为 UTF-8 的 TOML 或 CSV。") from None
    except ValidationError as error:
        lines = [f"{path}：{'.'.join(map(str, one['loc']))}：{one['msg']} → 按说明改正。" for one in error.errors()]
        raise BadTree("\n".join(lines)) from None


def _from_csv(path: Path, text: str) -> UnitTree:
    """Columns path, name, kind, handles (1 or 0), roles and aliases (by `;`). The row without a path is the root."""
    rows = list(csv.DictReader(text.splitlines()))
    if not rows or set(rows[0]) - set(COLUMNS):
        raise BadTree(f"{path}：列应为 {'、'.join(COLUMNS)}。")
    root = next((row["name"] for row in rows if not row["path"]), "")
    if not root:
        raise BadTree(f"{path}：没有根 → 加一行 path 为空、name 为城市名称的行。")
    return UnitTree(root=root, units=tuple(_csv_unit(row) for row in rows if row["path"]))


def _csv_unit(row: Mapping[str, str | None]) -> UnitSpec:
    several = {name: tuple(filter(None, (row.get(name) or "").split(";"))) for name in ("roles", "aliases")}
    return UnitSpec(
        path=row["path"] or "", name=row.get("name") or "", kind=row.get("kind") or "unit",
        handles=(row.get("handles") or "").strip() in ("1", "是", "true"), **several,
    )  # fmt: skip


# ---- accounts ------------------------------------------------------------------------


class BadAccount(Exception):
    """The account cannot be made: why, and what to do."""


@transaction.atomic
def create_account(
    username: str, slug: str, role: str, unit_path: str, *, name: str, password: str, now: datetime
) -> bool:
    """Give `username` a role at a unit; True if the account was made, False if it was there (its password stays).

    Raises: BadAccount.
    """
    platform = Platform.objects.filter(slug=slug).first()
    if platform is None:
        raise BadAccount(f"没有平台“{slug}”。")
    roles = [key for key in policy_of(platform).role_rules if key not in ("citizen", "system", "channel")]
    if role not in roles:
        raise BadAccount(f"没有角色“{role}”，可用：{'、'.join(roles)}。")
    try:
        unit = find_unit(platform, unit_path)
    except UnknownUnit:
        raise BadAccount(f"没有单位“{unit_path}”。") from None
    account = Account.objects.filter(username=username).first()
    if account is not None and account.platform_id != platform.pk:
        raise BadAccount(f"账号“{username}”已在别的平台使用，请换一个。")
    made = account is None
    if account is None:
        account = Account(username=username, platform=platform, display_name=name)
        try:
            validate_password(password, account)
        except WeakPassword as weak:
            raise BadAccount("口令太弱：" + "；".join(weak.messages)) from None
        account.set_password(password)
        account.save()
    if not Grant.objects.filter(account=account, unit=unit, role=role, until=None).exists():
        Grant.objects.create(account=account, unit=unit, role=role, since=now, granted_by="command_line")
    return made
