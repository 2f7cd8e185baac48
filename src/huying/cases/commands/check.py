"""回复审核（质检）: the centre looks at a reply before the citizen sees it."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from huying.cases.commands import time_limits
from huying.cases.commands.assignments import assign
from huying.cases.commands.endings import give_feedback
from huying.cases.commands.notices import tell_unit
from huying.cases.commands.proposals import propose_by_count
from huying.cases.commands.registry import Input, Take, action
from huying.cases.models import Reply
from huying.core.verdict import Refused


class Criteria(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    facts_clear: bool = Field(title="事实清楚")
    basis_right: bool = Field(title="定性准确")
    handled_well: bool = Field(title="处理到位")


class PassInput(Input):
    criteria: Criteria = Field(title="审核标准")
    note: str = Field(default="", max_length=2000, title="审核意见")


class FailInput(Input):
    criteria: Criteria = Field(title="审核标准")
    note: str = Field(max_length=2000, title="退回理由")


@action("check.pass", "审核通过", parties="checker", takes=PassInput, held_by="checker", case_states=("checking",))
def pass_(take: Take, given: PassInput) -> Refused | Mapping[str, Any]:
    """The reply holds and goes to the citizen."""
    if not all(given.criteria.model_dump().values()):
        return Refused("invalid:criteria", "三项标准都达到才能通过；没有达到的请退回重办。", take.rule)
    reply = _decide(take, "passed", given)
    give_feedback(take, reply)
    return {"reply": reply.pk}


@action("check.fail", "审核退回", parties="checker", takes=FailInput, held_by="checker", case_states=("checking",))
def fail(take: Take, given: FailInput) -> Mapping[str, Any]:
    """The reply goes back to the unit as a new round; the clock goes on from its first start."""
    reply = _decide(take, "failed", given)
    take.case.assignments.filter(state="submitted").update(state="done", ended_at=take.now)
    take.case.round += 1
    take.case.save(update_fields=["round"])
    assign(take, reply.unit, cause="check_failed", note=given.note)
    tell_unit(take.case, reply.unit, "rework", at=take.now, round=take.case.round)
    failed = Reply.objects.filter(case=take.case, state="failed").count()
    propose_by_count(take, "failed_checks", failed)
    return {"reply": reply.pk, "round": take.case.round}


def _decide(take: Take, state: str, given: PassInput | FailInput) -> Reply:
    reply = Reply.objects.filter(case=take.case, state="checking").select_related("unit").latest("pk")
    reply.state, reply.check_note, reply.criteria = state, given.note, given.criteria.model_dump()
    reply.checked_at, reply.checked_by = take.now, take.actor.id
    reply.save(update_fields=["state", "check_note", "criteria", "checked_at", "checked_by"])
    time_limits.end(take.case.limits.filter(name="check"), at=take.now)
    return reply
