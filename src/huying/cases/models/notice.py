"""What somebody is told, and how it reaches them."""

from django.db import models
from django.db.models import Q

from huying.cases.models.case import Case
from huying.people.models import Unit


class Notice(models.Model):
    """One thing told to the citizen of a case, or to a unit. Shown in the product; deliveries carry it outside."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="notices")
    to_citizen = models.BooleanField(default=False)
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+")
    template = models.CharField(max_length=24)
    data = models.JSONField(default=dict)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(to_citizen=True, unit__isnull=True) | Q(to_citizen=False, unit__isnull=False),
                name="notice_to_one_party",
            )
        ]
        indexes = [models.Index(fields=["unit", "-at", "-id"], condition=Q(unit__isnull=False), name="notice_by_unit")]


class Delivery(models.Model):
    """One notice on its way by one channel. Claimed with a lease and a fence; a result counts only by its fence."""

    notice = models.ForeignKey(Notice, models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=12)
    recipient = models.CharField(max_length=80, blank=True)
    """Which account; empty for the citizen, whose address is read from the vault when it is sent."""
    attempts = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    leased_until = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=200, blank=True)
    next_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["notice", "channel", "recipient"], name="one_delivery_per_channel")
        ]
        indexes = [models.Index(fields=["next_at", "id"], condition=Q(next_at__isnull=False), name="delivery_next")]
