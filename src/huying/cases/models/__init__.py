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
from huying.cases.models.assessment import Assessment, ItemScore, KnowledgeUpdate
from huying.cases.models.attachment import Attachment
from huying.cases.models.bulletin import Bulletin, ScoreAdjustment
from huying.cases.models.case import ApiKey, Case, CaseSubject, Link, Submission, Supplement
from huying.cases.models.document import DocumentSeries
from huying.cases.models.exchange import UpstreamMessage
from huying.cases.models.handling import Assignment, Contact, Reply, TimeLimit, Verification
from huying.cases.models.journal import JournalEntry
from huying.cases.models.notice import Delivery, Notice
from huying.cases.models.operations import OperationsAlert
from huying.cases.models.publication import Publication
from huying.cases.models.registers import AccountabilityEntry, Interview, SpotCheck
from huying.cases.models.search import SearchMarks
from huying.cases.models.setting import Setting
from huying.cases.models.survey import SurveyBatch
from huying.cases.models.task import AnsweringSession, Concentration, ConcentrationLook, Material, Task
from huying.cases.models.throttle import Throttle
from huying.cases.models.vault import BlindIndex, IdentityAccess, Party, Subject, SubjectField

__all__ = [
    "AccountabilityEntry", "AnsweringSession", "ApiKey", "Application", "Assessment", "Assignment",
    "Attachment", "BlindIndex", "Bulletin", "Callback", "Case", "CaseSubject", "Clue", "Concentration",
    "ConcentrationLook", "Consent", "Contact", "Delivery", "DocumentSeries", "Evaluation", "IdentityAccess",
    "Interview", "ItemScore", "JournalEntry", "KnowledgeUpdate", "Link", "Material", "Meeting", "Notice",
    "Nudge", "OfficialLetter", "OperationsAlert", "Party", "Publication", "Reply", "Report", "ScoreAdjustment",
    "SearchMarks", "Setting", "SpotCheck", "Subject", "SubjectField", "Submission", "Supervision", "Supplement",
    "SurveyBatch", "Task", "Throttle", "TimeLimit", "UpstreamMessage", "Verification",
]  # fmt: skip
