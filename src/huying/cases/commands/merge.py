"""并单: several cases about the same matter; the earliest keeps the clock and every requester is kept and informed."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q
from pydantic import Field

from huying.cases.access import visible_cases
from huying.cases.commands import time_limits
from huying.cases.commands.endings import cancel_assignments
from huying.cases.commands.intake import Line
from huying.cases.commands.notices import tell_citizen
from huying.cases.commands.proposals import propose_for_repeats
from huying.cases.commands.registry import Input, NoInput, Take, action
from huying.cases.models import Assignment, Case, CaseSubject, Link
from huying.core.lifecycle import OPEN
from huying.core.routing import is_forbidden
from huying.core.verdict import Refused


class MergeInput(Input):
    into: Line = Field(title="主件编号")


@action(
    "case.merge", "并单", parties="dispatcher", takes=MergeInput, held_by="centre",
    case_states=("received", "handling"),
)  # fmt: skip
def merge(take: Take, given: MergeInput) -> Refused | Mapping[str, Any]:
    """Into the earliest case of the same matter; the requester stays a party and is told."""
    rule, case = take.policy.merge, take.case
    main = visible_cases(take.actor).filter(number=given.into).first()
    if main is None:
        return Refused("invalid:into", "没有找到主件，请核对编号。", rule)
    main = Case.objects.select_for_update(of=("self",)).select_related("platform", "holder").get(pk=main.pk)
    if main.pk == case.pk or main.state not in OPEN:
        return Refused("invalid:into", "主件应当是另一件尚未办结的诉求。", rule)
    if main.submitted_at > case.submitted_at:
        return Refused("invalid:into", "并单以最早提交的一件为主件，请反过来合并。", rule)
    for assignment in main.assignments.filter(state__in=("dispatched", "handling", "submitted")):
        lefts = [left for left in (assignment.unit_left, assignment.delegate_left) if left is not None]
        if any(is_forbidden(left, take.forbidden) for left in lefts):
            return Refused("recusal", "主件的承办单位正是本件反映的单位，不能合并。", take.policy.recusal)
    undo = {"state": case.state, "at": take.now.isoformat(), "assignments": {}}
    open_ones = case.assignments.filter(state__in=("dispatched", "handling", "submitted"))
    undo["assignments"] = {str(pk): state for pk, state in open_ones.values_list("pk", "state")}
    cancel_assignments(take)
    case.applications.filter(state="pending").update(state="lapsed", decided_at=take.now)
    time_limits.drop(case.limits.exclude(name="supervision"), at=take.now)
    case.state = "merged"
    case.save(update_fields=["state"])
    undo["subjects"] = _keep_out(case, main)
    Link.objects.create(case=case, other=main, type="merged", undo=undo)
    tell_citizen(case, "merged", at=take.now)
    propose_for_repeats(main, at=take.now)
    return {"into": main.number}


def _keep_out(case: Case, main: Case) -> list[int]:
    """Whom `case` complains of keeps out of `main` from now on, as if both had complained; the rows that say so."""
    standing = set(main.subjects.values_list("unit_id", flat=True))
    rows = [
        CaseSubject(case=main, unit_id=one.unit_id, unit_left=one.unit_left, unit_right=one.unit_right)
        for one in case.subjects.all()
        if one.unit_id not in standing
    ]
    return [row.pk for row in CaseSubject.objects.bulk_create(rows)]


@action("case.unmerge", "撤销并单", parties="dispatcher", takes=NoInput, held_by="centre", case_states=("merged",))
def unmerge(take: Take, given: NoInput) -> Mapping[str, Any]:
    """The case stands alone again, as it stood before."""
    link = take.case.links_out.get(type="merged")
    for pk, state in link.undo["assignments"].items():
        Assignment.objects.filter(pk=int(pk)).update(state=state, ended_at=None)
    dropped = take.case.limits.filter(ended_at=link.undo["at"])
    time_limits.reopen(dropped.filter(Q(met__isnull=True) | Q(met=False, missed_at__isnull=False)), at=take.now)
    CaseSubject.objects.filter(case=link.other_id, pk__in=link.undo.get("subjects", ())).delete()
    take.case.state = link.undo["state"]
    take.case.save(update_fields=["state"])
    link.delete()
    time_limits.refresh(take.case, at=take.now)
    return {}
