"""How push_sms and push_retry put their common routine together."""

import functools

from globalconnect import VERSION, clock
from globalconnect.aws import dynamodb_client, sqs_client
from globalconnect.push.attempt import PushClient
from globalconnect.push.delivery import Delivery
from globalconnect.push.health import Health
from globalconnect.push.queue import RetryQueue
from globalconnect.settings import PushSettings, retention
from globalconnect.store.activations import Activations
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.partners import Partners


@functools.cache
def delivery() -> Delivery:
    """Give the delivery routine, put together once per environment."""
    settings = PushSettings.from_env()
    db = Dynamo(dynamodb_client())
    partners = Partners(db, settings.partners_table, settings.cache_seconds, clock.now)
    return Delivery(
        partners=partners,
        activations=Activations(db, settings.activations_table, retention(settings.retention_days)),
        queue=RetryQueue(sqs_client(), settings.retry_queue_url),
        health=Health(partners, clock.now),
        open_client=lambda: PushClient(version=VERSION, loopback=settings.push_loopback),
        max_age=settings.max_age,
        now=clock.now,
    )
