"""Anything that needs another's decision: one mechanism, many types."""

from django.db import models
from django.db.models import Q

from huying.cases.models.case import Case
from huying.cases.models.handling import Assignment
from huying.people.models import Unit


class Application(models.Model):
    """A unit (or a citizen) asks; somebody else decides. Decided or lapsed once, never deleted."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="applications")
    assignment = models.ForeignKey(Assignment, models.CASCADE, null=True, related_name="applications")
    type = models.CharField(max_length=12)
    state = models.CharField(max_length=10, default="pending")
    by_unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+")
    by = models.CharField(max_length=80)
    decider = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    decider_role = models.CharField(max_length=60, default="dispatcher")
    """The roles that may decide, by blanks."""
    reason = models.TextField()
    data = models.JSONField(default=dict)
    """What the type asks for: workdays, plan, target_date, suggested_unit, signed_by … (no personal data)."""
    late = models.BooleanField(default=False)
    opinion = models.TextField(blank=True)
    decided_by = models.CharField(max_length=80, blank=True)
    at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "type", "assignment"],
                condition=Q(state="pending"),
                name="one_pending_application_per_type",
            )
        ]
        indexes = [
            models.Index(fields=["decider", "at", "id"], condition=Q(state="pending"), name="application_pending")
        ]
