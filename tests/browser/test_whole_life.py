"""A case from the first word to the inspectors, each party in a browser of their own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from tests.browser.acting import fill

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LEAD = "市住建局"
TITLE, CONTENT = "小区电梯停运半个月", "三号楼电梯停运半个月，老人上下楼困难，物业一直没有修。"
NAME, PHONE, MASKED = "欧阳小满", "13912345678", "139****5678"
CRITERIA = ["facts_clear", "basis_right", "handled_well"]
BAD = {
    "method": "phone", "result": "reached", "contacted": "true", "solved": "no", "rating": "1", "trust": "2",
    "comment": "诉求人说还没有修好。",
}  # fmt: skip


def act(page: Any, label: str, **values: Any) -> None:
    """Open an action on the page of a case, fill its form and press."""
    box = page.locator("details.action", has=page.locator("> summary", has_text=re.compile(rf"^\s*{label}")))
    if box.get_attribute("open") is None:
        box.locator("> summary").click()
    form = box.locator("form")
    form.wait_for()
    fill(form, **values)
    form.locator("button[type=submit]").click()


def open_from_list(page: Any, city: Any, queue: str) -> None:
    """From the work lists at the side to the case."""
    page.goto(f"{city.url}/desk/")
    page.get_by_role("navigation", name="工作清单").get_by_role("link", name=re.compile(f"^{queue}")).click()
    page.get_by_role("link", name=TITLE).click()
    expect(page.get_by_role("heading", name=TITLE)).to_be_visible()


def done(page: Any, label: str) -> None:
    expect(page.get_by_role("status").filter(has_text=f"“{label}”已办理")).to_be_visible()


def contact_and_reply(page: Any, content: str, proof: Path) -> None:
    act(page, "联系诉求人", method="phone", result="reached", note="已通电话，说明修理安排。")
    done(page, "联系诉求人")
    act(page, "提交答复", content=content, outcome="solved", attachments=proof)
    done(page, "提交答复")


def follow(page: Any, city: Any, number: str, code: str) -> None:
    page.goto(f"{city.url}/p/city/follow/")
    page.get_by_label("编号").fill(number)
    page.get_by_label("查询码").fill(code)
    page.get_by_role("button", name="查询").click()
    expect(page.get_by_role("heading", name=TITLE)).to_be_visible()


def test_a_case_lives_its_whole_life(city: Any, new_page: Any, tmp_path: Path) -> None:
    proof = tmp_path / "欧阳家的电梯.txt"
    proof.write_text("修理单 A12", encoding="utf-8")

    # The citizen: a telephone, no script.
    citizen = new_page(width=390, height=844, java_script_enabled=False)
    citizen.goto(f"{city.url}/")
    citizen.get_by_role("link", name="提交诉求").first.click()
    form = citizen.locator("form.sheet")
    fill(form, kind="complaint", content=CONTENT, place_unit="东岳路街道", place_text="三号楼")
    form.get_by_role("button", name="提交").click()
    expect(citizen.get_by_role("alert").first).to_contain_text("还有内容需要修改")
    expect(form.locator("[name=content]")).to_have_value(CONTENT)
    fill(form, title=TITLE, requester__name=NAME, requester__phone=PHONE)
    form.get_by_role("button", name="提交").click()
    number, code = (citizen.locator(f"#receipt-{one}").inner_text().strip() for one in ("number", "code"))
    assert re.fullmatch(r"\d{17}", number) and re.fullmatch(r"\d{4}([- ]?\d{4}){3}", code)
    expect(citizen.get_by_text("签收后 5 个工作日内答复").first).to_be_visible()

    # The centre gives it to a unit.
    dispatcher = city.sign_in(new_page(), "dispatcher@center")
    open_from_list(dispatcher, city, "待派单")
    expect(dispatcher.locator("body")).to_contain_text(MASKED)
    act(dispatcher, "派单", lead=LEAD, note="请尽快修复。")
    done(dispatcher, "派单")

    # The unit: no reply before it has spoken with the citizen, and no name at all.
    handler = city.sign_in(new_page(), f"handler@{LEAD}")
    open_from_list(handler, city, "待签收")
    expect(handler.locator("body")).to_contain_text("请尽快修复。")
    expect(handler.locator("#who")).to_contain_text(MASKED)
    expect(handler.get_by_role("button", name="查看联系方式")).to_have_count(0)
    act(handler, "签收")
    done(handler, "签收")
    act(handler, "提交答复", content="电梯已经修好。", outcome="solved")
    refused = handler.locator("[data-code=no_contact]")
    expect(refused).to_be_visible()
    expect(refused).to_contain_text("工作机制（八）")
    expect(handler.locator("details.action form [name=content]").first).to_have_value("电梯已经修好。")
    handler.reload()
    contact_and_reply(handler, "电梯已经修好，今天恢复使用。", proof)
    assert NAME not in handler.content() and PHONE not in handler.content()

    checker = city.sign_in(new_page(), "checker@center")
    open_from_list(checker, city, "待审核")
    with checker.expect_download() as downloaded:
        checker.get_by_role("link", name="附件1.txt").click()
    assert downloaded.value.suggested_filename == "附件1.txt"
    assert Path(downloaded.value.path()).read_text(encoding="utf-8") == "修理单 A12"
    act(checker, "回复审核通过", criteria=CRITERIA)
    done(checker, "回复审核通过")

    # The citizen reads the answer and rates it.
    follow(citizen, city, number, code)
    expect(citizen.locator(".reply")).to_contain_text("电梯已经修好，今天恢复使用。")
    expect(citizen.locator("body")).to_contain_text(PHONE)
    rate = citizen.locator("#rate form")
    fill(rate, rating="2", solved="no", comment="只好了一天。")
    rate.get_by_role("button", name="提交评价").click()
    expect(citizen.get_by_role("status")).to_contain_text("感谢您的评价")
    expect(citizen.locator("#rate")).to_have_count(0)

    # Called back, not satisfied: a second round by written order.
    caller = city.sign_in(new_page(), "caller@center")
    open_from_list(caller, city, "待回访")
    caller.get_by_role("button", name="查看联系方式").click()
    expect(caller.locator("#who")).to_contain_text(PHONE)
    expect(caller.locator("#who")).to_contain_text("本次查看已记录")
    act(caller, "回访", **BAD)
    done(caller, "回访")

    handler.goto(f"{city.url}/desk/")
    expect(handler.locator(".told")).to_contain_text("书面交办")
    open_from_list(handler, city, "待签收")
    expect(handler.locator(".case-head")).to_contain_text("第 2 轮")
    act(handler, "签收")
    done(handler, "签收")
    act(handler, "申请核减", reason="电梯已修好，诉求人另有要求。", signed_by="局长张某", attachments=proof)
    refused = handler.locator("[data-code=needs_signature], .field.has-error")
    expect(refused.first).to_be_visible()
    expect(handler.get_by_text("申请单位")).to_have_count(0)
    handler.reload()
    contact_and_reply(handler, "更换了电梯主板，运行正常。", proof)

    open_from_list(checker, city, "待审核")
    act(checker, "回复审核通过", criteria=CRITERIA)
    done(checker, "回复审核通过")
    open_from_list(caller, city, "待回访")
    act(caller, "回访", **BAD)
    done(caller, "回访")

    # Twice not satisfied: the panel confirms it, and the unit gets a letter.
    supervisor = city.sign_in(new_page(), "supervisor@center")
    open_from_list(supervisor, city, "待研判")
    act(supervisor, "分析研判", conclusion="unsatisfied", opinion="电梯仍未正常运行，确属不满意。", attendees=[LEAD])
    done(supervisor, "分析研判")
    expect(supervisor.locator(".case-main")).to_contain_text("公函督办")
    handler.goto(f"{city.url}/desk/")
    expect(handler.locator(".told")).to_contain_text("督办通知")

    open_from_list(dispatcher, city, "待办结")
    act(dispatcher, "办结", outcome="partly")
    done(dispatcher, "办结")
    expect(dispatcher.locator(".case-head .tags")).to_contain_text("已办结")

    follow(citizen, city, number, code)
    expect(citizen.locator(".status .state")).to_contain_text("已办结")
    expect(citizen.locator(".reply")).to_have_count(2)
    expect(citizen.locator(".reply").last).to_contain_text("更换了电梯主板，运行正常。")
    expect(citizen.locator("body")).not_to_contain_text("确属不满意")

    # The inspectors have their copy, and not the name.
    inspector = city.sign_in(new_page(), "inspector@市纪委监委")
    expect(inspector.locator(".told")).to_contain_text("督办通知")
    inspector.locator(".told").get_by_role("link", name=TITLE).first.click()
    expect(inspector.locator(".case-main")).to_contain_text("公函督办")
    expect(inspector.locator("#who")).to_contain_text("保密")
    assert not {NAME, PHONE, MASKED} & set(re.findall(f"{NAME}|{PHONE}|{re.escape(MASKED)}", inspector.content()))


def tab_to(page: Any, name: str, value: str = "") -> None:
    """Press Tab until the field of that name has the focus."""
    for _ in range(60):
        focused = page.evaluate("[document.activeElement.name || '', document.activeElement.value || '']")
        if focused[0] == name and value in ("", focused[1]):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no Tab leads to {name}")


def test_a_call_is_taken_in_by_keyboard_alone(city: Any, new_page: Any) -> None:
    page = new_page()
    city.account("operator@center")
    page.goto(f"{city.url}/desk/")
    tab_to(page, "username")
    page.keyboard.type("operator")
    tab_to(page, "password")
    page.keyboard.type("correct-horse-battery-7")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{city.url}/desk/")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText") == "登记诉求":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/intake/")

    for name, text in {"requester__name": NAME, "requester__phone": PHONE}.items():
        tab_to(page, name)
        page.keyboard.insert_text(text)
    tab_to(page, "kind")
    if page.evaluate("document.activeElement.type") == "radio":
        page.keyboard.press("Space")
        for _ in range(5):
            if page.evaluate("document.activeElement.value") == "help":
                break
            page.keyboard.press("ArrowDown")
    else:
        page.evaluate("0")
        while page.evaluate("document.activeElement.value") != "help":
            page.keyboard.press("ArrowDown")
    for name, text in {"title": TITLE, "content": CONTENT, "place": "东岳路街道"}.items():
        tab_to(page, name)
        page.keyboard.insert_text(text)
    tab_to(page, "subject_unit")
    for _ in range(5):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText") == "登记":
            break
    page.keyboard.press("Enter")
    expect(page.locator(".receipt")).to_contain_text("已登记")
    expect(page.locator(".receipt")).to_contain_text("只显示这一次")
    expect(page.get_by_role("heading", name=TITLE)).to_be_visible()


def test_two_windows_on_one_case_the_second_press_is_told_and_keeps_its_words(
    city: Any, new_page: Any, submit: Any
) -> None:
    from huying.base import clock

    submit(clock.now(), title=TITLE)
    first = city.sign_in(new_page(), "dispatcher@center")
    open_from_list(first, city, "待派单")
    second = first.context.new_page()
    second.goto(first.url)
    for page in (first, second):
        page.locator("details.action > summary", has_text=re.compile(r"^\s*派单")).click()
        page.locator("details.action form [name=note]").first.fill("请尽快修复。")
    act(second, "标注", flags=["urgent"])
    done(second, "标注")

    act(first, "派单", lead=LEAD)
    stale = first.locator("[data-code=stale]")
    expect(stale).to_contain_text("刚刚被别人处理过")
    form = first.locator("details.action[open] form").first
    expect(form.locator("[name=note]")).to_have_value("请尽快修复。")
    expect(form.locator("[name=lead]")).to_have_value(LEAD)
    expect(first.locator(".case-head")).to_contain_text("紧急")
    form.locator("button[type=submit]").click()
    done(first, "派单")
