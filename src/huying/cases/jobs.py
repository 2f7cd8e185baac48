"""The jobs of the clock. A job says when to look, never what to do: what is due stands in the tables.

The queue's locks and states count for nothing here. A job may run twice, late or never; the sweep goes by state.
"""

import logging
import threading

from procrastinate.contrib.django import app

from huying.base import clock
from huying.cases.commands.assessments import draft_due
from huying.cases.commands.clock import Swept, sweep
from huying.cases.commands.concentrations import look_everywhere
from huying.cases.follow import forget_old_tries

log = logging.getLogger(__name__)
stopping = threading.Event()
"""Set when this process is to end: a sweep then ends after the group of cases that it is at."""


def sweep_now() -> Swept:
    """Deal with everything that fell due until now."""
    done = sweep(clock.now(), should_stop=stopping.is_set)
    if done.handled or done.failed:
        log.info("swept: %s limits, %s cases failed, %s held", done.handled, len(done.failed), done.held)
    return done


@app.periodic(cron="* * * * *")
@app.task(name="cases.sweep", queueing_lock="cases.sweep", queue="clock")
def sweep_due(timestamp: int) -> None:
    """Every minute. `timestamp` is the tick's, and is not used: it may be late."""
    sweep_now()


def draft_assessments_now() -> None:
    """Draft the assessments of periods that ended: in the first hour of the first day after, or as soon as it can."""
    made = draft_due(clock.now(), should_stop=stopping.is_set)
    if made:
        log.info("drafted %s assessments", made)


@app.periodic(cron="7 * * * *")
@app.task(name="cases.draft_assessments", queueing_lock="cases.draft_assessments", queue="clock")
def draft_assessments(timestamp: int) -> None:
    """Every hour: mostly nothing is due, and one look at the table tells so."""
    draft_assessments_now()


@app.periodic(cron="*/5 * * * *")
@app.task(name="cases.concentrations", queueing_lock="cases.concentrations", queue="clock")
def look_for_concentrations(timestamp: int) -> None:
    """Every five minutes: whether what came since the last look lies close together. It goes by the journal."""
    found = look_everywhere(clock.now(), should_stop=stopping.is_set)
    if found:
        log.info("concentrations found or grown: %s", found)


@app.periodic(cron="23 * * * *")
@app.task(name="cases.forget_tries", queueing_lock="cases.forget_tries", queue="clock")
def forget_tries(timestamp: int) -> None:
    """Every hour: counts of tries to open a case that no longer matter."""
    forget_old_tries(clock.now())
