"""What inbound_sms is made of, put together in one place and replaced whole in tests."""

from collections.abc import Callable
from dataclasses import dataclass

from globalconnect.runtime import clock
from globalconnect.runtime.aws import dynamodb_client
from globalconnect.runtime.settings import InboundSmsSettings, retention
from globalconnect.runtime.startup import at_startup
from globalconnect.store.activations import Activations
from globalconnect.store.arrivals import Arrivals
from globalconnect.store.dynamo import Dynamo
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


def build(settings: InboundSmsSettings, db: Dynamo, now: Callable[[], int]) -> Parts:
    kept_for = retention(settings.retention_days)
    numbers = Numbers(db, settings.numbers_table)
    inbox = Inbox(db, settings.inbox_table, kept_for)
    activations = Activations(db, settings.activations_table, kept_for, now)
    return Parts(
        sources=Sources(db, settings.sources_table, settings.cache_seconds, now),
        inbox=inbox,
        arrivals=Arrivals(db, numbers, activations, inbox),
        receipt_skew=settings.receipt_skew,
        now=now,
        provider=provider_named,
    )


@at_startup
def parts() -> Parts:
    return build(InboundSmsSettings.from_env(), Dynamo(dynamodb_client()), clock.now)
