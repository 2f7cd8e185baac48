"""What units do with a case: assignments, their limits, contacts, verifications, replies."""

from django.db import models
from django.db.models import Q

from huying.cases.models.case import Case
from huying.people.models import Unit

ACTIVE_ASSIGNMENT = ("dispatched", "handling", "submitted")
VISIBLE_ASSIGNMENT = (*ACTIVE_ASSIGNMENT, "done", "taken_over")


class Assignment(models.Model):
    """One unit's task within a case, as lead or co-unit, in one round."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="assignments")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    unit_left = models.IntegerField()
    unit_right = models.IntegerField()
    delegate = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+")
    """The concrete handling unit below, that carries out while the unit stays responsible."""
    delegate_left = models.IntegerField(null=True)
    role = models.CharField(max_length=5)
    state = models.CharField(max_length=12, default="dispatched")
    round = models.PositiveSmallIntegerField()
    cause = models.CharField(max_length=14, default="first")
    limit_workdays = models.PositiveSmallIntegerField(null=True)
    statutory_days = models.PositiveSmallIntegerField(null=True)
    """Calendar days that another law gives this matter; it goes before every other limit."""
    legal_basis = models.CharField(max_length=200, blank=True)
    procedure = models.CharField(max_length=10, blank=True)
    note = models.TextField(blank=True)
    document_no = models.CharField(max_length=40, blank=True)
    """Of the written assignment (书面交办) that began the round."""
    assigned_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case"], condition=Q(role="lead", state__in=ACTIVE_ASSIGNMENT), name="one_open_lead"
            ),
            models.UniqueConstraint(
                fields=["case", "unit"],
                condition=Q(state__in=ACTIVE_ASSIGNMENT),
                name="one_open_assignment_per_unit",
            ),
        ]
        indexes = [
            models.Index(fields=["unit_left", "state", "-case_id"], name="assignment_by_unit"),
            models.Index(fields=["assigned_at"], name="assignment_by_time"),
            models.Index(
                fields=["delegate_left"], condition=Q(delegate_left__isnull=False), name="assignment_by_delegate"
            ),
        ]


class TimeLimit(models.Model):
    """One limit: which, for whom, counted from what, due when, met or missed when, by which rule.

    `due_at` is the first instant that is too late. `met` is decided once, when the limit ends. `next_at` is when the
    clock next has something to do about it.
    """

    case = models.ForeignKey(Case, models.CASCADE, related_name="limits")
    assignment = models.ForeignKey(Assignment, models.CASCADE, null=True, related_name="limits")
    application = models.ForeignKey("cases.Application", models.CASCADE, null=True, related_name="limits")
    supervision = models.ForeignKey("cases.Supervision", models.CASCADE, null=True, related_name="limits")
    name = models.CharField(max_length=20)
    rule = models.CharField(max_length=60)
    article = models.CharField(max_length=60, blank=True)
    start_event = models.CharField(max_length=20)
    day_zero = models.DateField()
    days = models.SmallIntegerField()
    unit = models.CharField(max_length=8, default="working")
    due_on = models.DateField()
    due_at = models.DateTimeField()
    promised_on = models.DateField(null=True)
    """What the citizen stays promised where the unit's own clock rested meanwhile."""
    soft = models.BooleanField(default=False)
    steps = models.JSONField(default=list)
    """How the date came about: the first count and every move of it (extension, limit set), each with its rule."""
    provisional = models.BooleanField(default=False)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    met = models.BooleanField(null=True)
    missed_at = models.DateTimeField(null=True)
    suspended = models.BooleanField(default=False)
    next_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["assignment", "name"],
                condition=Q(assignment__isnull=False),
                name="one_limit_per_name",
            ),
        ]
        indexes = [
            models.Index(fields=["name", "due_on"], name="limit_by_due_day"),
            models.Index(fields=["next_at", "id"], condition=Q(next_at__isnull=False), name="limit_next"),
            models.Index(
                fields=["name", "due_at"],
                condition=Q(ended_at__isnull=True, soft=False),
                name="limit_open_by_due",
            ),
        ]


class Contact(models.Model):
    """A record that the unit contacted the requester (or tried to)."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="contacts")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    round = models.PositiveSmallIntegerField()
    method = models.CharField(max_length=20)
    result = models.CharField(max_length=12)
    note = models.TextField(blank=True)
    at = models.DateTimeField()
    by = models.CharField(max_length=80)


class Verification(models.Model):
    """A finding on whether the matter is true."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="verifications")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    round = models.PositiveSmallIntegerField()
    finding = models.CharField(max_length=8)
    note = models.TextField(blank=True)
    at = models.DateTimeField()
    by = models.CharField(max_length=80)


class Reply(models.Model):
    """A unit's answer in one round. The citizen sees it once it has passed."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="replies")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    round = models.PositiveSmallIntegerField()
    content = models.TextField()
    outcome = models.CharField(max_length=12)
    adoption = models.CharField(max_length=12, blank=True)
    """Of a suggestion: adopted, partly, not_adopted."""
    facts = models.TextField(blank=True)
    """查明的事实."""
    basis = models.TextField(blank=True)
    """依据."""
    measures = models.TextField(blank=True)
    """What was done, or is to be done, where the matter can be solved."""
    told_by = models.CharField(max_length=12, blank=True)
    """How the requester was told the result by the unit itself: written, phone, face_to_face."""
    told_on = models.DateField(null=True)
    state = models.CharField(max_length=12)
    review_note = models.TextField(blank=True)
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.CharField(max_length=80, blank=True)
    criteria = models.JSONField(default=dict)
    check_note = models.TextField(blank=True)
    at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)
    by = models.CharField(max_length=80)
    checked_by = models.CharField(max_length=80, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["state", "case"], condition=Q(state__in=("unit_review", "checking")), name="reply_waiting"
            )
        ]
