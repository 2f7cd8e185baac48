"""考核 as it is read: the periods, one period's table of units and items, and what the data say of a period."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q

from huying.cases.access import OVERSEEING, visible_cases
from huying.cases.models import Case
from huying.cases.models.assessment import Assessment, ItemScore, KnowledgeUpdate
from huying.cases.models.bulletin import ScoreAdjustment
from huying.cases.policies import policy_of
from huying.cases.queries.circular import CLASSES, class_of
from huying.cases.queries.indicators import OWN_UNIT, Row, figures, reach_of
from huying.cases.queries.scorecard import is_scored
from huying.cases.queries.settings import assessed_areas
from huying.core import sheets
from huying.core.assessment_items import KNOWLEDGE, Total, formula, had_work, ranks, total_of
from huying.core.periods import Period, PeriodKind, period_of
from huying.people.actors import Actor, system
from huying.people.models import Platform, Unit
from huying.people.units import find_centre, full_name
from huying.policy.model import AssessmentItem, Regulation

READING = ("supervisor", "analyst", "auditor", "executive")
"""Who reads the assessment of all units, at a body of the whole platform."""
MOST = 40
"""Periods listed."""


def reads_assessments(actor: Actor) -> bool:
    """Whether the actor reads the assessment: of all units, or of the own one."""
    return bool(policy_of(actor.platform).assessment_items) and (is_whole(actor) or _is_own(actor))


def is_whole(actor: Actor) -> bool:
    """Whether the actor reads the assessment of every unit: from beside the root, in a role of oversight."""
    unit = actor.unit
    if unit is None or unit.parent is None or unit.parent.parent_id is not None:
        return False
    return actor.role in READING and unit.kind in (*OVERSEEING, "government")


def runs_assessments(actor: Actor) -> bool:
    """Whether the actor scores and approves: the supervisor, or the leader of the body that runs the platform."""
    unit = actor.unit
    if unit is None or unit.parent is None or unit.parent.parent_id is not None:
        return False
    return actor.role in ("supervisor", "leader") and unit.kind in OVERSEEING


def _is_own(actor: Actor) -> bool:
    return actor.unit is not None and actor.role in OWN_UNIT


def assessments_of(actor: Actor) -> Sequence[Assessment]:
    """The periods that the actor may read, the latest first; a unit's own people read what is approved."""
    if not reads_assessments(actor):
        return []
    found = Assessment.objects.filter(platform=actor.platform).order_by("-first")
    return list((found if _sees_all(actor) else found.filter(state="approved"))[:MOST])


def find_assessment(actor: Actor, key: int) -> Assessment | None:
    """One period, if the actor may read it."""
    if not reads_assessments(actor):
        return None
    found = Assessment.objects.filter(platform=actor.platform, pk=key).first()
    return found if found and (_sees_all(actor) or found.state == "approved") else None


def _sees_all(actor: Actor) -> bool:
    return is_whole(actor) or runs_assessments(actor)


# ---- one period ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """One item of one unit."""

    item: AssessmentItem
    score: ItemScore | None
    cases: Sequence[str] = ()
    """Numbers of the cases that it rests on, as far as the reader may know of them."""


@dataclass(frozen=True)
class UnitScore:
    """One unit's line: its items, what they come to, its place in its class."""

    unit: Unit
    cells: Sequence[Cell]
    total: Total
    rank: int | None


@dataclass(frozen=True)
class Sheet:
    """One period: the items, and the units of each class, best first."""

    assessment: Assessment
    period: Period
    items: Sequence[AssessmentItem]
    classes: Sequence[tuple[str, Sequence[UnitScore]]]

    @property
    def missing(self) -> int:
        """Scores that a person still has to give."""
        return sum(
            cell.item.by == "person" and (cell.score is None or cell.score.points is None)
            for _, rows in self.classes
            for row in rows
            for cell in row.cells
        )

    @property
    def formulas(self) -> Sequence[tuple[AssessmentItem, str]]:
        return [(item, formula(item)) for item in self.items]


def rules_on(assessment: Assessment) -> Regulation:
    """The rules that the period is assessed by: those in force on its last day."""
    return policy_of(assessment.platform, assessment.last)


def sheet_of(actor: Actor, assessment: Assessment) -> Sheet:
    """The table of a period; for a unit's own people their own line alone."""
    items = rules_on(assessment).assessment_items
    rows = assessment.scores.select_related("unit").order_by("unit__left")
    by_unit: dict[Unit, dict[str, ItemScore]] = defaultdict(dict)
    for row in rows:
        by_unit[row.unit][row.item] = row
    numbers = _numbers(actor, assessment)
    own = None if _sees_all(actor) else actor.unit
    by_class: dict[str, list[UnitScore]] = defaultdict(list)
    for unit, scores in by_unit.items():
        cells = [
            Cell(item, scores.get(item.key), numbers.get(scores[item.key].pk, ()) if item.key in scores else ())
            for item in items
        ]
        points = {key: score.points for key, score in scores.items()}
        by_class[class_of(unit)].append(UnitScore(unit, cells, total_of(items, points), None))
    classes = [(CLASSES[of], _ranked(by_class[of], own)) for of in CLASSES if by_class[of]]
    return Sheet(assessment, period(assessment), items, [(label, rows) for label, rows in classes if rows])


