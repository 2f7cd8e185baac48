"""Why a limit ends when it ends: day zero, every day counted or skipped and why, every move, each by its article."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from huying.cases.models import Case, TimeLimit
from huying.cases.policies import calendar_of, rules_of
from huying.core.calendar import CountedDay

EVENTS = {
    "submission": "提交", "assignment": "交办", "claim": "签收", "claim_missed": "签收期限届满（视同签收）",
    "previous": "接续上一轮", "before_handle": "办理期限之前", "extension": "批准延期", "supervision": "督办限期",
    "source": "来源渠道时限", "within": "不超过总期限", "reclassified": "重新认定", "check": "审核期间停止计时",
    "instruction": "领导批示", "repeated_bad": "再次差评", "calendar": "放假安排公布",
    "application": "提出申请", "ledger": "批准挂账", "closure": "办结", "decision": "决定", "acceptance": "受理",
}  # fmt: skip


@dataclass(frozen=True)
class StepOfCount:
    """One step of a limit's count: what happened, by which rule and article, with the days passed."""

    event: str
    rule_label: str
    article: str
    quote: str
    origin: str
    day_zero: date | None
    days: int | None
    unit: str
    due_on: date
    counted: tuple[CountedDay, ...]


@dataclass(frozen=True)
class Explained:
    """One limit of a case with the steps of its count."""

    limit: TimeLimit
    label: str
    unit_name: str
    steps: tuple[StepOfCount, ...]


def explain(case: Case) -> Iterator[Explained]:
    """Each limit of `case`, in the order in which it started."""
    rows = TimeLimit.objects.filter(case=case).select_related("assignment__unit").order_by("started_at", "pk")
    policy, calendar = rules_of(case), calendar_of(case.platform)
    for row in rows:
        steps, last = [], row.day_zero
        for raw in row.steps:
            rule = policy.rules.get(str(raw.get("rule", "")))
            cite = rule.cite if rule else row.article
            zero = date.fromisoformat(raw["day_zero"]) if raw.get("day_zero") else last
            days = raw.get("days")
            counted = calendar.count(zero, days).days if days and raw.get("unit", "working") == "working" else ()
            due_on = date.fromisoformat(raw["due_on"])
            if counted and counted[-1].day != due_on:  # counted by a calendar that was mended since
                counted = ()
            article = policy.article(cite)
            steps.append(
                StepOfCount(
                    event=EVENTS.get(str(raw.get("event", "")), str(raw.get("event", ""))),
                    rule_label=rule.label if rule else "交办时限定的期限",
                    article=article.label if article else "",
                    quote=article.text if article else "",
                    origin=f"默认规则（{rule.decision}）" if rule and rule.origin == "default" else "条文",
                    day_zero=zero,
                    days=days,
                    unit=str(raw.get("unit", "working")),
                    due_on=due_on,
                    counted=counted,
                )
            )
            last = due_on
        rule = policy.rules.get(row.rule)
        yield Explained(
            row,
            rule.label if rule else "办理期限",
            row.assignment.unit.name if row.assignment else "",
            tuple(steps),
        )


def lines_for(number: str) -> list[str]:
    """The explanation of a case as lines of text; empty when there is no such case. For the command line."""
    case = Case.objects.select_related("platform").filter(Q(number=number) | Q(external_no=number)).first()
    if case is None:
        return []
    lines = [f"{case.number}  {rules_of(case).info.title}"]
    if case.source_due_on is not None:
        lines.append(f"上级平台或来源渠道的期限：{case.source_due_on}")
    for one in explain(case):
        limit = one.limit
        state = "已完成" if limit.met else "超期" if limit.met is False or limit.missed_at else "进行中"
        if limit.ended_at is not None and limit.met is None:
            state = "已终止"
        soft = "（提醒性，不计超期）" if limit.soft else ""
        provisional = "（暂定：当年放假安排尚未公布）" if limit.provisional else ""
        lines.append(f"\n{limit.name} {one.label} {one.unit_name}：{limit.due_on} 24:00 止，{state}{soft}{provisional}")
        for step in one.steps:
            length = f"{step.days}{'个工作日' if step.unit == 'working' else '日'}" if step.days is not None else ""
            lines.append(
                f"  {step.event} {step.day_zero}（第0日）{length} → {step.due_on}  {step.rule_label}  "
                f"{step.article} {step.origin}".rstrip()
            )
            for day in step.counted:
                mark = f"第{day.number}个工作日" if day.number else "不计"
                lines.append(f"    {day.day}  {mark:<10}  {day.reason}")
    return lines
