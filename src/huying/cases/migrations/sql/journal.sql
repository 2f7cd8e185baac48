-- The journal's chain and its append-only guard. PostgreSQL 15 or newer; sha256() is built in.
--
-- The hash of an entry is sha256(prev_hash || text), where text is the fields below in this
-- order, each as "<length in bytes>:<value>," and null as "-,". The first entry's prev_hash is
-- 32 zero bytes. tools/verify_journal.py computes the same without a database: change both or none.

CREATE FUNCTION cases_journal_field(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN value IS NULL THEN '-,' ELSE octet_length(value)::text || ':' || value || ',' END;

CREATE FUNCTION cases_journal_digest(entry cases_journalentry) RETURNS bytea
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN sha256(entry.prev_hash || convert_to(
        cases_journal_field(entry.platform_id::text)
        || cases_journal_field(entry.case_id::text)
        || cases_journal_field(entry.seq::text)
        || cases_journal_field(to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
        || cases_journal_field(entry.action)
        || cases_journal_field(entry.actor_id)
        || cases_journal_field(entry.role)
        || cases_journal_field(entry.unit_path)
        || cases_journal_field(entry.rule)
        || cases_journal_field(entry.article)
        || cases_journal_field(entry.data::text), 'UTF8'));
END $$;

CREATE FUNCTION cases_journal_chain() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    last_seq integer;
    last_hash bytea;
BEGIN
    IF NEW.case_id IS NOT NULL THEN
        -- The command holds the lock on the case; if one does not, the unique index refuses the second.
        SELECT seq, hash INTO last_seq, last_hash FROM cases_journalentry
         WHERE case_id = NEW.case_id ORDER BY seq DESC LIMIT 1;
    ELSE
        -- Entries of a whole platform have no case to lock: they queue here until the end of the transaction.
        PERFORM pg_advisory_xact_lock(720551, hashtext(NEW.platform_id::text));
        SELECT seq, hash INTO last_seq, last_hash FROM cases_journalentry
         WHERE platform_id = NEW.platform_id AND case_id IS NULL ORDER BY seq DESC LIMIT 1;
    END IF;
    NEW.seq := coalesce(last_seq, 0) + 1;
    NEW.prev_hash := coalesce(last_hash, decode(repeat('00', 32), 'hex'));
    NEW.hash := cases_journal_digest(NEW);
    RETURN NEW;
END $$;

CREATE FUNCTION cases_append_only() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER journal_chain BEFORE INSERT ON cases_journalentry
FOR EACH ROW EXECUTE FUNCTION cases_journal_chain();

-- By row and not by statement: a statement that touches nothing is harmless, and cascades are caught.
CREATE TRIGGER journal_append_only BEFORE UPDATE OR DELETE ON cases_journalentry
FOR EACH ROW EXECUTE FUNCTION cases_append_only();
CREATE TRIGGER journal_no_truncate BEFORE TRUNCATE ON cases_journalentry
FOR EACH STATEMENT EXECUTE FUNCTION cases_append_only();

CREATE TRIGGER identity_access_append_only BEFORE UPDATE OR DELETE ON cases_identityaccess
FOR EACH ROW EXECUTE FUNCTION cases_append_only();
CREATE TRIGGER identity_access_no_truncate BEFORE TRUNCATE ON cases_identityaccess
FOR EACH STATEMENT EXECUTE FUNCTION cases_append_only();

-- ALWAYS: also under session_replication_role = replica.
ALTER TABLE cases_journalentry ENABLE ALWAYS TRIGGER journal_append_only;
ALTER TABLE cases_journalentry ENABLE ALWAYS TRIGGER journal_no_truncate;
ALTER TABLE cases_identityaccess ENABLE ALWAYS TRIGGER identity_access_append_only;
ALTER TABLE cases_identityaccess ENABLE ALWAYS TRIGGER identity_access_no_truncate;
