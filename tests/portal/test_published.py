"""The page of published cases: everybody reads it, and it costs the same however many there are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from huying.base import clock
from huying.cases.models import Case
from huying.cases.models.publication import Publication

pytestmark = pytest.mark.django_db


def publish(platform: Any, holder: Any, count: int, first: int = 0) -> None:
    now = clock.now()
    for n in range(first, first + count):
        case = Case.objects.create(
            platform=platform, number=f"2026030211111{n:04d}", regulation=platform.regulation, kind="complaint",
            channel="portal", title="原标题", content="原内容", holder=holder, submitted_by="citizen:1",
            submitted_at=now, state="closed", published=True,
        )  # fmt: skip
        Publication.objects.create(
            platform=platform, case=case, title=f"路灯维修{n}", content="某路口的路灯不亮。", reply="已经修好。",
            at=now, by="x", public_at=now - timedelta(minutes=n),
        )  # fmt: skip


def test_everybody_reads_the_redacted_texts_page_by_page(platform: Any, citizen: Any, bare_case: Any) -> None:
    publish(platform, bare_case.holder, 25)
    page = citizen.get("published/").content.decode()
    assert "路灯维修0" in page and "路灯维修24" not in page
    assert "原标题" not in page and "原内容" not in page and "2026030211111" not in page
    found = citizen.get("published/").context["found"]
    second = citizen.client.get(f"{citizen.root}published/", {"cursor": found.next_cursor}).content.decode()
    assert "路灯维修24" in second and "路灯维修0<" not in second
    one = citizen.get(f"published/{found.rows[0].key}/").content.decode()
    assert "已经修好。" in one and "原内容" not in one


def test_nothing_published_is_said_so_and_a_wrong_key_is_not_found(citizen: Any, platform: Any) -> None:
    assert "还没有公开的诉求" in citizen.get("published/").content.decode()
    assert citizen.get("published/1/").status_code == 404
    assert citizen.get(f"published/{10**30}/").status_code == 404
    assert citizen.client.get(f"{citizen.root}published/", {"cursor": "2026-01-01|x"}).status_code == 200


def test_a_page_asks_the_same_of_the_database_however_many_there_are(
    platform: Any, citizen: Any, bare_case: Any
) -> None:
    publish(platform, bare_case.holder, 1)
    citizen.get("published/")
    counts = []
    for more in (0, 40):
        publish(platform, bare_case.holder, more, first=1)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            citizen.get("published/")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 4
