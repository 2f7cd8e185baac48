"""延期: whether a later date may be asked for, and which day it leads to."""

from dataclasses import dataclass
from datetime import date, datetime

from huying.core.calendar import Calendar
from huying.core.verdict import Refused
from huying.policy.model import ExtensionRule


@dataclass(frozen=True)
class ExtensionAsk:
    """The facts of a request. `request_until` is the first instant too late to ask; None when nothing limits it."""

    due_on: date
    working_days: int
    total_from: date
    """Day zero of the whole handling period (the claim)."""
    granted_before: int
    request_until: datetime | None
    now: datetime


@dataclass(frozen=True)
class Moved:
    """The new last day, and whether it runs into a year without an official calendar."""

    due_on: date
    provisional: bool


def judge_both(due_on: date, moved: Moved, source_due_on: date | None, rule: ExtensionRule) -> date | Refused:
    """The new last day where the platform above set a date too: the earlier governs, so that both levels must agree.

    `source_due_on` is that date, None where only the own one holds. Source: decision Q-2.
    """
    if source_due_on is None or moved.due_on <= source_due_on:
        return moved.due_on
    if due_on >= source_due_on:
        reason = f"来源平台的期限到{source_due_on:%Y-%m-%d}，没有它的同意不能再延。请先取得同意，再填写同意的新期限。"
        return Refused("exceeds_limit", reason, rule)
    return source_due_on


def judge_extension(ask: ExtensionAsk, rule: ExtensionRule, calendar: Calendar) -> Moved | Refused:
    """Say whether the date may move by `working_days` and, if so, to which day. Source: rule.cite."""
    if ask.request_until is not None and ask.now >= ask.request_until:
        return Refused("too_late", "已过申请延期的最后时间，不能再申请；请抓紧办理，并向诉求人说明情况。", rule)
    if rule.max_times is not None and ask.granted_before >= rule.max_times:
        return Refused("exceeds_limit", f"延期最多{rule.max_times}次，已经用完。", rule)
    return judge_days(ask, rule, calendar)


def judge_days(ask: ExtensionAsk, rule: ExtensionRule, calendar: Calendar) -> Moved | Refused:
    """The length alone, as the one who decides may set another number of days."""
    if rule.max_working_days is not None and ask.working_days > rule.max_working_days:
        return Refused("exceeds_limit", f"一次延期不得超过{rule.max_working_days}个工作日。", rule)
    moved = calendar.count(ask.due_on, ask.working_days)
    if rule.max_total_working_days is not None:
        latest = calendar.add_working_days(ask.total_from, rule.max_total_working_days)
        if moved.day > latest:
            return Refused(
                "exceeds_limit",
                f"办理期限连同延期不得超过{rule.max_total_working_days}个工作日，最晚到{latest:%Y-%m-%d}。",
                rule,
            )
    return Moved(moved.day, moved.provisional)
