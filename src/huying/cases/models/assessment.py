"""考核: one period of one platform, its items and what each unit got for them. Approved, it never changes."""

from django.db import models

from huying.cases.models.case import Case
from huying.people.models import Platform, Unit


class Assessment(models.Model):
    """考核 of a period: drafted by the clock, completed by people, approved once."""

    platform = models.ForeignKey(Platform, models.PROTECT, related_name="+")
    label = models.CharField(max_length=40)
    first = models.DateField()
    last = models.DateField()
    state = models.CharField(max_length=10, default="draft")
    """`draft` or `approved`."""
    article = models.CharField(max_length=60, blank=True)
    at = models.DateTimeField()
    approved_at = models.DateTimeField(null=True)
    approved_by = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["platform", "first", "last"], name="one_assessment_a_period")]


class ItemScore(models.Model):
    """What a unit got for one item, with how it came about: the rate of the data, or the reasons of a person."""

    assessment = models.ForeignKey(Assessment, models.CASCADE, related_name="scores")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    item = models.CharField(max_length=40)
    value = models.DecimalField(max_digits=9, decimal_places=2, null=True)
    """What the points were worked out from, in per cent or as a count; None where there was nothing to judge."""
    points = models.DecimalField(max_digits=7, decimal_places=2, null=True)
    """None until a person has scored it, or where there was nothing to judge."""
    reason = models.TextField(blank=True)
    cases = models.ManyToManyField(Case, related_name="item_scores")
    """The cases that adjustments rest on."""
    at = models.DateTimeField()
    by = models.CharField(max_length=80)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["assessment", "unit", "item"], name="one_score_per_unit_and_item")
        ]


class KnowledgeUpdate(models.Model):
    """知识库更新: what a unit added to the knowledge base of the platform, changed in it or withdrew from it."""

    platform = models.ForeignKey(Platform, models.PROTECT, related_name="+")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    change = models.CharField(max_length=10)
    title = models.CharField(max_length=200)
    at = models.DateTimeField()
    by = models.CharField(max_length=80)

    class Meta:
        indexes = [models.Index(fields=["platform", "-at", "-id"], name="knowledge_newest")]
