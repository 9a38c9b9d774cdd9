"""What inbound_sms is made of."""

from collections.abc import Callable

from globalconnect.inbound import parts as inbound
from globalconnect.inbound.parts import Parts
from globalconnect.runtime.aws import dynamodb_client, kms_client
from globalconnect.runtime.startup import Environment, at_startup, clock
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.encryption import Encryption, KmsClient
from globalconnect.store.sources import Sources


def build(env: Environment, db: Dynamo, now: Callable[[], int], kms: Callable[[], KmsClient] = kms_client) -> Parts:
    cache_seconds = env.number("CACHE_SECONDS")
    encryption = Encryption(kms, env.text("SECRETS_KEY"), cache_seconds, now)
    sources = Sources(db, env.text("SOURCES_TABLE"), cache_seconds, now, encryption)
    return inbound.build(env, db, now, sources)


@at_startup
def parts() -> Parts:
    return build(Environment(), Dynamo(dynamodb_client()), clock)
