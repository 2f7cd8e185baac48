"""Who the requester is, apart from the case: sealed, versioned, and every reading logged.

No other table holds a name or a phone. Written and read only by `huying.cases.vault`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

__all__ = ["BlindIndex", "FieldKind", "IdentityAccess", "Level", "Part", "Party", "Subject", "SubjectField"]


class FieldKind(models.TextChoices):
    """What a sealed value is."""

    NAME = "name", "姓名"
    PHONE = "phone", "电话"
    EMAIL = "email", "邮箱"
    ADDRESS = "address", "住址"
    ID_NUMBER = "id_number", "证件号码"
    ORGANISATION = "organisation", "企业名称"
    OTHER = "other", "其他"


class Part(models.TextChoices):
    """What somebody is in a case."""

    REQUESTER = "requester", "诉求人"
    SUBMITTER = "submitter", "代为提交人"
    CONTACT = "contact", "联系人"


class Level(models.TextChoices):
    """How closely an identity is kept in one case."""

    OPEN = "open", "公开"
    MASKED = "masked", "脱敏"
    CONFIDENTIAL = "confidential", "保密"
    ANONYMOUS = "anonymous", "匿名"


class Subject(models.Model):
    """A person as the vault knows them: a key, and nothing that can be read without it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    platform = models.ForeignKey("people.Platform", models.PROTECT, related_name="+")
    wrapped_key = models.BinaryField(null=True)  # null once erased: then nothing can be opened any more
    key_id = models.CharField(max_length=40)  # the master key that wraps it
    alg = models.PositiveSmallIntegerField()  # of the wrapping, see base.crypto
    erase_after = models.DateField(null=True, blank=True)
    hold = models.BooleanField(default=False)  # a legal hold (复议、诉讼、调查): erasing is refused

    kept: ClassVar[Mapping[str, int] | None] = None
    """Set by `vault.keep` on what it returns: the version of each field as given this time."""

    class Meta:
        indexes = [
            models.Index(
                fields=["erase_after"],
                name="subject_to_erase",
                condition=Q(wrapped_key__isnull=False, hold=False),
            )
        ]


class SubjectField(models.Model):
    """One version of one sealed value. A changed value is a new version; the old one stays."""

    subject = models.ForeignKey(Subject, models.CASCADE, related_name="fields")
    kind = models.CharField(max_length=12, choices=FieldKind)
    version = models.PositiveIntegerField()
    ciphertext = models.BinaryField()  # header byte, nonce, ciphertext, tag
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "kind", "version"], name="one_subject_field_version")]


class BlindIndex(models.Model):
    """Finds a subject by a keyed hash of a value. Useless without the index key."""

    platform = models.ForeignKey("people.Platform", models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=FieldKind)
    key_version = models.PositiveSmallIntegerField()
    hmac = models.BinaryField()
    subject = models.ForeignKey(Subject, models.CASCADE, related_name="indexes")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["platform", "kind", "key_version", "hmac"], name="one_subject_per_value")
        ]


class Party(models.Model):
    """Somebody's part in one case, and how closely their identity is kept there.

    `versions` pins the values as told in this case. People share phones: without it, whoever
    may read one case would learn the name that another person gave in a later one.
    """

    case = models.ForeignKey("cases.Case", models.CASCADE, related_name="parties")
    subject = models.ForeignKey(Subject, models.PROTECT, null=True, blank=True, related_name="parties")
    part = models.CharField(max_length=12, choices=Part)
    level = models.CharField(max_length=12, choices=Level)
    versions = models.JSONField(default=dict)  # kind -> version

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "part"], name="one_party_per_part"),
            models.CheckConstraint(
                condition=~Q(level="anonymous") | Q(subject__isnull=True),
                name="anonymous_party_has_no_subject",
            ),
        ]


class IdentityAccess(models.Model):
    """One reading of an identity: who, when, which case, what and why. Append-only by trigger."""

    at = models.DateTimeField()
    actor_id = models.CharField(max_length=64)
    role = models.CharField(max_length=40)
    unit_path = models.CharField(max_length=200)
    case = models.ForeignKey("cases.Case", models.PROTECT, related_name="identity_accesses")
    # No database constraint: the log outlives whatever happens to the subject.
    subject = models.ForeignKey(Subject, models.DO_NOTHING, null=True, related_name="+", db_constraint=False)
    part = models.CharField(max_length=12)
    kinds = ArrayField(models.CharField(max_length=20))
    purpose = models.CharField(max_length=20)
    approver = models.CharField(max_length=64, blank=True)
    masked = models.BooleanField()  # only masked values were shown

    class Meta:
        indexes = [
            models.Index(fields=["case", "at"], name="identity_access_by_case"),
            models.Index(fields=["actor_id", "at"], name="identity_access_by_actor"),
        ]
