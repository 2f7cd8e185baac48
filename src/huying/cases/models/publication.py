"""What of a case everybody may read: texts that a person redacted, apart from the case itself."""

from django.db import models
from django.db.models import Q

from huying.cases.models.case import Case
from huying.people.models import Platform


class Publication(models.Model):
    """公示公开: one case as the public reads it, from `public_at` until it is withdrawn. Withdrawn, never deleted."""

    platform = models.ForeignKey(Platform, models.PROTECT, related_name="+")
    case = models.ForeignKey(Case, models.PROTECT, related_name="publications")
    title = models.CharField(max_length=200)
    content = models.TextField()
    reply = models.TextField()
    criteria = models.JSONField(default=list)
    """What it was chosen for: representative, guiding, standard_reply."""
    at = models.DateTimeField()
    by = models.CharField(max_length=80)
    public_at = models.DateTimeField()
    """Later than `at` where the requester may object first."""
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.CharField(max_length=80, blank=True)
    withdrawn_because = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case"], condition=Q(withdrawn_at__isnull=True), name="one_standing_publication"
            )
        ]
        indexes = [
            models.Index(
                fields=["platform", "-public_at", "-id"],
                condition=Q(withdrawn_at__isnull=True),
                name="publication_newest",
            )
        ]
