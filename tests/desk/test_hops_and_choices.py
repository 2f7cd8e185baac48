"""What the page of a case tells of its way: a choice against the duty list, and whose hop made it late."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.test import Client

from huying.base.clock import LEGAL_ZONE
from huying.cases.commands import Done, perform
from huying.cases.policies import regulation
from huying.people.actors import Actor
from huying.people.models import Platform
from huying.people.units import find_unit, open_platform
from huying.policy.model import UnitTree

TOWN, BUREAU = "永川区/中山路街道", "永川区/城市管理局"
VILLAGE = f"{TOWN}/中山路社区居民委员会"


def at(day: int, hour: int = 9) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=LEGAL_ZONE)


def opened(of: str, only: str) -> Platform:
    """A platform with the top of its tree and one district."""
    policy = regulation(of)
    kept = [one for one in policy.tree.units if "/" not in one.path or one.path.startswith(f"{only}/")]
    tree = UnitTree.model_construct(**{**dict(policy.tree), "units": tuple(kept)})
    return open_platform(of, policy.info.platform_name, policy.info.id, tree)


def do(platform: Platform, action: str, who: str, case: Any, when: datetime, **data: Any) -> Any:
    role, _, path = who.partition("@")
    actor = Actor(id=who, role=role, platform=platform, unit=find_unit(platform, path))
    outcome = perform(action, actor=actor, now=when, case=case, data=data)
    assert isinstance(outcome, Done), outcome
    return outcome.case


def page(desk: Any, platform: Platform, role: str, path: str, case: Any) -> str:
    client: Client = type(desk)(platform).at(role, path)
    response = client.get(f"/desk/case/{case.number}/")
    assert response.status_code == 200
    return str(response.content.decode())


def test_the_hops_are_on_the_page_with_the_one_that_made_it_late(desk: Any) -> None:
    city = opened("chongqing-2021", "永川区")
    case = do(
        city, "case.submit", "operator@center", None, at(2), channel="portal", kind="help", title="路面破损",
        content="路面破损多日。", place=VILLAGE, requester={"name": "水某", "phone": "13900000139"},
    )  # fmt: skip
    do(city, "case.dispatch", "dispatcher@center", case, at(2, 10), lead=VILLAGE)
    assert "各环节用时" not in page(desk, city, "dispatcher", "center", case), "one hop needs no table"
    up = {"ground": "beyond_power", "reason": "非自治事项", "preliminary_check": "已到现场"}
    do(city, "case.transfer_up", f"handler@{VILLAGE}", case, at(6), **up)
    do(city, "application.approve", f"dispatcher@{TOWN}", case, at(6, 10), opinion="街道办理")
    do(city, "case.reply", f"handler@{TOWN}", case, at(24), content="已修复。", outcome="solved")
    shown = page(desk, city, "dispatcher", "center", case)
    # 2 to 24 March are 16 working days, one past the 23rd; the village had 4 for 2, the town 12 of 13.
    assert "共 16 个工作日，超过办理期限 1 个工作日" in shown
    assert shown.count("致使超期") == 1 and "超出 2 个工作日，致使超期" in shown
    queue = '<td class="nowrap">待派单</td>'
    own = page(desk, city, "handler", TOWN, case)
    assert queue in shown and queue not in own, "a unit is shown the hops of its own and of those below it"
    assert "用时 12 个工作日" in own and "用时 4 个工作日" in own


def test_a_choice_against_the_list_is_on_the_centre_s_page_alone(desk: Any) -> None:
    city = opened("huzhou-2016", "吴兴区")
    case = do(
        city, "case.submit", "operator@center", None, at(2), channel="hotline_12345", kind="complaint",
        title="工地扬尘", content="扬尘很大。", place="吴兴区/月河街道",
        requester={"name": "章某", "phone": "13950000039"},
    )  # fmt: skip
    before = page(desk, city, "dispatcher", "center", case)
    assert "按权责清单，建议由吴兴区 住建局主办" in before and "文中有“工地扬尘”、“扬尘”" in before
    do(city, "case.dispatch", "dispatcher@center", case, at(2, 10), lead="吴兴区/环保局")
    said = "派单与权责清单建议不同（建议：吴兴区 住建局）"
    assert said in page(desk, city, "dispatcher", "center", case)
    assert "建议不同" not in page(desk, city, "handler", "吴兴区/环保局", case)
