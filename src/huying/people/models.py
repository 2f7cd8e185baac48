"""Platforms, the tree of units, staff accounts and their dated roles."""

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q


class Platform(models.Model):
    """One city's platform: its units, staff and cases, run by one regulation."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    regulation = models.CharField(max_length=60)

    def __str__(self) -> str:
        return self.name


class Unit(models.Model):
    """A unit of the tree. `left` and `right` span its subtree, so “below” is one range comparison.

    `path` is the address below the root, empty for the root itself.
    """

    platform = models.ForeignKey(Platform, models.CASCADE, related_name="units")
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    path = models.CharField(max_length=200, blank=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=30)
    handles = models.BooleanField(default=False)
    roles = ArrayField(models.CharField(max_length=20), default=list)
    aliases = ArrayField(models.CharField(max_length=200), default=list)
    left = models.IntegerField(default=0)
    right = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["platform", "path"], name="one_unit_per_path"),
            models.CheckConstraint(condition=Q(right__gte=F("left")), name="unit_spans_forward"),
        ]
        indexes = [models.Index(fields=["platform", "left"], name="unit_platform_left")]

    def __str__(self) -> str:
        return self.name

    def holds(self, other: "Unit") -> bool:
        """Whether `other` is this unit or lies below it."""
        return self.platform_id == other.platform_id and self.left <= other.left <= self.right


class Account(AbstractUser):
    """A person who signs in. One person, one account; what they may do stands in their grants."""

    platform = models.ForeignKey(Platform, models.PROTECT, null=True, related_name="accounts")
    display_name = models.CharField(max_length=60, blank=True)

    def __str__(self) -> str:
        return self.display_name or self.username


class Grant(models.Model):
    """A role in one unit, held from one day to another, and who gave it."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="grants")
    unit = models.ForeignKey(Unit, models.CASCADE, related_name="grants")
    role = models.CharField(max_length=20)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    granted_by = models.CharField(max_length=60)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "unit", "role"], condition=Q(until=None), name="one_open_grant")
        ]


from huying.people.registers import SignIn, StaffChange  # noqa: E402

__all__ = ["Account", "Grant", "Platform", "SignIn", "StaffChange", "Unit"]
