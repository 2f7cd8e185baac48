"""Registers of conduct: who was held to account for what, who was talked to, what a spot check found."""

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


class SpotCheck(models.Model):
    """抽查单: a closed case that was drawn, to be looked into by one of the methods of its channel.

    The case does not know of it: whoever is checked should not read on the case that they were.
    """

    case = models.ForeignKey(Case, models.PROTECT, related_name="+")
    seed = models.CharField(max_length=60)
    drawn_at = models.DateTimeField()
    drawn_by = models.CharField(max_length=80)
    method = models.CharField(max_length=10, blank=True)
    """`file`, or a method of the callback; empty until it was done."""
    finding = models.CharField(max_length=10, blank=True)
    satisfied = models.BooleanField(null=True)
    """What the requester said, where they were asked."""
    note = models.TextField(blank=True)
    checked_at = models.DateTimeField(null=True)
    checked_by = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "seed"], name="one_spot_check_a_draw")]
        indexes = [models.Index(fields=["checked_at", "-drawn_at", "-id"], name="spot_check_newest")]
