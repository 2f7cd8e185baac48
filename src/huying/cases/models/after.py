"""What happens after the answer and around the handling: callbacks, ratings, supervision, clues, meetings, reports."""

from django.db import models
from django.db.models import Q

from huying.cases.models.case import Case
from huying.people.models import Unit


class Callback(models.Model):
    """One attempt to call the requester back."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="callbacks")
    round = models.PositiveSmallIntegerField()
    method = models.CharField(max_length=10)
    result = models.CharField(max_length=12)
    contacted = models.BooleanField(null=True)
    solved = models.CharField(max_length=6, blank=True)
    rating = models.PositiveSmallIntegerField(null=True)
    trust = models.PositiveSmallIntegerField(null=True)
    comment = models.TextField(blank=True)
    batch = models.ForeignKey("cases.SurveyBatch", models.PROTECT, null=True, related_name="callbacks")
    """The results of a third party's survey that it came with."""
    at = models.DateTimeField()
    by = models.CharField(max_length=80)


class Evaluation(models.Model):
    """A rating of one round. The rating stays as it was given; `counted` tells whether the figures take it."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="evaluations")
    round = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=10)
    rating = models.PositiveSmallIntegerField()
    solved = models.CharField(max_length=6, blank=True)
    contacted = models.BooleanField(null=True)
    trust = models.PositiveSmallIntegerField(null=True)
    comment = models.TextField(blank=True)
    bad = models.BooleanField()
    counted = models.BooleanField(default=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "round", "source"], name="one_evaluation_a_round"),
            models.CheckConstraint(condition=Q(rating__gte=1, rating__lte=5), name="rating_one_to_five"),
        ]
        indexes = [models.Index(fields=["at"], name="evaluation_by_time")]


class Supervision(models.Model):
    """督办: proposed by a trigger or opened by a person, answered by the unit, closed by the supervisor."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="supervisions")
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+")
    issued_by = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+")
    document_no = models.CharField(max_length=40, blank=True)
    method = models.CharField(max_length=30)
    ground = models.CharField(max_length=30)
    rule = models.CharField(max_length=60, blank=True)
    article = models.CharField(max_length=60, blank=True)
    state = models.CharField(max_length=10)
    request = models.TextField(blank=True)
    due_on = models.DateField(null=True)
    attendees = models.JSONField(default=list)
    place = models.CharField(max_length=200, blank=True)
    response = models.TextField(blank=True)
    conclusion = models.TextField(blank=True)
    at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    by = models.CharField(max_length=80)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "ground", "method"],
                condition=~Q(state="closed"),
                name="one_supervision_per_ground",
            )
        ]
        indexes = [
            models.Index(fields=["state", "-at", "-id"], name="supervision_by_state"),
            models.Index(fields=["closed_at"], condition=Q(closed_at__isnull=False), name="supervision_by_closing"),
        ]


class Nudge(models.Model):
    """催办单 to the handling unit."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="nudges")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    note = models.TextField(blank=True)
    at = models.DateTimeField()
    by = models.CharField(max_length=80)


class Clue(models.Model):
    """线索: drafted by the platform or a supervisor, sent by a person, concluded by the inspectors.

    The unit concerned never sees it (decision D-23).
    """

    case = models.ForeignKey(Case, models.CASCADE, related_name="clues")
    to_unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    ground = models.CharField(max_length=30)
    state = models.CharField(max_length=12)
    content = models.TextField(blank=True)
    opinion = models.TextField(blank=True)
    rule = models.CharField(max_length=60, blank=True)
    article = models.CharField(max_length=60, blank=True)
    at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    by = models.CharField(max_length=80)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "ground", "to_unit"],
                condition=~Q(state="concluded"),
                name="one_clue_per_ground",
            )
        ]
        indexes = [models.Index(fields=["state", "-at", "-id"], name="clue_by_state")]


class Meeting(models.Model):
    """A meeting on a case: who came, what was ruled, who leads."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="meetings")
    kind = models.CharField(max_length=30)
    attendees = models.JSONField(default=list)
    minutes = models.TextField()
    tasks = models.JSONField(default=list)
    at = models.DateTimeField()
    by = models.CharField(max_length=80)


class Report(models.Model):
    """专报 to an executive, with the instruction that came back."""

    platform = models.ForeignKey("people.Platform", models.CASCADE)
    cases = models.ManyToManyField(Case, related_name="reports")
    kind = models.CharField(max_length=10)
    state = models.CharField(max_length=12, default="submitted")
    content = models.TextField()
    instruction = models.TextField(blank=True)
    to_unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    by = models.CharField(max_length=80)


class OfficialLetter(models.Model):
    """正式函告: what a unit reports in writing after its handling was rated bad again."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="letters")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    round = models.PositiveSmallIntegerField()
    document_no = models.CharField(max_length=40, blank=True)
    content = models.TextField()
    at = models.DateTimeField()
    by = models.CharField(max_length=80)


class Consent(models.Model):
    """What the requester said to being named to the unit complained about: the latest word holds; silence is no."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="consents")
    agrees = models.BooleanField()
    note = models.TextField(blank=True)
    at = models.DateTimeField()
