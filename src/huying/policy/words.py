"""A rule in the words of a public servant: what it comes to, from when, for whom. For pages and comparisons.

Every field of every rule has its line in `SAID`; a test sees to it that a schema that grows is worded too.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from huying.policy.model import (
    DecidedRule,
    ExtensionRule,
    Regulation,
    Rule,
    TimeLimitRule,
    When,
)

TOPICS: Mapping[str, str] = {
    "channels": "渠道", "hotlines": "并入的热线", "kinds": "诉求类型", "categories": "事项分类",
    "redirects": "转其他渠道", "refusal_grounds": "不予受理", "actions": "操作", "roles": "角色", "flow": "流转方向",
    "claim": "签收", "procedures": "办理方式", "time_limits": "期限", "source_limits": "来源渠道期限",
    "escalations": "到期提醒与升级", "returns": "退单", "transfer": "转请上级", "closure": "申请办结",
    "refusal_request": "申请不予受理", "delegate": "转下级具体承办", "contact": "联系诉求人", "replies": "答复审核",
    "extensions": "延期", "complexity": "认定复杂件", "ledger": "挂账", "callbacks": "回访", "evaluation": "评价",
    "dissatisfied": "不满意的处理", "letter": "正式函告", "reviews": "复查复核", "exemption": "核减", "panel": "研判",
    "closing": "办结", "publication": "公开", "supervision_methods": "督办方式", "supervision_grounds": "督办事由",
    "clue_grounds": "线索事由", "triggers": "督办触发", "instruction": "批示落实", "recusal": "回避", "merge": "并单",
    "duties": "权责清单", "own_lists": "本级事项清单", "sign_in": "登录职责", "staff_change": "变更报备",
    "consent": "同意披露身份", "flags": "标注", "concentrations": "集中反映", "task_kinds": "交办任务", "lines": "条线",
    "upstreams": "上级平台", "assessment": "考核", "assessment_items": "考核内容", "settings": "平台设置",
    "form_fields": "填写要求",
}  # fmt: skip
LIMITS: Mapping[str, str] = {
    "claim": "签收", "return": "退单", "transfer_up": "转请上级", "contact": "联系诉求人", "handle": "办理答复",
    "co_feedback": "协办反馈", "extension_request": "申请延期", "decide": "审批", "check": "答复审核",
    "letter": "书面函告", "rework": "重办", "review": "复核", "evaluation": "评价", "long_unresolved": "久拖未办",
    "immediate": "即时办理", "supervision": "督办",
}  # fmt: skip
LEVELS: Mapping[str, str] = {
    "centre": "运行中心", "oversight": "督查协调机构", "discipline": "纪检监察机关", "government": "政府办公室",
    "department": "部门", "section": "具体承办单位", "district": "区县", "town": "乡镇、街道", "village": "村、社区",
    "zone": "开发区", "street": "街道", "farm": "农场", "enterprise": "企业", "mass_organisation": "人民团体",
    "root": "全市",
}  # fmt: skip
URGENCY: Mapping[str, str] = {"normal": "一般", "urgent": "紧急", "immediate": "特急"}
COMPLEXITY: Mapping[str, str] = {"normal": "一般", "complex": "疑难复杂"}
MODES: Mapping[str, str] = {"oral": "口头", "written": "书面"}
CAUSES: Mapping[str, str] = {
    "first": "首次交办", "check_failed": "审核退回", "dissatisfied": "不满意重办", "rework": "退回重办",
    "review": "复查复核后重办",
}  # fmt: skip
FLAGS: Mapping[str, str] = {
    "urgent": "紧急", "sensitive": "敏感", "clue": "线索", "hot": "热点", "repeat": "重复", "group": "群体性",
    "key": "重点", "night": "夜间", "mediation": "调解", "enforcement": "执法", "unclear": "表述不清",
    "difficult": "疑难", "top_down_suggested": "建议自上而下办理",
}  # fmt: skip
METHODS: Mapping[str, str] = {
    "phone": "电话", "visit": "上门", "site": "现场", "survey": "问卷调查", "sms": "短信", "letter": "公函",
}  # fmt: skip
EVENTS: Mapping[str, str] = {
    "submission": "提交", "acceptance": "受理", "assignment": "交办", "decision": "作出决定", "closure": "办结",
    "repeated_bad": "再次评为不满意",
}  # fmt: skip
SOURCES: Mapping[str, str] = {
    "citizen": "诉求人评价", "callback": "回访", "survey": "第三方调查", "channel": "来源渠道评价",
}  # fmt: skip
ITEMS: Mapping[str, str] = {"contacted": "是否联系", "solved": "是否解决", "rating": "满意度", "trust": "信任度"}
ORDINARY = frozenset(Rule.model_fields)
"""What every rule carries; pages show it in their own way."""


class Words:
    """The words of one regulation: its own labels for channels, kinds, units and roles, common ones for the rest."""

    def __init__(self, policy: Regulation) -> None:
        self.policy = policy
        self._units = {path: one.display_name for one in policy.tree.units for path in (one.path, *one.aliases)}
        self._labels: dict[str, dict[str, str]] = {
            topic: {rule.key: rule.label for rule in getattr(policy, topic)}
            for topic in (
                "channels", "kinds", "roles", "procedures", "supervision_methods", "supervision_grounds",
                "clue_grounds", "actions", "flags", "task_kinds", "settings",
            )
        }  # fmt: skip

    def of(self, rule: Rule) -> list[str]:
        """What `rule` says beyond its label, one phrase each. Empty when the label says it all."""
        said = (SAID[name](self, rule) for name in _names(rule) if name in SAID)
        return list(dict.fromkeys(one for one in said if one))

    def label(self, topic: str, key: str) -> str:
        """The regulation's own label for a key of `topic`; the key itself when it has none."""
        return self._labels.get(topic, {}).get(key, key)

    def labels(self, topic: str, keys: Iterable[str]) -> str:
        return "、".join(self.label(topic, key) for key in keys)

    def choice(self, field: str, value: str) -> str:
        """A value of a field of a form: a category by its label, other choices in the common words."""
        if field == "category":
            return next((one.label for one in self.policy.categories if one.key == value), value)
        return REQUESTER_KINDS.get(value, value)

    def flag(self, key: str) -> str:
        return self._labels["flags"].get(key) or FLAGS.get(key, key)

    def role(self, key: str) -> str:
        return self.label("roles", key) if key in self._labels["roles"] else OTHER_ROLES.get(key, key)

    def has_role(self, key: str) -> bool:
        """Whether this regulation's people hold that role, or nobody's people do (the citizen, the clock)."""
        return key in self._labels["roles"] or key in OTHER_ROLES

    def unit(self, path: str) -> str:
        """A unit as the tree names it; a place holder as what it stands for."""
        for mark, word in (("{district}", "所在区县"), ("{town}", "所在乡镇、街道"), ("{village}", "所在村、社区")):
            if path == mark:
                return word
            if path.startswith(f"{mark}/"):
                rest = path.removeprefix(f"{mark}/")
                return f"{word}{'的运行中心' if rest == 'center' else rest}"
        return self._units.get(path, path)

    def claim(self) -> str:
        """What this regulation calls taking a task on."""
        return self._labels["actions"].get("case.claim", "签收")

    def limit(self, name: str) -> str:
        return self.claim() if name == "claim" else LIMITS.get(name, name)

    def date_of(self, name: str) -> str:
        """A limit as one refers to its end: `办理期限`."""
        return "办理期限" if name == "handle" else f"{self.limit(name)}期限"

    def levels(self, kinds: Iterable[str]) -> str:
        return "、".join(dict.fromkeys(LEVELS.get(one, one) for one in kinds))

    def when(self, when: When) -> str:
        """The conditions of a rule: `咨询；网上平台`. Empty when it always holds."""
        said = []
        for name, values in when.conditions.items():
            match name:
                case "channel":
                    said.append(self.labels("channels", values))
                case "kind":
                    said.append(self.labels("kinds", values))
                case "procedure":
                    said.append(self.labels("procedures", values))
                case "level":
                    said.append(self.levels(values))
                case "flag":
                    said.append("、".join(self.flag(one) for one in values))
                case _:
                    words = _WHEN.get(name, {})
                    said.append("、".join(words.get(one, one) for one in values if one))
        return "；".join(said)

    def length(self, rule: TimeLimitRule) -> str:
        """How long and from when: `2个工作日，自交办次日起算`."""
        days = f"{rule.working_days}个工作日" if rule.working_days is not None else f"{rule.calendar_days}日"
        if rule.starts == "previous":
            return "接着上一轮计算，不重新起算"
        if rule.before:
            at = f"{self.date_of(rule.before)}届满"
            return f"{at}前" if rule.working_days == 0 else f"{at}前{days}截止"
        start = "提出申请" if rule.limit == "decide" else self.event(rule.starts)
        if rule.working_days == 0 or rule.calendar_days == 0:
            return f"{start}当日"
        return f"{days}，自{start}次日起算"

    def event(self, event: str) -> str:
        return self.claim() if event == "claim" else EVENTS.get(event, event)

    def decider(self, rule: DecidedRule) -> str:
        """Who decides: `上一级单位（分办员）`."""
        body = {"centre": "平台运行中心", "superior": "上一级单位", "leader": "本单位领导"}.get(rule.decider, "")
        body = body or self.unit(rule.decider_unit) or "指定单位"
        roles = "、".join(self.role(one) for one in rule.decider_roles)
        return body if rule.decider == "leader" or not roles else f"{body}的{roles}"


