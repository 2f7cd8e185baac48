"""线索移交: to the inspectors, by a person; the unit concerned never learns of it."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from huying.cases.commands.intake import Line, Text
from huying.cases.commands.notices import tell_unit
from huying.cases.commands.registry import Input, Take, action
from huying.cases.models import Clue
from huying.core.verdict import Refused


class TransferInput(Input):
    ground: Line = Field(title="移交事由")
    to: Line = Field(title="移交单位")
    content: Text = Field(title="线索内容")


@action("clue.transfer", "线索移交", parties="supervisor", takes=TransferInput, held_by="overseer", unit_fields=("to",))
def transfer(take: Take, given: TransferInput) -> Refused | Mapping[str, Any]:
    """A clue goes to the inspectors; one that the platform drafted on the same ground is taken up."""
    known = {ground.key for ground in (*take.policy.supervision_grounds, *take.policy.clue_grounds)}
    if given.ground not in known:
        return Refused("invalid:ground", "请选择规定的移交事由。", take.rule)
    to = take.unit(given.to, "to")
    if isinstance(to, Refused):
        return to
    if to.kind not in ("discipline", "oversight"):
        return Refused("invalid:to", "线索应当移交纪检监察或者督查机关。", take.rule)
    standing = Clue.objects.filter(case=take.case, ground=given.ground, to_unit=to).exclude(state="concluded").first()
    if standing is not None and standing.state != "proposed":
        return Refused("already_done", "同一事由的线索已经移交。", take.rule)
    clue = standing or Clue(case=take.case, ground=given.ground, to_unit=to, at=take.now, rule=take.rule.key)
    clue.state, clue.content, clue.sent_at, clue.by = "transferred", given.content, take.now, take.actor.id
    clue.article = clue.article or take.rule.cite
    clue.save()
    tell_unit(take.case, to, "clue", at=take.now)
    take.made = clue
    return {"clue": clue.pk, "ground": given.ground}


class ConcludeInput(Input):
    opinion: Text = Field(title="处理意见")


@action(
    "clue.conclude",
    "处理意见",
    parties="inspector",
    takes=ConcludeInput,
    on="clue",
    target_states=("transferred",),
)
def conclude(take: Take, given: ConcludeInput) -> Mapping[str, Any]:
    """The inspectors' opinion on a clue."""
    assert isinstance(take.target, Clue)
    return concluded(take.target, given.opinion)


def concluded(clue: Clue, opinion: str) -> Mapping[str, Any]:
    """The clue is concluded with that opinion, whoever gave it; what the journal says of it."""
    clue.state, clue.opinion = "concluded", opinion
    clue.save(update_fields=["state", "opinion"])
    return {"clue": clue.pk}
