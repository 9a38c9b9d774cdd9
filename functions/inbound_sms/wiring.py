"""What inbound_sms is made of, put together in one place and replaced whole in tests."""

from collections.abc import Callable
from dataclasses import dataclass

from globalconnect.runtime.aws import dynamodb_client, kms_client
from globalconnect.runtime.startup import Environment, at_startup, clock
from globalconnect.store.activations import Activations
from globalconnect.store.arrivals import Arrivals
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.encryption import Encryption, KmsClient
from globalconnect.store.inbox import Inbox
from globalconnect.store.numbers import Numbers
from globalconnect.store.sources import Sources
from inbound_sms.providers import provider_named
from inbound_sms.providers.port import Provider


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of this function; `receipt_skew` is how slow a gateway's clock may be (ms)."""

    sources: Sources
    inbox: Inbox
    arrivals: Arrivals
    receipt_skew: int
    now: Callable[[], int]
    provider: Callable[[str], Provider]


def build(env: Environment, db: Dynamo, now: Callable[[], int], kms: Callable[[], KmsClient] = kms_client) -> Parts:
    cache_seconds = env.number("CACHE_SECONDS")
    encryption = Encryption(kms, env.text("SECRETS_KEY"), cache_seconds, now)
    kept_for = env.duration("RETENTION_DAYS")
    numbers = Numbers(db, env.text("NUMBERS_TABLE"))
    inbox = Inbox(db, env.text("INBOX_TABLE"), kept_for)
    activations = Activations(db, env.text("ACTIVATIONS_TABLE"), kept_for, now)
    return Parts(
        sources=Sources(db, env.text("SOURCES_TABLE"), cache_seconds, now, encryption),
        inbox=inbox,
        arrivals=Arrivals(db, numbers, activations, inbox),
        receipt_skew=env.duration("RECEIPT_SKEW_SECONDS"),
        now=now,
        provider=provider_named,
    )


@at_startup
def parts() -> Parts:
    return build(Environment(), Dynamo(dynamodb_client()), clock)
