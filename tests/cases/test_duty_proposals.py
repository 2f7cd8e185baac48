"""What the duty list proposes for a stored case: with its reasons, and without units that must keep out."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from huying.cases.models import Assignment, CaseSubject
from huying.cases.policies import forget_regulations
from huying.cases.queries.duties import proposals_for
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
