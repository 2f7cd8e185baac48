"""Sending: claim, write, hand to the mail server, record. One delivery is one message to one address."""

import logging
import smtplib
from collections.abc import Callable
from datetime import datetime
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from huying.cases.commands import deliveries
from huying.cases.commands.deliveries import Claimed
from huying.channels.email.text import write_mail

CHANNEL = "email"
BATCH = 20
FAILURES = (smtplib.SMTPException, OSError)

log = logging.getLogger(__name__)


def deliver_due(now: Callable[[], datetime], *, should_stop: Callable[[], bool] = lambda: False) -> int:
    """Send what is due; gives how many deliveries were dealt with.

    Without a mail server every delivery is marked as having no outside channel: the notice stands in the product.
    While the server cannot be reached nothing is claimed, so that its outage costs no recipient an attempt.
    """
    if not settings.EMAIL_HOST:
        return deliveries.skip_due(CHANNEL, now=now())
    handled = 0
    server: Any = None
    while not should_stop():
        deliveries.spread_due(CHANNEL, now=now())
        if not deliveries.is_due(CHANNEL, now=now()):
            break
        server = server or _connect()
        if server is None:
            break
        for claimed in deliveries.claim_due(CHANNEL, now=now(), limit=BATCH):
            if should_stop():
                break  # the lease runs out by itself
            if server is None:
                deliveries.release(claimed, now=now())
                continue
            handled += 1
            if not _send(server, claimed, now):
                _close(server)
                server = _connect()
    _close(server)
    return handled


def message_id(delivery_id: int) -> str:
    """The same for every attempt at a delivery, so that a mail system can drop a second copy."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<delivery-{delivery_id}@{domain}>"


def _send(server: Any, claimed: Claimed, now: Callable[[], datetime]) -> bool:
    """One delivery; whether the connection may go on being used."""
    if now() >= claimed.leased_until:
        return True  # somebody else may have it by now
    address = deliveries.address_of(claimed, now=now())
    if not address:
        deliveries.record_no_channel(claimed, now=now())
        return True
    subject, body = write_mail(
        claimed.template, to_citizen=claimed.to_citizen, number=claimed.number, platform=claimed.platform_name,
        address=settings.BASE_URL.rstrip("/"),
    )  # fmt: skip
    mail = EmailMessage(
        subject, body, settings.DEFAULT_FROM_EMAIL, [address],
        headers={"Message-ID": message_id(claimed.id), "Auto-Submitted": "auto-generated"}, connection=server,
    )  # fmt: skip
    try:
        mail.send()
    except FAILURES as error:
        problem, is_permanent = _problem(error)
        deliveries.record_failure(claimed, now=now(), problem=problem, is_permanent=is_permanent)
        return False
    except ValueError:  # an address that cannot be written into a message
        deliveries.record_failure(claimed, now=now(), problem="邮箱地址无法使用", is_permanent=True)
        return True
    deliveries.record_sent(claimed, now=now())
    return True


def _problem(error: Exception) -> tuple[str, bool]:
    """The problem without any address in it, and whether trying again is of no use."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        code = max(codes, default=0)
        return f"收件方拒收（{code}）", code >= 500
    if isinstance(error, smtplib.SMTPDataError):
        return f"邮件被拒收（{error.smtp_code}）", error.smtp_code >= 500
    if isinstance(error, smtplib.SMTPResponseException):
        return f"邮件服务器未接收（{error.smtp_code}）", False
    return f"连接中断（{type(error).__name__}）", False


def _connect() -> Any:
    """An open connection, or None while the server cannot be reached."""
    server = get_connection(fail_silently=False)
    try:
        server.open()
    except FAILURES as error:
        log.error("mail server cannot be reached: %s", type(error).__name__)
        return None
    return server


def _close(server: Any) -> None:
    if server is not None:
        try:
            server.close()
        except FAILURES:
            log.debug("mail server went away before goodbye")
