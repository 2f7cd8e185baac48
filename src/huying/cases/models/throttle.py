"""How often somebody tried to open a case by number and code."""

from django.db import models


class Throttle(models.Model):
    """The tries of one kind (`scope`) from or at one place (`key`) that failed lately.

    `key` is a keyed digest: neither an address nor a number stands here.
    """

    scope = models.CharField(max_length=12)
    key = models.CharField(max_length=64)
    failures = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()
    blocked_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="one_throttle_per_key")]
        indexes = [models.Index(fields=["last_at"], name="throttle_last")]
