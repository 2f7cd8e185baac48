"""Every regulation's own stories hold, and between them they meet every refusal and both sides of every number."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from huying.cases.commands import ACTIONS
from huying.policy.load import load_regulation
from huying.site.scenario import find_scenarios, run_scenario, run_scenarios

REGULATIONS = Path(__file__).parents[2] / "regulations"
DAYE = REGULATIONS / "daye-2023" / "cases"
STORIES = find_scenarios([DAYE])
SOME_FIRST = [
    path if place % 4 == 0 else pytest.param(path, marks=pytest.mark.slow) for place, path in enumerate(STORIES)
]
"""Every fourth is told at each check, all in the whole run."""
OTHERS = {
    f"{folder.parent.name}-{first}": stories[first : first + 30]
    for folder in sorted(REGULATIONS.glob("*/cases"))
    if folder != DAYE
    for stories in [find_scenarios([folder])]
    for first in range(0, len(stories), 30)
}
"""The stories of the other regulations, thirty at a time on one platform: a large tree takes a while to plant."""

CODES = {
    "not_found", "not_permitted", "not_enabled", "wrong_state", "missing", "invalid", "too_late", "exceeds_limit",
    "already_done", "recusal", "not_my_decision", "no_contact", "needs_signature", "co_units_open",
    "callback_missing", "no_evaluation_due",
}  # fmt: skip
"""What the regulation can refuse with. `stale` needs two people at once and is tested with the races."""

BOTH_SIDES = {  # the number: the story on its last moment, the story past it
    "time_limits.claim.all": ("claim-last-minute", "claim-midnight-missed"),
    "time_limits.return.all": ("return-last-minute", "return-too-late"),
    "time_limits.handle.general": ("handle-last-minute", "handle-midnight-late"),
    "time_limits.handle.formal_assignment": ("rework-closed", "exemption-rejected"),
    "time_limits.co_feedback.before_lead": ("cohandling", "cohandling"),
    "time_limits.extension_request.before_due": ("extension-last-moment", "extension-too-late"),
    "time_limits.evaluation.window": ("callback-unreachable", "callback-late-unreachable-window"),
    "time_limits.long_unresolved.case": ("supervision-long-unresolved", "supervision-long-unresolved"),
    "time_limits.review.ledger": ("ledger-approved", "ledger-approved"),
    "time_limits.immediate.same_day": ("handle-immediate", "handle-immediate"),
    "extensions.extension.ordinary": ("extension-thirty-days", "extension-thirty-days"),
    "exemption.exemption.signed_and_sealed": ("exemption-last-minute", "exemption-too-late"),
    "callbacks.callback.all_by_hand": ("callback-two-tries", "callback-unreachable"),
    "evaluation.evaluation.by_citizen": ("callback-rating-two-and-three", "callback-rating-two-and-three"),
    "panel.panel.after_second_bad": ("panel-letter-answered", "panel-unsatisfied-letter"),
    "triggers.repeat.same_person": ("repeat-same-person-in-month", "repeat-same-person-past-month"),
    "triggers.repeat.several_persons": ("repeat-three-persons", "repeat-two-persons-many"),
    "triggers.poor_quality.failed_checks": ("check-failed-twice", "check-failed-clock-goes-on"),
    "triggers.returns.repeated": ("return-twice-shirking", "return-twice-shirking"),
    "triggers.clue.shirking": ("return-twice-shirking", "return-twice-shirking"),
    "triggers.clue.repeatedly_assigned": ("reassign", "reassign"),
}
WITHOUT_A_NUMBER_TO_MISS = {"time_limits.contact.prompt", "time_limits.decide.all", "time_limits.handle.check_failed"}
"""Targets that nothing follows from, and the limit that goes on with another's date."""


