"""What units are asked to do, and send up, without a case of its own: tasks, material, alerts, answering sessions."""

from django.db import models
from django.db.models import Q

from huying.cases.models.after import Clue
from huying.cases.models.case import Case
from huying.people.models import Platform, Unit


class Concentration(models.Model):
    """集中反映: a rule found many matters of one category in one place, or at one unit, within its days."""

    platform = models.ForeignKey(Platform, models.PROTECT, related_name="+")
    rule = models.CharField(max_length=60)
    article = models.CharField(max_length=60, blank=True)
    category = models.CharField(max_length=120)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    """The unit of the place, or the one that handles."""
    cases = models.ManyToManyField(Case, related_name="concentrations")
    since = models.DateField()
    count = models.PositiveIntegerField()
    at = models.DateTimeField()
    last_at = models.DateTimeField()
    """When it was last seen to grow; one that is seen again after its days have passed is a new one."""

    class Meta:
        indexes = [
            models.Index(fields=["platform", "-at", "-id"], name="concentration_newest"),
            models.Index(fields=["unit", "category", "rule", "-last_at"], name="concentration_again"),
        ]


class ConcentrationLook(models.Model):
    """Up to when the journal of a platform was looked through for concentrations. Its lock lets one look at a time."""

    platform = models.OneToOneField(Platform, models.CASCADE, related_name="+")
    until = models.DateTimeField()


class Task(models.Model):
    """交办任务: given to a unit, reported on by it, closed by who gave it. `draft`: proposed, a person sends it."""

    platform = models.ForeignKey(Platform, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=30)
    title = models.CharField(max_length=200)
    content = models.TextField()
    issued_by = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    due_on = models.DateField(null=True)
    state = models.CharField(max_length=10, default="open")
    """`draft`, `open`, `reported` or `closed`."""
    cases = models.ManyToManyField(Case, related_name="tasks")
    clue = models.ForeignKey(Clue, models.PROTECT, null=True, related_name="tasks")
    concentration = models.ForeignKey(Concentration, models.PROTECT, null=True, related_name="tasks")
    rule = models.CharField(max_length=60, blank=True)
    article = models.CharField(max_length=60, blank=True)
    at = models.DateTimeField()
    by = models.CharField(max_length=80)
    report = models.TextField(blank=True)
    cause = models.TextField(blank=True)
    measures = models.TextField(blank=True)
    completed_on = models.DateField(null=True)
    reported_at = models.DateTimeField(null=True)
    reported_by = models.CharField(max_length=80, blank=True)
    conclusion = models.TextField(blank=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=80, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["platform", "-at", "-id"], name="task_newest"),
            models.Index(
                fields=["unit", "due_on", "id"], condition=Q(state__in=("open", "reported")), name="task_of_unit"
            ),
            models.Index(fields=["due_on"], condition=Q(state="open"), name="task_open_by_due"),
        ]


class Material(models.Model):
    """线索素材: what a department found in its line of business, sent to who inspects, with its cases."""

    platform = models.ForeignKey(Platform, models.PROTECT, related_name="+")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    to = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    title = models.CharField(max_length=200)
    period = models.CharField(max_length=60, blank=True)
    text = models.TextField()
    cases = models.ManyToManyField(Case, related_name="materials")
    at = models.DateTimeField()
    by = models.CharField(max_length=80)
    read_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["platform", "-at", "-id"], name="material_newest")]


class AnsweringSession(models.Model):
    """领导接听: on a day the head of a unit answers calls at the hotline; the cases of that session hang on it."""

    platform = models.ForeignKey(Platform, models.PROTECT, related_name="+")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    leader = models.CharField(max_length=60)
    held_on = models.DateField()
    reason = models.TextField(blank=True)
    cases = models.ManyToManyField(Case, related_name="sessions")
    at = models.DateTimeField()
    by = models.CharField(max_length=80)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["unit", "held_on"], name="one_session_a_unit_and_day")]
        indexes = [models.Index(fields=["platform", "-held_on", "-id"], name="session_newest")]
