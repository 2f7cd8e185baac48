"""运行监控: alerts begin and end. Judged anew each time, by state: run twice or by two processes, it is the same."""

import logging
from datetime import datetime

from django.conf import settings
from django.db import transaction

from huying.cases.models import OperationsAlert
from huying.cases.queries.operations import label_of, measure, standing_alerts
from huying.core.operations import Thresholds, judge_running

log = logging.getLogger(__name__)


def watch(now: datetime) -> list[OperationsAlert]:
    """Measure, judge, and keep what is wrong: one standing alert a kind, ended when it is mended.

    Gives those that stand. Whoever runs it need not be the worker: a worker that is gone cannot say so itself.
    """
    found = {one.kind: one.detail for one in judge_running(measure(now), Thresholds(**settings.HUYING_MONITOR))}
    with transaction.atomic():
        standing = {row.kind: row for row in OperationsAlert.objects.select_for_update().filter(ended_at=None)}
        for kind, row in standing.items():
            if kind in found:
                row.detail, row.seen_at = found[kind], now
                row.save(update_fields=["detail", "seen_at"])
            else:
                row.ended_at = now
                row.save(update_fields=["ended_at"])
                log.warning("operations alert %s ended", kind)
        new = [kind for kind in found if kind not in standing]
        OperationsAlert.objects.bulk_create(
            [OperationsAlert(kind=kind, detail=found[kind], began_at=now, seen_at=now) for kind in new],
            ignore_conflicts=True,
        )
        for kind in new:
            log.error("operations alert %s (%s): %s", kind, label_of(kind), found[kind])
    return list(standing_alerts())
