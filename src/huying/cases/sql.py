"""The hand-written SQL of this app, for migrations and tests.

A migration may not import app code: it reads the same files itself, from `sql/` beside it.
"""

from __future__ import annotations

from pathlib import Path

_FILES = Path(__file__).parent / "migrations" / "sql"

CREATE_JOURNAL_TRIGGERS = (_FILES / "journal.sql").read_text(encoding="utf-8")
DROP_JOURNAL_TRIGGERS = (_FILES / "journal_down.sql").read_text(encoding="utf-8")

LET_TESTS_TRUNCATE = (
    "ALTER TABLE cases_journalentry DISABLE TRIGGER journal_no_truncate;"
    "ALTER TABLE cases_identityaccess DISABLE TRIGGER identity_access_no_truncate;"
)
"""For a test database only: Django empties the tables by TRUNCATE after each transactional test."""
