"""What waits to be sent to the platform above, or was sent. Never who asked: the other side asks for that itself."""

from django.db import models
from django.db.models import Q

from huying.cases.models.case import Case
from huying.people.models import Platform


class UpstreamMessage(models.Model):
    """One message about a case to one upstream. Composed at sending, from the case as it then is."""

    platform = models.ForeignKey(Platform, models.PROTECT, related_name="+")
    case = models.ForeignKey(Case, models.CASCADE, related_name="upstream_messages")
    upstream = models.CharField(max_length=40)
    event = models.CharField(max_length=12)
    """`change` or `result`."""
    mark = models.PositiveIntegerField()
    """The journal entry that caused it, by its number, or the round whose result it is: never queued twice."""
    at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "upstream", "event", "mark"], name="one_message_per_event")
        ]
        indexes = [
            models.Index(
                fields=["platform", "upstream", "next_at", "id"],
                condition=Q(next_at__isnull=False),
                name="message_next",
            ),
            models.Index(fields=["platform", "-at", "-id"], name="message_newest"),
        ]