OTHER_ROLES: Mapping[str, str] = {"system": "系统", "channel": "接口渠道", "citizen": "诉求人"}
_WHEN: Mapping[str, Mapping[str, str]] = {
    "complexity": COMPLEXITY, "urgency": URGENCY, "mode": MODES, "cause": CAUSES,
}  # fmt: skip


def _names(rule: Rule) -> Iterable[str]:
    """The fields of a rule beyond the ordinary ones, each by the class that brought it in; the conditions last."""
    for name in sorted(type(rule).model_fields, key=lambda name: name == "when"):
        if name not in ORDINARY:
            owner = next(one for one in reversed(type(rule).__mro__) if name in getattr(one, "__annotations__", {}))
            yield f"{owner.__name__}.{name}"


Said = Callable[[Words, Any], str]


def _if(field: str, text: str) -> Said:
    """`text` where the field is set; `{}` in it stands for the value."""
    return lambda words, rule: text.format(getattr(rule, field)) if getattr(rule, field) else ""


def _counterpart(words: "Words", last: str) -> str:
    """What a district calls the unit whose path ends so."""
    units = (unit for unit in words.policy.tree.units if unit.path.partition("/")[2] == last)
    return next((unit.display_name for unit in units), last)


def _either(field: str, yes: str, no: str) -> Said:
    return lambda words, rule: yes if getattr(rule, field) else no


