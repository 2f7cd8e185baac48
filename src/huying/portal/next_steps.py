"""What happens after submitting and by when, as the regulation says, for the receipt and the start page."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from huying.cases.queries.time_limits import facts_of
from huying.core.time_limits import choose
from huying.people.units import UnknownUnit, find_unit
from huying.policy.model import Regulation, Rule, TimeLimitRule


@dataclass(frozen=True)
class Step:
    """One step: what, in which time, by which rule."""

    what: str
    rule: Rule


def next_steps(case: Any, policy: Regulation) -> Iterator[Step]:
    """The steps from dispatch to callback that wait for `case`, each with the rule that promises it."""
    facts = facts_of(case)
    dispatch, claim = policy.action_rules.get("case.dispatch"), choose(policy.time_limits, "claim", "lead", facts)
    handle = choose(policy.time_limits, "handle", "lead", facts)
    if dispatch:
        yield Step(f"{_centre(case, policy)}登记、分办您的诉求，交给承办单位。", dispatch)
    if claim:
        yield Step(f"承办单位在交办后 {_length(claim)}内签收。", claim)
    if policy.contact.required and not case.anonymous:
        yield Step("承办单位在答复前与您联系，了解情况。", policy.contact)
    if handle:
        start = {"submission": "提交", "assignment": "交办", "claim": "签收", "acceptance": "受理"}.get(
            handle.starts, "交办"
        )
        yield Step(f"承办单位在{start}后 {_length(handle)}内答复。", handle)
    if policy.reply.central_check:
        yield Step("答复经中心审核后反馈给您。", policy.reply)
    if policy.callback.required and not case.anonymous:
        yield Step("中心人工回访，问您是否联系过、问题是否解决、是否满意。", policy.callback)


def _length(rule: TimeLimitRule) -> str:
    return f"{rule.working_days} 个工作日" if rule.working_days is not None else f"{rule.calendar_days} 日"


def _centre(case: Any, policy: Regulation) -> str:
    try:
        return find_unit(case.platform, policy.info.competent_unit).name
    except UnknownUnit:
        return "受理中心"
