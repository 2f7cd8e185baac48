"""An installation of several platforms: a citizen finds hers, and each follows its own regulation."""

from typing import Any

import pytest
from django.test import Client

from huying.people.models import Platform, Unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def second(platform: Any) -> Any:
    """Another platform beside the first, with three places of its own."""
    made = Platform.objects.create(slug="second", name="样例区平台", regulation="chongqing-district")
    root = Unit.objects.create(platform=made, path="", name="样例区", kind="root", left=1, right=4)
    town = Unit.objects.create(
        platform=made, path="青山街道", name="青山街道", kind="town", parent=root, left=2, right=3
    )
    Unit.objects.create(
        platform=made, path="青山街道/金湖社区", name="金湖社区", kind="village", parent=town, left=3, right=3
    )
    return made


def front(query: str = "") -> Any:
    return Client().get(f"/{query}")


def test_the_only_platform_is_the_front(platform: Any) -> None:
    assert "提交诉求" in front().content.decode()


def test_several_are_listed_with_their_names(platform: Any, second: Any) -> None:
    page = front().content.decode()
    assert "/p/second/" in page and "样例区平台" in page and f"/p/{platform.slug}/" in page


def test_a_platform_is_found_by_a_place(platform: Any, second: Any) -> None:
    found = {one.platform.slug: list(one.places) for one in front("?q=青山").context["found"]}
    assert found == {"second": ["青山街道"], platform.slug: ["保安镇 青山村村民委员会"]}
    assert [one.platform.slug for one in front("?q=样例").context["found"]] == ["second"]
    assert "没有找到" in front("?q=没有的地方").content.decode()


def test_start_page_says_what_this_regulation_says(platform: Any, second: Any) -> None:
    first, other = (Client().get(f"/p/{slug}/").content.decode() for slug in (platform.slug, "second"))
    assert "签收" in first and "人工回访" in first and "研判" in first
    assert "签收" not in other and "研判" not in other and "换一个平台" in other


def test_places_of_a_bottom_up_platform_reach_down_to_the_village(second: Any) -> None:
    page = Client().get("/p/second/submit/").content.decode()
    assert '<optgroup label="青山街道">' in page and 'value="青山街道/金湖社区"' in page


def test_where_places_are_too_many_one_looks_for_a_town_first(second: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huying.portal.places.LISTED", 1)
    client = Client()
    assert "事情发生在哪里" in client.get("/p/second/submit/").content.decode()
    page = client.get("/p/second/submit/?q=青山 金湖").content.decode()
    assert "青山街道 金湖社区" in page
    form = client.get("/p/second/submit/?place=青山街道/金湖社区").content.decode()
    assert '<option value="青山街道/金湖社区" selected>' in form and "青山街道（不清楚是哪个村、社区）" in form