def _one_of(field: str, table: Mapping[str, str]) -> Said:
    return lambda words, rule: table.get(str(getattr(rule, field)), "")


def _nothing(words: Words, rule: Any) -> str:
    """Said elsewhere: in the label, or with the field before."""
    return ""


def _when(words: Words, rule: Any) -> str:
    said = words.when(rule.when)
    return f"适用于：{said}" if said else ""


def _fires(words: Words, rule: Any) -> str:
    """What the clock does, and when."""
    days = rule.after_working_days
    limit = words.date_of(rule.limit)
    if days == 0:
        return f"{limit}届满当日24时"
    return f"{limit}届满后第{days}个工作日" if days > 0 else f"{limit}届满前{-days}个工作日"


def _does(words: Words, rule: Any) -> str:
    if rule.does == "clue":
        return f"提示移交线索{'至' + words.unit(rule.to) if rule.to else ''}，由人工决定"
    if rule.does == "supervision":
        method = words.label("supervision_methods", rule.method) if rule.method else "督办"
        return f"提示{method}，由人工发起"
    return {"notice": "系统发出提醒", "nudge": "系统发出催办单"}.get(rule.does, "")


def _trigger(words: Words, rule: Any) -> str:
    n, who = rule.at_least, words.role("citizen")
    said = {
        "same_person": f"同一{who}反映同一问题{n}次以上", "several_persons": f"{n}名以上{who}反映同一问题",
        "contradiction": f"单位答复与{who}所说相反", "not_contacted": f"单位有联系记录，{who}称未联系",
        "failed_checks": f"同一件{n}次审核退回", "returns": f"同一件{n}次以上退单",
        "assignments": f"同一件交办{n}次以上", "transfers": f"同一件转请{n}次以上",
        "rejected_returns": f"退单{n}次以上未获同意", "extensions": f"延期{n}次以上",
        "late_extension": "最后一日才申请延期",
    }.get(rule.when, "")  # fmt: skip
    return f"{rule.within_months}个月内{said}" if rule.within_months and said else said


