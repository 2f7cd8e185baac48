"""Mail over real SMTP: delivered once, refused, interrupted, claimed by one carrier at a time."""

import email
import email.policy
import socket
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from huying.base.clock import LEGAL_ZONE
from huying.cases.commands import deliveries
from huying.cases.models import Delivery, IdentityAccess
from huying.channels.email.send import deliver_due
from huying.people.models import Account, Grant
from huying.people.units import find_unit

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, tzinfo=LEGAL_ZONE)
REQUESTER = {"name": "李小明", "phone": "13900000001", "email": "li@example.cn"}


class Post:
    """A mail server that keeps what it gets and refuses as it is told."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.refuse_recipient: dict[str, str] = {}
        self.refuse_data = ""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.refuse_recipient:
            return self.refuse_recipient[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refuse_data:
            return self.refuse_data
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.append((list(envelope.rcpt_tos), mail))  # type: ignore[arg-type]
        return "250 OK"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def configured(settings: Any) -> int:
    port = free_port()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"  # the test runner puts another one in
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.DEFAULT_FROM_EMAIL = "12345 <noreply@city.example>"
    settings.BASE_URL = "https://12345.example"
    return port


@pytest.fixture
def post(configured: int) -> Iterator[Post]:
    post = Post()
    controller = Controller(post, hostname="127.0.0.1", port=configured)
    controller.start()
    yield post
    controller.stop()


@pytest.fixture
def receipt(submit: Any) -> Delivery:
    """The delivery of a receipt to a citizen with an address."""
    return Delivery.objects.get(notice__case=submit(requester=REQUESTER).case)


def run(now: datetime = NOON) -> int:
    return deliver_due(lambda: now)


def worker(platform: Any, name: str, unit: str = "市住建局", *, until: datetime | None = None) -> Account:
    account = Account.objects.create(username=name, email=f"{name}@city.example", platform=platform)
    Grant.objects.create(
        account=account, unit=find_unit(platform, unit), role="handler", since=NOON - timedelta(days=90), until=until,
        granted_by="test",
    )  # fmt: skip
    return account


def test_a_receipt_reaches_the_citizen_once_and_says_the_number_only(post: Post, receipt: Delivery) -> None:
    assert run() == 1
    assert run(NOON + timedelta(days=1)) == 0
    [(recipients, mail)] = post.mails
    assert recipients == ["li@example.cn"]
    assert mail["Message-ID"] == f"<delivery-{receipt.pk}@city.example>"
    text = mail.get_content()
    case = receipt.notice.case
    assert case.number in text and case.number in mail["Subject"]
    assert "https://12345.example/" in text
    for secret in ("李小明", "13900000001", "路灯", case.query_code_hash):
        assert secret not in text + mail["Subject"]
    receipt.refresh_from_db()
    assert (receipt.delivered_at, receipt.attempts, receipt.next_at, receipt.problem) == (NOON, 1, None, "")


def test_reading_the_address_is_logged(post: Post, receipt: Delivery) -> None:
    run()
    reading = IdentityAccess.objects.get(purpose="notice")
    assert (reading.case_id, reading.kinds, reading.role) == (receipt.notice.case_id, ["email"], "system")


def test_a_citizen_without_an_address_is_no_failure(post: Post, submit: Any) -> None:
    case = submit().case
    run()
    row = Delivery.objects.get(notice__case=case)
    assert (row.next_at, row.failed_at, row.problem) == (None, None, "没有外部渠道")
    assert post.mails == []


def test_without_a_mail_server_nothing_piles_up(settings: Any, receipt: Delivery) -> None:
    settings.EMAIL_HOST = ""
    run()
    receipt.refresh_from_db()
    assert (receipt.next_at, receipt.attempts, receipt.problem) == (None, 0, "没有外部渠道")
    assert receipt.failed_at is None


def test_an_address_that_does_not_exist_is_given_up_at_once(post: Post, receipt: Delivery) -> None:
    post.refuse_recipient["li@example.cn"] = "550 no such user li@example.cn"
    run()
    receipt.refresh_from_db()
    assert (receipt.failed_at, receipt.next_at, receipt.attempts) == (NOON, None, 1)
    assert receipt.problem == "收件方拒收（550）"  # and not the address


def test_a_passing_refusal_is_tried_again_five_times_with_growing_delay(post: Post, receipt: Delivery) -> None:
    post.refuse_data = "451 try again later"
    now, delays = NOON, []
    for _ in range(4):
        run(now)
        receipt.refresh_from_db()
        assert receipt.next_at is not None and receipt.failed_at is None
        delays.append((receipt.next_at - now) // timedelta(minutes=1))
        assert run(receipt.next_at - timedelta(seconds=1)) == 0
        now = receipt.next_at
    assert delays == [1, 5, 30, 240]
    run(now)
    receipt.refresh_from_db()
    assert (receipt.attempts, receipt.failed_at, receipt.next_at) == (5, now, None)
    assert post.mails == []


def test_a_refused_mail_does_not_hold_up_the_next(post: Post, receipt: Delivery, submit: Any) -> None:
    post.refuse_recipient["li@example.cn"] = "450 busy"
    submit(requester={**REQUESTER, "phone": "13900000002", "email": "wang@example.cn"})
    run()
    assert [recipients for recipients, _ in post.mails] == [["wang@example.cn"]]


def test_while_the_server_is_down_nothing_is_lost_and_no_attempt_is_used_up(configured: int, receipt: Delivery) -> None:
    for hour in range(10):
        assert run(NOON + timedelta(hours=hour)) == 0
    receipt.refresh_from_db()
    assert (receipt.attempts, receipt.failed_at) == (0, None)
    post = Post()
    controller = Controller(post, hostname="127.0.0.1", port=configured)
    controller.start()
    try:
        assert run(NOON + timedelta(hours=11)) == 1
    finally:
        controller.stop()
    assert len(post.mails) == 1


def test_a_claim_keeps_others_out_until_its_lease_is_over(receipt: Delivery) -> None:
    [first] = deliveries.claim_due("email", now=NOON, limit=10)
    assert deliveries.claim_due("email", now=NOON + timedelta(minutes=4), limit=10) == []
    [second] = deliveries.claim_due("email", now=NOON + timedelta(minutes=5), limit=10)
    assert (first.fence, second.fence) == (1, 2)
    assert deliveries.record_failure(first, now=NOON, problem="迟到的结果") is False
    assert deliveries.record_sent(second, now=NOON + timedelta(minutes=6)) is True
    assert deliveries.record_sent(second, now=NOON + timedelta(minutes=7)) is False
    receipt.refresh_from_db()
    assert (receipt.delivered_at, receipt.problem) == (NOON + timedelta(minutes=6), "")


def test_each_of_the_units_staff_with_an_address_gets_one_mail(
    post: Post, submit: Any, take: Any, platform: Any
) -> None:
    worker(platform, "chen")
    worker(platform, "zhao")
    worker(platform, "gone", until=NOON - timedelta(days=1))
    worker(platform, "elsewhere", "市教育局")
    Account.objects.filter(username="zhao").update(is_active=True)
    case = submit().case
    take("case.dispatch", "dispatcher@center", case, NOON - timedelta(hours=1), lead="市住建局")
    run()
    run()
    to_staff = [(recipients, mail) for recipients, mail in post.mails if "工单" in mail["Subject"]]
    assert sorted(recipients[0] for recipients, _ in to_staff) == ["chen@city.example", "zhao@city.example"]
    text = to_staff[0][1].get_content()
    assert case.number in text
    for secret in ("李小明", "13900000001", "路灯"):
        assert secret not in text


def test_a_unit_that_must_keep_out_by_now_gets_no_mail(post: Post, submit: Any, take: Any, platform: Any) -> None:
    from huying.cases.models import CaseSubject

    worker(platform, "chen")
    case = submit().case
    take("case.dispatch", "dispatcher@center", case, NOON - timedelta(hours=1), lead="市住建局")
    unit = find_unit(platform, "市住建局")
    CaseSubject.objects.create(case=case, unit=unit, unit_left=unit.left, unit_right=unit.right)
    run()
    assert [recipients for recipients, _ in post.mails if recipients == ["chen@city.example"]] == []
    assert not Delivery.objects.filter(notice__unit=unit, delivered_at__isnull=False).exists()


def test_every_template_has_its_own_words() -> None:
    from huying.cases.commands.notices import TEMPLATES
    from huying.channels.email.text import OTHER, words_for

    for template in TEMPLATES:
        said = {words_for(template, to_citizen=True), words_for(template, to_citizen=False)}
        assert said != {OTHER}, template
