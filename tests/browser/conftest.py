"""A city with its people, a running server, and a chromium for each of them."""

from __future__ import annotations

import os
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
    looks: int = 0

    @property
    def home(self) -> str:
        """Where the citizens of this platform begin."""
        return f"{self.url}/p/{self.platform.slug}/"

    def look(self, page: Any, name: str) -> None:
        """With HUYING_LOOK=<folder>, keep a picture of the page there, for people to look at."""
        if os.environ.get("HUYING_LOOK"):
            self.looks += 1
            folder = Path(os.environ["HUYING_LOOK"])
            file = folder / f"{self.platform.regulation}-{self.looks:03}-{name.replace('/', '_')}.png"
            page.screenshot(path=file, full_page=True)

    def account(self, *roles: str) -> str:
        """An account that holds each `role@unit`; gives its user name."""
        from huying.base import clock
        from huying.people.models import Account, Grant
        from huying.people.units import find_unit

        name = f"{roles[0].partition('@')[0]}"
        if Account.objects.filter(username=name).exists():
            name = roles[0].replace("/", ".")
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


@pytest.fixture
def city_of(transactional_db: None, settings: Any, tmp_path: Path, live_server: Any, request: Any) -> City:
    """The city of the regulation that the test is given, alone in the installation."""
    from huying.cases.policies import regulation
    from huying.people.units import forget_units, open_platform

    settings.HUYING_FILES = tmp_path / "files"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    forget_units()
    policy = regulation(request.param)
    return City(live_server.url, open_platform("town", policy.info.platform_name, policy.info.id, policy.tree))
