"""What moves: cases by day, topics that surge or may soon, complaints that pile up, and what comes again."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Q
from django.db.models.functions import TruncDate

from huying.base.clock import LEGAL_ZONE, local_date, start_of_day
from huying.cases.models import Case, Supervision
from huying.cases.queries.indicators import COMPLAINTS, Reach, last_lead, reach_of, reach_of_lists
from huying.core.periods import Period
from huying.core.trends import Peak, Season, Surge, Topic, seasonal_peaks, surging_categories, surging_words
from huying.people.actors import Actor
from huying.people.models import Unit

DAY = timedelta(days=1)
STATED = ("refused", "merged")
"""Neither an invalid matter nor the copy of one makes a topic."""


def by_day(actor: Actor, period: Period) -> list[tuple[date, int]]:
    """How many cases came in on each day of the period, also on the days without any."""
    reach = reach_of(actor)
    cases = reach.of_cases().filter(submitted_at__gte=period.begins, submitted_at__lt=period.ends)
    rows = cases.values(on=TruncDate("submitted_at", tzinfo=LEGAL_ZONE)).annotate(found=Count("pk")).order_by()
    found = {row["on"]: row["found"] for row in rows}
    days = [period.first + n * DAY for n in range((period.last - period.first).days + 1)]
    return [(day, found.get(day, 0)) for day in days]


# ---- surges ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Warning:
    """A topic with the area that it comes from; no area means places that nobody knows."""

    topic: Topic
    area: Unit | None


def surges(actor: Actor, day: date, surge: Surge) -> list[Warning]:
    """Categories and words of titles of which, up to the end of `day`, suddenly more came from one area."""
    reach = reach_of(actor)
    end = start_of_day(day + DAY)
    middle, start = end - surge.days * DAY, end - surge.all_days * DAY
    cases = reach.of_cases().exclude(state__in=STATED)
    recent = cases.filter(submitted_at__gte=middle, submitted_at__lt=end)
    earlier = cases.filter(submitted_at__gte=start, submitted_at__lt=middle)
    counted: dict[tuple[str, int | None], list[int]] = defaultdict(lambda: [0, 0])
    for which, found in enumerate((recent, earlier)):
        for row in found.values("category", "place_unit").annotate(found=Count("pk")).order_by():
            counted[row["category"], _area(reach, row["place_unit"])][which] += row["found"]
    topics = surging_categories({key: (now, before) for key, (now, before) in counted.items()}, surge)
    topics += surging_words(
        ((pk, title, _area(reach, place)) for pk, title, place in _titles(recent, "pk", "title", "place_unit")),
        ((title, _area(reach, place)) for title, place in _titles(earlier, "title", "place_unit")),
        surge,
    )
    return [Warning(topic, reach.tree.units.get(topic.area or 0)) for topic in topics]


def _titles(cases: Any, *names: str) -> Iterator[Any]:
    return iter(cases.order_by().values_list(*names).iterator(chunk_size=5000))


def _area(reach: Reach, place: int | None) -> int | None:
    return reach.tree.group_of(place, "below") if place is not None else None


# ---- complaints that pile up -------------------------------------------------------------------------


@dataclass(frozen=True)
class Cluster:
    """Complaints on one matter that one unit had to handle."""

    unit: Unit
    category: str
    count: int


def concentrated(actor: Actor, day: date, *, least: int = 10, days: int = 30) -> list[Cluster]:
    """Units with `least` complaints or more on one category in the `days` days up to `day`, most first."""
    reach = reach_of(actor)
    end = start_of_day(day + DAY)
    cases = reach.of_cases().filter(
        submitted_at__gte=end - days * DAY, submitted_at__lt=end, kind__in=COMPLAINTS
    ).exclude(Q(category="") | Q(state__in=STATED))  # fmt: skip
    counted: dict[tuple[int, str], int] = defaultdict(int)
    for row in cases.values("category", lead=last_lead()).annotate(found=Count("pk")).order_by():
        unit = reach.tree.group_of(row["lead"], "unit")
        if unit is not None:
            counted[unit, row["category"]] += row["found"]
    found = [Cluster(reach.tree.units[pk], category, n) for (pk, category), n in counted.items() if n >= least]
    return sorted(found, key=lambda one: (-one.count, one.unit.left, one.category))


# ---- what came often in the same month of last year --------------------------------------------------------


@dataclass(frozen=True)
class Expected:
    """A topic that may come again in the coming month, and the unit that mostly had to handle it then."""

    peak: Peak
    unit: Unit | None


def coming_month(day: date) -> date:
    """The first day of the month after that of `day`."""
    return (day.replace(day=1) + 31 * DAY).replace(day=1)


def forecast(actor: Actor, month: date, season: Season | None = None) -> list[Expected]:
    """Categories that stood out in the month of last year that answers to the one beginning on `month`, most first.

    Counts a year of cases: a page asks for it when a person does.
    """
    reach = reach_of(actor)
    begins = month.replace(year=month.year - 1)
    after = coming_month(begins)
    cases = reach.of_cases().exclude(Q(category="") | Q(state__in=STATED))
    in_year = Q(submitted_at__gte=start_of_day(begins), submitted_at__lt=start_of_day(month))
    in_month = Q(submitted_at__gte=start_of_day(begins), submitted_at__lt=start_of_day(after))
    counted = cases.filter(in_year).values("category").annotate(year=Count("pk"), found=Count("pk", filter=in_month))
    peaks = seasonal_peaks(
        {row["category"]: (row["found"], row["year"]) for row in counted.order_by()}, season or Season()
    )
    owners = _owners(reach, cases.filter(in_month, category__in=[one.topic for one in peaks]))
    return [Expected(one, owners.get(one.topic)) for one in peaks]


def _owners(reach: Reach, cases: Any) -> dict[str, Unit]:
    """Of each category the unit that answers for most of the cases; the first of the tree where several do."""
    counted: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for row in cases.values("category", lead=last_lead()).annotate(found=Count("pk")).order_by():
        group = reach.tree.group_of(row["lead"], "unit") if row["lead"] is not None else None
        if group is not None:
            counted[row["category"]][group] += row["found"]
    units = reach.tree.units
    return {
        category: units[min(groups, key=lambda pk: (-groups[pk], units[pk].left))]
        for category, groups in counted.items()
    }


# ---- what comes again after it was put right ----------------------------------------------------------


@dataclass(frozen=True)
class Recurrence:
    """Like cases that came after a rectification was closed: `case` is the one that was put right."""

    case: Case
    unit: Unit
    closed_on: date
    again: Sequence[str]


def recurring(
    actor: Actor, day: date, *, methods: Sequence[str] = ("rectify", "rectification"), least: int = 3, days: int = 30
) -> list[Recurrence]:
    """Rectifications closed in the `days` days before `day` after which as many like cases came within `days` days.

    Alike are cases of the same category whose lead the same unit answers for; a case merged into another counts too:
    somebody complained again. Only cases that `actor` may open are told, for here they have their numbers.
    """
    reach = reach_of_lists(actor)
    end = start_of_day(day + DAY)
    rectified = Supervision.objects.filter(
        state="closed", method__in=methods, closed_at__gte=end - (days + 1) * DAY, closed_at__lt=end,
        unit__platform=actor.platform, unit__left__range=reach.span, case__in=reach.cases,
    ).exclude(case__category="").select_related("case", "unit").order_by("closed_at", "pk")  # fmt: skip
    found = []
    for one in rectified:
        assert one.unit is not None and one.closed_at is not None
        again = _alike(reach, one, min(end, one.closed_at + days * DAY))
        if len(again) >= least:
            found.append(Recurrence(one.case, one.unit, local_date(one.closed_at), again))
    return found


def _alike(reach: Reach, one: Supervision, until: datetime) -> list[str]:
    group = reach.tree.group_of(one.unit_id, "unit")
    members = reach.tree.members(group, "unit") if group is not None else []
    cases = reach.of_cases().exclude(pk=one.case_id).filter(
        category=one.case.category, submitted_at__gt=one.closed_at, submitted_at__lte=until
    )  # fmt: skip
    like = cases.alias(lead=last_lead()).filter(lead__in=members)
    return list(like.order_by("submitted_at", "pk").values_list("number", flat=True)[:100])
