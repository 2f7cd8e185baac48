"""提交诉求: one form, one case, and every mistake told at its field."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from huying.cases.models import Case, Party

pytestmark = pytest.mark.django_db


def test_form_asks_for_kind_text_and_place_and_carries_a_fresh_key(citizen: Any) -> None:
    first, second = citizen.get("submit/"), citizen.get("submit/")
    page = first.content.decode()
    for name in ("kind", "title", "content", "place_unit", "requester__phone", "attachments"):
        assert f'name="{name}"' in page
    assert first.context["key"] != second.context["key"]
    assert "<script" not in page and " style=" not in page


def test_submitting_makes_the_case_with_what_was_typed(citizen: Any) -> None:
    answer = citizen.submit(category="道路与路灯")
    assert answer.status_code == 302 and answer["Location"] == f"{citizen.root}receipt/"
    case = Case.objects.get()
    assert (case.kind, case.channel, case.category) == ("complaint", "portal", "道路与路灯")
    assert case.place_text == "金湖街道 新街 18 号"
    assert case.place_unit is not None and case.place_unit.path == "金湖街道"


def test_pressing_twice_makes_one_case_and_the_same_receipt(citizen: Any) -> None:
    first = citizen.receipt()
    second = citizen.receipt()
    assert first == second
    assert Case.objects.count() == 1


def test_what_is_missing_is_told_at_its_field_and_nothing_is_kept(citizen: Any) -> None:
    answer = citizen.submit(title="")
    assert answer.status_code == 422
    assert answer.context["form"].errors == {"title": ["请填写“一句话说明”。"]}
    assert "小区门口的路灯三天不亮。" in answer.content.decode(), "what was typed stays"
    assert Case.objects.count() == 0


def test_refused_submission_can_be_mended_and_sent_with_the_same_key(citizen: Any) -> None:
    assert citizen.submit(content="").status_code == 422
    assert citizen.submit().status_code == 302
    assert Case.objects.count() == 1


def test_wrong_phone_is_told_at_the_phone(citizen: Any) -> None:
    answer = citizen.submit(requester__phone="12ab")
    assert list(answer.context["form"].errors) == ["requester__phone"]


def test_missing_place_is_told_at_the_place(citizen: Any) -> None:
    answer = citizen.submit(place_unit="", place_text="")
    assert list(answer.context["form"].errors) == ["place_unit"]


def test_anonymous_keeps_nobody(citizen: Any) -> None:
    citizen.submit(anonymous="on")
    party = Party.objects.get()
    assert (party.level, party.subject) == ("anonymous", None)


def test_secrecy_is_asked_for_by_a_tick_and_kept_for_reports_without_one(citizen: Any) -> None:
    citizen.submit(kind="consult", key="a" * 40)
    citizen.submit(kind="consult", confidential="on", key="b" * 40)
    citizen.submit(kind="report", key="c" * 40)
    assert list(Case.objects.order_by("pk").values_list("confidential", flat=True)) == [False, True, True]


def test_unit_complained_about_is_kept_out(citizen: Any) -> None:
    citizen.submit(subject_unit="市住建局")
    assert [row.unit.path for row in Case.objects.get().subjects.all()] == ["市住建局"]


def test_attachments_come_along_and_a_bad_one_is_refused_whole(citizen: Any) -> None:
    text = SimpleUploadedFile("说明.txt", "路灯编号 A12\n".encode())
    assert citizen.submit(attachments=[text]).status_code == 302
    assert [row.label for row in Case.objects.get().attachments.all()] == ["附件1.txt"]

    program = SimpleUploadedFile("photo.jpg", b"MZ\x90\x00")
    answer = citizen.submit(attachments=[program], key="z" * 40)
    assert answer.status_code == 422 and list(answer.context["form"].errors) == ["attachments"]
    assert Case.objects.count() == 1


def test_fields_of_other_channels_are_not_taken_from_the_page(citizen: Any) -> None:
    citizen.submit(channel="hotline_12345", external_no="X-1", urgency="immediate", source="12345", due="2026-01-01")
    case = Case.objects.get()
    assert (case.channel, case.external_no, case.urgency, case.source) == ("portal", "", "", "")
    assert case.source_due_on is None


@pytest.mark.parametrize("key", ["", "short", "x" * 5000])
def test_without_a_proper_key_nothing_is_made(citizen: Any, key: str) -> None:
    assert citizen.submit(key=key).status_code == 422
    assert Case.objects.count() == 0


def test_platform_that_does_not_exist_has_no_pages(citizen: Any) -> None:
    assert citizen.client.get("/p/nowhere/submit/").status_code == 404


def test_retaliation_is_told_of_the_case_that_is_open_here_and_of_no_other(
    citizen: Any, another: Any, opened: Any, take: Any
) -> None:
    from huying.base import clock

    assert "受到打击报复" in citizen.get("submit/").content.decode()
    assert "受到打击报复" not in another.get("submit/").content.decode()
    take("case.dispatch", "dispatcher@center", opened, clock.now(), lead="市住建局")
    another.submit(key="a" * 40, retaliated="1", retaliation_over=opened.number)
    assert not Case.objects.latest("pk").subjects.exists()
    citizen.submit(key="c" * 40, retaliated="1")
    told = Case.objects.latest("pk")
    assert told.confidential and [one.unit.path for one in told.subjects.all()] == ["市住建局"]
