"""平台设置 that were changed while the platform ran; the journal tells who changed what and when."""

from django.db import models
from django.db.models import Q

from huying.people.models import Platform, Unit


class Setting(models.Model):
    """The value of one setting, for the whole platform or for one district."""

    platform = models.ForeignKey(Platform, models.PROTECT, related_name="+")
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+")
    """The district it holds for; None: the platform."""
    key = models.CharField(max_length=60)
    value = models.IntegerField()
    at = models.DateTimeField()
    by = models.CharField(max_length=80)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["platform", "key"], condition=Q(unit=None), name="one_setting_a_platform"),
            models.UniqueConstraint(fields=["unit", "key"], name="one_setting_a_district"),
        ]
