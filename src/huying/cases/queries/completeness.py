"""归档材料完整性: what an ended case still lacks to be filed true, clear and complete."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from huying.cases import attachments, journal
from huying.cases.models import Case
from huying.cases.policies import rules_of
from huying.cases.queries.time_limits import facts_of, lead_assignment
from huying.core.callback import judge_closing
from huying.people.actors import system


@dataclass(frozen=True)
class Gap:
    """Something that must be there and is not, or is not sound."""

    code: str
    text: str


def gaps_of(case: Case) -> list[Gap]:
    """What is missing or unsound; empty when the case can be filed. What was imported is judged by its files alone."""
    found = [Gap("journal", f"操作日志{problem}") for problem in journal.verify(case)]
    begun = set(case.journal.filter(action__in=("case.submit", "case.imported")).values_list("action", flat=True))
    if not begun:
        found.append(Gap("journal", "操作日志没有登记这件诉求的记录"))
    if "case.imported" not in begun:
        found += _of_course(case)
    return found + [Gap("attachment", problem) for problem in _problems_of_files(case)]


def _of_course(case: Case) -> Iterator[Gap]:
    """What the way of a case must have left behind: an answer, its callback where that is asked, nothing undecided."""
    if case.state == "closed" and not case.replies.filter(state="passed").exists():
        yield Gap("reply", "没有送达诉求人的答复")
    if case.state == "closed" and _lacks_callback(case):
        yield Gap("callback", "没有本轮办理的回访记录")
    if case.state == "refused" and not (case.ground and case.ground_note):
        yield Gap("ground", "没有不予受理的事由和说明")
    if case.supervisions.filter(state__in=("open", "answered")).exists():
        yield Gap("supervision", "还有没有销号的督办")
    if case.applications.filter(state="pending").exists():
        yield Gap("application", "还有没有决定的申请")


def _lacks_callback(case: Case) -> bool:
    refused = judge_closing(
        called_back=case.callbacks.filter(round=case.round).exists(), was_dispatched=case.assignments.exists(),
        contactable=not case.anonymous,
        rule=rules_of(case).callback_rule(facts_of(case, lead_assignment(case))),
    )  # fmt: skip
    return refused is not None


def _problems_of_files(case: Case) -> Iterator[str]:
    reader = system(case.platform)
    for attachment in case.attachments.order_by("uploaded_at", "label"):
        try:
            content = attachments.open_for(reader, attachment).path.read_bytes()
        except FileNotFoundError:
            yield f"{attachment.label}已经不在存储中"
            continue
        if hashlib.sha256(content).hexdigest() != attachment.served_sha256:
            yield f"{attachment.label}与上传时的摘要不符"
