"""What the platform suggests for a case that waits to be screened."""

from huying.cases.models import Case
from huying.cases.policies import rules_of
from huying.core.screening import Suggestion, suggest


def suggestions(case: Case) -> list[Suggestion]:
    """Suggestions for a received case; none once it is on its way."""
    if case.state != "received":
        return []
    return suggest(f"{case.title} {case.content}", place_known=case.place_unit_id is not None, policy=rules_of(case))
