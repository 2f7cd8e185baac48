"""One matter in each city from the first word to the archive, each party in a browser of their own."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect
from tests.browser.acting import fill

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NAME, PHONE, MASKED = "欧阳小满", "13912345678", "139****5678"
GOOD = {"method": "phone", "result": "reached", "solved": "yes", "rating": "5"}
CRITERIA = ["facts_clear", "basis_right", "handled_well"]


class Matter:
    """One citizen's matter, and how the parties come to it."""

    def __init__(self, city: Any, new_page: Any, title: str) -> None:
        self.city, self.new_page, self.title = city, new_page, title
        self.number = self.code = ""
        self.pages: dict[str, Any] = {}
        self.citizen = new_page(width=390, height=844, java_script_enabled=False)

    def submits(self, *, place: str = "", picks: str = "", **values: Any) -> None:
        """The citizen: a telephone, no script. Where there are many places, one is looked for first."""
        self.citizen.goto(f"{self.city.home}submit/")
        if place:
            self.citizen.get_by_label("地名").fill(place)
            self.citizen.get_by_role("button", name="查找").click()
            self.city.look(self.citizen, "找地方")
            self.citizen.get_by_role("link", name=picks).first.click()
        self.city.look(self.citizen, "提交")
        form = self.citizen.locator("form.sheet")
        if "subject_unit" in values:
            form.locator("details.more > summary").click()
        fill(form, title=self.title, requester__name=NAME, requester__phone=PHONE, **values)
        form.get_by_role("button", name="提交").click()
        self.number, self.code = (
            self.citizen.locator(f"#receipt-{one}").inner_text().strip() for one in ("number", "code")
        )
        self.city.look(self.citizen, "回执")

    def as_(self, who: str) -> Any:
        """The page of `role@unit`, signed in the first time."""
        if who not in self.pages:
            self.pages[who] = self.city.sign_in(self.new_page(), who)
        return self.pages[who]

    def opens(self, who: str, queue: str) -> Any:
        """From the work lists at the side to the matter."""
        page = self.as_(who)
        page.goto(f"{self.city.url}/desk/")
        self.city.look(page, f"{who}-首页")
        page.get_by_role("navigation", name="工作清单").get_by_role("link", name=re.compile(f"^{queue}")).click()
        self.city.look(page, f"{who}-{queue}")
        page.get_by_role("link", name=self.title).first.click()
        expect(page.get_by_role("heading", name=self.title)).to_be_visible()
        return page

    def does(self, who: str, queue: str, label: str, **values: Any) -> Any:
        """Open the matter from that list, take one action on it, and see that it was taken."""
        page = self.opens(who, queue)
        box = page.locator("details.action", has=page.locator("> summary", has_text=re.compile(rf"^\s*{label}")))
        if box.get_attribute("open") is None:
            box.locator("> summary").click()
        form = box.locator("form")
        form.wait_for()
        fill(form, **values)
        self.city.look(page, f"{who}-{label}")
        form.locator("button[type=submit]").click()
        expect(page.get_by_role("status").filter(has_text=re.compile(f"“{label}.*”已办理"))).to_be_visible()
        self.city.look(page, f"{who}-{label}-以后")
        return page

    def read(self) -> Any:
        """The citizen opens the matter by number and query code."""
        self.citizen.goto(f"{self.city.home}follow/")
        self.citizen.get_by_label("编号").fill(self.number)
        self.citizen.get_by_label("查询码").fill(self.code)
        self.citizen.get_by_role("button", name="查询").click()
        expect(self.citizen.get_by_role("heading", name=self.title)).to_be_visible()
        self.city.look(self.citizen, "进度")
        return self.citizen

    def rates(self, **values: Any) -> None:
        form = self.read().locator("#rate form")
        fill(form, **values)
        form.get_by_role("button", name="提交评价").click()
        expect(self.citizen.get_by_role("status")).to_contain_text("感谢您的评价")
        self.city.look(self.citizen, "评价以后")


