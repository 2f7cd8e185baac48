"""抽查抽访: a draw makes a check for each of its cases; a person looks into it and writes down what they found."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from django.db import transaction
from django.db.models import QuerySet
from pydantic import Field

from huying.cases import journal
from huying.cases.commands.perform import parse
from huying.cases.commands.registers import Entry
from huying.cases.commands.registry import Input
from huying.cases.models.registers import SpotCheck
from huying.cases.queries.sample import CHECKING, Draw, draw_sample, find_check, methods_of
from huying.core.verdict import Refused
from huying.people.actors import Actor


def make_checks(actor: Actor, draw: Draw, *, now: datetime) -> int | Refused:
    """A check for every case of the draw; gives how many are new. The same draw again makes none twice."""
    if actor.role not in CHECKING:
        return Refused("not_permitted", "您的身份不能建立抽查单。")
    if draw.problem:
        return Refused("invalid:seed", draw.problem)
    with transaction.atomic():
        before = _of_draw(actor, draw).count()
        cases = draw_sample(actor, draw).cases
        rows = [SpotCheck(case=case, seed=draw.seed, drawn_at=now, drawn_by=actor.id) for case in cases]
        SpotCheck.objects.bulk_create(rows, ignore_conflicts=True)
        made = _of_draw(actor, draw).count() - before
        if made:
            journal.record_for_platform(
                actor.platform, "sample.drawn", actor=actor, at=now, first=draw.first, last=draw.last, rate=draw.rate,
                made=made,
            )  # fmt: skip
    return made


def _of_draw(actor: Actor, draw: Draw) -> QuerySet[SpotCheck]:
    return SpotCheck.objects.filter(seed=draw.seed, case__platform=actor.platform)


class CheckInput(Input):
    method: Literal["file", "phone", "visit", "site", "survey"] = Field(title="抽查方式")
    finding: Literal["sound", "faulty"] = Field(title="抽查结论")
    satisfied: bool | None = Field(default=None, title="诉求人是否满意")
    note: str = Field(max_length=2000, title="抽查情况")


def record_check(actor: Actor, key: int, data: Mapping[str, Any], *, now: datetime) -> SpotCheck | Refused:
    """What a check found, once."""
    check = find_check(actor, key)
    if check is None:
        return Refused("not_found", "没有这张抽查单。")
    given = parse(ENTRY, data)  # type: ignore[arg-type]  # of an action it reads the input alone
    if isinstance(given, Refused):
        return given
    if given.method not in methods_of(check.case):
        return Refused("invalid:method", "规定中这个渠道的诉求没有这种抽查方式。")
    with transaction.atomic():
        done = SpotCheck.objects.filter(pk=key, checked_at__isnull=True).update(
            method=given.method, finding=given.finding, satisfied=given.satisfied, note=given.note, checked_at=now,
            checked_by=actor.id,
        )  # fmt: skip
        if not done:
            return Refused("already_done", "这张抽查单已经填写过了。")
        journal.record_for_platform(
            actor.platform, "sample.checked", actor=actor, at=now, check=key, finding=given.finding
        )
    check.refresh_from_db()
    return check


ENTRY = Entry("sample.checked", "抽查登记", CHECKING, CheckInput, lambda actor, given, now: Refused("not_enabled", ""))
