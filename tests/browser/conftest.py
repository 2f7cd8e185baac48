"""A city with its people, a running server, and a chromium for each of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

PASSWORD = "correct-horse-battery-7"


@dataclass
class City:
    """The platform at `url`, and how its people use it."""

    url: str
    platform: Any

    def account(self, *roles: str) -> str:
        """An account that holds each `role@unit`; gives its user name."""
        from huying.base import clock
        from huying.people.models import Account, Grant
        from huying.people.units import find_unit

        name = roles[0].partition("@")[0]
        account = Account.objects.create_user(name, password=PASSWORD, platform=self.platform, display_name=name)
        for who in roles:
            role, _, path = who.partition("@")
            Grant.objects.create(
                account=account, unit=find_unit(self.platform, path), role=role,
                since=clock.now() - timedelta(days=9), granted_by="test",
            )  # fmt: skip
        return name

    def sign_in(self, page: Any, *roles: str) -> Any:
        """Sign in at `page` as somebody new with these roles."""
        name = self.account(*roles)
        page.goto(f"{self.url}/desk/")
        page.get_by_label("用户名").fill(name)
        page.get_by_label("密码").fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        page.wait_for_url(f"{self.url}/desk/")
        return page


@pytest.fixture
def city(transactional_db: None, platform: Any, settings: Any, tmp_path: Path, live_server: Any) -> City:
    settings.HUYING_FILES = tmp_path / "files"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick; what is stored is not tested
    return City(live_server.url, platform)
