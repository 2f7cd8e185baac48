"""The records. Only commands write them; only `huying.cases` imports them."""

from huying.cases.models.after import (
    Callback,
    Clue,
    Consent,
    Evaluation,
    Meeting,
    Nudge,
    OfficialLetter,
    Report,
    Supervision,
)
from huying.cases.models.application import Application
from huying.cases.models.attachment import Attachment
from huying.cases.models.bulletin import Bulletin, ScoreAdjustment
from huying.cases.models.case import ApiKey, Case, CaseSubject, Link, Submission, Supplement
from huying.cases.models.document import DocumentSeries
from huying.cases.models.handling import Assignment, Contact, Reply, TimeLimit, Verification
from huying.cases.models.journal import JournalEntry
from huying.cases.models.notice import Delivery, Notice
from huying.cases.models.publication import Publication
from huying.cases.models.registers import AccountabilityEntry, Interview, SpotCheck
from huying.cases.models.search import SearchMarks
from huying.cases.models.throttle import Throttle
from huying.cases.models.vault import BlindIndex, IdentityAccess, Party, Subject, SubjectField

__all__ = [
    "AccountabilityEntry", "ApiKey", "Application", "Assignment", "Attachment", "BlindIndex", "Bulletin",
    "Callback", "Case", "CaseSubject", "Clue", "Consent", "Contact", "Delivery", "DocumentSeries", "Evaluation",
    "IdentityAccess", "Interview", "JournalEntry", "Link", "Meeting", "Notice", "Nudge", "OfficialLetter", "Party",
    "Publication", "Reply", "Report", "ScoreAdjustment", "SearchMarks", "SpotCheck", "Subject", "SubjectField",
    "Submission", "Supervision", "Supplement", "Throttle", "TimeLimit", "Verification",
]  # fmt: skip
