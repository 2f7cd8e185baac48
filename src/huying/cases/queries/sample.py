"""抽查抽访: a random share of the closed cases of a period, the same again for the same seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import CharField, F, QuerySet, Value
from django.db.models.functions import MD5, Cast, Concat

from huying.base.clock import start_of_day
from huying.base.text import is_storable
from huying.cases.access import visible_cases
from huying.cases.models import Case
from huying.cases.models.registers import SpotCheck
from huying.cases.policies import rules_of
from huying.cases.queries.time_limits import facts_of, lead_assignment
from huying.people.actors import Actor

SAMPLING = ("supervisor", "dispatcher", "caller", "checker", "analyst", "auditor")
"""Who draws samples."""
CHECKING = ("supervisor", "dispatcher", "caller", "checker")
"""Who looks into what was drawn."""
LONGEST = 366
MOST = 500
SHOWN = 100


@dataclass(frozen=True)
class Draw:
    """What is drawn from: days on which cases were closed, the share in per cent, the seed, the channel if any."""

    first: date
    last: date
    rate: int
    seed: str
    channel: str = ""

    @property
    def problem(self) -> str:
        """What is wrong with it, in words; empty when nothing is."""
        if not (2000 <= self.first.year <= 2999 and 2000 <= self.last.year <= 2999):
            return "日期填写有误，请检查。"
        if self.first > self.last:
            return "起始日期不能晚于截止日期。"
        if (self.last - self.first).days >= LONGEST:
            return f"时段最长{LONGEST}日，请分段抽取。"
        if not 1 <= self.rate <= 100:
            return "抽取比例应为1至100。"
        if not self.seed or len(self.seed) > 60 or not is_storable(self.seed + self.channel):
            return "请填写抽样种子，不超过60个字。"
        return ""


@dataclass(frozen=True)
class Sample:
    """The cases drawn, in the order of the draw, and out of how many."""

    cases: Sequence[Case]
    total: int
    wanted: int
    """How many the share comes to; more than `MOST` are cut off."""


def draw_sample(actor: Actor, draw: Draw) -> Sample:
    """Draw from the closed cases that the actor may see: whoever draws again with the same seed gets the same.

    Each case's place in the draw hangs on the seed and its own number alone, so a case that is closed later does not
    change the order of the others. Half a case and more is a whole one, and of any cases at least one is drawn.

    Raises: ValueError for a draw that has a `problem`.
    """
    if draw.problem:
        raise ValueError(draw.problem)
    if actor.role not in SAMPLING:
        return Sample([], 0, 0)
    cases = _closed(actor, draw)
    total = cases.count()
    wanted = max((total * draw.rate + 50) // 100, 1) if total else 0
    place = MD5(Concat(Value(f"{draw.seed}|"), Cast("number", CharField())))
    drawn = cases.annotate(place=place).order_by("place", "pk").select_related("place_unit")[: min(wanted, MOST)]
    return Sample(list(drawn), total, wanted)


def _closed(actor: Actor, draw: Draw) -> QuerySet[Case]:
    cases = visible_cases(actor).filter(
        state="closed",
        closed_at__gte=start_of_day(draw.first),
        closed_at__lt=start_of_day(draw.last + timedelta(days=1)),
    )
    return cases.filter(channel=draw.channel) if draw.channel else cases


# ---- what was drawn is looked into ---------------------------------------------------


def methods_of(case: Case) -> tuple[str, ...]:
    """How `case` may be checked: by its file always, and as the regulation lets its channel be called back."""
    return ("file", *rules_of(case).callback_rule(facts_of(case, lead_assignment(case))).methods)


def checks_of(actor: Actor, *, seed: str = "") -> list[SpotCheck]:
    """The checks of cases that the actor may see, those still to be done first; of one draw, or the latest of all."""
    if actor.role not in SAMPLING:
        return []
    found = SpotCheck.objects.filter(case__in=visible_cases(actor))
    if seed:
        found = found.filter(seed=seed) if is_storable(seed) else found.none()
    rows = found.select_related("case__platform").order_by(F("checked_at").desc(nulls_first=True), "-drawn_at", "-pk")
    return list(rows[:SHOWN])


def find_check(actor: Actor, key: int) -> SpotCheck | None:
    """One check, if the actor may see its case."""
    found = SpotCheck.objects.filter(pk=key, case__in=visible_cases(actor)) if actor.role in CHECKING else None
    return found.select_related("case__platform").first() if found is not None else None
