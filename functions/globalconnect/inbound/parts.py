"""What takes in SMS, put together in one place and replaced whole in tests."""

from collections.abc import Callable
from dataclasses import dataclass

from globalconnect.inbound.fetch import fetch
from globalconnect.inbound.providers import provider_named
from globalconnect.inbound.providers.port import Provider
from globalconnect.runtime.startup import Environment
from globalconnect.store.activations import Activations
from globalconnect.store.arrivals import Arrivals
from globalconnect.store.devices import Devices
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.inbox import Inbox
from globalconnect.store.lines import Lines
from globalconnect.store.long_sms import LongSmsStore
from globalconnect.store.numbers import Numbers
from globalconnect.store.sources import Sources
from globalconnect.store.statistics import SmsGaps


@dataclass(frozen=True, slots=True)
class Parts:
    """What it takes; `receipt_skew` is how slow a gateway's clock may be (ms), `fetch` gets a URL that is to be confirmed."""

    sources: Sources
    lines: Lines
    devices: Devices
    numbers: Numbers
    gaps: SmsGaps
    inbox: Inbox
    long_sms: LongSmsStore
    arrivals: Arrivals
    receipt_skew: int
    now: Callable[[], int]
    provider: Callable[[str], Provider]
    fetch: Callable[[str], bytes] = fetch


def build(env: Environment, db: Dynamo, now: Callable[[], int], sources: Sources) -> Parts:
    kept_for = env.duration("RETENTION_DAYS")
    inbox = Inbox(db, env.text("INBOX_TABLE"), kept_for)
    activations = Activations(db, env.text("ACTIVATIONS_TABLE"), kept_for, now)
    numbers = Numbers(db, env.text("NUMBERS_TABLE"))
    return Parts(
        sources=sources,
        lines=Lines(db, env.text("LINES_TABLE")),
        devices=Devices(db, env.text("DEVICES_TABLE")),
        numbers=numbers,
        gaps=SmsGaps(db, env.text("STATISTICS_TABLE")),
        inbox=inbox,
        long_sms=LongSmsStore(db, env.text("INBOX_TABLE"), kept_for),
        arrivals=Arrivals(db, numbers, activations, inbox),
        receipt_skew=env.duration("RECEIPT_SKEW_SECONDS"),
        now=now,
        provider=provider_named,
    )
