"""Drafts of bulletins as files, for a job at the start of a day: made again, nothing is written twice."""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from huying.base.clock import local_date
from huying.cases.queries.circular import draft_of, due_periods
from huying.core.periods import PeriodKind
from huying.people.actors import Actor


def write_drafts(actor: Actor, folder: Path, kinds: Collection[PeriodKind], *, now: datetime) -> list[Path]:
    """Write the drafts of the periods that have just ended; gives the files written now.

    A file that is there stays as it is: somebody may have worked on it. A period that has its bulletin gets none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for period in due_periods(actor, local_date(now), kinds):
        path = folder / f"通报-{period.label}.txt"
        if path.exists():
            continue
        with path.open("x", encoding="utf-8") as file:
            file.write(draft_of(actor, period, now=now).content)
        written.append(path)
    return written
