"""How push_sms and push_retry put their common routine together."""

from globalconnect import VERSION
from globalconnect.push.attempt import PushClient
from globalconnect.push.health import Health
from globalconnect.push.pusher import Pusher
from globalconnect.push.queue import RetryQueues
from globalconnect.runtime.aws import dynamodb_client, kms_client, sqs_client
from globalconnect.runtime.metrics import PushMeter
from globalconnect.runtime.startup import Environment, at_startup, clock
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.encryption import Encryption
from globalconnect.store.partners import Partners
from globalconnect.store.pushes import Pushes


@at_startup
def pusher() -> Pusher:
    env = Environment()
    db = Dynamo(dynamodb_client())
    loopback = env.flag("PUSH_LOOPBACK")
    encryption = Encryption(kms_client, env.text("SECRETS_KEY"), env.number("CACHE_SECONDS"), clock)
    partners = Partners(db, env.text("PARTNERS_TABLE"), cache_seconds=0, now=clock, encryption=encryption)
    return Pusher(
        pushes=Pushes(db, env.text("ACTIVATIONS_TABLE"), env.duration("RETENTION_DAYS")),
        partners=partners,
        queues=RetryQueues(sqs_client(), env.text("RETRY_QUEUE_URL"), env.text("SLOW_RETRY_QUEUE_URL")),
        health=Health(partners, clock),
        open_client=lambda: PushClient(version=VERSION, loopback=loopback),
        max_age=env.duration("PUSH_MAX_AGE_MINUTES") or None,
        now=clock,
        meter=PushMeter(),
    )
