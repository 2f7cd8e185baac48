DROP TRIGGER accused_unit_keeps_out ON cases_assignment;
DROP FUNCTION cases_refuse_accused_unit();
