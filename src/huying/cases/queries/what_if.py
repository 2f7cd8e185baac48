"""What a month's cases would have been under other rules: date, lead, procedure. Counted from stored facts, no writes.

Both sides are counted the same way, from the first round, so that an extension or a later decision makes no difference.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from django.db.models import QuerySet

from huying.base.clock import local_date, start_of_day
from huying.cases.models import Assignment, Case
from huying.cases.policies import calendar_of
from huying.cases.queries.duties import finder
from huying.cases.queries.time_limits import facts_of
from huying.core import time_limits as core
from huying.core.calendar import Calendar
from huying.core.duties import AnyUnit, Find, propose
from huying.people.models import Platform
from huying.policy.model import Regulation, TimeLimitRule
from huying.policy.words import SAID, Words

PAGE = 500
What = Literal["date", "lead", "procedure"]
WHATS: Mapping[What, str] = {"date": "办理期限", "lead": "主办单位", "procedure": "办理方式"}
NONE = "无"


@dataclass(frozen=True)
class Otherwise:
    """In what a case would have gone otherwise, in words."""

    what: What
    old: str
    new: str

    def __str__(self) -> str:
        return f"{WHATS[self.what]}：{self.old} → {self.new}"


@dataclass(frozen=True)
class WhatIf:
    """One case and what would have been otherwise; nothing when all is the same."""

    number: str
    otherwise: tuple[Otherwise, ...]


def what_if(platform: Platform, one: Regulation, other: Regulation, month: date) -> Iterator[WhatIf]:
    """Every case that `platform` was given in the month of that day, by `other` instead of by `one`."""
    sides = _Side(platform, one), _Side(platform, other)
    for cases, leads in _pages(platform, month):
        for case in cases:
            case.platform = platform
            yield WhatIf(case.number, tuple(_compared(case, leads.get(case.pk), sides)))


def _pages(platform: Platform, month: date) -> Iterator[tuple[list[Case], dict[int, Assignment]]]:
    """The month's cases, a page at a time, each with the first lead that it had."""
    first, after = start_of_day(month.replace(day=1)), 0
    last = start_of_day(date(month.year + month.month // 12, month.month % 12 + 1, 1))
    wanted: QuerySet[Case] = Case.objects.filter(platform=platform, submitted_at__gte=first, submitted_at__lt=last)
    while cases := list(wanted.filter(pk__gt=after).select_related("place_unit").order_by("pk")[:PAGE]):
        after = cases[-1].pk
        given = Assignment.objects.filter(case__in=cases, role="lead", round=1).select_related("unit").order_by("-pk")
        yield cases, {assignment.case_id: assignment for assignment in given}


def _compared(case: Case, lead: Assignment | None, sides: tuple["_Side", "_Side"]) -> Iterator[Otherwise]:
    told: tuple[tuple[What, tuple[str, str]], ...] = (
        ("date", (sides[0].due_on(case, lead), sides[1].due_on(case, lead))),
        ("lead", (sides[0].lead(case), sides[1].lead(case))),
        ("procedure", (sides[0].procedure(case, lead), sides[1].procedure(case, lead))),
    )
    for what, (old, new) in told:
        if old != new:
            yield Otherwise(what, old or NONE, new or NONE)


class _Side:
    """One set of rules, asked about stored cases."""

    def __init__(self, platform: Platform, policy: Regulation) -> None:
        self.policy, self.words = policy, Words(policy)
        self.calendar: Calendar = calendar_of(platform)
        self.find = _finder(platform, policy)

    def due_on(self, case: Case, lead: Assignment | None) -> str:
        """The last day of the first round's handling limit, as it was counted when the case was given."""
        own = self._own_due_on(case, lead)
        rule = next((rule for rule in self.policy.source_limits if case.channel in rule.channels), None)
        is_given = lead is not None and lead.statutory_days is not None
        is_set = lead is not None and lead.limit_workdays is not None and rule is not None and rule.mode == "replaces"
        if rule is not None and case.source_due_on is not None and not (is_given or is_set):
            own = case.source_due_on if own is None or rule.mode == "replaces" else min(own, case.source_due_on)
        return own.isoformat() if own else ""

    def _own_due_on(self, case: Case, lead: Assignment | None) -> date | None:
        if lead is not None and lead.statutory_days is not None:
            return local_date(lead.assigned_at) + timedelta(days=lead.statutory_days)
        rule = core.choose(self.policy.time_limits, "handle", "lead", facts_of(case, lead))
        by_law = rule is not None and self.policy.rests_on_another_law(rule)
        if lead is not None and lead.limit_workdays is not None and not by_law:
            return self.calendar.add_working_days(local_date(lead.assigned_at), lead.limit_workdays)
        zero = self._day_zero(rule, case, lead) if rule else None
        return core.count(rule, zero, self.calendar).due_on if rule and zero else None

    def _day_zero(self, rule: TimeLimitRule, case: Case, lead: Assignment | None) -> date | None:
        if rule.starts == "submission":
            return local_date(case.submitted_at)
        if lead is None:
            return None
        if rule.starts != "claim":
            return local_date(lead.assigned_at) if rule.starts in ("assignment", "acceptance") else None
        latest, claimed = self._claim_due(case, lead), _day_of(lead.claimed_at)
        if latest is None or claimed is None:
            return claimed or latest
        return min(claimed, latest) if rule.starts_when_missed == "claim" else claimed

    def _claim_due(self, case: Case, lead: Assignment) -> date | None:
        rule = core.choose(self.policy.time_limits, "claim", "lead", facts_of(case, lead))
        return core.count(rule, local_date(lead.assigned_at), self.calendar).due_on if rule else None

    def lead(self, case: Case) -> str:
        """Who would be proposed first by the duty list."""
        found = propose(
            self.policy,
            self.find,
            category=case.category,
            text=f"{case.title}\n{case.content}",
            place=case.place_unit.path if case.place_unit else "",
        )
        if not found:
            return ""
        lead, co = found[0].lead or self.words.unit(found[0].rule.lead), "、".join(found[0].co)
        return f"{lead}（协办：{co}）" if co else lead

    def procedure(self, case: Case, lead: Assignment | None) -> str:
        """Whether it would be taken at all, where it would start, by which procedures, who would look at the reply."""
        policy, facts = self.policy, facts_of(case, lead)
        if case.kind not in policy.kind_rules:
            return "没有这个诉求类型"
        if case.channel not in {channel.key for channel in policy.channels}:
            return "没有这个受理渠道"
        flow = SAID["FlowRule.direction"](self.words, policy.flow)
        known = [rule.label for rule in policy.procedures if rule.when.holds(facts)]
        rule = policy.reply_rule(facts)
        names = ("unit_review", "central_check", "failed_check")
        reply = "，".join(filter(None, (SAID[f"ReplyRule.{name}"](self.words, rule) for name in names)))
        return "；".join(filter(None, (flow, "、".join(known), reply)))


def _day_of(at: datetime | None) -> date | None:
    return local_date(at) if at else None


def _finder(platform: Platform, policy: Regulation) -> Find:
    """The platform's own units, then those that the rules' own tree would add."""
    own = finder(platform)
    tree: dict[str, AnyUnit] = {path: unit for unit in policy.tree.units for path in (unit.path, *unit.aliases)}
    return lambda path: own(path) or tree.get(path)
