"""The cast of the desk: one platform with its tree, one account for each role, a client for each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

PASSWORD = "correct-horse-battery-7"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
HOUSING, ROADS = "市住建局", "市交通运输局"


class Desk:
    """A platform in the making: who works there, and what they see."""

    def __init__(self, platform: Any) -> None:
        self.platform = platform

    def account(self, name: str, *grants: tuple[str, str]) -> Any:
        """An account that holds each (role, unit path)."""
        from huying.people.models import Account, Grant
        from huying.people.units import find_unit

        account = Account.objects.create_user(name, password=PASSWORD, platform=self.platform, display_name=name)
        for role, path in grants:
            unit = find_unit(self.platform, path)
            Grant.objects.create(account=account, unit=unit, role=role, since=LONG_AGO, granted_by="test")
        return account

    def at(self, role: str, path: str = "center") -> Any:
        """A client that is signed in as somebody with that role."""
        from django.test import Client

        client = Client()
        name = f"{role}-{path}".replace("/", "-")
        from huying.people.models import Account

        account = Account.objects.filter(username=name).first() or self.account(name, (role, path))
        client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
        return client

    def submit(self, **data: Any) -> Any:
        """A case that a citizen handed in just now."""
        from huying.base import clock
        from huying.cases.commands.perform import Done, perform
        from huying.people.actors import Actor

        given = {
            "channel": "portal", "kind": "help", "title": "路灯不亮", "content": "小区门口三盏路灯不亮，晚上出行不便。",
            "place": "东岳路街道", "requester": {"name": "王小明", "phone": "13900000001"},
        } | data  # fmt: skip
        citizen = Actor(id="citizen:wang", role="citizen", platform=self.platform)
        done = perform("case.submit", actor=citizen, now=clock.now(), data=given)
        assert isinstance(done, Done), done
        return done.case

    def do(self, client: Any, case: Any, action: str, *, version: int | None = None, **data: Any) -> Any:
        """Press a button of the case's page."""
        case.refresh_from_db()
        body = {"version": case.version if version is None else version, **data}
        return client.post(f"/desk/case/{case.number}/do/{action}/", body)

    def dispatched(self, **data: Any) -> Any:
        """A case that the housing bureau has to claim."""
        case = self.submit(**data)
        response = self.do(self.at("dispatcher"), case, "case.dispatch", lead=HOUSING)
        assert response.status_code == 302, response.content.decode()
        return case


@pytest.fixture
def desk(db: Any, settings: Any, tmp_path: Any) -> Any:
    from huying.cases.policies import regulation
    from huying.people.units import forget_units, open_platform

    settings.HUYING_FILES = tmp_path / "files"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick; what is stored is not tested
    policy = regulation("daye-2023")
    platform = open_platform("test", policy.info.platform_name, policy.info.id, policy.tree)
    yield Desk(platform)
    forget_units()
