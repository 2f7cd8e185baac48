"""Why a limit ends when it ends: day zero, every day counted or skipped and why, every move, each by its article."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from huying.cases.models import Case, TimeLimit
from huying.cases.policies import calendar_of, policy_of
from huying.core.calendar import CountedDay

EVENTS = {
    "submission": "提交", "assignment": "交办", "claim": "签收", "claim_missed": "签收期限届满（视同签收）",
    "previous": "接续上一轮", "before_handle": "办理期限之前", "extension": "批准延期", "supervision": "督办限期",
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
    policy, calendar = policy_of(case.platform), calendar_of(case.platform)
    for row in rows:
        steps, last = [], row.day_zero
        for raw in row.steps:
            rule = policy.rules.get(str(raw.get("rule", "")))
            cite = rule.cite if rule else row.article
            zero = date.fromisoformat(raw["day_zero"]) if raw.get("day_zero") else last
            days = raw.get("days")
            counted = calendar.count(zero, days).days if days and raw.get("unit", "working") == "working" else ()
            due_on = date.fromisoformat(raw["due_on"])
            article = policy.article(cite)
            steps.append(
                StepOfCount(
                    event=EVENTS.get(str(raw.get("event", "")), str(raw.get("event", ""))),
                    rule_label=rule.label if rule else "交办时限定的期限",
                    article=f"第{article.label}条" if article else "",
                    quote=article.text if article else "",
                    origin=f"默认规则（{rule.decision}）" if rule and rule.origin == "default" else "条文",
                    day_zero=zero,
                    days=days,
                    unit=str(raw.get("unit", "working")),
                    due_on=due_on,
                    counted=counted,
                )  # fmt: skip
            )
            last = due_on
        rule = policy.rules.get(row.rule)
        yield Explained(
            row,
            rule.label if rule else "办理期限",
            row.assignment.unit.name if row.assignment else "",
            tuple(steps),
        )
