"""The jobs of all channels; the queue finds them here."""

from huying.channels.email.jobs import deliver_mail
from huying.channels.upstream.jobs import send_upstream

__all__ = ["deliver_mail", "send_upstream"]
