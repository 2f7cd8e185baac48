"""回访: what must be asked, what the answers mean for the case, and when trying is enough."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from huying.core.verdict import Refused
from huying.policy.model import CallbackRule, DissatisfiedRule, RatingSource

Outcome = Literal["close", "rework", "panel", "supervise", "propose", "stay"]


@dataclass(frozen=True)
class Attempt:
    """An earlier attempt of this round that did not reach the requester."""

    on: date


def judge_items(given: Mapping[str, Any], rule: CallbackRule) -> Refused | None:
    """When the requester was reached, every item of the rule has an answer (no default)."""
    if given.get("method") not in rule.methods:
        return Refused("invalid:method", "回访应当由人工进行，请选择规定的回访方式。", rule)
    if given.get("result") != "reached":
        return None
    for item in rule.items:
        if given.get(item) in (None, ""):
            return Refused(f"missing:{item}", "已联系上诉求人的，规定的回访内容每一项都要填写。", rule)
    return None


def is_bad(rating: int, bad_up_to: int) -> bool:
    """Ratings run from 1 (非常不满意) to 5 (非常满意); the lowest are bad (decision A-24)."""
    return rating <= bad_up_to


def is_fulfilled(tries: Sequence[date], rule: CallbackRule) -> bool:
    """Whether trying was enough though nobody answered (decision D-7)."""
    return len(tries) >= rule.attempts and len(set(tries)) >= rule.attempt_days


def is_done(result: str, tries: Sequence[date], rule: CallbackRule) -> bool:
    """Whether a callback settles the matter: reached, declined, or tried often enough (`tries` includes this one)."""
    return result != "unreachable" or is_fulfilled(tries, rule)


def judge_bad(
    source: RatingSource, bad_rounds: int, rule: DissatisfiedRule, panel_after: int | None, *, is_closed: bool
) -> Outcome:
    """What a bad rating leads to. `bad_rounds` counts the rounds rated bad, this one included."""
    if source not in rule.sources:
        return "stay"
    if rule.does == "rework_then_panel":
        if is_closed:
            return "stay"
        return "panel" if panel_after is not None and bad_rounds >= panel_after else "rework"
    return "stay" if rule.does == "none" else rule.does


def judge_closing(called_back: bool, was_dispatched: bool, contactable: bool, rule: CallbackRule) -> Refused | None:
    """Whether a case may be closed: what the regulation wants called back is, if there is somebody to call."""
    if rule.required and was_dispatched and contactable and not called_back:
        return Refused("callback_missing", "工单须经人工回访后才能办结，请先回访。", rule)
    return None


def contradictions(
    *, outcome: str, solved: str, contacted: bool | None, unit_reached: bool
) -> Collection[Literal["contradiction", "not_contacted"]]:
    """Where unit and requester say opposite things: solved or not; contacted or not (decision D-24)."""
    found: list[Literal["contradiction", "not_contacted"]] = []
    if outcome == "solved" and solved == "no":
        found.append("contradiction")
    if contacted is False and unit_reached:
        found.append("not_contacted")
    return found
