"""The description of the API: kept as a file, true to what is served, and hit with made-up input."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from huying.cases.commands import ACTIONS

SNAPSHOT = Path(__file__).with_name("openapi.json")


def served() -> dict[str, Any]:
    from huying.api.routes import api

    return dict(json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/v1/"))))


def test_the_description_is_as_it_was_published() -> None:
    """A change of the contract is made on purpose: `huying openapi > tests/api/openapi.json`, then read the diff."""
    assert served() == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


def test_every_action_has_its_route_with_label_and_effect() -> None:
    paths = served()["paths"]
    for action in ACTIONS.values():
        routes = [f"/api/v1/cases/{{number}}/{action.id}", f"/api/v1/citizen/{action.id}"]
        found = [paths[route]["post"] for route in routes if route in paths]
        if action.id == "case.submit":
            found = [paths["/api/v1/cases"]["post"]]
        if action.on == "platform" and not found:  # taken at the desk only: it belongs to no case
            continue
        assert found, action.id
        assert {one["summary"] for one in found} == {action.label}


@pytest.mark.django_db
@pytest.mark.slow
def test_description_and_page_need_nothing_from_elsewhere(client: Any) -> None:
    assert client.get("/api/v1/openapi.json").json() == served()
    page = client.get("/api/v1/docs").content.decode()
    assert "case.claim" in page and "<script" not in page and "//" not in page.replace("://", "")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_made_up_input_is_answered_as_described(staff: Any, submitted: Any) -> None:
    """Every route, with input made from its schema and beside it: never a 500, always an answer that is described."""
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, settings
    from schemathesis.checks import CHECKS, load_all_checks

    from huying.site.wsgi import application

    load_all_checks()
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
    checks = [CHECKS.get_one(name) for name in ("not_a_server_error", "status_code_conformance",
                                                "content_type_conformance", "response_schema_conformance")]  # fmt: skip
    caller = staff("dispatcher@center")
    cookies = {one.key: one.value for one in caller.client.cookies.values()}
    seen: Counter[int] = Counter()
    for result in schema.get_all_operations():
        operation = result.ok()

        @given(case=operation.as_strategy())
        @settings(max_examples=8, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
        def run(case: Any) -> None:
            if "number" in case.path_parameters:
                case.path_parameters["number"] = submitted["number"]
            case.cookies.clear()
            case.cookies.update(cookies)
            case.headers.pop("Authorization", None)
            response = case.call(headers=caller.headers)
            seen[response.status_code] += 1
            case.validate_response(response, checks=checks)

        run()
    assert {200, 404, 422} <= set(seen), seen  # it came past the sign-in
