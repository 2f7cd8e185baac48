"""What happens after submitting and by when, as the regulation says, for the receipt and the start page."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from huying.cases.queries.time_limits import facts_of, lead_assignment
from huying.core.time_limits import choose
from huying.people.units import UnknownUnit, find_unit
from huying.policy.model import Regulation, Rule, TimeLimitRule
from huying.policy.words import ITEMS, Words


@dataclass(frozen=True)
class Step:
    """One step: what, in which time, by which rule."""

    what: str
    rule: Rule


def next_steps(case: Any, policy: Regulation) -> Iterator[Step]:
    """The steps from dispatch to callback that wait for `case`, each with the rule that promises it."""
    words, lead = Words(policy), lead_assignment(case)
    facts = facts_of(case, lead)
    first = _first(case, policy, lead)
    if first:
        yield first
    claim = choose(policy.time_limits, "claim", "lead", facts) if policy.claim.required else None
    if claim:
        yield Step(f"承办单位在{_time(claim, words)}{words.claim()}。", claim)
    if policy.contact.required and not case.anonymous:
        yield Step("承办单位在答复前与您联系，了解情况。", policy.contact)
    handle = choose(policy.time_limits, "handle", "lead", facts)
    if handle:
        yield Step(f"承办单位在{_time(handle, words)}答复。", handle)
    reply = policy.reply_rule(facts)
    if reply.unit_review or reply.central_check:
        who = "、".join(filter(None, ("承办单位领导" * reply.unit_review, "受理中心" * reply.central_check)))
        yield Step(f"答复经{who}审核后反馈给您。", reply)
    callback = policy.callback_rule(facts)
    if callback.required and not case.anonymous:
        asked = "、".join(ITEMS.get(one, one) for one in callback.items)
        yield Step(f"人工回访{f'，问您{asked}' if asked else ''}。", callback)
    if "case.evaluate" in policy.action_rules and not case.anonymous:
        yield Step(f"您可以评价；办结后 {policy.evaluation.window_days} 日内都可以。", policy.evaluation)


def promises(policy: Regulation) -> list[str]:
    """The same in general, for the start page: what happens to every case, and what when one is not content."""
    words = Words(policy)
    told = [words.claim()] if policy.claim.required else []
    told += ["与您联系"] if policy.contact.required else []
    told += ["办理"]
    told += ["审核"] if any(rule.unit_review or rule.central_check for rule in policy.replies) else []
    found = [f"{'、'.join(told)}、答复，每一步都有期限，期限和依据都写在进度页上。"]
    after = ["请您评价"] if "case.evaluate" in policy.action_rules else []
    after += ["我们会人工回访"] if any(rule.required for rule in policy.callbacks) else []
    if after:
        found.append(f"答复以后{'，'.join(after)}。")
    if policy.dissatisfied.does != "none":
        found.append(f"{policy.dissatisfied.label.rstrip('。')}。")
    return found


def _first(case: Any, policy: Regulation, lead: Any) -> Step | None:
    """Who has the case first: the unit of its place, or the centre that hands it out."""
    if policy.flow.direction == "bottom_up" and lead is not None:
        return Step(f"{lead.unit.name}先受理；超出职权范围的，逐级转请上级单位办理。", policy.flow)
    dispatch = policy.action_rules.get("case.dispatch")
    return Step(f"{_centre(case, policy)}登记、分办您的诉求，交给承办单位。", dispatch) if dispatch else None


def _time(rule: TimeLimitRule, words: Words) -> str:
    """`签收后 5 个工作日内`, `当日`."""
    start = words.event(rule.starts)
    if rule.working_days == 0 or rule.calendar_days == 0:
        return "当日"
    if rule.working_days is None and rule.calendar_days is None:
        return "原来的期限内"
    length = f"{rule.working_days} 个工作日" if rule.working_days is not None else f"{rule.calendar_days} 日"
    return f"{start}后 {length}内"


def _centre(case: Any, policy: Regulation) -> str:
    try:
        return find_unit(case.platform, policy.info.competent_unit).name
    except UnknownUnit:
        return "受理中心"
