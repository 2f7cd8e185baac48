"""The worker process: sweeps what fell due and sends what is waiting, at its start and every minute.

Any number of them run on one database. None holds anything that another needs: one that is killed is missed by nobody.
"""

import asyncio
import logging
import signal
from collections.abc import Callable

from django.db import close_old_connections, connections
from procrastinate import App
from procrastinate.contrib.django import app
from procrastinate.jobs import Status

from huying.base import clock
from huying.cases import jobs as clock_jobs
from huying.cases.commands.operations import watch
from huying.channels.email import jobs as mail_jobs
from huying.channels.upstream import jobs as upstream_jobs
from huying.site.checks import refuse_unsafe_start

KEEP_HOURS = 72
log = logging.getLogger(__name__)


@app.periodic(cron="17 * * * *")
@app.task(name="site.tidy_queue", queueing_lock="site.tidy_queue", queue="clock", pass_context=True)
async def tidy_queue(context: object, timestamp: int) -> None:
    """Drop old jobs, and close those that a killed worker left behind: nothing but the list's length hangs on them."""
    manager = app.job_manager
    for job in await manager.get_stalled_jobs():
        await manager.finish_job(job, status=Status.FAILED, delete_job=True)
    await manager.delete_old_jobs(nb_hours=KEEP_HOURS, include_failed=True, include_cancelled=True)


@app.periodic(cron="* * * * *")
@app.task(name="site.watch", queueing_lock="site.watch", queue="clock")
def watch_running(timestamp: int) -> None:
    """Every minute: alerts begin and end. What a worker cannot say of itself, `huying monitor` says."""
    watch(clock.now())


def run_worker(*, once: bool = False) -> None:
    """Work until SIGTERM or SIGINT; with `once`, only what is due now. Returns within seconds of the signal."""
    refuse_unsafe_start()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_: _stop())
    for first in (
        clock_jobs.sweep_now,
        clock_jobs.draft_assessments_now,
        mail_jobs.deliver_now,
        upstream_jobs.send_now,
    ):
        _try(first)
    if not once and not clock_jobs.stopping.is_set():
        with app.replace_connector(app.connector.get_worker_connector()) as working:  # type: ignore[attr-defined]
            asyncio.run(_work(working))
    connections.close_all()


def _stop() -> None:
    clock_jobs.stopping.set()
    mail_jobs.stopping.set()
    upstream_jobs.stopping.set()


def _try(job: Callable[[], object]) -> None:
    """At the start nothing may keep the worker from working: what fails is logged and comes again in a minute."""
    try:
        job()
    except Exception:
        log.exception("%s failed at the start of the worker", job.__name__)
    finally:
        close_old_connections()


async def _work(working: App) -> None:
    loop = asyncio.get_running_loop()
    async with working.open_async():
        # Three at a time, so that neither a slow mail server nor a slow platform above holds up the clock.
        worker = asyncio.create_task(
            working.run_worker_async(
                concurrency=3,
                install_signal_handlers=False,
                shutdown_graceful_timeout=8,
                delete_jobs="successful",
                fetch_job_polling_interval=5.0,
            )
        )

        def stop() -> None:
            _stop()
            worker.cancel()

        for signal_number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signal_number, stop)
        if clock_jobs.stopping.is_set():
            worker.cancel()
        try:
            await worker
        except asyncio.CancelledError:
            log.info("worker stopped")
