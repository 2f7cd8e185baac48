"""Registers of conduct: who was held to account for what, who was talked to. Entered by a person, never changed."""

from django.db import models

from huying.cases.models.case import Case
from huying.people.models import Platform, Unit


class AccountabilityEntry(models.Model):
    """问责台账: a situation of the regulation, the measure taken, against which unit, in which case."""

    platform = models.ForeignKey(Platform, models.PROTECT, related_name="+")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    case = models.ForeignKey(Case, models.PROTECT, null=True, related_name="accountability")
    situation = models.CharField(max_length=30)
    measure = models.CharField(max_length=30)
    person = models.CharField(max_length=60, blank=True)
    """The official concerned, where it is not the unit as a whole."""
    text = models.TextField()
    at = models.DateTimeField()
    by = models.CharField(max_length=80)

    class Meta:
        indexes = [models.Index(fields=["platform", "-at", "-id"], name="accountability_newest")]


class Interview(models.Model):
    """约谈 of a unit: every quarter or for a special reason."""

    platform = models.ForeignKey(Platform, models.PROTECT, related_name="+")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    case = models.ForeignKey(Case, models.PROTECT, null=True, related_name="interviews")
    kind = models.CharField(max_length=12)
    held_on = models.DateField()
    attendees = models.TextField(blank=True)
    reason = models.TextField()
    demands = models.TextField()
    at = models.DateTimeField()
    by = models.CharField(max_length=80)

    class Meta:
        indexes = [models.Index(fields=["platform", "-held_on", "-id"], name="interview_newest")]
