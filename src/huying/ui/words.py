"""The words for every code that a page may show. One table a topic; a code without a word shows as it is."""

from collections.abc import Mapping
from typing import Any

from huying.cases.commands import ACTIONS
from huying.cases.commands.perform import TARGET_STATES
from huying.core.lifecycle import ASSIGNMENT_STATES, CASE_STATES
from huying.core.publication import CRITERIA
from huying.policy.model import Regulation
from huying.policy.words import CAUSES, COMPLEXITY, FLAGS, LIMITS, MODES, REQUESTER_KINDS, SOURCES, TRANSFERS, URGENCY

WORDS: Mapping[str, Mapping[Any, str]] = {
    # Who looks at an answer, and whether it is rated or called back, differs by regulation: the words leave it open.
    "case_state": {**CASE_STATES, "checking": "待审核", "feedback": "已反馈"},
    # What the citizen is told: the same states in their words.
    "citizen_state": {
        "received": "已接收，正在分办", "handling": "承办单位办理中", "checking": "已有答复，正在审核",
        "feedback": "已答复",
        "closed": "已办结", "refused": "不予受理", "redirected": "已转其他渠道", "withdrawn": "您已撤回",
        "merged": "已并入同类诉求",
    },
    "assignment_state": ASSIGNMENT_STATES,
    "target_state": TARGET_STATES,
    "application_state": {"pending": "待决定", "approved": "已同意", "rejected": "不同意", "lapsed": "已失效"},
    "supervision_state": {"proposed": "待发起", "open": "督办中", "answered": "已反馈", "closed": "已销号"},
    "clue_state": {"proposed": "待移交", "transferred": "已移交", "concluded": "已处理"},
    "report_state": {"submitted": "已呈报", "instructed": "已批示"},
    "reply_state": {
        "unit_review": "待单位审核", "checking": "待中心审核", "passed": "已通过", "failed": "已退回",
    },
    "application_type": {
        "return": "退单", "transfer_up": "转请上级", "extension": "延期", "complex": "疑难复杂件", "ledger": "挂账",
        "refusal": "不予受理", "closure": "办结", "exemption": "核减", "review": "复查", "re_review": "复核",
    },
    "unit_role": {"lead": "主办", "co": "协办"},
    "hop": {"queue": "待派单", "lead": "办理", "decide": "审核申请"},
    "cause": CAUSES,
    "transfer_ground": TRANSFERS,
    "adoption": {"adopted": "采纳", "partly": "部分采纳", "not_adopted": "未采纳"},
    "publication_criteria": CRITERIA,
    "flow": {"bottom_up": "自下而上", "top_down": "自上而下"},
    "method": {
        "phone": "电话", "visit": "上门", "site": "现场", "sms": "短信", "wechat": "微信", "email": "电子邮件",
        "letter": "书信", "online": "网上留言", "survey": "问卷", "in_person": "当面", "video": "视频",
        "other": "其他方式",
    },
    "supervision_method": {
        "phone": "电话督办", "letter": "公函督办", "meeting": "会议督办", "instruction": "批示督办",
        "onsite": "现场督办",
    },
    "contact_result": {"reached": "已联系上", "unreachable": "未联系上", "not_needed": "无需联系"},
    "callback_result": {"reached": "已接通", "unreachable": "未接通", "declined": "不愿受访"},
    "finding": {"true": "属实", "partly": "部分属实", "untrue": "不属实"},
    "outcome": {
        "solved": "已解决", "partly": "部分解决", "explained": "已解释说明", "planned": "已列入计划",
        "unsolvable": "暂时无法解决",
        "withdrawn": "诉求人撤回", "refused": "不予受理", "redirected": "已转其他渠道", "merged": "已并单",
        "exempt": "研判核减", "unsatisfied": "不满意",
    },
    "solved": {"yes": "已解决", "partly": "部分解决", "no": "未解决"},
    "rating": {5: "非常满意", 4: "满意", 3: "基本满意", 2: "不满意", 1: "非常不满意"},
    "trust": {5: "非常信任", 4: "信任", 3: "基本信任", 2: "不信任", 1: "非常不信任"},
    "criteria": {"facts_clear": "事实清楚", "basis_right": "定性准确", "handled_well": "处理到位"},
    "score_ground": {"typical_case": "典型案例奖励加分"},
    "told_by": {"written": "书面", "phone": "电话", "face_to_face": "当面"},
    "requester_kind": REQUESTER_KINDS,
    "yes_no": {True: "是", False: "否", "true": "是", "false": "否"},
    "urgency": URGENCY,
    "complexity": COMPLEXITY,
    "mode": MODES,
    "procedure": {"refer": "转办", "joint": "协办", "submit": "呈办"},
    "conclusion": {"exempt": "核减办结，不计入考核", "unsatisfied": "认定不满意，书面督办"},
    "report_kind": {"special": "专报", "flash": "快报"},
    "identity_level": {"open": "公开", "masked": "部分隐去", "confidential": "保密", "anonymous": "匿名"},
    "source": {**SOURCES, "callback": "人工回访"},
    "supplement_kind": {"supplement": "补充材料", "urge": "催办", "withdrawal": "撤回说明"},
    "link_type": {"merged": "并单", "retaliation": "因此件受到打击报复"},
    "limit": LIMITS,
    "day": {"zero": "起算日", "working": "工作日", "weekend": "周末", "holiday": "法定节假日", "makeup": "调休上班"},
    "notice": {
        "receipt": "诉求已登记", "refused": "不予受理告知", "redirected": "转其他渠道告知",
        "dispatched": "新工单",
        "progress": "办理进展", "extension_granted": "延期告知", "ledger": "挂账告知", "replied": "答复已送达",
        "rework": "工单退回重办", "formal_assignment": "不满意工单书面交办", "closed": "诉求已办结",
        "merged": "诉求已并入同类诉求",
        "due_soon": "期限将到提醒", "overdue": "超期告知", "nudge": "催办单", "supervision": "督办通知",
        "clue": "线索移交",
        "decided": "申请已有决定", "published": "诉求拟公开告知",
        "date_moved": "期限因放假安排改变", "concentration": "集中反映预警",
    },
    "role": {
        "citizen": "诉求人", "grid_worker": "网格员", "operator": "受理员", "dispatcher": "分办员",
        "checker": "审核员",
        "caller": "回访员", "supervisor": "督办员", "analyst": "分析员", "handler": "承办人员", "leader": "单位领导",
        "unit_admin": "单位平台管理员", "inspector": "纪检监察", "executive": "批示领导", "auditor": "审计员",
        "admin": "系统管理员", "system": "系统", "channel": "接口渠道",
    },
    "flag": FLAGS,
    "event": {
        "limit.missed": "期限届满未办", "case.imported": "从原有系统导入", "case.handed_down": "交下级平台办理",
        "limit.moved": "因放假安排改期", "limit.confirmed": "期限确定，不再暂定",
        "notice.sent": "系统发出提醒", "notice.due_soon": "期限将到提醒",
        "notice.overdue": "超期告知",
        "notice.nudge": "催办",
        "concentration.found": "集中反映预警",
        "supervision.proposed": "系统提示督办", "clue.proposed": "系统提示线索", "identity.read": "查看诉求人信息",
    },
    # What the citizen reads on the timeline.
    "citizen_event": {
        "case.submit": "提交诉求", "case.supplement": "补充材料", "case.withdraw": "撤回诉求", "case.urge": "催办",
        "case.answer": "在线答复", "case.refuse": "不予受理", "case.redirect": "转其他渠道", "case.accept": "受理",
        "case.dispatch": "交办承办单位", "case.reassign": "改派承办单位", "case.claim": "承办单位签收",
        "case.contact": "承办单位联系您", "case.progress": "办理进展", "case.reply": "承办单位提交答复",
        "check.pass": "答复审核通过并反馈", "reply.approve": "单位审核通过答复", "case.connect": "三方通话",
        "case.request_review": "您申请复查", "case.request_re_review": "您申请复核", "case.transfer_up": "转请上级单位",
        "case.evaluate": "您作出评价", "case.call_back": "回访", "case.rework": "退回重新办理",
        "case.close": "办结", "case.merge": "并入同类诉求", "case.unmerge": "恢复单独办理",
    },
}  # fmt: skip

