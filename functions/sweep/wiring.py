"""What sweep is made of."""

from globalconnect.inbound import parts as inbound
from globalconnect.push.queue import RetryQueues
from globalconnect.runtime.aws import dynamodb_client, sqs_client
from globalconnect.runtime.startup import Environment, at_startup, clock
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.numbers import Numbers
from globalconnect.store.partners import Partners
from globalconnect.store.pushes import Pushes
from globalconnect.store.sources import Sources
from globalconnect.store.statistics import Statistics
from sweep.silence import Silence
from sweep.sweep import Sweep


@at_startup
def parts() -> Sweep:
    env = Environment()
    db = Dynamo(dynamodb_client())
    return Sweep(
        numbers=Numbers(db, env.text("NUMBERS_TABLE"), env.duration("REST_MINUTES")),
        partners=Partners(db, env.text("PARTNERS_TABLE"), cache_seconds=0, now=clock),
        pushes=Pushes(db, env.text("ACTIVATIONS_TABLE"), env.duration("RETENTION_DAYS")),
        queues=RetryQueues(sqs_client(), env.text("RETRY_QUEUE_URL"), env.text("SLOW_RETRY_QUEUE_URL")),
        statistics=Statistics(db, env.text("STATISTICS_TABLE")),
        now=clock,
    )


@at_startup
def inbound_parts() -> inbound.Parts:
    env = Environment()
    db = Dynamo(dynamodb_client())
    return inbound.build(env, db, clock, Sources(db, env.text("SOURCES_TABLE"), cache_seconds=0, now=clock))


def build_silence(inbound: inbound.Parts) -> Silence:
    return Silence(inbound.sources, inbound.devices, inbound.lines, inbound.numbers, inbound.gaps, inbound.now)


@at_startup
def silence() -> Silence:
    return build_silence(inbound_parts())
