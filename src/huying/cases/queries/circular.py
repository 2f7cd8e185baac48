"""What is written of a period: drafts of bulletins, and tables for the assessments of others."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from huying.cases.models.bulletin import Bulletin
from huying.cases.queries.indicators import DIMENSIONS, OWN_UNIT, Table, figures, named_cases
from huying.cases.queries.scorecard import scorecard
from huying.core import circular as text
from huying.core import sheets
from huying.core.assessment import THIRDS
from huying.core.indicators import Aspect
from huying.core.periods import Period, PeriodKind, ended
from huying.people.actors import Actor
from huying.people.models import Unit
from huying.people.units import full_name

WRITING = ("supervisor",)
"""Who drafts bulletins: those who may publish them."""
TOWNS = ("town", "street", "zone", "farm")
CLASSES: Mapping[str, str] = {"districts": "区县", "departments": "部门", "towns": "镇街"}
"""Each goes to an assessment of its own."""
ITEMS = {"late": "办理超期", "again": "办理不到位"}


@dataclass(frozen=True)
class Draft:
    """A bulletin as the figures make it; `published` once one on the period was published."""

    period: Period
    content: str
    published: bool

    @property
    def label(self) -> str:
        return self.period.label


def draft_of(actor: Actor, period: Period, *, now: datetime) -> Draft:
    """The draft of a period, by the units next below the viewer's top. The same figures make the same draft."""
    table, before = (figures(actor, one, "below", now=now) for one in (period, period.before))
    stated = {
        name: [text.Stated(one.unit.name, one.number) for one in named_cases(actor, name, period, "below", now=now)]
        for name in text.SECTIONS
    }
    lines = [text.Line(row.label, row.counts) for row in table.rows if row.unit is not None]
    content = text.draft(
        table.top.name, period, lines=lines, total=table.total.counts, before=before.total.counts, stated=stated
    )
    return Draft(period, content, is_published(actor, period))


def is_published(actor: Actor, period: Period) -> bool:
    """Whether the actor's unit has published a bulletin on that period."""
    return Bulletin.objects.filter(platform=actor.platform, issued_by=actor.unit, period=period.label).exists()


def due_periods(actor: Actor, today: date, kinds: Collection[PeriodKind]) -> list[Period]:
    """The periods that ended last and of which the actor's unit has published nothing: at most one of each kind."""
    return [period for period in (ended(kind, today) for kind in kinds) if not is_published(actor, period)]


# ---- tables for assessments -------------------------------------------------------------------------


def figures_csv(actor: Actor, table: Table) -> str:
    """A table of figures as it is shown, with its total."""
    lines = [sheets.Line(row.label, row.counts) for row in (*table.rows, table.total)]
    without = ("complained_rate",) if actor.role in OWN_UNIT else ()
    return sheets.figures_sheet(
        f"{table.top.name}诉求办理情况", table.period, DIMENSIONS[table.by], lines, without=without
    )


def class_of(unit: Unit) -> str:
    """Which assessment a unit belongs to."""
    if unit.kind == "district":
        return "districts"
    return "towns" if unit.kind in TOWNS else "departments"


def scores_csv(
    actor: Actor, period: Period, of: str, *, now: datetime, weights: Mapping[Aspect, Decimal] = THIRDS,
    areas: Collection[str] | None = None,
) -> str:  # fmt: skip
    """The scores of the departments, or of the towns. Raises: BadWeights."""
    cards = [
        card for card in scorecard(actor, period, now=now, weights=weights, areas=areas) if class_of(card.unit) == of
    ]
    lines = [sheets.Line(full_name(card.unit), card.row.counts, card.score) for card in cards]
    return sheets.scores_sheet(f"{CLASSES[of]}考核评分", period, lines, weights=weights)


def items_csv(actor: Actor, period: Period, of: str, *, now: datetime) -> str:
    """What the bulletin names against districts, departments or towns: overdue and inadequate, with the numbers."""
    by = "below" if of == "districts" else "unit"
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for counter, matter in ITEMS.items():
        for one in named_cases(actor, counter, period, by, now=now):
            if class_of(one.unit) == of:
                found[full_name(one.unit), matter].append(one.number)
    items: Sequence[tuple[str, str, Sequence[str]]] = [(*key, sorted(numbers)) for key, numbers in found.items()]
    return sheets.items_sheet(f"纳入{CLASSES[of]}考核的事项", period, items)
