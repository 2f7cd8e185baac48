"""两级平台: a city's platform and a district's in one installation. What is dispatched to the unit that stands for the
district is submitted there with the city's number and date; the district's result comes back as that unit's reply.

Both directions go through `perform`, so that each platform's own rules decide, and each step is in one transaction
with its record: done once, or not at all.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from huying.cases import journal, vault
from huying.cases.commands import exchange
from huying.cases.commands.exchange import Claimed
from huying.cases.commands.perform import perform
from huying.cases.models import Assignment, Case
from huying.cases.policies import policy_of
from huying.cases.queries.exchange import answer_of, due_of
from huying.core.verdict import Refused
from huying.people.actors import Actor, system
from huying.people.models import Platform, Unit
from huying.people.units import UnknownUnit, find_unit

REQUESTER = ("name", "phone", "email", "address", "id_number", "organisation")
HANDED_DOWN = "case.handed_down"

log = logging.getLogger(__name__)


class BadBinding(ValueError):
    """What the settings say does not fit the platforms: what and what to do."""


@dataclass(frozen=True)
class Binding:
    """The platform `lower` stands below the platform of `unit`, where that unit stands for it."""

    lower: Platform
    upstream: str
    unit: Unit
    channel: str

    @property
    def upper(self) -> Platform:
        return self.unit.platform

    @property
    def name(self) -> str:
        """Who acts on the one platform for the other."""
        return f"platform:{self.lower.slug}"


@dataclass
class HandedDown:
    """How many cases went down, and the numbers of those that a person must take over, with why."""

    done: int = 0
    left: dict[str, str] = field(default_factory=dict)


def bind(lower: Platform, upstream: str, target: str) -> Binding:
    """The binding of `lower` by its rule `upstream` to `target`: the slug of a platform, `/`, the path of a unit.

    Raises: BadBinding.
    """
    slug, _, path = target.partition("/")
    upper = Platform.objects.filter(slug=slug).first()
    if upper is None or upper.pk == lower.pk:
        raise BadBinding(f"没有平台“{slug}” → 写本部署中上级平台的代号。")
    try:
        unit = find_unit(upper, path)
    except UnknownUnit:
        raise BadBinding(f"平台“{slug}”没有单位“{path}” → 写它那里代表“{lower.name}”的单位。") from None
    rule = next((one for one in policy_of(lower).upstreams if one.key == upstream), None)
    if rule is None or rule.sends != "result" or not rule.channels:
        raise BadBinding(f"“{lower.name}”的规定没有写明渠道、办结后回传结果的“{upstream}” → 核对 exchange.toml。")
    return Binding(lower, upstream, unit, rule.channels[0])


# ---- down ------------------------------------------------------------------------------


def hand_down(binding: Binding, *, now: datetime, limit: int = 200) -> HandedDown:
    """Submit on the lower platform what the unit that stands for it has got and not passed on yet.

    By state: run twice, by two processes or late, a case goes down once. What the lower platform refuses, or could
    give away to whom it complains of, is left to a person, who registers it there by its number. The newest come first,
    so that those left hold up nobody.
    """
    known = Case.objects.filter(
        platform=binding.lower, channel=binding.channel, external_no=OuterRef("case__number")
    )  # fmt: skip
    waiting = Assignment.objects.filter(
        unit_left=binding.unit.left, unit=binding.unit, role="lead", state__in=("dispatched", "handling")
    )
    this = HandedDown()
    for case_id in waiting.filter(~Exists(known)).order_by("-pk").values_list("case_id", flat=True)[:limit]:
        with transaction.atomic():
            rows = Case.objects.select_for_update(of=("self",), skip_locked=True)
            case = rows.select_related("platform", "holder", "place_unit").filter(pk=case_id).first()
            if case is None:
                continue
            problem = _hand_down(binding, case, now)
            if problem:
                transaction.set_rollback(True)
        if problem:
            this.left[case.number] = problem
        else:
            this.done += 1
    return this


def _hand_down(binding: Binding, case: Case, now: datetime) -> str:
    subject = _subject(binding, case)
    if subject is None:
        return "反映的单位在下级平台对不上，请人工登记并注明被反映单位。"
    requester = vault.read(case, REQUESTER, actor=system(case.platform), purpose="handle", now=now)
    if requester and case.requester_kind:
        requester["kind"] = case.requester_kind
    given = {
        "channel": binding.channel, "kind": case.kind, "title": case.title, "content": case.content,
        "place": _below(binding, case.place_unit) or case.place_text or binding.lower.name, "urgency": case.urgency,
        "anonymous": case.anonymous, "confidential": case.confidential or None, "subject_unit": subject,
        "external_no": case.number, "due": due_of(case),
        "requester": requester or None,
    }  # fmt: skip
    actor = Actor(id=f"platform:{case.platform.slug}", role="channel", platform=binding.lower, channel=binding.channel)
    made = perform("case.submit", actor=actor, now=now, data=given)
    if isinstance(made, Refused):
        return "" if made.code == "already_done" else made.reason
    journal.record(case, HANDED_DOWN, actor=system(case.platform), at=now, number=made.case.number)
    exchange.queue_upstream([case], at=now)
    return ""


def _subject(binding: Binding, case: Case) -> str | None:
    """The unit complained about as the lower platform calls it; empty: none of its units; None: it cannot be told."""
    top = binding.unit.parent if binding.unit.kind == "centre" and binding.unit.parent else binding.unit
    spans = case.subjects.filter(unit_left__lte=top.right, unit_right__gte=top.left).select_related("unit")
    concerned = [one.unit for one in spans]
    if not concerned:
        return ""
    path = _below(binding, concerned[0]) if len(concerned) == 1 else ""
    return path or None


def _below(binding: Binding, unit: Unit | None) -> str:
    """The path by which the lower platform knows a unit of the upper one; empty when it does not."""
    top = binding.unit.path.rpartition("/")[0] if binding.unit.kind == "centre" else binding.unit.path
    if unit is None or not top or not unit.path.startswith(f"{top}/"):
        return ""
    try:
        return find_unit(binding.lower, unit.path.removeprefix(f"{top}/")).path
    except UnknownUnit:
        return ""


# ---- up --------------------------------------------------------------------------------


def deliver_up(binding: Binding, claimed: Claimed, *, now: datetime) -> str:
    """Bring a result to the upper platform: as the reply of the unit, else as its progress. Gives what is wrong."""
    with transaction.atomic():
        below = Case.objects.select_related("platform", "holder").get(pk=claimed.case_id)
        case = Case.objects.filter(platform=binding.upper, number=below.external_no).first()
        if case is None:
            return "上级平台没有这个编号的件"
        actor = Actor(id=binding.name, role="handler", platform=binding.upper, unit=binding.unit)
        problem = _reply(actor, case, below, now) and _tell(actor, case, below, now)
        if problem:
            return problem
        exchange.record_sent(claimed, revision=0, now=now)
        return ""


def _reply(actor: Actor, case: Case, below: Case, now: datetime) -> str:
    """The district's answer as the unit's own, with what it did before; nothing of it if the answer is refused."""
    answer = answer_of(below)
    if answer is None:
        return "没有答复"
    with transaction.atomic():
        for action, data in _before(below):  # what is not asked for there, or was done, is refused and left out
            perform(action, actor=actor, now=now, case=case, data=data)
        data = {"content": answer.content, "outcome": answer.outcome, "adoption": answer.adoption}
        made = perform("case.reply", actor=actor, now=now, case=case, data=data)
        if isinstance(made, Refused):
            transaction.set_rollback(True)
            return made.reason
    return ""


def _before(below: Case) -> list[tuple[str, Mapping[str, Any]]]:
    steps: list[tuple[str, Mapping[str, Any]]] = [("case.claim", {})]
    if contact := below.contacts.order_by("-pk").first():
        told = {"method": contact.method, "result": contact.result, "note": contact.note, "at": contact.at}
        steps.append(("case.contact", told))
    if finding := below.verifications.order_by("-pk").first():
        steps.append(("case.verify", {"finding": finding.finding, "note": finding.note}))
    return steps


def _tell(actor: Actor, case: Case, below: Case, now: datetime) -> str:
    """What cannot be a reply is told as progress: that it ended below, and how."""
    words = {
        "closed": "已经办结", "refused": "不予受理", "redirected": "已转其他渠道", "withdrawn": "诉求人已经撤回",
    }  # fmt: skip
    ended = f"{below.platform.name}（编号{below.number}）{words.get(below.state, '已经并案办结')}。"
    if below.ground_note and not below.confidential:
        ended += below.ground_note
    perform("case.claim", actor=actor, now=now, case=case)
    made = perform("case.progress", actor=actor, now=now, case=case, data={"content": ended[:5000]})
    return f"上级平台没有接收：{made.reason}" if isinstance(made, Refused) else ""
