"""The regulation page: each article with what the platform does about it, searched, and quick."""

from typing import Any

import pytest

from huying.cases.policies import policy_of
from huying.portal import rulebook

pytestmark = pytest.mark.django_db


def labels(groups: Any) -> list[str]:
    return [entry.label for group in groups for entry in group.entries]


def test_every_article_is_shown_with_the_rules_that_rest_on_it(citizen: Any) -> None:
    answer = citizen.get("regulation/")
    sections = {section.article.id: section for section in answer.context["book"].sections}
    assert [str(number) for number in range(1, 19)] == [one for one in sections if one.isdigit()]
    assert "签收认领" in labels(sections["7"].blocks[0].groups)
    page = answer.content.decode()
    assert "统一群众诉求处办工作主要由市12345公共热线服务中心" in page
    assert "2个工作日，自交办次日起算" in page, "parameters in words"
    assert '退单</strong><span class="said">：' in page or "承办人员" in page, "who may"


def test_a_rule_stands_beside_the_very_part_that_it_cites(platform: Any) -> None:
    book = rulebook.book_of(policy_of(platform))
    twelfth = next(section for section in book.sections if section.article.id == "12")
    parts = {block.part.id: block for block in twelfth.blocks if block.part is not None}
    assert "公函督办" in labels(parts["12.2"].groups) and "公函督办" not in labels(parts["12.5"].groups)
    assert "".join("".join(block.text.split()) for block in twelfth.blocks) == "".join(twelfth.article.text.split())


def test_every_rule_stands_somewhere_and_once(platform: Any) -> None:
    policy = policy_of(platform)
    assert rulebook.book_of(policy).rules == len(policy.rules)


def test_what_no_article_says_is_marked_with_its_decision(citizen: Any) -> None:
    answer = citizen.get("regulation/")
    assert "撤回" in labels(answer.context["book"].rest.groups)
    page = answer.content.decode()
    assert "默认 A-20" in page and "默认 A-10" in page


def test_an_article_that_nothing_rests_on_says_so(citizen: Any) -> None:
    page = citizen.get("regulation/").content.decode()
    first = page[page.index('id="a-1"') : page.index('id="a-2"')]
    assert "没有规则依据这一条" in first


def test_searching_leaves_what_holds_the_words_and_marks_them(citizen: Any) -> None:
    page = citizen.get("regulation/?q=延期").content.decode()
    assert "<mark>延期</mark>" in page and 'id="a-9"' in page and 'id="a-10"' not in page
    assert "没有找到" in citizen.get("regulation/?q=<b>").content.decode()
    assert "<b>" not in citizen.get("regulation/?q=<b>").content.decode()


def test_the_book_is_made_once_in_a_process(citizen: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    citizen.get("regulation/")
    monkeypatch.setattr(rulebook, "make_book", lambda policy: pytest.fail("made again"))
    assert citizen.get("regulation/").status_code == 200


def test_start_page_names_the_emergency_numbers(citizen: Any) -> None:
    page = citizen.get("").content.decode()
    for number in ("110", "119", "120", "122"):
        assert f'href="tel:{number}"' in page


def test_error_page_tells_nothing_of_the_request(citizen: Any) -> None:
    pages = {citizen.client.get(path).content for path in ("/nowhere/", "/p/other/", "/p/other/submit/?a=b")}
    assert len(pages) == 1
