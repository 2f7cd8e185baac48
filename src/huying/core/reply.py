"""答复: what must stand before a reply, and what becomes of it."""

from dataclasses import dataclass

from huying.core.verdict import Refused
from huying.policy.model import ContactRule, ReplyRule


@dataclass(frozen=True)
class ReplyFacts:
    contacted: bool
    verified: bool
    anonymous: bool
    co_units_open: int


def judge_reply(facts: ReplyFacts, contact: ContactRule, reply: ReplyRule) -> Refused | None:
    """Refuse a reply without the contact, the verification or the co-units' feedback that it must rest on."""
    needs_contact = contact.required and not (facts.anonymous and contact.waived_when_anonymous)
    if needs_contact and not facts.contacted:
        return Refused("no_contact", "本轮办理还没有联系诉求人的记录，严禁未联系就答复，请先登记联系情况。", contact)
    if reply.verification_required and not facts.verified:
        return Refused("no_verification", "本轮办理还没有核查记录，请先登记核查情况。", reply)
    if facts.co_units_open:
        return Refused("co_units_open", f"还有{facts.co_units_open}个协办单位未反馈，反馈齐后再统一答复。", reply)
    return None


def state_after_reply(rule: ReplyRule) -> tuple[str, str]:
    """(state of the reply, state of the case) once the unit has replied."""
    if rule.unit_review:
        return "unit_review", "handling"
    return ("checking", "checking") if rule.central_check else ("passed", "feedback")


def adoption_of(kind: str, outcome: str, said: str) -> str:
    """Whether a suggestion was adopted: as the unit says, else as its result tells; empty for other kinds."""
    if kind != "suggestion" or said:
        return said
    return {"solved": "adopted", "planned": "adopted", "partly": "partly"}.get(outcome, "not_adopted")
