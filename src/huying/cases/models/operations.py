"""运行告警: what the monitor found wrong with the running of the installation, from when to when."""

from django.db import models
from django.db.models import Q


class OperationsAlert(models.Model):
    """One thing that went wrong and how long it lasted. An alert of a kind that stands is not raised twice."""

    kind = models.CharField(max_length=20)
    detail = models.CharField(max_length=300)
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind"], condition=Q(ended_at=None), name="one_standing_alert_a_kind")
        ]
        indexes = [models.Index(fields=["-began_at", "-id"], name="operations_alert_newest")]
