"""Actions that are taken on no case, by one route: the same inputs, refusals and articles as everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from huying.api.routes import PLATFORM, api
from huying.cases.commands import ACTIONS
from huying.cases.models import JournalEntry, Setting

ROUTE = "/actions/"


def test_a_setting_is_changed_and_journaled(staff: Callable[..., Any]) -> None:
    answer = staff("supervisor@center").post(f"{ROUTE}setting.change", {"key": "bonus_typical_case", "value": 3})
    assert answer.status_code == 200, answer.content.decode()
    assert answer.json() == {"action": "setting.change", "made": Setting.objects.get().pk}
    assert JournalEntry.objects.get(action="setting.change").case_id is None


def test_refusals_are_those_of_the_action(staff: Callable[..., Any]) -> None:
    boss = staff("supervisor@center")
    for sent, status, code in (
        ({"key": "bonus_typical_case", "value": 99}, 422, "invalid:value"), ({"value": 3}, 422, "missing:key"),
        ({"key": "bonus_typical_case", "value": 3, "x": 1}, 422, "invalid:x"),
    ):  # fmt: skip
        answer = boss.post(f"{ROUTE}setting.change", sent)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    for action in ("case.accept", "case.submit", "nonsense"):
        answer = boss.post(f"{ROUTE}{action}")
        assert (answer.status_code, answer.json()["code"]) == (422, "not_enabled")
    handler = staff("handler@市住建局").post(f"{ROUTE}score.adjust", {"unit": "市住建局", "points": 2, "reason": "x"})
    assert (handler.status_code, handler.json()["code"]) == (403, "not_permitted")
    assert handler.json()["cite"] == "daye-2023#15"
    boss.headers.clear()
    assert boss.post(f"{ROUTE}setting.change", {}).status_code == 403


def test_every_platform_action_is_described(platform: Any) -> None:
    wanted = {one.id for one in ACTIONS.values() if one.on == "platform"} - {"case.submit"}
    assert set(PLATFORM) == wanted
    schema = api.get_openapi_schema()
    body = schema["paths"]["/api/v1/actions/{action_id}"]["post"]["requestBody"]["content"]["application/json"]
    named = {one["$ref"].rpartition("/")[2] for one in body["schema"]["anyOf"]}
    assert named == {one.replace(".", "_") for one in wanted}
    assert named <= set(schema["components"]["schemas"])
