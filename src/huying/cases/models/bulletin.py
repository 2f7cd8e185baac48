"""What concerns units and no single case: bulletins to them, and points in their assessment."""

from django.db import models

from huying.cases.models.case import Case
from huying.people.models import Platform, Unit


class Bulletin(models.Model):
    """通报 of a period, to the units below whoever issued it."""

    platform = models.ForeignKey(Platform, models.PROTECT, related_name="+")
    issued_by = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    period = models.CharField(max_length=60)
    content = models.TextField()
    at = models.DateTimeField()
    by = models.CharField(max_length=80)

    class Meta:
        indexes = [models.Index(fields=["platform", "-at", "-id"], name="bulletin_newest")]


class ScoreAdjustment(models.Model):
    """加分、扣分 of a unit in the assessment, with the reason and the case that it rests on, if any."""

    platform = models.ForeignKey(Platform, models.PROTECT, related_name="+")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    case = models.ForeignKey(Case, models.PROTECT, null=True, related_name="score_adjustments")
    points = models.DecimalField(max_digits=6, decimal_places=2)
    """Above zero adds, below zero takes away."""
    reason = models.TextField()
    ground = models.CharField(max_length=20, blank=True)
    """`typical_case`: the bonus for one; else empty."""
    at = models.DateTimeField()
    by = models.CharField(max_length=80)

    class Meta:
        indexes = [models.Index(fields=["platform", "-at", "-id"], name="score_newest")]
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "case", "ground"], condition=~models.Q(ground=""), name="one_bonus_a_case"
            )
        ]
