"""Forms made from the inputs of actions: what is asked, what comes back, where a refusal is shown."""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils.datastructures import MultiValueDict

from huying.cases.commands import ACTIONS
from huying.cases.commands.perform import parse
from huying.core.verdict import Refused
from huying.ui.forms import Options, form_for, show_refusal, to_data
from huying.ui.words import word


def shown(action_id: str, **more: object) -> str:
    form = form_for(ACTIONS[action_id].input, action_id=action_id, **more)()  # type: ignore[arg-type]
    return render_to_string("ui/_form.html", {"form": form})


@pytest.mark.parametrize("action_id", sorted(ACTIONS))
def test_every_action_has_a_form_with_a_label_for_each_field_and_no_inline_style(action_id: str) -> None:
    page = shown(action_id)
    for info in ACTIONS[action_id].input.model_fields.values():
        if info.title not in ("诉求人",):
            assert str(info.title) in page
    assert "style=" not in page and "<script" not in page


@pytest.mark.parametrize("action_id", sorted(ACTIONS))
def test_choices_of_every_action_are_worded(action_id: str) -> None:
    form = form_for(ACTIONS[action_id].input, action_id=action_id)()
    for name, field in form.fields.items():
        for value, label in getattr(field.widget, "choices", ()):
            assert value == "" or str(label) != str(value), f"{action_id}.{name}: {value} has no word"


def test_five_grades_from_best_to_worst_and_none_chosen() -> None:
    page = shown("case.evaluate")
    words = ["非常满意", "满意", "基本满意", "不满意", "非常不满意"]
    at = [page.index(f"<span>{one}</span>") for one in words]
    assert at == sorted(at) and "checked" not in page


def test_unit_is_proposed_from_a_list() -> None:
    page = shown("case.dispatch", choices={"lead": Options([("市住建局", "市住建局")], "suggest")})
    assert '<datalist id="f-lead_list"><option value="市住建局">' in page and 'list="f-lead_list"' in page


def test_request_becomes_the_data_that_the_action_takes() -> None:
    model = ACTIONS["case.dispatch"].input
    post = QueryDict("lead=市住建局&co=市公安局%0A 市交通运输局 &limit_workdays=3&procedure=&note=")
    data, _files = to_data(model, post)
    assert data == {"lead": "市住建局", "co": ["市公安局", "市交通运输局"], "limit_workdays": "3"}
    assert not isinstance(parse(ACTIONS["case.dispatch"], data), Refused)


def test_criteria_are_three_ticks() -> None:
    assert shown("check.fail").count('type="checkbox" name="criteria"') == 3
    data, _files = to_data(ACTIONS["check.fail"].input, QueryDict("criteria=facts_clear&note=x"))
    assert data["criteria"] == {"facts_clear": True, "basis_right": False, "handled_well": False}


def test_open_yes_or_no_stays_open_and_a_plain_tick_does_not() -> None:
    data, _files = to_data(ACTIONS["case.call_back"].input, QueryDict("method=phone&result=reached&contacted="))
    assert "contacted" not in data
    data, _files = to_data(ACTIONS["case.call_back"].input, QueryDict("contacted=false"))
    assert data["contacted"] == "false"
    data, _files = to_data(ACTIONS["case.request_exemption"].input, QueryDict("reason=x"))
    assert data["sealed"] is False


def test_requester_is_put_together_again() -> None:
    post = QueryDict("requester__name=李小明&requester__phone=13900000001&requester__email=")
    data, _files = to_data(ACTIONS["case.submit"].input, post)
    assert data["requester"] == {"name": "李小明", "phone": "13900000001"}
    assert "requester" not in to_data(ACTIONS["case.submit"].input, QueryDict(""))[0]


def test_two_files_of_one_name_stay_two() -> None:
    files = MultiValueDict({"attachments": [SimpleUploadedFile("a.txt", b"1"), SimpleUploadedFile("a.txt", b"2")]})
    data, kept = to_data(ACTIONS["case.supplement"].input, QueryDict("content=x"), files)
    contents = []
    for name in data["attachments"]:
        file = kept.open(name)
        assert name.endswith(".txt") and file is not None
        contents.append(file.read())
    assert contents == [b"1", b"2"]
    assert kept.open("other.txt") is None


def test_a_day_that_is_filled_in_already_is_written_as_browsers_read_it() -> None:
    form = form_for(ACTIONS["case.close"].input, action_id="case.close")(initial={"told_on": date(2026, 3, 2)})
    assert 'value="2026-03-02"' in str(form["told_on"])


def test_time_of_a_contact_is_meant_in_the_legal_zone() -> None:
    data, _files = to_data(ACTIONS["case.contact"].input, QueryDict("at=2026-03-02T09:30"))
    assert data["at"] == "2026-03-02T09:30:00+08:00"


@pytest.mark.parametrize(
    ("code", "at_field"),
    [("missing:content", "content"), ("invalid:attachments", "attachments"), ("wrong_state", ""), ("missing:x", "")],
)
def test_refusal_is_shown_at_its_field_or_not_at_all(code: str, at_field: str) -> None:
    form = form_for(ACTIONS["case.supplement"].input)({})
    assert show_refusal(form, Refused(code, "请改正。")) is bool(at_field)
    assert list(form.errors) == ([at_field] if at_field else [])


def test_mistake_in_a_nested_input_is_shown_at_the_very_field() -> None:
    model = ACTIONS["case.submit"].input
    form = form_for(model)({})
    show_refusal(form, Refused("invalid:requester", "请检查。"), model=model, data={"requester": {"email": "x"}})
    assert list(form.errors) == ["requester__email"]


@pytest.mark.parametrize(
    ("value", "topic", "expected"),
    [
        (5, "rating", "非常满意"), ("1", "rating", "非常不满意"), ("handling", "case_state", "办理中"),
        (True, "yes_no", "是"), ("case.claim", "event", "签收"),
        ("nobody_knows", "case_state", "nobody_knows"), (None, "rating", ""),
    ],
)  # fmt: skip
def test_words(value: object, topic: str, expected: str) -> None:
    assert word(value, topic) == expected
