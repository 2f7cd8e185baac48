"""第三方调查: lists of cases given out to be surveyed, and the results that came back."""

from django.db import models

from huying.people.models import Platform, Unit


class SurveyBatch(models.Model):
    """One list for a third party: which cases, drawn when, by whom; and how many of its results came in."""

    platform = models.ForeignKey(Platform, models.PROTECT, related_name="+")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    label = models.CharField(max_length=80)
    evaluator = models.CharField(max_length=80)
    """Who surveys."""
    cases = models.ManyToManyField("cases.Case", related_name="survey_batches")
    at = models.DateTimeField()
    by = models.CharField(max_length=80)
    imported_at = models.DateTimeField(null=True)
    """When results last came in."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["platform", "label"], name="one_survey_per_label")]
        indexes = [models.Index(fields=["platform", "-at", "-id"], name="survey_newest")]
