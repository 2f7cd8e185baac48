"""The citizen's case page: where it stands, by when, and what may be done about it."""

from datetime import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from huying.base import clock
from huying.base.clock import LEGAL_ZONE
from huying.cases.models import Case, Supplement

pytestmark = pytest.mark.django_db

UNIT = "市住建局"
HANDLER = f"handler@{UNIT}"


def at(day: int, hour: int = 9) -> datetime:
    """A time in March 2026; the 2nd is a Monday."""
    return datetime(2026, 3, day, hour, tzinfo=LEGAL_ZONE)


@pytest.fixture
def dispatched(opened: Case, take: Any) -> Case:
    take("case.accept", "operator@center", opened, at(2))
    take("case.dispatch", "dispatcher@center", opened, at(2), lead=UNIT)
    return opened


@pytest.fixture
def replied(dispatched: Case, take: Any) -> Case:
    take("case.claim", HANDLER, dispatched, at(3))
    take("case.contact", HANDLER, dispatched, at(3), method="phone", result="reached", note="已电话联系")
    take("case.reply", HANDLER, dispatched, at(4), content="路灯已经修好。", outcome="solved")
    return dispatched


@pytest.fixture
def answered(replied: Case, take: Any) -> Case:
    criteria = {"facts_clear": True, "basis_right": True, "handled_well": True}
    take("check.pass", "checker@center", replied, at(4, 15), criteria=criteria)
    return replied


def test_new_case_shows_state_steps_and_what_comes_next(citizen: Any, opened: Case) -> None:
    page = citizen.get("case/").content.decode()
    assert "已接收，正在分办" in page
    assert '<li class="now" aria-current="step">已接收</li>' in page
    assert "承办单位在签收后 5 个工作日内答复。" in page


def test_promised_date_is_the_latest_before_the_unit_signs(citizen: Any, dispatched: Case) -> None:
    # Assigned Monday the 2nd, to be signed by the 3rd, answered five working days later: the 10th.
    page = citizen.get("case/").content.decode()
    assert "住建" in page
    assert "2026年3月10日（周二）" in page and "最迟到这一天" in page


def test_promised_date_counts_from_signing_and_shows_each_day_with_its_article(
    citizen: Any, dispatched: Case, take: Any
) -> None:
    take("case.claim", HANDLER, dispatched, at(2, 11))
    page = citizen.get("case/").content.decode()
    assert "2026年3月9日（周一）" in page and "最迟到这一天" not in page
    assert "3月9日<br>第5个" in page
    assert "7日" in page and page.count('class="counted') == 5
    assert "（八）" in page


def test_days_left_are_counted_from_today(citizen: Any, opened: Case, take: Any) -> None:
    now = clock.now()
    take("case.dispatch", "dispatcher@center", opened, now, lead=UNIT)
    take("case.claim", HANDLER, opened, now)
    assert "还有 5 个工作日" in citizen.get("case/").content.decode()


def test_days_left_are_not_shown_once_the_date_has_passed(citizen: Any, dispatched: Case, take: Any) -> None:
    take("case.claim", HANDLER, dispatched, at(2, 11))
    page = citizen.get("case/").content.decode()
    assert "2026年3月9日（周一）" in page and "还有" not in page


def test_reply_is_not_shown_before_it_passed_the_check(citizen: Any, replied: Case) -> None:
    assert "路灯已经修好。" not in citizen.get("case/").content.decode()


def test_reply_is_shown_with_its_unit_once_it_passed(citizen: Any, answered: Case) -> None:
    page = citizen.get("case/").content.decode()
    assert "路灯已经修好。" in page and "请您评价" in page


def test_rating_has_five_grades_and_none_is_ticked(citizen: Any, answered: Case) -> None:
    page = citizen.get("case/").content.decode()
    for word in ("非常满意", "满意", "基本满意", "不满意", "非常不满意"):
        assert f"<span>{word}</span>" in page
    assert "checked" not in page


def test_rating_is_kept_and_not_offered_again(citizen: Any, answered: Case) -> None:
    answer = citizen.post("case/do/case.evaluate/", rating="4", solved="yes", comment="很快")
    assert answer.status_code == 302
    row = answered.evaluations.get()
    assert (row.rating, row.solved, row.comment, row.source) == (4, "yes", "很快", "citizen")
    assert "请您评价</h2>" not in citizen.get("case/").content.decode()
    again = citizen.post("case/do/case.evaluate/", rating="1")
    assert again.status_code == 422 and "本轮办理已经评价过了" in again.content.decode()


def test_rating_without_a_grade_is_told(citizen: Any, answered: Case) -> None:
    answer = citizen.post("case/do/case.evaluate/", comment="x")
    assert answer.status_code == 422 and list(answer.context["form"].errors) == ["rating"]
    assert answered.evaluations.count() == 0


