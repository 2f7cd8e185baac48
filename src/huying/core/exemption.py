"""核减: when a unit may ask that a bad rating be taken out of the figures."""

from dataclasses import dataclass
from datetime import datetime

from huying.core.verdict import Refused
from huying.policy.model import ExemptionRule


@dataclass(frozen=True)
class ExemptionAsk:
    bad_rating_stands: bool
    ask_until: datetime
    signed_by: str
    sealed: bool
    now: datetime


def judge_exemption(ask: ExemptionAsk, rule: ExemptionRule) -> Refused | None:
    """Only after a bad rating, within the days of the written assignment, signed by the main leader and sealed."""
    if not ask.bad_rating_stands:
        return Refused("wrong_state", "只有收到书面交办的不满意工单才能申请核减。", rule)
    if ask.now >= ask.ask_until:
        return Refused("too_late", f"申请核减须在书面交办后{rule.working_days}个工作日内提出。", rule)
    if (rule.signed and not ask.signed_by.strip()) or (rule.sealed and not ask.sealed):
        return Refused("needs_signature", "核减说明须经主要领导签字审核并加盖公章。", rule)
    return None
