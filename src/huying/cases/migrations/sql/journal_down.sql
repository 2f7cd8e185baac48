DROP TRIGGER IF EXISTS identity_access_no_truncate ON cases_identityaccess;
DROP TRIGGER IF EXISTS identity_access_append_only ON cases_identityaccess;
DROP TRIGGER IF EXISTS journal_no_truncate ON cases_journalentry;
DROP TRIGGER IF EXISTS journal_append_only ON cases_journalentry;
DROP TRIGGER IF EXISTS journal_chain ON cases_journalentry;
DROP FUNCTION IF EXISTS cases_append_only();
DROP FUNCTION IF EXISTS cases_journal_chain();
DROP FUNCTION IF EXISTS cases_journal_digest(cases_journalentry);
DROP FUNCTION IF EXISTS cases_journal_field(text);
