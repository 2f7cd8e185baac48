"""Files that came with a case."""

from __future__ import annotations

import uuid

from django.db import models

__all__ = ["Attachment"]


class Attachment(models.Model):
    """One stored file. Its name as sent is not kept: names of files are often names of people."""

    class Purpose(models.TextChoices):
        """What the file is there for."""

        EVIDENCE = "evidence", "证据材料"
        STATEMENT = "statement", "情况说明"
        CONTACT_PROOF = "contact_proof", "联系佐证"
        REPLY = "reply", "答复材料"
        DOCUMENT = "document", "公文"
        OTHER = "other", "其他"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey("cases.Case", models.PROTECT, related_name="attachments")
    key = models.CharField(max_length=64, unique=True)  # where the file is, below settings.HUYING_FILES
    label = models.CharField(max_length=40)  # 附件1.jpg: the only name anybody is shown
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField()  # as sent
    sha256 = models.CharField(max_length=64)  # as sent
    served_sha256 = models.CharField(max_length=64)  # of the copy that is handed out
    uploaded_at = models.DateTimeField()
    uploaded_by = models.CharField(max_length=64)
    action = models.CharField(max_length=60, blank=True)
    purpose = models.CharField(max_length=20, choices=Purpose, default=Purpose.EVIDENCE)
    sealed_original = models.BooleanField(default=False)  # the file as sent is kept sealed beside the copy

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "label"], name="one_attachment_per_label")]
