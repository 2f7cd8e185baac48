"""The page of the monitor: who reads it, what it says, and letting messages be tried again."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client

from huying.base import clock
from huying.cases.models import OperationsAlert, TimeLimit, UpstreamMessage

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)


def test_the_page_looks_anew_and_names_nobody(desk: Any) -> None:
    case = desk.dispatched()
    TimeLimit.objects.filter(case=case).update(next_at=NOW)
    page = desk.at("admin").get("/desk/operations/").content.decode()
    assert "到期处理停滞" in page and "启动 huying worker" in page
    assert OperationsAlert.objects.filter(kind="queue_stalled", ended_at=None).count() == 1
    for secret in (case.number, case.title, "王小明", "13900000001"):
        assert secret not in page


def test_the_page_is_for_administrators_and_auditors_and_only_the_first_retry(desk: Any) -> None:
    case = desk.submit()
    UpstreamMessage.objects.create(
        platform=desk.platform, case=case, upstream="above", event="change", mark=1, attempts=1, at=NOW,
        next_at=clock.now() + timedelta(hours=3), error="对方拒收（422）",
    )  # fmt: skip
    auditor: Client = desk.at("auditor", "市纪委监委")
    assert auditor.get("/desk/operations/").status_code == 200
    assert auditor.post("/desk/operations/retry/").status_code == 404
    assert desk.at("dispatcher").get("/desk/operations/").status_code == 404
    assert UpstreamMessage.objects.get().next_at > clock.now()
    assert desk.at("admin").post("/desk/operations/retry/").status_code == 302
    assert UpstreamMessage.objects.get().next_at <= clock.now()
