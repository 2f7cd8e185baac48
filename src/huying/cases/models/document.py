"""Numbers of official documents: one series for a platform, year and kind, without gaps or doubles."""

from django.db import models

from huying.people.models import Platform


class DocumentSeries(models.Model):
    """The last number given of one kind of document in a year."""

    platform = models.ForeignKey(Platform, models.CASCADE)
    year = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=20)
    last = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["platform", "year", "kind"], name="one_series_per_kind_and_year")
        ]
