"""考核 of a period: drafted by the clock from the data, completed by people with reasons, approved once and for all."""

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import Field

from huying.base.clock import local_date
from huying.cases.commands.intake import Line, Text
from huying.cases.commands.perform import Done, perform
from huying.cases.commands.registry import Input, Take, action
from huying.cases.models import Case
from huying.cases.models.assessment import Assessment, ItemScore
from huying.cases.policies import policy_of
from huying.cases.queries.assessments import Counted, counted, rules_on, runs_assessments
from huying.cases.queries.circular import class_of
from huying.core.assessment_items import due_periods, total_of, work_out
from huying.core.periods import Period, period_of
from huying.core.verdict import Refused
from huying.people.actors import system
from huying.people.models import Platform
from huying.policy.model import AssessmentItem

NAMED = 3
"""Of what is missing, so many are named."""
log = logging.getLogger(__name__)


class DraftInput(Input):
    first: date = Field(title="考核时段起始日", description="时段内任何一天都可以。")


@action("assessment.draft", "生成考核稿", parties="supervisor leader system", takes=DraftInput, on="platform")
def draft(take: Take, given: DraftInput) -> Refused | Mapping[str, Any]:
    """The scores that the data give, of every unit that had work; drawn up again, scores by people stay."""
    refused = _not_theirs(take)
    if refused:
        return refused
    of = _period(take, given.first)
    if isinstance(of, Refused):
        return of
    where = {"platform": take.platform, "first": of.first, "last": of.last}
    row = Assessment.objects.select_for_update().filter(**where).first()
    if row is not None and row.state == "approved":
        return Refused("wrong_state", f"{row.label}考核已经审定，不能再改。", take.rule)
    if row is not None and take.actor.role == "system":
        return Refused("already_done", f"{row.label}的考核稿已经有了。", take.rule)
    if row is None:  # first of all, so that of two workers one waits here and is refused
        row = Assessment.objects.create(**where, label=of.name, article=take.rule.cite, at=take.now)
    row.at = take.now
    row.save(update_fields=["at"])
    found = counted(take.platform, of, now=take.now)
    _write(take, row, found)
    take.made = row
    return {"assessment": row.pk, "first": of.first, "last": of.last, "units": len(found)}


def _period(take: Take, day: date) -> Period | Refused:
    rule = take.policy.assessment
    if rule is None or not rule.every or not take.policy.assessment_items:
        return Refused("not_enabled", "本平台的规定没有定期考核。", take.rule)
    of = period_of(rule.every, day)
    if of.last >= take.today:
        return Refused("invalid:first", f"{of.name}还没有结束，结束后才能考核。", rule)
    return of


def _write(take: Take, row: Assessment, found: Sequence[Counted]) -> None:
    """The points by the data anew. What a person scored stays; a unit without work in the period has no line."""
    items = rules_on(row).assessment_items
    row.scores.exclude(unit__in=[one.unit.pk for one in found]).delete()
    alike: dict[str, list[Mapping[str, int]]] = defaultdict(list)
    for one in found:
        alike[class_of(one.unit)].append(one.counts)
    for one in found:
        for item in items:
            _write_item(take, row, one, item, alike[class_of(one.unit)])


def _write_item(
    take: Take, row: Assessment, one: Counted, item: AssessmentItem, alike: Sequence[Mapping[str, int]]
) -> None:
    where = {"assessment": row, "unit": one.unit, "item": item.key}
    said: dict[str, Any] = {"at": take.now, "by": take.actor.id}
    if item.by == "person":
        ItemScore.objects.get_or_create(**where, defaults=said)
        return
    if item.by == "adjustments":
        score, _ = ItemScore.objects.update_or_create(**where, defaults=said | {"points": one.points})
        score.cases.set(Case.objects.filter(pk__in=one.cases))
        return
    worked = work_out(item, one.counts, alike)
    ItemScore.objects.update_or_create(**where, defaults=said | {"value": worked.value, "points": worked.points})


class ScoreInput(Input):
    assessment: int = Field(title="考核", ge=1, le=2**62)
    unit: Line = Field(title="单位")
    item: Line = Field(title="考核内容")
    points: Decimal = Field(title="得分", ge=0, max_digits=7, decimal_places=2)
    reason: Text = Field(title="评分理由", max_length=2000)