@pytest.mark.django_db
@pytest.mark.parametrize("path", SOME_FIRST, ids=lambda path: path.stem)
def test_story_holds(path: Path, platform: Any) -> None:
    assert run_scenario(path, {"daye-2023": platform}).differences == []


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("stories", OTHERS.values(), ids=OTHERS)
def test_stories_of_the_other_cities_hold(stories: list[Path]) -> None:
    results = {result.path.stem: result.differences for result in run_scenarios(stories)}

    assert len(results) == len(stories)
    assert {stem: told for stem, told in results.items() if told} == {}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("steps: [只有文字]", "第1步"),
        ("steps: [{at: 2026-03-02 09:00, by: 'citizen:w', do: case.submit, with: [1]}]", "第1步"),
        ("steps: [{at: 2026-03-02 09:00, by: [a], do: case.submit}]", "第1步 case.submit"),
        ("steps: [{at: 2026-03-02 09:00, by: 'citizen:w', see: {state: handling}}]", "第1步"),
        ("setup: {holidays: [春节]}\nsteps: []", "ValueError"),
    ],
)
def test_story_that_breaks_is_told_and_the_next_one_runs(tmp_path: Path, platform: Any, broken: str, told: str) -> None:
    story = tmp_path / "broken.yaml"
    story.write_text(f"title: t\nregulation: daye-2023\n{broken}\n", encoding="utf-8")
    platforms = {"daye-2023": platform}
    assert told in run_scenario(story, platforms).differences[0]
    assert run_scenario(DAYE / "claim-last-minute.yaml", platforms).differences == []


@pytest.mark.django_db
def test_story_that_expects_otherwise_is_told(tmp_path: Path) -> None:
    story = tmp_path / "wrong.yaml"
    text = (DAYE / "claim-last-minute.yaml").read_text(encoding="utf-8")
    story.write_text(text.replace("2026-03-17", "2026-03-16"), encoding="utf-8")

    assert any("应为 '2026-03-16'，实际为 '2026-03-17'" in told for told in run_scenario(story).differences)


def test_every_refusal_has_a_story() -> None:
    refused = {str(step["refused"]).partition(":")[0] for step in _steps() if "refused" in step}

    assert refused >= CODES


def test_every_number_has_a_story_on_both_sides() -> None:
    regulation = load_regulation(DAYE.parent)
    numbers = {f"time_limits.{rule.key}" for rule in regulation.time_limits} - WITHOUT_A_NUMBER_TO_MISS
    numbers |= {f"triggers.{rule.key}" for rule in regulation.triggers if rule.at_least > 1}
    told = {stem for pair in BOTH_SIDES.values() for stem in pair}

    assert numbers <= BOTH_SIDES.keys()
    assert BOTH_SIDES.keys() <= regulation.rules.keys()
    assert sorted(stem for stem in told if not (DAYE / f"{stem}.yaml").is_file()) == []


def _actions_of_a_case() -> set[str]:
    """What the regulation lets happen to a case; a story tells of cases, the others have tests of their own."""
    known = {rule.key for rule in load_regulation(DAYE.parent).actions}
    return {key for key in known if key == "case.submit" or ACTIONS[key].on != "platform"}


def test_every_action_of_the_regulation_is_taken_in_a_story() -> None:
    taken = {step["do"] for step in _steps() if "do" in step and "refused" not in step}

    assert _actions_of_a_case() - taken == set()


def test_every_action_is_refused_in_a_story() -> None:
    refused = {step["do"] for step in _steps() if "refused" in step}

    assert _actions_of_a_case() - refused <= {"case.urge", "case.nudge"}


def test_phones_are_of_the_reserved_sort() -> None:
    phones = {
        str(((step.get("with") or {}).get("requester") or {}).get("phone", "13900000000"))
        for step in _steps()
        if "refused" not in step
    }

    plain = {phone.replace(" ", "").replace("-", "").removeprefix("+86") for phone in phones}
    assert sorted(phone for phone in plain if not (phone.startswith("139000000") and len(phone) == 11)) == []


def _steps() -> list[dict[str, Any]]:
    yaml = YAML(typ="safe", pure=True)
    return [step for path in sorted(DAYE.glob("*.yaml")) for step in yaml.load(path)["steps"]]
