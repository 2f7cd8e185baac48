"""The plan of the demo: which histories begin when, and in which states they end. A pure function of seed and time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from huying.base.clock import LEGAL_ZONE, local_date
from huying.core.calendar import Calendar
from huying.site.demo.texts import City

OFFICE = ((time(8, 30), time(12, 0)), (time(14, 30), time(17, 30)))
MINUTES_A_DAY = 390


@dataclass(frozen=True)
class Path:
    """One kind of history: how many cases of a full demo, how long ago it may begin, how it ends.

    `oldest` and `youngest` are working days before now; `cases` is how many cases belong to one history.
    """

    name: str
    share: int
    oldest: int
    youngest: int
    ends: tuple[str, ...]
    cases: int = 1


@dataclass(frozen=True)
class Planned:
    """One history to be lived: its path, the moment of its first submission, and the seed of its chances."""

    path: Path
    at: datetime
    seed: str


# The histories of story.py. The first ones are the most telling: a small fill takes the paths from the top.
PATHS = (
    Path("ordinary", 0, 60, 9, ("closed",)),  # takes what the others leave
    Path("waiting", 9, 0, 0, ("received",)),
    Path("in_hand", 20, 4, 2, ("handling",)),
    Path("to_check", 9, 7, 5, ("checking",)),
    Path("to_call", 10, 9, 7, ("feedback",)),
    Path("refused", 12, 60, 1, ("refused",)),
    Path("redirected", 9, 60, 1, ("redirected",)),
    Path("withdrawn", 6, 60, 3, ("withdrawn",)),
    Path("same_person", 6, 55, 24, ("closed", "merged", "merged"), cases=3),
    Path("several_persons", 8, 55, 18, ("closed", "merged", "merged", "merged"), cases=4),
    Path("overdue_now", 5, 18, 15, ("handling",)),
    Path("bad_then_good", 6, 58, 22, ("closed",)),
    Path("returned_to_other", 5, 58, 14, ("closed",)),
    Path("extended", 6, 58, 22, ("closed",)),
    Path("ledger_now", 4, 45, 6, ("handling",)),
    Path("exempted", 3, 58, 20, ("closed",)),
    Path("panel_letter", 2, 58, 36, ("closed",)),
    Path("accused", 4, 58, 14, ("closed",)),
    Path("anonymous", 4, 58, 10, ("closed",)),
    Path("by_grid", 6, 58, 10, ("closed",)),
    Path("with_co_unit", 6, 58, 12, ("closed",)),
    Path("tangled", 2, 58, 20, ("closed",)),
    Path("failed_check", 4, 58, 14, ("closed",)),
    Path("answered", 26, 60, 2, ("closed",)),
    Path("long_unresolved", 2, 58, 50, ("handling",)),
    Path("supervised_now", 3, 18, 15, ("handling",)),
    Path("reported_now", 1, 45, 40, ("handling",)),
    Path("accepted", 4, 1, 1, ("received",)),
    Path("dispatched", 9, 1, 1, ("handling",)),
    Path("answered_today", 3, 1, 1, ("feedback",)),
    Path("panel_exempt", 2, 58, 30, ("closed",)),
    Path("awaits_panel", 2, 26, 22, ("feedback",)),
    Path("second_round_now", 3, 14, 13, ("handling",)),
    Path("exemption_refused", 2, 58, 22, ("closed",)),
    Path("exemption_pending", 1, 12, 12, ("handling",)),
    Path("overdue_supervised", 5, 58, 26, ("closed",)),
    Path("unclaimed", 3, 6, 4, ("handling",)),
    Path("returned_to_queue", 3, 58, 14, ("closed",)),
    Path("return_refused", 3, 58, 14, ("closed",)),
    Path("return_pending", 2, 2, 2, ("handling",)),
    Path("extension_pending", 2, 4, 4, ("handling",)),
    Path("extension_refused", 2, 58, 14, ("closed",)),
    Path("ledger_pending", 1, 4, 4, ("handling",)),
    Path("ledger_done", 2, 58, 40, ("closed",)),
    Path("failed_twice", 2, 58, 26, ("closed",)),
    Path("contradicted", 2, 58, 24, ("closed",)),
    Path("not_contacted", 2, 58, 24, ("closed",)),
    Path("unreachable", 5, 58, 15, ("closed",)),
    Path("immediate", 5, 58, 10, ("closed",)),
    Path("reassigned", 2, 58, 14, ("closed",)),
    Path("reworked", 2, 58, 24, ("closed",)),
    Path("urged_now", 3, 4, 4, ("handling",)),
    Path("nudged", 2, 5, 5, ("handling",)),
    Path("unmerged", 2, 50, 20, ("closed", "closed"), cases=2),
    Path("discipline", 1, 58, 30, ("closed",)),
    Path("checked_late_now", 2, 14, 12, ("checking",)),
)


def plan(city: City, now: datetime, calendar: Calendar, *, cases: int, seed: str) -> list[Planned]:
    """The histories of a demo of about `cases` cases, by the moment of their beginning.

    The same seed and the same now give the same plan.
    """
    rhythm = city.data["rhythm"]
    planned: list[Planned] = []
    for path, number in _shares(paths_of(city), cases, int(city.data["cases"])):
        for index in range(number):
            key = f"{seed}/{path.name}/{index}"
            planned.append(Planned(path, _arrival(path, now, calendar, Random(key), rhythm), key))
    return sorted(planned, key=lambda one: (one.at, one.seed))


def paths_of(city: City) -> tuple[Path, ...]:
    """The paths of this city's histories."""
    return tuple(_path(script, city.parts) for script in city.scripts) or PATHS