@action("assessment.score", "评分", parties="supervisor leader", takes=ScoreInput, on="platform")
def score(take: Take, given: ScoreInput) -> Refused | Mapping[str, Any]:
    """A unit's points for an item that people judge, with the reason."""
    row = _open(take, given.assessment)
    if isinstance(row, Refused):
        return row
    unit = take.unit(given.unit, "unit")
    if isinstance(unit, Refused):
        return unit
    item = next((one for one in rules_on(row).assessment_items if one.key == given.item), None)
    if item is None or item.by != "person":
        return Refused("invalid:item", "这一项不由人评分，请从列表中选择考核内容。", item or take.rule)
    found = ItemScore.objects.filter(assessment=row, unit=unit, item=item.key).first()
    if found is None:
        return Refused("invalid:unit", f"“{unit.name}”在{row.label}没有承办任务，不在考核之列。", item)
    if given.points > item.weight:
        return Refused("invalid:points", f"“{item.label}”满分{item.weight}分，不能超过满分。", item)
    found.points, found.reason, found.at, found.by = given.points, given.reason, take.now, take.actor.id
    found.save()
    take.made = found
    return {
        "assessment": row.pk, "unit": unit.path, "item": item.key, "points": f"{given.points:f}", "score": found.pk,
    }  # fmt: skip


class ApproveInput(Input):
    assessment: int = Field(title="考核", ge=1, le=2**62)


@action("assessment.approve", "审定考核结果", parties="supervisor leader", takes=ApproveInput, on="platform")
def approve(take: Take, given: ApproveInput) -> Refused | Mapping[str, Any]:
    """The results stand as they are; after this nothing of the period is changed any more."""
    row = _open(take, given.assessment)
    if isinstance(row, Refused):
        return row
    rules = {item.key: item for item in rules_on(row).assessment_items}
    people = [key for key, item in rules.items() if item.by == "person"]
    open_ones = row.scores.filter(item__in=people, points__isnull=True).select_related("unit").order_by("unit__left")
    count = open_ones.count()
    if count:
        named = "、".join(f"{one.unit.name}（{rules[one.item].label}）" for one in open_ones[:NAMED])
        more = f"等{count}项" if count > NAMED else ""
        return Refused("missing:scores", f"还没有评分：{named}{more}。请先评分并写明理由，再审定。", take.rule)
    row.state, row.approved_at, row.approved_by = "approved", take.now, take.actor.id
    row.save(update_fields=["state", "approved_at", "approved_by"])
    take.made = row
    return {"assessment": row.pk, "first": row.first, "last": row.last, "totals": _totals(row)}


def _totals(row: Assessment) -> list[str]:
    """Each unit's total as the journal keeps it, at most 200."""
    items, by_unit = rules_on(row).assessment_items, defaultdict[str, dict[str, Decimal | None]](dict)
    for unit, item, points in row.scores.order_by("unit__left").values_list("unit__path", "item", "points"):
        by_unit[unit][item] = points
    return [f"{unit[:150]} {total_of(items, points).total}" for unit, points in list(by_unit.items())[:200]]


def _not_theirs(take: Take) -> Refused | None:
    if take.actor.role == "system" or runs_assessments(take.actor):
        return None
    return Refused("not_permitted", "考核由平台的运行管理单位组织，您所在的单位不能办理。", take.rule)


def _open(take: Take, key: int) -> Assessment | Refused:
    """The locked draft; approved, it is refused to everybody."""
    refused = _not_theirs(take)
    if refused:
        return refused
    row = Assessment.objects.select_for_update().filter(platform=take.platform, pk=key).first()
    if row is None:
        return Refused("invalid:assessment", "没有这次考核，请从列表中选择。", take.rule)
    if row.state == "approved":
        return Refused("wrong_state", f"{row.label}考核已经审定，不能再改。", take.rule)
    row.platform = take.platform
    return row


# ---- by the clock ----------------------------------------------------------------------------------


def draft_due(now: datetime, *, should_stop: Callable[[], bool] = lambda: False) -> int:
    """Draft what ended and has no draft yet, on every platform; gives how many were drafted.

    Late after days without a worker, with the days of the period all the same. What goes wrong on one platform is
    logged and comes again, and holds up no other.
    """
    made = 0
    for platform in Platform.objects.order_by("pk"):
        for of in _due(platform, now):
            if should_stop():
                return made
            try:
                done = perform("assessment.draft", actor=system(platform), now=now, data={"first": of.first})
            except Exception:
                log.exception("the assessment of %s could not be drafted for %s", of.label, platform.slug)
                break
            made += isinstance(done, Done)
    return made


def _due(platform: Platform, now: datetime) -> list[Period]:
    """The periods without a draft, from the first in which the platform had a case."""
    policy = policy_of(platform, local_date(now))
    if policy.assessment is None or not policy.assessment_items:
        return []
    last = Assessment.objects.filter(platform=platform).order_by("-last").values_list("last", flat=True).first()
    due = due_periods(policy.assessment, local_date(now), last)
    if not due:
        return []
    cases = Case.objects.filter(platform=platform)
    return [of for of in due if cases.filter(submitted_at__lt=of.ends).exists()]
