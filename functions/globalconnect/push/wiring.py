"""How push_sms and push_retry put their common routine together."""

from globalconnect import VERSION
from globalconnect.push.attempt import PushClient
from globalconnect.push.health import Health
from globalconnect.push.pusher import Pusher
from globalconnect.push.queue import RetryQueues
from globalconnect.runtime import clock
from globalconnect.runtime.aws import dynamodb_client, sqs_client
from globalconnect.runtime.metrics import PushMeter
from globalconnect.runtime.settings import PushSettings, retention
from globalconnect.runtime.startup import at_startup
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.partners import Partners
from globalconnect.store.pushes import Pushes


@at_startup
def pusher() -> Pusher:
    """Return the delivery routine, put together once per environment."""
    settings = PushSettings.from_env()
    db = Dynamo(dynamodb_client())
    partners = Partners(db, settings.partners_table, cache_seconds=0, now=clock.now)
    return Pusher(
        pushes=Pushes(db, settings.activations_table, retention(settings.retention_days)),
        partners=partners,
        queues=RetryQueues(sqs_client(), settings.retry_queue_url, settings.slow_retry_queue_url),
        health=Health(partners, clock.now),
        open_client=lambda: PushClient(version=VERSION, loopback=settings.push_loopback),
        max_age=settings.max_age,
        now=clock.now,
        meter=PushMeter(),
    )
