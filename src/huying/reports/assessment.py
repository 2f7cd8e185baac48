"""Results for the assessments of others: a file for departments and one for towns, and the indicators of a year."""

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from huying.base.clock import local_date
from huying.cases.queries.circular import CLASSES, figures_csv, items_csv, scores_csv
from huying.cases.queries.indicators import figures
from huying.cases.queries.settings import assessed_areas
from huying.core.assessment import THIRDS
from huying.core.indicators import Aspect
from huying.core.periods import Period, PeriodKind, ended
from huying.people.actors import Actor


def write_assessment(
    actor: Actor, folder: Path, period: Period, *, now: datetime, weights: Mapping[Aspect, Decimal] = THIRDS,
    areas: Collection[str] | None = None,
) -> list[Path]:  # fmt: skip
    """Scores of departments and of towns, and what is deducted for in each class, each in a file of its own.

    Raises: BadWeights.
    """
    files = {
        f"考核评分-{CLASSES[of]}": scores_csv(actor, period, of, now=now, weights=weights, areas=areas)
        for of in ("departments", "towns")
    }
    files |= {f"考核事项-{label}": items_csv(actor, period, of, now=now) for of, label in CLASSES.items()}
    return _write(folder, period, files)


def write_indicators(actor: Actor, folder: Path, period: Period, *, now: datetime) -> list[Path]:
    """The indicators of a period for each unit that answers for its work, with those that had nothing."""
    table = figures(actor, period, "unit", now=now, all_units=True)
    return _write(folder, period, {"指标": figures_csv(actor, table)})


def write_ended(
    actor: Actor, folder: Path, kinds: Collection[PeriodKind], what: Collection[str], *, now: datetime
) -> list[Path]:
    """Of the periods that ended last, what is asked for: the files for assessments, with the districts that take part,
    and the indicators."""
    paths: list[Path] = []
    for kind in kinds:
        period = ended(kind, local_date(now))
        if "assessment" in what:
            paths += write_assessment(actor, folder, period, now=now, areas=assessed_areas(actor.platform))
        if "indicators" in what:
            paths += write_indicators(actor, folder, period, now=now)
    return paths


def _write(folder: Path, period: Period, files: Mapping[str, str]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, content in files.items():
        path = folder / f"{name}-{period.label}.csv"
        path.write_text(content, encoding="utf-8", newline="")
        paths.append(path)
    return paths
