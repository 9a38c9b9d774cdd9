"""What sweep is made of."""

from dataclasses import dataclass

from globalconnect.push.queue import RetryQueues
from globalconnect.runtime import clock
from globalconnect.runtime.aws import dynamodb_client, sqs_client
from globalconnect.runtime.startup import Environment, at_startup
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
    env = Environment()
    db = Dynamo(dynamodb_client())
    sweep = Sweep(
        numbers=Numbers(db, env.text("NUMBERS_TABLE"), env.duration("REST_MINUTES")),
        partners=Partners(db, env.text("PARTNERS_TABLE"), cache_seconds=0, now=clock.now),
        pushes=Pushes(db, env.text("ACTIVATIONS_TABLE"), env.duration("RETENTION_DAYS")),
        queues=RetryQueues(sqs_client(), env.text("RETRY_QUEUE_URL"), env.text("SLOW_RETRY_QUEUE_URL")),
        now=clock.now,
    )
    return Parts(sweep, Statistics(db, env.text("STATISTICS_TABLE")))
