"""How the working days of a case fall to those who held it, by the calendar of 2026, worked out by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from huying.core.calendar import Calendar
from huying.core.hops import Stretch, judge_hops
from huying.policy.load import load_notices

CALENDAR = Calendar(load_notices(Path(__file__).parents[2] / "regulations" / "cn"))


def day(month: int, number: int) -> date:
    return date(2026, month, number)


def test_a_day_is_whose_it_was_when_it_began_and_the_hops_add_up() -> None:
    """Before the Spring Festival: 14 and 28 February are made up, 15 to 23 February are off."""
    judged = judge_hops(
        [Stretch("village", day(2, 13), 2), Stretch("town", day(2, 14), 2), Stretch("bureau", day(2, 24))],
        end=day(3, 2), due_on=day(3, 9), leads="bureau", calendar=CALENDAR,
    )  # fmt: skip
    # The village: Saturday 14. The town: Tuesday 24. The bureau: 25, 26, 27, Saturday 28 and Monday 2 March.
    assert [(hop.key, hop.used) for hop in judged.hops] == [("village", 1), ("town", 1), ("bureau", 5)]
    assert (judged.used, judged.late) == (CALENDAR.working_days_between(day(2, 13), day(3, 2)), 0)


@pytest.mark.parametrize(
    ("end", "bureau", "late", "caused"),
    [
        (day(3, 23), (8, 10, 0), 0, []),
        (day(3, 25), (10, 10, 0), 2, [("village", 2)]),
        (day(3, 26), (11, 10, 1), 3, [("village", 2), ("bureau", 1)]),
    ],
)
def test_whose_hop_made_it_late(
    end: date, bureau: tuple[int, int, int], late: int, caused: list[tuple[str, int]]
) -> None:
    """15 working days from 2 March end on the 23rd; 2 each below, one to decide: 10 are left for the bureau."""
    judged = judge_hops(
        [
            Stretch("village", day(3, 2), 2),  # to Friday 6: 3, 4, 5, 6
            Stretch("town decides", day(3, 6), 1),  # to Monday 9
            Stretch("town", day(3, 9), 2),  # to Wednesday 11: 10, 11
            Stretch("district decides", day(3, 11), 1),  # the same day
            Stretch("bureau", day(3, 11)),
        ],
        end=end, due_on=day(3, 23), leads="bureau", calendar=CALENDAR,
    )  # fmt: skip
    assert [(hop.used, hop.share, hop.over) for hop in judged.hops] == [
        (4, 2, 2), (1, 1, 0), (2, 2, 0), (0, 1, 0), bureau,
    ]  # fmt: skip
    assert judged.late == late
    assert [(hop.key, hop.over) for hop in judged.caused()] == caused


def test_who_had_it_twice_is_one_hop() -> None:
    """An application refused: what the unit had before and after counts together, against what the date leaves it."""
    judged = judge_hops(
        [Stretch("unit", day(3, 2)), Stretch("decides", day(3, 4), 1), Stretch("unit", day(3, 9))],
        end=day(3, 13), due_on=day(3, 9), leads="unit", calendar=CALENDAR,
    )  # fmt: skip
    unit, decides = judged.hops
    assert (unit.since, unit.until, unit.used, unit.share, unit.over) == (day(3, 2), day(3, 13), 6, 4, 2)
    assert (decides.used, decides.over) == (3, 2)
    assert [hop.key for hop in judged.caused()] == ["unit", "decides"] and judged.late == 4


def test_a_hop_without_a_limit_is_not_judged() -> None:
    judged = judge_hops(
        [Stretch("queue", day(3, 2)), Stretch("unit", day(3, 5))],
        end=day(3, 6), due_on=None, leads="unit", calendar=CALENDAR,
    )  # fmt: skip
    assert [(hop.used, hop.share, hop.over) for hop in judged.hops] == [(3, None, 0), (1, None, 0)]
    assert (judged.late, judged.caused()) == (0, ())
