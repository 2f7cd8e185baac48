"""The pages of surveys: who has them, the file that leaves, and files that browsers really send back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from python_calamine import CalamineWorkbook
from xlsxwriter import Workbook

from huying.base import clock
from huying.base.clock import local_date
from huying.cases.commands import Done, perform
from huying.cases.models import Evaluation, IdentityAccess, SurveyBatch
from huying.cases.policies import regulation
from huying.people.actors import Actor
from huying.people.units import find_unit, open_platform

BACKEND = "django.contrib.auth.backends.ModelBackend"
LAMPS, PAGE, NAME = "市城管局", "/desk/surveys/", "陶小满"


@pytest.fixture
def city(desk: Any) -> Iterator[Any]:
    """The desk of a platform whose regulation knows surveys, with one case answered."""
    policy = regulation("huzhou-2016")
    platform = open_platform("surveyed", policy.info.platform_name, policy.info.id, policy.tree)
    made = type(desk)(platform)
    now = clock.now() - timedelta(hours=1)

    def do(action: str, who: str, case: Any = None, **data: Any) -> Any:
        role, _, path = who.partition("@")
        actor = Actor(id=who, role=role, platform=platform, unit=find_unit(platform, path))
        outcome = perform(action, actor=actor, now=now, case=case, data=data)
        assert isinstance(outcome, Done), outcome
        return outcome.case

    case = do(
        "case.submit", "operator@市12345中心", channel="hotline_12345", kind="complaint", title="路灯不亮",
        content="小区外一段路灯多日不亮。", place="吴兴区/月河街道", requester={"name": NAME, "phone": "13950000090"},
    )  # fmt: skip
    do("case.dispatch", "dispatcher@center", case, lead=LAMPS)
    do("case.contact", f"handler@{LAMPS}", case, method="phone", result="reached", note="问明")
    do("case.reply", f"handler@{LAMPS}", case, content="已修好。", outcome="solved")
    made.case = case
    yield made


def drawn(city: Any) -> SurveyBatch:
    today = local_date(clock.now()).isoformat()
    given = {"label": "三月/调查", "evaluator": "某调查公司", "first": today, "last": today, "size": "10"}
    response = city.at("caller").post(PAGE, given)
    assert response.status_code == 302, response.content.decode()
    return SurveyBatch.objects.get()


def upload(city: Any, batch: SurveyBatch, content: bytes, name: str = "结果.csv") -> Any:
    file = SimpleUploadedFile(name, content)
    return city.at("caller").post(f"{PAGE}{batch.pk}/import/", {"file": file})


def text(response: Any, status: int = 200) -> str:
    assert response.status_code == status, response.content.decode()
    return str(response.content.decode())


def test_from_the_draw_to_the_result(city: Any) -> None:
    batch = drawn(city)
    page = text(city.at("caller").get(f"{PAGE}{batch.pk}/"))
    assert "待调查" in page and city.case.number in page and "13950000090" not in page
    got = city.at("caller").post(f"{PAGE}{batch.pk}/export/")
    assert got.status_code == 200 and got["Cache-Control"] == "no-store" and "%2F" in got["Content-Disposition"]
    grid = CalamineWorkbook.from_filelike(BytesIO(got.content)).get_sheet_by_index(0).to_python()
    assert grid[0] == ["调查编号", "电话", "承办单位", "事项", "调查结果", "满意度", "备注"] and len(grid) == 2
    assert NAME not in str(grid) and grid[1][1] == "13950000090"
    assert IdentityAccess.objects.get(purpose="survey").actor_id.startswith("account:")

    out = BytesIO()  # filled in by hand and saved again, the phone and all
    with Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, grid[0])
        sheet.write_row(1, 0, [*grid[1][:4], "已接通", "满意", "很快"])
    page = text(upload(city, batch, out.getvalue(), "结果.xlsx"))
    assert "导入 1 件" in page and "没有导入" not in page
    assert Evaluation.objects.get().source == "survey"
    assert "已导入过的 1 件" in text(upload(city, batch, out.getvalue(), "结果.xlsx"))
    city.at("caller").post(f"{PAGE}{batch.pk}/export/")
    assert IdentityAccess.objects.filter(purpose="survey").count() == 1, "who has answered is not handed out again"
    shown = text(city.at("supervisor").get(f"/desk/case/{city.case.number}/"))
    assert "第三方调查：某调查公司" in shown


def test_files_as_browsers_and_spreadsheets_send_them(city: Any) -> None:
    batch = drawn(city)
    serial, head = f"S{batch.pk}-0001", "调查编号,满意度,姓名"
    assert "没有收到文件" in text(city.at("caller").post(f"{PAGE}{batch.pk}/import/"), 422)
    assert "文件是空的" in text(upload(city, batch, b""), 422)
    assert "没有“调查编号”一列" in text(upload(city, batch, b"a,b\n1,2\n"), 422)
    assert "超过2 MB" in text(upload(city, batch, b"x" * 2_000_001), 422)
    assert "不是可以读的表格" in text(upload(city, batch, b"PK\x03\x04", "结果.xlsx"), 422)
    assert not Evaluation.objects.exists()
    page = text(upload(city, batch, f"{head}\n{serial},还行,{NAME}\nS9-1,满意,x\n".encode("gbk")))
    assert "导入 0 件" in page and "第 2 行" in page and "请改为非常满意" in page and "名单里没有这个编号" in page
    assert "没有读取也没有保存的列：姓名" in page and NAME not in page
    page = text(upload(city, batch, f"{head}\n{serial},满意,{NAME}\n".encode("utf-8-sig"), "x" * 300 + ".csv"))
    assert "导入 1 件" in page


def test_who_has_the_pages(city: Any, desk: Any) -> None:
    batch = drawn(city)
    caller = city.at("caller")
    assert 'href="/desk/surveys/"' in text(caller.get("/desk/")) and "三月/调查" in text(caller.get(PAGE))
    reading = text(city.at("supervisor").get(f"{PAGE}{batch.pk}/"))
    assert "导入结果" not in reading and "下载名单" not in reading
    assert city.at("supervisor").post(PAGE, {}).status_code == 404
    refused = text(city.at("supervisor").post(f"{PAGE}{batch.pk}/export/"), 422)
    assert "回访人员下载" in refused and not IdentityAccess.objects.filter(purpose="survey").exists()
    other = Client()  # of another platform, whose regulation knows no surveys
    other.force_login(desk.account("other", ("caller", "center")), backend=BACKEND)
    for client in (city.at("dispatcher"), city.at("handler", LAMPS), other):
        assert client.get(PAGE).status_code == 404
        assert client.get(f"{PAGE}{batch.pk}/").status_code == 404
        assert client.post(f"{PAGE}{batch.pk}/export/").status_code == 404
        assert "/desk/surveys/" not in text(client.get("/desk/"))
    elsewhere = city.at("caller", "德清县/center")
    assert elsewhere.get(f"{PAGE}{batch.pk}/").status_code == 404


def test_a_draw_that_is_refused_is_told_at_its_field(city: Any) -> None:
    page = text(city.at("caller").post(PAGE, {"label": "a", "evaluator": "b", "first": "2026-03-09", "last": ""}), 422)
    assert "请填写“到”" in page
    given = {"label": "a", "evaluator": "b", "first": "2026-03-09", "last": "2026-03-01"}
    assert "截止日期不能早于起始日期" in text(city.at("caller").post(PAGE, given), 422)
    given |= {"last": "2026-03-10"}
    assert "没有可以调查的诉求" in text(city.at("caller").post(PAGE, given), 422)
    batch = drawn(city)
    for page_number in ("0", "-1", "x", "99999999", "２"):
        assert city.at("caller").get(f"{PAGE}{batch.pk}/", {"page": page_number}).status_code == 200
    assert city.at("caller").get(f"{PAGE}{2**70}/").status_code == 404
