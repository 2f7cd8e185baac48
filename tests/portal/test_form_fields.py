"""What the citizens' form asks for under a regulation that says so, and what the citizen reads of a reply."""

from __future__ import annotations

from typing import Any

import pytest

from huying.cases.models import Case, Party
from huying.cases.policies import regulation
from huying.people.units import open_platform

pytestmark = pytest.mark.django_db


@pytest.fixture
def district(citizen: Any) -> Any:
    """A citizen's browser at the platform of the district."""
    policy = regulation("chongqing-district")
    return type(citizen)(open_platform("district", policy.info.platform_name, policy.info.id, policy.tree))


def test_a_person_is_the_usual_choice_and_nothing_more_is_asked(district: Any) -> None:
    page = district.get("submit/").content.decode()
    assert 'name="requester__kind" value="individual"' in page and "个人" in page and "企业" in page
    assert district.submit(place_unit="东城街道", requester__kind="individual").status_code == 302
    assert Case.objects.get().requester_kind == "individual"


def test_a_company_gives_its_name_and_only_the_vault_has_it(district: Any) -> None:
    answer = district.submit(place_unit="东城街道", requester__kind="enterprise")
    assert answer.status_code == 422 and list(answer.context["form"].errors) == ["requester__organisation"]
    assert "第八条" in answer.content.decode() and Case.objects.count() == 0
    given = {"requester__kind": "enterprise", "requester__organisation": "东城机械有限公司"}
    assert district.submit(place_unit="东城街道", **given).status_code == 302
    case = Case.objects.get()
    assert case.requester_kind == "enterprise" and "organisation" in Party.objects.get(case=case).versions


def test_who_stays_anonymous_is_not_asked_which_company(district: Any) -> None:
    given = {"requester__kind": "enterprise", "anonymous": "on", "requester__name": "", "requester__phone": ""}
    assert district.submit(place_unit="东城街道", **given).status_code == 302


def test_elsewhere_the_form_asks_no_such_thing(citizen: Any) -> None:
    page = citizen.get("submit/").content.decode()
    assert "requester__kind" not in page and "requester__organisation" not in page and "outside_hours" not in page


def test_the_citizen_reads_facts_basis_and_measures_of_a_reply(citizen: Any, opened: Any, take: Any) -> None:
    from huying.base import clock

    handler = "handler@市住建局"
    take("case.dispatch", "dispatcher@center", opened, clock.now(), lead="市住建局")
    take("case.claim", handler, opened, clock.now())
    take("case.contact", handler, opened, clock.now(), method="phone", result="reached", note="已联系。")
    take(
        "case.reply", handler, opened, clock.now(), content="已修好。", outcome="solved", facts="灯杆线路老化。",
        basis="城市照明管理规定", measures="更换线路。",
    )  # fmt: skip
    assert "灯杆线路老化。" not in citizen.get("case/").content.decode(), "not before the check"
    criteria = {"facts_clear": True, "basis_right": True, "handled_well": True}
    take("check.pass", "checker@center", opened, clock.now(), criteria=criteria)
    page = citizen.get("case/").content.decode()
    for text in ("查明的事实", "灯杆线路老化。", "城市照明管理规定", "更换线路。"):
        assert text in page
