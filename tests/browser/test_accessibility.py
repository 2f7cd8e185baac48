"""The pages that many use, at a telephone's and a desktop's width: axe, no sideways scrolling, no CSP fault."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LEAD = "市住建局"
WIDTHS = {390: 844, 1440: 900}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
TOO_LONG = "超长的没有空格的标题" * 7
AXE = """async rules => {
    const found = await axe.run(document, {runOnly: {type: "tag", values: rules}});
    return found.violations
        .filter(one => ["serious", "critical"].includes(one.impact))
        .map(one => `${one.id} (${one.impact}): ` + one.nodes.map(node => node.html.slice(0, 160)).join(" | "));
}"""
SIDEWAYS = """() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [...document.querySelectorAll("body *")]
        .filter(one => one.getBoundingClientRect().right > width + 1)
        .map(one => `${one.tagName}.${one.className}`).slice(0, 8);
}"""


class Watch:
    """One person's browser at one width: visits a page as it is, then once more with axe in it."""

    def __init__(self, new_page: Any, width: int) -> None:
        self.new_page, self.width = new_page, width
        self.page = new_page(width=width, height=WIDTHS[width])
        self.faults: list[str] = []
        self.page.on("console", self._console)

    def _console(self, message: Any) -> None:
        if "Content Security Policy" in message.text or "Content-Security-Policy" in message.text:
            self.faults.append(f"CSP at {self.page.url}: {message.text}")

    def look(self, what: str) -> None:
        """Judge the page that is open now."""
        self.page.wait_for_load_state("networkidle")
        if self.width == 390:
            wide = self.page.evaluate(SIDEWAYS)
            if wide:
                self.faults.append(f"{what} scrolls sideways: {wide}")
        state = self.page.context.storage_state()
        twin = self.new_page(width=self.width, height=WIDTHS[self.width], storage_state=state, bypass_csp=True)
        twin.goto(self.page.url)
        twin.wait_for_load_state("networkidle")
        twin.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        twin.wait_for_load_state("networkidle")
        if self.width == 390:
            wide = twin.evaluate(SIDEWAYS)
            if wide:
                self.faults.append(f"{what}, all unfolded, scrolls sideways: {wide}")
        twin.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
        self.faults += [f"{what} at {self.width}: {one}" for one in twin.evaluate(AXE, RULES)]
        twin.context.close()


@pytest.fixture(params=sorted(WIDTHS))
def watch(request: pytest.FixtureRequest, new_page: Any) -> Watch:
    return Watch(new_page, request.param)


def test_pages_of_citizens(city: Any, watch: Watch) -> None:
    page = watch.page
    for place, what in {"": "start", "submit/": "submit", "follow/": "follow", "regulation/": "regulation"}.items():
        page.goto(f"{city.url}/p/city/{place}")
        watch.look(what)
    page.goto(f"{city.url}/p/city/submit/")
    page.get_by_role("button", name="提交", exact=True).click()
    page.locator(".has-error").first.wait_for()
    if watch.width == 390:
        assert page.evaluate(SIDEWAYS) == []
    page.locator("[name=kind][value=complaint]").check()
    for name, text in {
        "title": TOO_LONG, "content": "门口的路灯不亮。" * 20, "place_text": "新街 18 号", "requester__name": "李小明",
        "requester__phone": "13900000001",
    }.items():  # fmt: skip
        page.locator(f"[name={name}]").fill(text)
    page.locator("[name=place_unit]").select_option("东岳路街道")
    page.get_by_role("button", name="提交", exact=True).click()
    page.wait_for_url("**/receipt/")
    watch.look("receipt")
    page.get_by_role("button", name="查看办理进度").click()
    page.wait_for_url("**/case/")
    watch.look("citizen's case")
    page.goto(f"{city.url}/p/city/case/do/case.supplement/")
    watch.look("supplement")
    assert watch.faults == []


def test_pages_of_several_platforms(city: Any, watch: Watch) -> None:
    from huying.cases.policies import regulation
    from huying.people.units import open_platform

    policy = regulation("chongqing-district")
    open_platform("other", policy.info.platform_name, policy.info.id, policy.tree)
    for place, what in {
        "/": "front", "/?q=青山": "front, a place found", "/p/other/": "start of another", "/p/other/submit/": "submit",
        "/p/other/regulation/?q=延期": "regulation, searched", "/compare/?one=daye-2023&other=chongqing-district":
        "comparison", "/desk/sign-in/": "sign-in",
    }.items():  # fmt: skip
        watch.page.goto(f"{city.url}{place}")
        watch.look(what)
    assert watch.faults == []


def test_pages_of_staff(city: Any, watch: Watch, submit: Any, take: Any) -> None:
    from huying.base import clock

    now = clock.now()
    for title in ("路灯不亮", TOO_LONG):
        case = submit(now, title=title).case
        take("case.dispatch", "dispatcher@center", case, now, lead=LEAD)
        take("case.claim", f"handler@{LEAD}", case, now)
    take("case.contact", f"handler@{LEAD}", case, now, method="phone", result="reached", note="已说明。")
    take("case.request_extension", f"handler@{LEAD}", case, now, workdays=3, reason="等待配件。")
    take("supervision.open", "supervisor@center", case, now, method="phone", ground="poor_quality", request="办好。")
    take("case.reply", f"handler@{LEAD}", case, now, content="已经修好。", outcome="solved")
    page = watch.page
    page.goto(f"{city.url}/desk/sign-in/")
    watch.look("sign-in")
    city.sign_in(page, f"handler@{LEAD}", "operator@center", "supervisor@center")
    for role, places in {
        f"handler@{LEAD}": [
            "/desk/", "/desk/queue/all/", f"/desk/case/{case.number}/",
            f"/desk/case/{case.number}/do/supervision.respond/",
        ],
        "operator@center": ["/desk/intake/", f"/desk/search/?q={case.title[:6]}"],
        "supervisor@center": ["/desk/supervision/", f"/desk/case/{case.number}/", "/desk/account/2fa/"],
    }.items():  # fmt: skip
        choose(page, city, role)
        for place in places:
            page.goto(f"{city.url}{place}")
            watch.look(f"{role} {place}")
    assert watch.faults == []


def choose(page: Any, city: Any, who: str) -> None:
    """Go on in another of one's roles."""
    from huying.people.units import find_unit

    role, _, path = who.partition("@")
    page.goto(f"{city.url}/desk/")
    page.locator("details.who > summary").click()
    page.locator(f'button[name=role][value="{role}@{find_unit(city.platform, path).pk}"]').click()
    page.wait_for_load_state("networkidle")


def test_the_description_of_the_api_is_readable_too(city: Any, watch: Watch) -> None:
    watch.page.goto(f"{city.url}/api/v1/docs")
    watch.look("api docs")
    assert watch.faults == []
