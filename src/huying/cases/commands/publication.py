"""公示公开: a typical case for everybody to read, redacted by a person and checked before it goes out."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import Field

from huying.base.clock import end_of_day, local_date
from huying.cases import vault
from huying.cases.commands.intake import Line, Text
from huying.cases.commands.notices import tell_citizen
from huying.cases.commands.registry import Input, Take, action
from huying.cases.models import Case, Link, Party
from huying.cases.models.publication import Publication
from huying.core.publication import SENSITIVE_FLAGS, judge_redaction
from huying.core.verdict import Refused
from huying.people.actors import system

IDENTITY = ("name", "phone", "email", "address", "id_number", "organisation", "other")


class PublishInput(Input):
    title: Line = Field(title="公开的标题")
    content: Text = Field(title="公开的诉求内容")
    reply: Text = Field(title="公开的答复")
    criteria: tuple[Literal["representative", "guiding", "standard_reply"], ...] = Field(default=(), title="选取理由")


@action(
    "case.publish", "公开", parties="dispatcher", takes=PublishInput, held_by="top", case_states=("closed",),
)  # fmt: skip
def publish(take: Take, given: PublishInput) -> Refused | Mapping[str, Any]:
    """A closed case, redacted, goes on the public page; the requester is told and may object."""
    case = take.case
    refused = _judge_publishable(take)
    if refused:
        return refused
    texts = {"公开的标题": given.title, "公开的诉求内容": given.content, "公开的答复": given.reply}
    refused = judge_redaction(texts, _private_of(take), take.rule)
    if refused:
        return refused
    rule = take.policy.publication
    days = rule.objection_days if rule else 0
    public_at = end_of_day(take.calendar.add_working_days(take.today, days)) if days else take.now
    public_on = local_date(public_at)
    row = Publication.objects.create(
        platform=take.platform, case=case, title=given.title, content=given.content, reply=given.reply,
        criteria=list(dict.fromkeys(given.criteria)), at=take.now, by=take.actor.id,
        public_at=public_at,
    )  # fmt: skip
    case.published = True
    case.save(update_fields=["published"])
    tell_citizen(case, "published", at=take.now, on=public_on)
    take.made = row
    return {"publication": row.pk, "criteria": list(row.criteria), "public_on": public_on}


class UnpublishInput(Input):
    reason: str = Field(default="", max_length=500, title="撤下的原因")


def _is_published(take: Take) -> Refused | None:
    return None if take.case.published else Refused("wrong_state", "这件诉求没有公开。", take.rule)


@action(
    "case.unpublish", "撤销公开", parties="dispatcher", takes=UnpublishInput, held_by="top", ready=_is_published
)  # fmt: skip
def unpublish(take: Take, given: UnpublishInput) -> Mapping[str, Any]:
    """Off the public page at once; what was published stays on record."""
    row = Publication.objects.get(case=take.case, withdrawn_at__isnull=True)
    row.withdrawn_at, row.withdrawn_by, row.withdrawn_because = take.now, take.actor.id, given.reason
    row.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_because"])
    take.case.published = False
    take.case.save(update_fields=["published"])
    return {"publication": row.pk}


def _judge_publishable(take: Take) -> Refused | None:
    case = take.case
    if case.published:
        return Refused("already_done", "这件诉求已经公开。", take.rule)
    if case.confidential:
        return Refused("wrong_state", "保密的诉求不得公开。", take.rule)
    if any(case.flags.get(flag) for flag in SENSITIVE_FLAGS):
        return Refused("wrong_state", "标注为敏感的诉求不得公开。", take.rule)
    return None


def _private_of(take: Take) -> Mapping[str, Iterable[str]]:
    """Everything the vault holds of those whose matter it is, in this case and in those merged into it.

    Read by the platform itself, and logged so, with who published as the one on whose behalf: nobody is shown it.
    """
    found: dict[str, list[str]] = defaultdict(list)
    merged = Case.objects.filter(pk__in=Link.objects.filter(other=take.case, type="merged").values("case_id"))
    reader = system(take.platform)
    for case in (take.case, *merged):
        parties = Party.objects.filter(case=case, subject__isnull=False).select_related("subject")
        for party in parties:
            values = vault.read(
                case, IDENTITY, actor=reader, purpose="check", now=take.now, part=party.part, party=party,
                approver=take.actor.id,
            )  # fmt: skip
            for kind, value in values.items():
                found[kind].append(value)
    return found
