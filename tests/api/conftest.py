"""Staff signed in, apps with a key, citizens without anything."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from huying.base import clock
from huying.people.models import Account, Grant
from huying.people.units import find_unit

SUBMITTED = {
    "channel": "portal", "kind": "complaint", "title": "路灯不亮", "content": "路口的路灯三天不亮。",
    "place": "金湖街道", "requester": {"name": "李小明", "phone": "13900000001"},
}  # fmt: skip


@dataclass
class Caller:
    """Calls `/api/v1/…` with JSON, with the CSRF token of its session where it has one."""

    client: Client
    headers: dict[str, str]

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1{path}", query, headers=self.headers)

    def post(self, path: str, sent: Any = None, **headers: str) -> Any:
        return self.client.post(
            f"/api/v1{path}", json.dumps(sent or {}), content_type="application/json", headers=self.headers | headers
        )


@pytest.fixture
def nobody(platform: Any) -> Caller:
    """A caller without a session."""
    return Caller(Client(enforce_csrf_checks=True), {})


@pytest.fixture
def staff(platform: Any) -> Callable[..., Caller]:
    """`staff("handler@市住建局")`: somebody signed in who holds that role (or those)."""

    def sign_in(*roles: str) -> Caller:
        account = Account.objects.create(username="+".join(roles)[:150], platform=platform)
        for who in roles:
            role, _, path = who.partition("@")
            Grant.objects.create(
                account=account, unit=find_unit(platform, path), role=role, since=clock.now() - timedelta(days=9),
                granted_by="test",
            )  # fmt: skip
        client = Client(enforce_csrf_checks=True)
        client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
        token = "a" * 32
        client.cookies["csrftoken"] = token
        return Caller(client, {"X-CSRFToken": token})

    return sign_in


@pytest.fixture
def submitted(nobody: Caller) -> dict[str, Any]:
    """A complaint that a citizen has just sent in: number and query code."""
    answer = nobody.post("/cases", SUBMITTED)
    assert answer.status_code == 201, answer.content
    return dict(answer.json())
