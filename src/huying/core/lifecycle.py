"""The life of a case: its states and the words for them, and in which of them something may still happen."""

from collections.abc import Collection, Mapping

from huying.core.verdict import Refused

CASE_STATES: Mapping[str, str] = {
    "received": "已接收", "handling": "办理中", "checking": "待质检", "feedback": "已反馈待评价回访",
    "closed": "已办结", "refused": "不予受理", "redirected": "已转其他渠道", "withdrawn": "已撤回", "merged": "已并单",
}  # fmt: skip
ASSIGNMENT_STATES: Mapping[str, str] = {
    "dispatched": "待签收", "handling": "办理中", "submitted": "已提交答复", "done": "已办结", "returned": "已退单",
    "transferred": "已转请上级", "taken_over": "上级接办", "cancelled": "已撤销",
}  # fmt: skip
OPEN = ("received", "handling", "checking", "feedback")
IN_HAND = ("received", "handling", "checking")


def judge_state(state: str, allowed: Collection[str], labels: Mapping[str, str]) -> Refused | None:
    """Refuse `wrong_state` unless `state` is one of `allowed`; an empty `allowed` permits every state."""
    if not allowed or state in allowed:
        return None
    wanted = "、".join(labels.get(one, one) for one in allowed)
    return Refused("wrong_state", f"当前为“{labels.get(state, state)}”，只有在“{wanted}”时才能进行这项操作。")
