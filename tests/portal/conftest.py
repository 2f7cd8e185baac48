"""A citizen at the portal: a browser without JavaScript, and what they type."""

from __future__ import annotations

from typing import Any

import pytest

GIVEN = {
    "kind": "complaint",
    "title": "路灯不亮",
    "content": "小区门口的路灯三天不亮。",
    "place_unit": "金湖街道",
    "place_text": "新街 18 号",
    "requester__name": "李小明",
    "requester__phone": "13900000001",
    "key": "k" * 40,
}


class Citizen:
    """One browser at one platform."""

    def __init__(self, platform: Any, address: str = "10.0.0.1") -> None:
        from django.test import Client

        self.client, self.root = Client(REMOTE_ADDR=address), f"/p/{platform.slug}/"

    def get(self, path: str) -> Any:
        return self.client.get(self.root + path)

    def post(self, path: str, **data: Any) -> Any:
        return self.client.post(self.root + path, data)

    def submit(self, **data: Any) -> Any:
        return self.post("submit/", **GIVEN | data)

    def receipt(self, **data: Any) -> tuple[str, str]:
        """Submit, and give number and query code as the receipt shows them."""
        assert self.submit(**data).status_code == 302
        shown = self.get("receipt/").context["receipt"]
        return shown.number, shown.query_code

    def open(self, number: str, code: str) -> Any:
        return self.post("follow/", number=number, code=code)


@pytest.fixture
def citizen(platform: Any) -> Citizen:
    return Citizen(platform)


@pytest.fixture
def another(platform: Any) -> Citizen:
    """Somebody else's browser, elsewhere."""
    return Citizen(platform, "10.0.0.2")


@pytest.fixture
def opened(citizen: Citizen) -> Any:
    """A case that `citizen` handed in and has open."""
    from huying.cases.models import Case

    number, code = citizen.receipt()
    assert citizen.open(number, code).status_code == 302
    return Case.objects.get(number=number)
