"""What the duty list proposes for a stored case: with its reasons, and without units that must keep out."""

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from huying.base.clock import LEGAL_ZONE
from huying.cases.models import Assignment, Case, CaseSubject, JournalEntry
from huying.cases.policies import forget_regulations
from huying.cases.queries.duties import judge_choice, proposals_for
from huying.cases.queries.record import case_record
from huying.people.units import find_unit

REGULATIONS = Path(__file__).parents[2] / "regulations"
DUTIES = """
[[duty]]
key = "lamps"
label = "路灯维护"
cite = "daye-2023#7"
matter = "道路与路灯"
words = ["路灯", "不亮"]
lead = "市住建局"
co = ["{town}", "市城管执法局"]
basis = "城市道路管理条例"

[[duty]]
key = "noise"
label = "噪声扰民"
cite = "daye-2023#7"
matter = "噪声扰民"
words = ["噪声"]
lead = "市公安局"

[[duty]]
key = "waste"
label = "垃圾清运"
cite = "daye-2023#7"
matter = "垃圾清运"
words = ["垃圾"]
lead = "{town}"
"""
AT = datetime(2026, 3, 2, 10, tzinfo=LEGAL_ZONE)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def listed(tmp_path: Path, settings: Any) -> Iterator[None]:
    """The regulation with a duty list."""
    for name in ("cn", "daye-2023"):
        shutil.copytree(REGULATIONS / name, tmp_path / name, ignore=shutil.ignore_patterns("cases", "versions"))
    (tmp_path / "daye-2023" / "duties.toml").write_text(DUTIES, "utf-8")
    settings.HUYING_REGULATIONS = tmp_path
    forget_regulations()
    yield
    forget_regulations()


def recuse(case: Any, path: str) -> None:
    unit = find_unit(case.platform, path)
    CaseSubject.objects.create(case=case, unit=unit, unit_left=unit.left, unit_right=unit.right)


def test_lead_and_helpers_with_the_reasons(submit: Any) -> None:
    case = submit(place="金湖街道 新冶大道1号", content="路灯坏了，晚上不亮。").case

    (found,) = proposals_for(case)

    assert found.lead and found.lead.path == "市住建局"
    assert [unit.path for unit in found.co] == ["金湖街道", "市城管执法局"]
    assert found.why == ("文中有“路灯”、“不亮”", "权责清单“路灯维护”（（七））", "依据：城市道路管理条例")
    assert not Assignment.objects.filter(case=case).exists()


def test_the_matter_chosen_comes_before_words(submit: Any) -> None:
    case = submit(category="噪声扰民", content="路灯旁的工地有噪声。").case

    assert [one.rule.key for one in proposals_for(case)] == ["noise", "lamps"]


def test_a_recused_lead_is_not_proposed_and_a_recused_helper_is_left_out(submit: Any) -> None:
    case = submit(content="路灯不亮，还有噪声。").case
    recuse(case, "市公安局")
    recuse(case, "市城管执法局")

    (found,) = proposals_for(case)

    assert (found.rule.key, [unit.path for unit in found.co]) == ("lamps", ["金湖街道"])


def test_what_lies_below_a_recused_unit_is_left_out_too(submit: Any) -> None:
    case = submit(title="垃圾没人清", content="垃圾堆了三天。").case
    assert [one.lead and one.lead.path for one in proposals_for(case)] == ["金湖街道"]
    recuse(case, "")

    assert proposals_for(case) == []


def test_without_a_place_it_says_what_to_find_out(submit: Any) -> None:
    case = submit(title="垃圾没人清", content="垃圾堆了三天。", place="说不清在哪里").case

    (found,) = proposals_for(case)

    assert (found.lead, found.co) == (None, ())
    assert found.why[-1] == "由所在乡镇、街道的单位办理，请先核实事发地"


def test_nothing_fits_nothing_is_proposed(submit: Any) -> None:
    assert proposals_for(submit(title="感谢信", content="感谢工作人员。").case) == []


# --- What the dispatcher made of it ------------------------------------------------------------------


def dispatched_to(case: Any, lead: str, take: Any) -> Any:
    take("case.dispatch", "dispatcher@center", case, AT, lead=lead, note="近期由该单位统一处理")
    return JournalEntry.objects.get(case=case, action="case.dispatch").data


def test_another_choice_than_the_list_s_is_logged_and_told_to_the_centre_alone(
    submit: Any, take: Any, actor: Any
) -> None:
    case = submit(place="金湖街道 新冶大道1号", content="路灯坏了，晚上不亮。").case

    data = dispatched_to(case, "市城管执法局", take)

    assert (data["proposed"], data["duty"], data["differs"]) == ("市住建局", "lamps", True)
    assert "统一处理" not in str(data)
    told = {
        who: [one.get("proposed") for one in case_record(case, actor(who), now=AT)["events"]]
        for who in ("supervisor@center", "handler@市城管执法局")
    }
    assert told["supervisor@center"].count("市住建局") == 1
    assert set(told["handler@市城管执法局"]) == {None}


def test_the_choice_proposed_is_logged_as_no_other(submit: Any, take: Any, actor: Any) -> None:
    case = submit(content="路灯旁的工地有噪声。", category="噪声扰民").case

    data = dispatched_to(case, "市住建局", take)  # the second of the two that were shown

    assert (data["proposed"], data["duty"], data["differs"]) == ("市公安局", "noise", False)
    events = case_record(case, actor("supervisor@center"), now=AT)["events"]
    assert not any("proposed" in one for one in events)


def test_where_nothing_was_proposed_nothing_is_logged(submit: Any, take: Any) -> None:
    assert set(dispatched_to(submit(title="感谢信", content="感谢。").case, "市住建局", take)) == {"lead", "co"}


def test_a_recused_unit_is_not_logged_as_proposed(submit: Any, take: Any) -> None:
    case = submit(content="路灯不亮，还有噪声。").case
    recuse(case, "市公安局")
    recuse(case, "市住建局")
    assert set(dispatched_to(case, "市城管执法局", take)) == {"lead", "co"}


def test_comparing_asks_the_database_for_the_place_and_nothing_else(
    submit: Any, django_assert_max_num_queries: Any
) -> None:
    case = Case.objects.select_related("platform").get(
        pk=submit(place="金湖街道", content="垃圾、路灯、噪声。").case.pk
    )
    chosen = find_unit(case.platform, "市住建局")
    with django_assert_max_num_queries(1):
        assert judge_choice(case, chosen, []) is not None