@pytest.mark.parametrize("city_of", ["chongqing-2021"], indirect=True)
def test_chongqing_from_the_village_up(city_of: Any, new_page: Any) -> None:
    village, town = "永川区/中山路街道/中山路社区居民委员会", "永川区/中山路街道"
    centre, bureau = "永川区/center", "永川区/人力社保局"
    one = Matter(city_of, new_page, "社保卡补办问题")
    one.submits(
        kind="consult", content="社保卡丢失，如何补办，需要什么材料？", place="永川 中山路社区", picks="中山路社区"
    )
    one.does(
        f"handler@{village}", "待办理", "转请处理", ground="beyond_power", reason="社保业务不属于社区自治事项",
        preliminary_check="已电话联系，诉求人需补办社保卡。",
    )  # fmt: skip
    one.does(f"dispatcher@{town}", "待决定的申请", "同意", opinion="镇街接办")
    one.does(f"handler@{town}", "待办理", "转请处理", ground="beyond_power", reason="应由区人力社保局办理")
    one.does(f"dispatcher@{centre}", "待决定的申请", "同意", opinion="交区人力社保局", unit=bureau)
    one.does(
        f"handler@{bureau}", "待办理", "申请延期", workdays="2", reason="需到制卡中心核实", progress="已核实身份信息"
    )
    one.does(f"dispatcher@{centre}", "待决定的申请", "同意", opinion="同意延期")
    expect(one.read().locator("body")).to_contain_text("已核实身份信息")
    one.does(f"handler@{bureau}", "办理中", "结果反馈", content="可持身份证到任一经办网点补办。", outcome="solved")
    one.rates(rating="5", solved="yes", comment="谢谢")
    one.does("dispatcher@center", "待办结", "办结", outcome="solved")
    one.does("dispatcher@center", "全部诉求", "归档")


@pytest.mark.parametrize("city_of", ["chongqing-district"], indirect=True)
def test_the_district_twice_badly_rated(city_of: Any, new_page: Any) -> None:
    bureau, town = "城市管理局", "东城街道"
    one = Matter(city_of, new_page, "小区垃圾清运不及时")
    one.submits(kind="complaint", content="小区垃圾三天未清运，影响出行。", place_unit=f"{town}/第一社区")
    one.does(f"handler@{town}/第一社区", "待办理", "向上提交", ground="beyond_power", reason="社区无清运力量")
    one.does(f"dispatcher@{town}", "待决定的申请", "同意", opinion="镇街接办")
    one.does(f"handler@{town}", "待办理", "向上提交", ground="beyond_power", reason="应由城市管理局清运")
    one.does("dispatcher@center", "待决定的申请", "同意", opinion="交城市管理局", unit=bureau)
    for number in (1, 2):
        one.does(f"handler@{bureau}", "待办理", "核查记录", finding="true", note="清运车辆故障。")
        one.does(f"handler@{bureau}", "办理中", "提交办理结果", content=f"第{number}次：已安排清运。", outcome="solved")
        one.does(f"leader@{bureau}", "待单位审核", "单位审核通过")
        one.does("caller@center", "全部诉求", "回访", **GOOD | {"rating": "1", "solved": "no"})
        if number == 1:
            one.does("supervisor@center", "全部诉求", "重办整改", ground="omission", reason="仍未清运")
    one.does(f"leader@{bureau}", "待正式函告", "正式函告", content="两次办理情况说明。")
    one.does("dispatcher@center", "待办结", "系统办结", outcome="partly", told_by="phone")
    expect(one.read().locator("body")).to_contain_text("第2次：已安排清运。")