def test_supplement_comes_with_files_and_the_citizen_can_fetch_them(citizen: Any, opened: Case) -> None:
    file = SimpleUploadedFile("王小明的照片.txt", "编号 A12\n".encode())
    assert citizen.post("case/do/case.supplement/", content="又坏了两盏", attachments=[file]).status_code == 302
    page = citizen.get("case/").content.decode()
    assert "又坏了两盏" in page and "附件1.txt" in page and "王小明的照片" not in page
    answer = citizen.get("case/file/附件1.txt")
    assert b"".join(answer.streaming_content) == "编号 A12\n".encode()
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["Cache-Control"] == "no-store"


def test_files_are_given_to_who_has_the_case_open_only(citizen: Any, another: Any, opened: Case) -> None:
    file = SimpleUploadedFile("a.txt", b"A12\n")
    citizen.post("case/do/case.supplement/", content="补充", attachments=[file])
    assert another.get("case/file/附件1.txt").status_code == 404
    assert citizen.get("case/file/附件2.txt").status_code == 404
    assert citizen.get("case/file/..%2Fsecret").status_code == 404


def test_urging_needs_no_words(citizen: Any, opened: Case) -> None:
    assert citizen.post("case/do/case.urge/").status_code == 302
    assert Supplement.objects.get(case=opened).kind == "urge"


def test_withdrawing_asks_first_and_then_ends_the_case(citizen: Any, opened: Case) -> None:
    asked = citizen.get("case/do/case.withdraw/").content.decode()
    assert "确认撤回" in asked and "不能恢复" in asked
    opened.refresh_from_db()
    assert opened.state == "received", "looking changes nothing"
    citizen.post("case/do/case.withdraw/", reason="已经解决")
    opened.refresh_from_db()
    assert opened.state == "withdrawn"
    assert "您已撤回" in citizen.get("case/").content.decode()


def test_decided_on_an_old_page_is_told_and_changes_nothing(citizen: Any, opened: Case) -> None:
    version = opened.version
    citizen.post("case/do/case.urge/")
    answer = citizen.post("case/do/case.withdraw/", version=str(version))
    assert answer.status_code == 409 and "刷新后再试" in answer.content.decode()
    opened.refresh_from_db()
    assert opened.state == "received"


def test_refusal_to_accept_says_ground_and_where_to_turn(citizen: Any, opened: Case, take: Any) -> None:
    take(
        "case.refuse", "operator@center", opened, at(2), ground="litigation", basis="已经立案", other_unit="市人民法院",
        note="请等待判决。",
    )  # fmt: skip
    page = citizen.get("case/").content.decode()
    for word in ("不予受理", "应当通过诉讼解决或已进入诉讼程序", "市人民法院", "请等待判决。"):
        assert word in page


@pytest.mark.parametrize("action", ["case.dispatch", "case.close", "case.submit", "nonsense"])
def test_actions_of_others_have_no_page_here(citizen: Any, opened: Case, action: str) -> None:
    assert citizen.get(f"case/do/{action}/").status_code == 404
    assert citizen.post(f"case/do/{action}/", lead=UNIT).status_code == 404


def test_nobody_sees_a_case_without_number_and_code(another: Any, opened: Case) -> None:
    for path in ("case/", "case/do/case.urge/", "case/do/case.withdraw/"):
        assert another.get(path)["Location"].endswith("/follow/")
    assert another.post("case/do/case.withdraw/")["Location"].endswith("/follow/")
    opened.refresh_from_db()
    assert opened.state == "received"


def test_page_has_no_inline_script_or_style(citizen: Any, answered: Case) -> None:
    page = citizen.get("case/").content.decode()
    assert "<script" not in page and " style=" not in page and "<style" not in page and " onclick" not in page


def test_every_date_past_the_last_calendar_is_marked_provisional(citizen: Any, opened: Case, take: Any) -> None:
    """The notice of 2026 is published, that of 2027 is not: twenty working days more from December lead there."""
    now = datetime(2026, 12, 10, 9, tzinfo=LEGAL_ZONE)
    take("case.dispatch", "dispatcher@center", opened, now, lead=UNIT)
    take("case.claim", HANDLER, opened, now)
    assert "暂定" not in citizen.get("case/").content.decode()
    take("case.request_extension", HANDLER, opened, now, workdays=20, reason="等待配件。")
    asked = opened.applications.get()
    take("application.approve", "dispatcher@center", opened, now, target=asked, opinion="同意", workdays=20)
    page = citizen.get("case/").content.decode()
    assert page.count('<span class="tag warn">暂定</span>') == 2, "the promise and the notice of the extension"
    assert "（暂定） 24时为止" in page and "放假安排还没有公布" in page