FIELD_TOPICS: Mapping[str, str] = {
    "case.transfer_up.ground": "transfer_ground", "case.publish.criteria": "publication_criteria",
    "case.contact.method": "method", "case.contact.result": "contact_result", "case.verify.finding": "finding",
    "case.call_back.method": "method", "case.call_back.result": "callback_result", "panel.conclude.conclusion":
    "conclusion", "report.submit.kind": "report_kind", "case.submit.kind": "requester_kind",
    "score.adjust.ground": "score_ground",
}  # fmt: skip
"""Which table words an input's choices, where the field's own name does not say."""


def word(value: Any, topic: str) -> str:
    """The word for `value` in the table `topic`; the value itself where there is none."""
    if value is None or value == "":
        return ""
    if topic in ("event", "action"):
        found = WORDS["event"].get(value) or (ACTIONS[value].label if value in ACTIONS else None)
        return found or str(value)
    table = WORDS.get(topic, {})
    if value in table:
        return str(table[value])
    return str(table.get(str(value), value)) if not isinstance(value, str) else _by_number(table, value)


def _by_number(table: Mapping[Any, str], value: str) -> str:
    return str(table.get(int(value), value)) if value.isdigit() else value


def topic_of(field: str, action_id: str = "") -> str:
    """The table that words the choices of an input's field."""
    return FIELD_TOPICS.get(f"{action_id}.{field}") or (field if field in WORDS else "")


def rule_word(policy: Regulation, topic: str, key: str) -> str:
    """The regulation's own label for a key (`kinds`, `channels`, `refusal_grounds`, `supervision_grounds` …)."""
    for rule in getattr(policy, topic, ()) or ():
        if getattr(rule, "key", None) == key:
            return str(rule.label)
    return key


def application_word(policy: Regulation, type_: str) -> str:
    """The type of an application, named as the regulation names the action that makes it."""
    action_id = f"case.{type_}" if type_ in ("return", "transfer_up") else f"case.request_{type_}"
    rule = policy.action_rules.get(action_id)
    return rule.label.removeprefix("申请") if rule else word(type_, "application_type")
