"""What sweep is made of."""

from dataclasses import dataclass

from globalconnect.push.queue import RetryQueues
from globalconnect.runtime import clock
from globalconnect.runtime.aws import dynamodb_client, sqs_client
from globalconnect.runtime.settings import SweepSettings, retention
from globalconnect.runtime.startup import at_startup
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.numbers import Numbers
from globalconnect.store.partners import Partners
from globalconnect.store.pushes import Pushes
from globalconnect.store.statistics import Statistics
from sweep.sweep import Sweep


@dataclass(frozen=True, slots=True)
class Parts:
    """The sweep, and where the backlog is noted."""

    sweep: Sweep
    statistics: Statistics


@at_startup
def parts() -> Parts:
    settings = SweepSettings.from_env()
    db = Dynamo(dynamodb_client())
    sweep = Sweep(
        numbers=Numbers(db, settings.numbers_table, settings.rest),
        partners=Partners(db, settings.partners_table, cache_seconds=0, now=clock.now),
        pushes=Pushes(db, settings.activations_table, retention(settings.retention_days)),
        queues=RetryQueues(sqs_client(), settings.retry_queue_url, settings.slow_retry_queue_url),
        now=clock.now,
    )
    return Parts(sweep, Statistics(db, settings.statistics_table))
