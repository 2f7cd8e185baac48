"""第三方调查: drawing a list of answered cases, handing it out, and taking the results in as callbacks of each case."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction
from pydantic import Field

from huying.cases import journal
from huying.cases.access import visible_cases
from huying.cases.commands.intake import Line
from huying.cases.commands.perform import perform
from huying.cases.commands.registry import Input, Take, action
from huying.cases.models import Assignment, Callback, Case, SurveyBatch
from huying.cases.queries import surveys
from huying.core.surveys import MOST_BYTES, Answer, Asked, BadResults, read_results
from huying.core.verdict import Refused
from huying.people.actors import Actor

FEW = "（名单只收已经答复、有电话、非保密非匿名、本轮还没有回访的诉求）"
ADVICE: Mapping[str, str] = {
    "wrong_state": "这件诉求在重新办理或者已经转走，答复以后可以另抽名单",
    "already_done": "以先登记的为准",
    "not_permitted": "请由其他回访人员导入",
    "no_evaluation_due": "不用再报送",
}  # fmt: skip
"""What to do about a refused line, by its code."""


class DrawInput(Input):
    label: Line = Field(max_length=80, title="名单名称", description="例如“2026年3月第三方调查”，不能与已有的相同。")
    evaluator: Line = Field(max_length=80, title="调查机构")
    first: date = Field(title="诉求提交日期从")
    last: date = Field(title="到")
    size: int = Field(
        default=surveys.MOST, ge=1, le=surveys.MOST, title="最多抽取件数", description=f"不填的最多{surveys.MOST}件。"
    )
    unit: str = Field(default="", max_length=200, title="承办单位（含下级）")


@action("survey.draw", "抽取调查名单", parties="caller", takes=DrawInput, on="platform")
def draw(take: Take, given: DrawInput) -> Refused | Mapping[str, Any]:
    """A list of answered cases for a third party to survey; by chance where there are more than wanted."""
    if given.first > given.last:
        return Refused("invalid:last", "截止日期不能早于起始日期。", take.rule)
    if (given.last - given.first).days >= surveys.LONGEST:
        return Refused("invalid:last", f"一份名单最长跨{surveys.LONGEST}日，请分段抽取。", take.rule)
    unit = take.unit(given.unit, "unit") if given.unit else None
    if isinstance(unit, Refused):
        return unit
    if not surveys.is_label_free(take.platform.pk, given.label):
        return Refused("invalid:label", "已经有同名的名单，请换一个名称。", take.rule)
    assert take.actor.unit is not None
    ids = surveys.draw(take.actor, surveys.Draw(given.first, given.last, given.size, given.label, unit))
    if not ids:
        return Refused("invalid:first", f"这个时段没有可以调查的诉求{FEW}，请改时段或者单位。", take.rule)
    batch = SurveyBatch.objects.create(
        platform=take.platform, unit=take.actor.unit, label=given.label, evaluator=given.evaluator, at=take.now,
        by=take.actor.id,
    )  # fmt: skip
    # In the order of the draw: the place on the list is the number that whoever surveys knows the case by.
    listed = SurveyBatch.cases.through
    listed.objects.bulk_create(listed(surveybatch=batch, case_id=pk) for pk in ids)
    take.made = batch
    return {"survey": batch.pk, "cases": len(ids), "first": given.first, "last": given.last}


def hand_out(actor: Actor, batch: SurveyBatch, *, now: datetime) -> list[Asked] | Refused:
    """What is handed out of a list now; the journal keeps that it was, and the vault who read which phone."""
    if not surveys.draws_surveys(actor) or actor.unit is None or batch.unit_id != actor.unit.pk:
        return Refused("not_permitted", "名单由抽取它的中心的回访人员下载。")
    with transaction.atomic():
        rows = surveys.hand_out(actor, batch, now=now)
        if rows:
            journal.record_for_platform(
                actor.platform, "survey.handed_out", actor=actor, at=now, survey=batch.pk, cases=len(rows)
            )
    return rows


class ImportInput(Input):
    survey: int = Field(ge=1, lt=2**63, title="调查名单")
    file: Line = Field(title="结果文件")


@dataclass
class Report:
    """What became of each line of a file."""

    kept: int = 0
    already: int = 0
    blank: int = 0
    problems: list[tuple[int, str, str]] = field(default_factory=list)
    """(line, number, what is wrong and what to do)"""
    unread: list[str] = field(default_factory=list)


@action("survey.import", "导入调查结果", parties="caller", takes=ImportInput, on="platform")
def import_results(take: Take, given: ImportInput) -> Refused | Mapping[str, Any]:
    """Each line becomes a callback of its case, with all that follows; a bad line is told and stops no other."""
    batch = surveys.batches_of(take.actor).filter(pk=given.survey, unit=take.actor.unit)
    batch = batch.select_for_update(of=("self",)).first()
    if batch is None:
        return Refused("invalid:survey", "没有这份名单，或者不是本中心抽取的。", take.rule)
    file = take.files.open(given.file)
    if file is None:
        return Refused("missing:file", "没有收到文件，请选择填好结果的名单再上传。", take.rule)
    try:
        answers = read_results(file.read(MOST_BYTES + 1))
    except BadResults as bad:
        return Refused("invalid:file", str(bad), take.rule)
    report = Report(unread=list(answers.unread))
    ids = surveys.members(batch)
    visible = visible_cases(take.actor).in_bulk(ids)
    earlier = surveys.results_of(batch, ids)
    for row in answers.rows:
        _take_in(take, batch, row, surveys.member(batch, ids, row.serial), visible, earlier, report)
    if report.kept:
        batch.imported_at = take.now
        batch.save(update_fields=["imported_at"])
    take.made, take.extra["report"] = batch, report
    return {
        "survey": batch.pk, "kept": report.kept, "already": report.already, "blank": report.blank,
        "refused": len(report.problems),
    }  # fmt: skip


def _take_in(
    take: Take, batch: SurveyBatch, row: Answer, key: int | None, visible: Mapping[int, Case],
    earlier: Mapping[int, Callback], report: Report,
) -> None:  # fmt: skip
    """One line: filled in, on the list, not in already, and taken by the case."""
    if not row.data and not row.problem:
        report.blank += 1
        return
    problem, case = row.problem, visible.get(key) if key is not None else None
    if not problem and case is None:
        problem = "名单里没有这个编号，请核对“调查编号”是否抄错、文件是否属于这份名单"
    if not problem and case is not None:
        if _is_in(earlier.get(case.pk), row):
            report.already += 1
            return
        problem = _judge(take, batch, case, row)
    if problem:
        report.problems.append((row.line, row.serial, f"{problem.rstrip('。')}。"))
    else:
        report.kept += 1


def _is_in(before: Callback | None, row: Answer) -> bool:
    """Whether the list has a result for the case already; who was not reached may be reached later."""
    return before is not None and (before.result in surveys.DONE or before.result == row.data["result"])


def _judge(take: Take, batch: SurveyBatch, case: Case, row: Answer) -> str:
    """Take the callback; why not, if it was refused."""
    if case.round > 1 and Assignment.objects.filter(case=case, round=case.round, assigned_at__gt=batch.at).exists():
        return "抽取名单以后这件诉求又重新办理过，这个结果说的是上一轮，没有记入；需要的请另抽名单"
    outcome = perform(
        "case.call_back", actor=take.actor, now=take.now, case=case, data={"method": "survey", **row.data}
    )
    if isinstance(outcome, Refused):
        return "，".join(filter(None, (outcome.reason.rstrip("。"), ADVICE.get(outcome.code, ""))))
    made = Callback.objects.filter(case=case, method="survey", at=take.now, by=take.actor.id).order_by("-pk")[:1]
    Callback.objects.filter(pk__in=list(made.values_list("pk", flat=True))).update(batch=batch)
    return ""
