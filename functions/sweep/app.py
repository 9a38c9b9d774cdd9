"""Every minute: let go of numbers whose lease has run out, queue pushes that lost their message, measure what waits."""

import functools
from typing import Any

from globalconnect import clock
from globalconnect.aws import dynamodb_client, sqs_client
from globalconnect.metrics import publish_waiting
from globalconnect.push.queue import RetryQueues
from globalconnect.settings import SweepSettings, retention
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.numbers import Numbers
from globalconnect.store.partners import Partners
from globalconnect.store.pushes import Pushes
from globalconnect.store.statistics import Statistics
from sweep.sweep import Sweep


@functools.cache
def _tables() -> tuple[Dynamo, SweepSettings]:
    return Dynamo(dynamodb_client()), SweepSettings.from_env()


@functools.cache
def sweep() -> Sweep:
    """Return the function's parts, put together once per environment."""
    db, settings = _tables()
    return Sweep(
        numbers=Numbers(db, settings.numbers_table, settings.rest),
        partners=Partners(db, settings.partners_table, cache_seconds=0, now=clock.now),
        pushes=Pushes(db, settings.activations_table, retention(settings.retention_days)),
        queues=RetryQueues(sqs_client(), settings.retry_queue_url, settings.slow_retry_queue_url),
        now=clock.now,
    )


@functools.cache
def statistics() -> Statistics:
    """Return where what waits is noted."""
    db, settings = _tables()
    return Statistics(db, settings.statistics_table)


def handler(_event: dict[str, Any], _context: object) -> None:
    """Sweep once. A failure is raised, and nothing measured then; the next minute takes up what was left."""
    swept = sweep().run()
    waiting = swept.waiting
    publish_waiting({one.partner_id: one.age for one in waiting}, sum(one.without_success for one in waiting))
    statistics().put_pending(swept.note)
