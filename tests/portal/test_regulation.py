"""The regulation page, the front, and the pages that tell of errors."""

from typing import Any

import pytest

pytestmark = pytest.mark.django_db


def test_every_article_is_shown_with_the_rules_that_rest_on_it(citizen: Any) -> None:
    answer = citizen.get("regulation/")
    rows = {article.id: [rule.key for _topic, rule in rules] for article, rules in answer.context["rows"]}
    assert [str(number) for number in range(1, 19)] == [one for one in rows if one.isdigit()][:18]
    assert "claim.all" in rows["7"] and "handle.general" in rows["8"]
    assert "letter" in rows["12"], "a rule of part 12.2 stands under article 12"
    assert "统一群众诉求处办工作主要由市12345公共热线服务中心" in answer.content.decode()


def test_what_no_article_says_is_marked_with_its_decision(citizen: Any) -> None:
    answer = citizen.get("regulation/")
    assert "case.withdraw" in [rule.key for _topic, rule in answer.context["without"]]
    page = answer.content.decode()
    assert "条文没有规定，平台默认，依据决定 A-20" in page
    assert "条文没有规定，平台默认，依据决定 A-10" in page


def test_front_is_the_only_platform_and_a_list_of_several(citizen: Any, platform: Any) -> None:
    from huying.people.models import Platform

    assert "提交诉求" in citizen.client.get("/").content.decode()
    Platform.objects.create(slug="second", name="第二平台", regulation=platform.regulation)
    page = citizen.client.get("/").content.decode()
    assert "第二平台" in page and "/p/second/" in page and f"/p/{platform.slug}/" in page


def test_start_page_names_the_emergency_numbers(citizen: Any) -> None:
    page = citizen.get("").content.decode()
    for number in ("110", "119", "120", "122"):
        assert f'href="tel:{number}"' in page


def test_error_page_tells_nothing_of_the_request(citizen: Any) -> None:
    pages = {citizen.client.get(path).content for path in ("/nowhere/", "/p/other/", "/p/other/submit/?a=b")}
    assert len(pages) == 1