def _ground(words: Words, rule: Any) -> str:
    if not rule.ground:
        return ""
    topic = "clue_grounds" if rule.ground in words._labels["clue_grounds"] else "supervision_grounds"
    return f"事由：{words.label(topic, rule.ground)}"


def _total(words: Words, rule: ExtensionRule) -> str:
    most = rule.max_total_working_days
    return f"自{words.event(rule.total_from)}起连同延期不超过{most}个工作日" if most else ""


def _channels(words: Words, rule: Any) -> str:
    return f"适用于：{words.labels('channels', rule.channels)}"


SAID: Mapping[str, Said] = {
    "Conditional.when": _when,
    "Kind.confidential": _if("confidential", "身份默认保密"),
    "Kind.masked": _if("masked", "承办单位只看到隐去部分的姓名和电话"),
    "Category.children": lambda words, rule: "、".join(rule.children),
    "Redirect.to": _if("to", "转往{}"),
    "Redirect.words": _nothing,
    "Ground.words": _nothing,
    "Ground.to": _if("to", "去向：{}"),
    "ActionRule.roles": _nothing,  # pages name the parties, which the catalogue knows
    "ActionRule.levels": lambda words, rule: f"限{words.levels(rule.levels)}" if rule.levels else "",
    "RoleRule.scope": _one_of("scope", {
        "tree": "可看本单位及以下的诉求", "unit": "可看本单位的诉求", "own": "只看自己的诉求", "all": "可看全部诉求",
        "reports": "只看呈报给自己的诉求", "none": "不看诉求",
    }),
    "RoleRule.identity": lambda words, rule: "" if rule.key in ("citizen", "system") else {
        "full": "可看姓名和联系方式（保密件除外）", "intake": "可看姓名和联系方式（含保密件）",
        "masked": "姓名和联系方式部分隐去", "hidden": "看不到是谁提出的",
    }[rule.identity],
    "TimeLimitRule.limit": lambda words, rule: words.length(rule),
    "TimeLimitRule.role": _one_of("role", {"co": "协办单位", "any": "主办、协办单位"}),
    "TimeLimitRule.starts": _nothing,
    "TimeLimitRule.starts_when_missed": lambda words, rule: (
        f"逾期未{words.limit(rule.starts_when_missed)}的，自{words.date_of(rule.starts_when_missed)}最后一日起算"
        if rule.starts_when_missed else ""
    ),
    "TimeLimitRule.working_days": _nothing,
    "TimeLimitRule.calendar_days": _nothing,
    "TimeLimitRule.before": _nothing,
    "TimeLimitRule.soft": _if("soft", "提醒性期限，不计超期"),
    "TimeLimitRule.optional": _if("optional", "可选事项，不计超期"),
    "TimeLimitRule.within": lambda words, rule: f"不晚于{words.date_of(rule.within)}" if rule.within else "",
    "Escalation.limit": _fires,
    "Escalation.after_working_days": _nothing,
    "Escalation.does": _does,
    "Escalation.template": _nothing,
    "Escalation.method": _nothing,
    "Escalation.ground": _ground,
    "Escalation.to": lambda words, rule: (
        f"对象：{words.unit(rule.to)}" if rule.to and rule.does != "clue" else ""
    ),
    "FlowRule.direction": _one_of("direction", {
        "bottom_up": "自下而上，从事发地最基层单位办起", "centre": "统一由平台运行中心受理、分办",
    }),
    "FlowRule.levels": lambda words, rule: f"起点：{words.levels(rule.levels)}" if rule.levels else "",
    "FlowRule.screened_words": lambda words, rule: (
        f"反映单位或者文中出现{'、'.join(f'“{one}”' for one in rule.screened_words)}的，先由中心人工甄别"
        if rule.screened_words else ""
    ),
    "FlowRule.suggested_words": lambda words, rule: (
        f"文中出现{'、'.join(f'“{one}”' for one in rule.suggested_words)}的，提示可以自上而下，仍先到属地"
        if rule.suggested_words else ""
    ),
    "FlowRule.hop_keeps_clock": _if("hop_keeps_clock", "下级中心再转交的，期限不重新计算"),
    "ClaimRule.required": lambda words, rule: (
        f"先{words.claim()}，再办理" if rule.required else f"不要求单独{words.claim()}，第一次办理视同{words.claim()}"
    ),
    "TransferRule.grounds": lambda words, rule: "理由：" + "、".join(TRANSFERS.get(one, one) for one in rule.grounds),
    "TransferRule.preliminary_check_levels": lambda words, rule: (
        f"{words.levels(rule.preliminary_check_levels)}须附初步核查情况" if rule.preliminary_check_levels else ""
    ),
    "ClosureRule.rejected": _one_of("rejected", {
        "taken_over": "不同意的，由上一级接办", "new_round": "不同意的，退回重新办理",
    }),
    "DelegateRule.depth": _if("depth", "向下{}级，交办单位仍负责，期限不重新计算"),
    "SourceLimit.channels": _channels,
    "SourceLimit.mode": _one_of("mode", {
        "replaces": "按来源渠道的期限办理", "earlier": "来源期限与本平台期限同时计算，以先到者为准",
    }),
    "SourceLimit.upper": _nothing,
    "SourceLimit.own_evaluation": _either("own_evaluation", "", "评价由来源渠道进行，结果导入"),
    "Procedure.suspended_by_report": _if("suspended_by_report", "呈报领导期间暂停计算期限"),
    "Hotline.channel": _nothing,
    "Hotline.owner": _if("owner", "原归口：{}"),
    "DecidedRule.decider": lambda words, rule: f"由{words.decider(rule)}决定",
    "DecidedRule.decider_unit": _nothing,
    "DecidedRule.decider_roles": _nothing,
    "ContactRule.required": _either("required", "没有联系记录不能答复", "不以联系记录为答复的前提"),
    "ContactRule.waived_when_anonymous": _nothing,
    "ReplyRule.unit_review": _if("unit_review", "先由本单位领导审核"),
    "ReplyRule.central_check": _if("central_check", "由中心审核后反馈"),
    "ReplyRule.verification_required": _if("verification_required", "须先有核查记录"),
    "ReplyRule.failed_check": lambda words, rule: (
        {"new_round": "审核不通过的退回重新办理", "taken_over": "审核不通过的由上一级接办"}[rule.failed_check]
        if rule.central_check else "" if rule.unit_review else f"答复直接反馈{words.role('citizen')}"
    ),
    "ReplyRule.check_stops_clock": _if("check_stops_clock", "审核期间暂停计算承办单位的期限"),
    "ExtensionRule.max_working_days": _if("max_working_days", "一次不超过{}个工作日"),
    "ExtensionRule.caps_defaults_only": lambda words, rule: (
        "交办时或者来源渠道另定期限的，不受这一上限限制" if rule.caps_defaults_only and rule.max_working_days else ""
    ),
    "ExtensionRule.max_times": _if("max_times", "最多{}次"),
    "ExtensionRule.max_total_working_days": _total,
    "ExtensionRule.total_from": _nothing,
    "ExtensionRule.progress_required": _if("progress_required", "须写明目前进展，一并告知"),
    "ReviewRule.apply_days": _if("apply_days", "{}日内提出"),
    "ReviewRule.after": lambda words, rule: (
        f"在{ {'review': '复查', 're_review': '复核'}.get(rule.after, rule.after) }决定以后" if rule.after else ""
    ),
    "CallbackRule.required": lambda words, rule: (
        "每件都回访" if rule.required else "重办的每件回访，其他抽查回访" if rule.required_after_rework else "抽查回访"
    ),
    "CallbackRule.required_after_rework": _nothing,
    "CallbackRule.items": lambda words, rule: (
        f"回访内容：{'、'.join(ITEMS.get(one, one) for one in rule.items)}" if rule.items else ""
    ),
    "CallbackRule.methods": lambda words, rule: f"方式：{'、'.join(METHODS.get(one, one) for one in rule.methods)}",
    "CallbackRule.attempts": lambda words, rule: (
        f"联系不上的，分{rule.attempt_days}日以上联系{rule.attempts}次，视为已回访" if rule.required else ""
    ),
    "CallbackRule.attempt_days": _nothing,
    "CallbackRule.bad_up_to": _nothing,
    "CallbackRule.closes": _either("closes", "", "回访以后仍由有权的单位办结"),
    "EvaluationRule.window_days": _if("window_days", "办结后{}日内可以评价"),
    "EvaluationRule.bad_up_to": lambda words, rule: (
        "“不满意”和“非常不满意”为差评" if rule.bad_up_to == 2 else f"{rule.bad_up_to}分以下为差评"
    ),
    "EvaluationRule.uncounted": lambda words, rule: (
        f"以下诉求的评价不计入满意率：{words.when(rule.uncounted)}" if rule.uncounted else ""
    ),
    "DissatisfiedRule.sources": lambda words, rule: "来源：" + "、".join(SOURCES.get(one, one) for one in rule.sources),
    "DissatisfiedRule.does": lambda words, rule: {
        "rework_then_panel": "退回重新办理，仍不满意的组织研判",
        "supervise": f"开展督办，前{rule.rounds}次不满意的重新办理",
        "propose": "提示督办或重办，由人工判断", "none": "只作记录",
    }[rule.does],
    "DissatisfiedRule.method": lambda words, rule: (
        f"督办方式：{words.label('supervision_methods', rule.method)}" if rule.method else ""
    ),
    "DissatisfiedRule.due_working_days": _if("due_working_days", "督办限{}个工作日内办结"),
    "DissatisfiedRule.ground": _nothing,
    "DissatisfiedRule.rounds": _nothing,
    "LetterRule.after_bad": _if("after_bad", "第{}次评为不满意以后"),
    "ClosingRule.roles": lambda words, rule: "由" + "、".join(words.role(one) for one in rule.roles) + "办结",
    "ClosingRule.lead_unit": _either("lead_unit", "主办单位可以办结", "主办单位不办结"),
    "ClosingRule.archive_after_evaluation": _if("archive_after_evaluation", "评价、回访以后或者评价期满才能归档"),
    "Flag.notify": lambda words, rule: (
        f"标注后告知{'、'.join(words.unit(one) for one in rule.notify)}" if rule.notify else ""
    ),
    "Flag.bars_publication": _if("bars_publication", "不得公开"),
    "ClosingRule.after_letter_roles": lambda words, rule: (
        f"正式函告以后由{'、'.join(words.role(one) for one in rule.after_letter_roles)}办结"
        if rule.after_letter_roles else ""
    ),
    "PublicationRule.objection_days": _if("objection_days", "公开前留{}日异议期"),
    "SignInRule.every": _one_of("every", {"day": "每日登录平台", "working_day": "每个工作日登录平台"}),
    "SignInRule.roles": lambda words, rule: "、".join(words.role(one) for one in rule.roles),
    "StaffChangeRule.days": lambda words, rule: f"变更后{rule.days}日内报备" if rule.days else "变更当日报备",
    "InstructionRule.supervised_by": lambda words, rule: (
        f"由{words.unit(rule.supervised_by)}跟踪落实" if rule.supervised_by else ""
    ),
    "Duty.matter": _nothing,
    "Duty.words": _nothing,
    "Duty.places": lambda words, rule: "、".join(words.unit(one) for one in rule.places),
    "Duty.lead": lambda words, rule: f"主办：{words.unit(rule.lead)}",
    "Duty.co": lambda words, rule: f"协办：{'、'.join(words.unit(one) for one in rule.co)}" if rule.co else "",
    "Duty.basis": _if("basis", "依据：{}"),
    "OwnList.level": lambda words, rule: f"适用于：{words.levels([rule.level])}",
    "OwnList.matters": lambda words, rule: "、".join(rule.matters),
    "ExemptionRule.working_days": _if("working_days", "{}个工作日内提出"),
    "ExemptionRule.signed": _if("signed", "主要领导签字"),
    "ExemptionRule.sealed": _if("sealed", "加盖公章"),
    "PanelRule.after_bad": _if("after_bad", "第{}次不满意以后"),
    "PanelRule.letter_working_days": _if("letter_working_days", "认定不满意的书面督办，{}个工作日内办结"),
    "PanelRule.copy_to": lambda words, rule: (
        f"抄送{'、'.join(words.unit(one) for one in rule.copy_to)}" if rule.copy_to else ""
    ),
    "SupervisionMethod.due_required": _if("due_required", "须限定办结日期"),
    "SupervisionMethod.attendees_required": _if("attendees_required", "须写明参加单位"),
    "Channel.opens": lambda words, rule: f"工作日{rule.opens}至{rule.open_until}" if rule.opens else "",
    "Channel.open_until": _nothing,
    "Concentration.at_least": lambda words, rule: (
        f"同一{'区域' if rule.per == 'place' else '单位'}{rule.within_days}日内同类诉求{rule.at_least}"
        f"{'人' if rule.persons else '件'}以上"
    ),
    "Concentration.within_days": _nothing,
    "Concentration.per": _nothing,
    "Concentration.persons": _nothing,
    "Concentration.does": _one_of("does", {
        "alert": "预警中心和属地单位", "task": "预警，并拟出交办任务，由人工交办",
    }),
    "Concentration.task_kind": lambda words, rule: (
        f"任务：{words.label('task_kinds', rule.task_kind)}" if rule.task_kind else ""
    ),
    "TaskKind.roles": lambda words, rule: "由" + "、".join(words.role(one) for one in rule.roles) + "交办",
    "TaskKind.to": _one_of("to", {"below": "", "line": "只发给本条线的对口部门"}),
    "TaskKind.due_required": _if("due_required", "须限定完成日期"),
    "TaskKind.asks": lambda words, rule: (
        "报告须写明" + "、".join(REPORTED[one] for one in rule.asks) if rule.asks else ""
    ),
    "TaskKind.on_clue": _if("on_clue", "交有关单位核查线索，报告即为线索的处理意见"),
    "BusinessLine.head": lambda words, rule: f"牵头：{words.unit(rule.head)}",
    "BusinessLine.counterparts": lambda words, rule: (
        "对口：各区县的" + "、".join(_counterpart(words, one) for one in rule.counterparts)
    ),
    "Upstream.channels": lambda words, rule: _channels(words, rule) if rule.channels else "",
    "Upstream.sends": _one_of("sends", {"every_change": "每次变动都报送", "result": "办结后报送结果"}),
    "AssessmentRule.every": _one_of("every", {"": "", "quarter": "每季度一次", "year": "每年一次"}),
    "AssessmentRule.kinds": lambda words, rule: f"对象：{words.levels(rule.kinds)}",
    "AssessmentRule.district_switch": lambda words, rule: (
        f"是否考核区县所属单位，由各区县在“{words.label('settings', rule.district_switch)}”中决定"
        if rule.district_switch else ""
    ),
    "AssessmentItem.by": _one_of("by", {
        "indicator": "由数据计算", "count": "由数据计算", "person": "由人评分，写明理由", "adjustments": "加分扣分",
    }),
    "AssessmentItem.indicator": _nothing,
    "AssessmentItem.full_at": lambda words, rule: (
        "" if rule.by != "count" else f"达到{rule.full_at or '同类单位平均数'}得满分，不足的按比例"
    ),
    "AssessmentItem.weight": _if("weight", "满分{}分"),
    "SettingRule.type": _nothing,
    "SettingRule.default": lambda words, rule: (
        f"未设置时为{'开' if rule.default else '关'}" if rule.type == "switch" else f"未设置时为{rule.default}"
    ),
    "SettingRule.least": lambda words, rule: f"{rule.least}至{rule.most}" if rule.type == "number" else "",
    "SettingRule.most": _nothing,
    "SettingRule.per": _one_of("per", {"platform": "", "district": "各区县分别设置"}),
    "SettingRule.units": lambda words, rule: f"由{'、'.join(words.unit(one) for one in rule.units)}设置",
    "SettingRule.roles": _nothing,
    "FormField.action": lambda words, rule: words.label("actions", rule.action),
    "FormField.field": _nothing,
    "FormField.required": _either("required", "必填", "选填"),
    "FormField.outcomes": lambda words, rule: (
        "办理结果为" + "、".join(OUTCOMES.get(one, one) for one in rule.outcomes) + "的" if rule.outcomes else ""
    ),
    "FormField.given": lambda words, rule: "，".join(
        f"{FORM_FIELDS.get(name, name)}为“{'、'.join(words.choice(name, one) for one in values)}”的"
        for name, values in rule.given.items()
    ),
    "FormField.coded": _if("coded", "只能从本平台的列表中选择"),
    "FormField.everybody": _if("everybody", "其他平台、应用办理的也要填写"),
    "Trigger.when": _trigger,
    "Trigger.at_least": _nothing,
    "Trigger.within_months": _nothing,
    "Trigger.does": _does,
    "Trigger.method": _nothing,
    "Trigger.ground": _ground,
    "Trigger.to": _nothing,
}  # fmt: skip
"""Class and field → what a rule says by it."""
REPORTED: Mapping[str, str] = {"cause": "原因分析", "measures": "整改措施", "completed_on": "完成日期"}
FORM_FIELDS: Mapping[str, str] = {"category": "事项分类", "requester.kind": "诉求人类型"}
"""Fields of forms that other fields depend on."""
REQUESTER_KINDS: Mapping[str, str] = {"individual": "个人", "enterprise": "企业"}
OUTCOMES: Mapping[str, str] = {
    "solved": "已解决", "partly": "部分解决", "explained": "解释说明", "planned": "列入计划", "unsolvable": "无法解决",
}  # fmt: skip
TRANSFERS: Mapping[str, str] = {"beyond_power": "超出职权", "out_of_scope": "不属于受理范围", "recusal": "需要回避"}
