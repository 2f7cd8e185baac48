"""What is kept of staff besides their roles: the days on which they were at the platform, and changes of post."""

from datetime import datetime

from django.db import models

from huying.base.clock import local_date


class SignIn(models.Model):
    """That somebody was at the desk on a day (登录值守): once a day, at the first page that they opened.

    A session may last for days, so it is the first page of the day that counts and not the password.
    """

    account = models.ForeignKey("people.Account", models.CASCADE, related_name="sign_ins")
    on = models.DateField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "on"], name="one_sign_in_a_day")]
        indexes = [models.Index(fields=["on", "account"], name="sign_in_by_day")]


class StaffChange(models.Model):
    """A change of a unit's leader in charge or administrator, as the unit reported it (变更报备)."""

    unit = models.ForeignKey("people.Unit", models.PROTECT, related_name="staff_changes")
    post = models.CharField(max_length=12)
    """`leader` or `unit_admin`."""
    changed_on = models.DateField()
    before = models.CharField(max_length=60, blank=True)
    after = models.CharField(max_length=60)
    note = models.CharField(max_length=200, blank=True)
    reported_at = models.DateTimeField()
    by = models.CharField(max_length=80)
    late = models.BooleanField()
    """Decided once, when it was reported, by the rule of that day."""

    class Meta:
        indexes = [models.Index(fields=["unit", "-reported_at", "-id"], name="staff_change_by_unit")]


def note_sign_in(account_id: int, *, now: datetime) -> None:
    """Keep that `account_id` was here today; once a day, however often it is called."""
    SignIn.objects.bulk_create([SignIn(account_id=account_id, on=local_date(now), at=now)], ignore_conflicts=True)