@pytest.mark.parametrize("city_of", ["hebi-2020"], indirect=True)
def test_hebi_checked_before_the_citizen_reads(city_of: Any, new_page: Any) -> None:
    bureau = "市市场监管局"
    one = Matter(city_of, new_page, "证照办理超过承诺时间")
    one.submits(kind="complaint", content="窗口承诺三日办结，至今未办。", place_unit="淇滨区/黎阳路街道")
    one.does("dispatcher@center", "待派单", "转交办理", lead=bureau)
    one.does(f"handler@{bureau}", "待", "申请认定", reason="涉及多部门材料核对")
    one.does(f"leader@{bureau}", "待决定的申请", "同意", opinion="同意")
    one.does(f"handler@{bureau}", "办理中", "提交答复", content="已核发证照。", outcome="solved")
    one.does(f"leader@{bureau}", "待单位审核", "单位主管领导审阅通过")
    expect(one.read().locator("body")).not_to_contain_text("已核发证照")
    one.does("checker@center", "待审核", "质检未通过", criteria=CRITERIA[:2], note="未说明超时原因")
    one.does(f"handler@{bureau}", "待", "提交答复", content="已核发证照，并就超时致歉。", outcome="solved")
    one.does(f"leader@{bureau}", "待单位审核", "单位主管领导审阅通过")
    one.does("checker@center", "待审核", "质检通过", criteria=CRITERIA)
    one.rates(rating="4", solved="yes", comment="已收到")
    one.does("dispatcher@center", "待办结", "办结", outcome="solved")


@pytest.mark.parametrize("city_of", ["huzhou-2016"], indirect=True)
def test_huzhou_supervises_who_is_dissatisfied(city_of: Any, new_page: Any) -> None:
    bureau = "市交通运输局"
    one = Matter(city_of, new_page, "公交线路临时绕行没有公告")
    operator = one.as_("operator@市12345中心")
    operator.goto(f"{city_of.url}/desk/intake/")
    form = operator.locator("form.sheet, main form").first
    fill(
        form, kind="complaint", channel="hotline_12345", title=one.title, content="公交临时绕行未公告。",
        place="吴兴区", requester__name=NAME, requester__phone=PHONE,
    )  # fmt: skip
    city_of.look(operator, "登记")
    form.get_by_role("button", name="登记").click()
    city_of.look(operator, "登记以后")
    receipt = operator.locator(".receipt").inner_text()
    one.number = re.search(r"\d{14,}", receipt).group()
    one.code = re.search(r"\d{4}(-\d{4}){3}", receipt).group()
    one.does("dispatcher@center", "待派单", "按责转办", lead=bureau)
    one.does(f"handler@{bureau}", "待", "联系诉求人", method="phone", result="reached", note="了解站点")
    one.does(f"handler@{bureau}", "办理中", "反馈办理结果", content="已在站点张贴公告。", outcome="solved")
    one.does("caller@center", "全部诉求", "回访", **GOOD | {"rating": "1", "method": "survey"})
    one.does(f"handler@{bureau}", "待", "联系诉求人", method="phone", result="reached", note="再次了解")
    one.does(f"handler@{bureau}", "办理中", "反馈办理结果", content="已在全部站点张贴公告并致歉。", outcome="solved")
    one.does(f"leader@{bureau}", "督办待反馈", "督办反馈", content="已整改。")
    one.does("supervisor@center", "督办中", "督办销号", conclusion="整改到位。")
    one.does("caller@center", "全部诉求", "回访", **GOOD)
    expect(one.read().locator("body")).to_contain_text("全部站点")
    expect(one.citizen.locator(".status .state")).to_contain_text("已办结")
    one.does("dispatcher@center", "全部诉求", "归档")