OLDEST = 58


def _path(script: Mapping[str, Any], parts: Mapping[str, Sequence[Any]]) -> Path:
    """A history that says since how many working days it rests begins as long ago as its steps take; another one
    is over, and may have begun at any time of the last months."""
    needs = days_of(script["steps"], parts)
    rests = script.get("rests")
    youngest = needs if rests is None else needs + rests
    oldest = max(OLDEST, youngest) if rests is None else youngest
    ends = tuple(script["ends"])
    return Path(script["name"], script.get("share", len(ends)), oldest, youngest, ends, len(ends))


def days_of(steps: Sequence[Any], parts: Mapping[str, Sequence[Any]]) -> int:
    """How many working days the steps take at most, with one to spare; none for a mere submission."""
    minutes, days = _length(steps, parts)
    return 0 if minutes == days == 0 else days + -(-minutes // MINUTES_A_DAY) + 1


def _length(steps: Sequence[Any], parts: Mapping[str, Sequence[Any]], first: bool = True) -> tuple[int, int]:
    minutes = days = 0
    for one in steps:
        if isinstance(one, str) or "part" in one:
            name = one if isinstance(one, str) else one["part"]
            more = _length(parts[name], parts, first)
            minutes, days = minutes + more[0], days + more[1]
        elif not first:
            most, unit = span(one.get("after", ""))[1:]
            minutes, days = (minutes, days + most) if unit == "d" else (minutes + most, days)
        first = False
    return minutes, days


def span(text: str) -> tuple[int, int, str]:
    """`20-90m` of office time, `1-3d` working days, `15w` of any time: at least, at most, of what."""
    low, _, high = text[:-1].partition("-")
    return (int(low), int(high or low), text[-1]) if text else (15, 100, "m")


def _shares(paths: Sequence[Path], cases: int, full: int) -> list[tuple[Path, int]]:
    """How many histories of each path: every path once if they fit, then by their shares."""
    left, numbers = cases, {path.name: 0 for path in paths}
    for path in paths:
        if path.cases <= left:
            numbers[path.name] = 1
            left -= path.cases
    for path in paths[1:]:
        more = min((path.share * cases // full) // path.cases - 1, left // path.cases)
        if more > 0 and numbers[path.name]:
            numbers[path.name] += more
            left -= more * path.cases
    numbers[paths[0].name] += left  # the first one takes what the others leave
    return [(path, numbers[path.name]) for path in paths]


def _arrival(path: Path, now: datetime, calendar: Calendar, rng: Random, rhythm: Any) -> datetime:
    """A moment of the day that people call at, on a day as long ago as the path needs."""
    today = local_date(now)
    if path.youngest == path.oldest == 0:
        return now - timedelta(minutes=rng.randint(8, 300))
    first = calendar.add_working_days(today, -path.oldest)
    last = calendar.add_working_days(today, -path.youngest)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    weights = [1.0 if calendar.is_working_day(day) else float(rhythm["weekend"]) for day in days]
    day = rng.choices(days, weights)[0]
    hour = rng.choices(range(24), rhythm["hours"])[0]
    at = datetime.combine(day, time(hour, rng.randint(0, 59), rng.randint(0, 59)), LEGAL_ZONE)
    return min(at, now - timedelta(minutes=rng.randint(5, 50)))


class Hours:
    """The office's hours: when the next step is taken."""

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar

    def soon(self, at: datetime, minutes: int) -> datetime:
        """`minutes` of office time after `at`."""
        local, left = at.astimezone(LEGAL_ZONE), timedelta(minutes=minutes)
        day = local.date()
        while True:
            if self.calendar.is_working_day(day):
                for opens, closes in OFFICE:
                    begin = max(datetime.combine(day, opens, LEGAL_ZONE), local)
                    end = datetime.combine(day, closes, LEGAL_ZONE)
                    if begin < end:
                        if begin + left < end:
                            return begin + left
                        left -= end - begin
            day += timedelta(days=1)

    def on(self, at: datetime, working_days: int, rng: Random) -> datetime:
        """Some moment of the office day that lies `working_days` after `at`."""
        day: date = self.calendar.add_working_days(local_date(at), working_days)
        opens, closes = rng.choice(OFFICE)
        begin = datetime.combine(day, opens, LEGAL_ZONE)
        width = int((datetime.combine(day, closes, LEGAL_ZONE) - begin).total_seconds())
        return begin + timedelta(seconds=rng.randrange(width))


def states_of(planned: Sequence[Planned]) -> set[str]:
    """The states that the cases of a plan end in."""
    return {state for one in planned for state in one.path.ends}
