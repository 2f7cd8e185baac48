"""The case: one citizen's matter. Who they are stands in the vault, never here."""

from django.db import models
from django.db.models import Q

from huying.people.models import Platform, Unit

OPEN_STATES = ("received", "handling", "checking", "feedback")


class Case(models.Model):
    """One citizen's matter (诉求件)."""

    platform = models.ForeignKey(Platform, models.PROTECT, related_name="cases")
    number = models.CharField(max_length=32, unique=True)
    query_code_hash = models.CharField(max_length=200, blank=True)
    regulation = models.CharField(max_length=60)
    rules_since = models.DateField(null=True)
    """Which version of the regulation's rules it keeps; None: the first one."""
    flow = models.CharField(max_length=10, blank=True)
    """`bottom_up` or `top_down` where the regulation knows directions."""
    state = models.CharField(max_length=12, default="received")
    kind = models.CharField(max_length=20)
    channel = models.CharField(max_length=30)
    category = models.CharField(max_length=120, blank=True)
    urgency = models.CharField(max_length=20, blank=True)
    complexity = models.CharField(max_length=20, blank=True)
    mode = models.CharField(max_length=20, blank=True)
    confidential = models.BooleanField(default=False)
    anonymous = models.BooleanField(default=False)
    ledger = models.BooleanField(default=False)
    ledger_until = models.DateField(null=True)
    archived = models.BooleanField(default=False)
    published = models.BooleanField(default=False)
    awaits_panel = models.BooleanField(default=False)
    flags = models.JSONField(default=dict)
    round = models.PositiveSmallIntegerField(default=1)
    outcome = models.CharField(max_length=20, blank=True)
    title = models.CharField(max_length=200)
    content = models.TextField()
    place_unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+")
    place_text = models.CharField(max_length=200, blank=True)
    holder = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    """The centre whose queue the case waits in, and whose dispatcher decides on it."""
    submitted_by = models.CharField(max_length=80)
    external_no = models.CharField(max_length=80, blank=True)
    source = models.CharField(max_length=40, blank=True)
    """The merged hotline, or the platform, that it first came to."""
    source_due_on = models.DateField(null=True)
    """The last day that the source channel set, or that the rules of the platform above give."""
    requester_kind = models.CharField(max_length=12, blank=True)
    """`individual` or `enterprise`, where it was said; the name of the enterprise stands in the vault."""
    accept_reason = models.TextField(blank=True)
    """Why it was accepted although a ground to refuse it was seen."""
    accept_basis = models.CharField(max_length=200, blank=True)
    """The law by which a matter outside the usual fields is accepted."""
    ground = models.CharField(max_length=30, blank=True)
    ground_note = models.TextField(blank=True)
    submitted_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    """The handling limit as promised now, kept by the command that moves it, for ordering lists."""
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["platform", "channel", "external_no"],
                condition=~Q(external_no=""),
                name="one_case_per_external_number",
            ),
        ]
        indexes = [
            models.Index(fields=["platform", "-submitted_at", "-id"], name="case_newest"),
            models.Index(fields=["platform", "state", "-submitted_at", "-id"], name="case_state_newest"),
            models.Index(
                fields=["platform", "due_at", "id"],
                condition=Q(state__in=OPEN_STATES),
                name="case_open_by_due",
            ),
            models.Index(fields=["platform", "due_at", "id"], condition=Q(ledger=True), name="case_ledger_by_due"),
            models.Index(
                fields=["platform", "closed_at"], condition=Q(closed_at__isnull=False), name="case_by_closing"
            ),
            models.Index(
                fields=["platform", "category", "-submitted_at"], condition=~Q(category=""), name="case_by_category"
            ),
            models.Index(fields=["external_no"], condition=~Q(external_no=""), name="case_external_no"),
            models.Index(
                fields=["platform", "-submitted_at", "-id"],
                condition=Q(flags__sensitive=True, state__in=OPEN_STATES),
                name="case_sensitive_newest",
            ),
        ]


class CaseSubject(models.Model):
    """A unit that a case complains of, or the home unit of a person it complains of. It never sees the case."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="subjects")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    unit_left = models.IntegerField()
    unit_right = models.IntegerField()
    cause = models.CharField(max_length=10, default="complained")
    """`complained`, or `recused`: the unit itself asked to keep out."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "unit"], name="one_subject_per_unit")]


class Link(models.Model):
    """`case` was merged into, or stands beside, `other`. `undo` is what an unmerge restores."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="links_out")
    other = models.ForeignKey(Case, models.CASCADE, related_name="links_in")
    type = models.CharField(max_length=12)
    undo = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case"], condition=Q(type="merged"), name="merged_into_one_case_only")
        ]


class Supplement(models.Model):
    """What the citizen added: more material, or a word of urging."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="supplements")
    kind = models.CharField(max_length=10)
    content = models.TextField(blank=True)
    at = models.DateTimeField()


class Submission(models.Model):
    """One press of “submit”: the same key never makes a second case, and gets its receipt again.

    The query code is kept sealed by the key itself, so that only who holds the key can read the receipt again.
    """

    platform = models.ForeignKey(Platform, models.CASCADE)
    key = models.CharField(max_length=64)
    case = models.ForeignKey(Case, models.CASCADE, null=True)
    receipt = models.BinaryField(default=b"")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["platform", "key"], name="one_case_per_key")]


class ApiKey(models.Model):
    """The key of another platform or an app, which submits by its channel only. The key itself is not kept."""

    platform = models.ForeignKey(Platform, models.CASCADE)
    channel = models.CharField(max_length=30)
    label = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
