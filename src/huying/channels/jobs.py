"""The jobs of all channels; the queue finds them here."""

from huying.channels.email.jobs import deliver_mail

__all__ = ["deliver_mail"]