@pytest.mark.parametrize("city_of", ["chongqing-2021"], indirect=True)
def test_chongqing_from_the_top_down_past_the_unit_complained_about(city_of: Any, new_page: Any) -> None:
    accused, office = "永川区/公安局", "市政府督查办"
    one = Matter(city_of, new_page, "窗口人员态度生硬、推诿")
    one.submits(
        kind="report", content="户籍窗口两次推诿，拒不受理。", place="永川 中山路社区", picks="中山路社区",
        subject_unit=accused,
    )  # fmt: skip
    one.does("dispatcher@center", "待派单", "分办交办", lead="永川区/center")

    # The unit complained about finds nothing: no list, no search by number, no address.
    police = one.as_(f"handler@{accused}")
    for address in ("queue/all/", f"search/?q={one.number}", "search/?q=户籍窗口", f"case/{one.number}/"):
        police.goto(f"{city_of.url}/desk/{address}")
        assert one.title not in police.content(), address
    city_of.look(police, "被反映单位")

    one.does("supervisor@center", "全部诉求", "督办", method="key", ground="shirking", request="请核实并反馈。")
    handler = "handler@永川区/center"
    one.does(handler, "待办理", "结果反馈", content="已调查核实，责令整改并致歉。", outcome="solved",
             facts="两次未受理属实。", basis="政务服务管理有关规定", measures="责令整改，回访致歉。")  # fmt: skip
    one.does("leader@永川区/center", "督办待反馈", "督办反馈", content="已约谈窗口负责人。")
    one.does("supervisor@center", "督办中", "督办销号", conclusion="整改到位。")
    clue = {"ground": "inaction_slow_wrongful", "to": office, "content": "涉嫌慢作为"}
    one.does("supervisor@center", "全部诉求", "督查线索移交", **clue)
    one.does(f"inspector@{office}", "移交线索", "线索核查结果", opinion="已派员核查，属实，转纪检机关。")
    answer = one.read()
    expect(answer.locator(".reply")).to_contain_text("责令整改并致歉")
    expect(answer.locator("body")).not_to_contain_text("涉嫌慢作为")


@pytest.mark.parametrize("city_of", ["hebi-2020"], indirect=True)
def test_hebi_at_the_desk_of_the_hall(city_of: Any, new_page: Any) -> None:
    bureau = "市市场监管局"
    one = Matter(city_of, new_page, "窗口要求重复提交材料")
    operator = one.as_("operator@center")
    operator.goto(f"{city_of.url}/desk/intake/")
    form = operator.locator("main form").first
    fill(
        form, kind="complaint", channel="service_hall", mode="written", title=one.title, place="淇滨区",
        content="同一份材料被要求交了三次。", requester__name=NAME, requester__phone=PHONE,
    )  # fmt: skip
    form.get_by_role("button", name="登记").click()
    city_of.look(operator, "大厅登记")
    if operator.get_by_text("确认在开放时间以外登记").count():
        operator.get_by_label(re.compile("开放时间以外")).check()
        operator.locator("main form").first.get_by_role("button", name="登记").click()
        city_of.look(operator, "大厅登记以后")
    receipt = operator.locator(".receipt").inner_text()
    one.number = re.search(r"\d{14,}", receipt).group()
    one.code = re.search(r"\d{4}(-\d{4}){3}", receipt).group()
    operator.goto(f"{city_of.url}/desk/case/{one.number}/")
    operator.get_by_role("link", name=re.compile("登记表")).click()
    expect(operator.get_by_role("heading", name="投诉受理登记表")).to_be_visible()
    expect(operator.locator("body")).to_contain_text(one.number)
    city_of.look(operator, "登记表")
    one.does("dispatcher@center", "待派单", "转交办理", lead=bureau)
    one.does(f"handler@{bureau}", "待", "提交答复", content="已核实，不再重复收取。", outcome="solved")
    one.rates(rating="2", solved="partly", comment="还要再看看。")
    one.does("supervisor@center", "全部诉求", "退回重新办理", ground="办理不到位", reason="未说明今后如何避免")
    one.does(f"handler@{bureau}", "待", "提交答复", content="已修改办事指南并致歉。", outcome="solved")
    one.rates(rating="5", solved="yes", comment="满意。")
    one.does("dispatcher@center", "待办结", "办结", outcome="solved")