def period(assessment: Assessment) -> Period:
    """The days of an assessment as a period."""
    kinds: tuple[PeriodKind, ...] = ("quarter", "year")
    for kind in kinds:
        found = period_of(kind, assessment.first)
        if (found.first, found.last) == (assessment.first, assessment.last):
            return found
    return Period("range", assessment.first, assessment.last)


def _ranked(rows: Sequence[UnitScore], own: Unit | None) -> list[UnitScore]:
    placed = [
        replace(row, rank=rank)
        for row, rank in zip(rows, ranks([row.total.total for row in rows]), strict=True)
        if own is None or row.unit.pk == own.pk
    ]
    return sorted(placed, key=lambda row: (row.rank is None, row.rank or 0, row.unit.left))


def _numbers(actor: Actor, assessment: Assessment) -> Mapping[int, list[str]]:
    """Numbers of the cases that points rest on, by score; those that the reader must not know of left out."""
    found: dict[int, list[str]] = defaultdict(list)
    cases = Case.objects.filter(item_scores__assessment=assessment, pk__in=visible_cases(actor).values("pk"))
    for score, number in cases.order_by("number").values_list("item_scores", "number"):
        found[score].append(number)
    return found


def sheet_csv(sheet: Sheet) -> str:
    """The table of a period as a file for those who use its results."""
    head = ["类别", "单位", *(_headed(item) for item in sheet.items), "得分", "本类排名"]
    rows = [
        [label, full_name(row.unit), *(_told(cell) for cell in row.cells), _points(row.total.total), row.rank or "—"]
        for label, rows in sheet.classes
        for row in rows
    ]
    notes = [f"{item.label}：{said}" for item, said in sheet.formulas]
    state = "已审定" if sheet.assessment.state == "approved" else "草稿，未经审定"
    return sheets.plain_sheet(f"承办单位考核结果（{state}）", sheet.period, notes, head, rows)


def _headed(item: AssessmentItem) -> str:
    return item.label if item.by == "adjustments" else f"{item.label}（{item.weight}）"


def _told(cell: Cell) -> Any:
    if cell.item.by == "adjustments" and cell.score and cell.cases:
        return f"{_points(cell.score.points)}（{'、'.join(cell.cases)}）"
    return _points(cell.score.points if cell.score else None)


def _points(value: Decimal | None) -> Any:
    return "—" if value is None else value


# ---- what the data say -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Counted:
    """One unit's counts of a period, and the points given to and taken from it with their cases."""

    unit: Unit
    counts: Mapping[str, int]
    points: Decimal
    cases: Sequence[int]


def counted(platform: Platform, of: Period, *, now: datetime) -> Sequence[Counted]:
    """Every unit that is assessed and had work in the period, in the order of the tree."""
    policy = policy_of(platform, of.last)
    if policy.assessment is None:
        return []
    actor, areas = counting(platform), assessed_areas(platform)
    knowledge, points, cases = _knowledge(actor, of), defaultdict(Decimal), defaultdict(list)
    for unit, given, case in _adjustments(actor, of):
        points[unit] += given
        if case is not None and case not in cases[unit]:
            cases[unit].append(case)
    found = []
    for row in figures(actor, of, "unit", now=now).rows:
        if row.unit is not None and _is_assessed(row, policy, areas):
            counts = dict(row.counts) | {KNOWLEDGE: knowledge.get(row.unit.pk, 0)}
            found.append(Counted(row.unit, counts, points[row.unit.pk], cases[row.unit.pk]))
    return found


def _is_assessed(row: Row, policy: Regulation, areas: Sequence[str] | None) -> bool:
    assert row.unit is not None and policy.assessment is not None
    return row.unit.kind in policy.assessment.kinds and had_work(row.counts) and is_scored(row.unit, areas)


def counting(platform: Platform) -> Actor:
    """The clock as it counts: all that the body running the platform sees."""
    root = Unit.objects.get(platform=platform, parent__isnull=True)
    return replace(system(platform), role="supervisor", unit=find_centre(root))


def _knowledge(actor: Actor, of: Period) -> Mapping[int, int]:
    rows = KnowledgeUpdate.objects.filter(platform=actor.platform, at__gte=of.begins, at__lt=of.ends)
    return _grouped(actor, rows.values_list("unit").annotate(Count("pk")).order_by())


def _grouped(actor: Actor, rows: Any) -> Mapping[int, int]:
    tree, found = reach_of(actor).tree, defaultdict[int, int](int)
    for unit, count in rows:
        group = tree.group_of(unit, "unit")
        if group is not None:
            found[group] += count
    return found


def _adjustments(actor: Actor, of: Period) -> list[tuple[int, Decimal, int | None]]:
    """Unit, points and case of each adjustment of the period, at the unit that answers."""
    tree = reach_of(actor).tree
    rows = ScoreAdjustment.objects.filter(
        Q(case__isnull=True) | Q(case__in=visible_cases(actor)), platform=actor.platform, at__gte=of.begins,
        at__lt=of.ends,
    )  # fmt: skip
    found = []
    for unit, points, case in rows.order_by("pk").values_list("unit", "points", "case"):
        group = tree.group_of(unit, "unit")
        if group is not None:
            found.append((group, points, case))
    return found
