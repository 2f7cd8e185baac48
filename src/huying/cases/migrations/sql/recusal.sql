-- No unit complained about, and none below it, holds an assignment: the last wall behind routing and access.
CREATE FUNCTION cases_refuse_accused_unit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM cases_casesubject s
        WHERE s.case_id = NEW.case_id AND NEW.unit_left BETWEEN s.unit_left AND s.unit_right
    ) THEN
        RAISE EXCEPTION 'a unit complained about cannot be assigned the case' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'accused_unit_keeps_out';
    END IF;
    RETURN NEW;
END $$;

CREATE CONSTRAINT TRIGGER accused_unit_keeps_out
    AFTER INSERT OR UPDATE OF unit_left, case_id ON cases_assignment
    FOR EACH ROW WHEN (NEW.state IN ('dispatched', 'handling', 'submitted'))
    EXECUTE FUNCTION cases_refuse_accused_unit();
