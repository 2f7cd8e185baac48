"""What happened, in order, for good."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

__all__ = ["JournalEntry"]


class JournalEntry(models.Model):
    """One action. Insert-only; `seq`, `prev_hash` and `hash` are set by a trigger in the database.

    See `migrations/sql/journal.sql` for the chain. Written only by `huying.cases.journal`.
    """

    platform = models.ForeignKey("people.Platform", models.PROTECT, related_name="+")
    case = models.ForeignKey("cases.Case", models.PROTECT, null=True, blank=True, related_name="journal")
    # A default in the database makes Django read back what the trigger has put there.
    seq = models.PositiveIntegerField(db_default=0)
    at = models.DateTimeField()
    action = models.CharField(max_length=60)
    actor_id = models.CharField(max_length=64)
    role = models.CharField(max_length=40)
    unit_path = models.CharField(max_length=200, blank=True)
    rule = models.CharField(max_length=100, blank=True)
    article = models.CharField(max_length=200, blank=True)
    data = models.JSONField(default=dict)
    prev_hash = models.BinaryField(db_default=b"")
    hash = models.BinaryField(db_default=b"")

    class Meta:
        constraints = [
            # Also the index by which the trigger finds the last entry. Two commands that forgot the
            # lock on the case meet here, and the second fails.
            models.UniqueConstraint(fields=["case", "seq"], name="one_journal_entry_per_seq"),
            models.UniqueConstraint(
                fields=["platform", "seq"], condition=Q(case__isnull=True), name="one_platform_entry_per_seq"
            ),
        ]
        indexes = [models.Index(fields=["platform", "at"], name="journal_by_day")]
