"""What line_states is made of."""

from collections.abc import Callable
from dataclasses import dataclass

from globalconnect.runtime.aws import dynamodb_client
from globalconnect.runtime.startup import Environment, at_startup, clock
from globalconnect.store.activations import Activations
from globalconnect.store.devices import Devices
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.lines import Lines
from globalconnect.store.numbers import Numbers
from globalconnect.store.sources import Sources


@dataclass(frozen=True, slots=True)
class Parts:
    devices: Devices
    lines: Lines
    numbers: Numbers
    activations: Activations
    sources: Sources
    now: Callable[[], int]


def build(env: Environment, db: Dynamo, now: Callable[[], int]) -> Parts:
    return Parts(
        devices=Devices(db, env.text("DEVICES_TABLE")),
        lines=Lines(db, env.text("LINES_TABLE")),
        numbers=Numbers(db, env.text("NUMBERS_TABLE")),
        activations=Activations(db, env.text("ACTIVATIONS_TABLE"), env.duration("RETENTION_DAYS"), now),
        # Only whether they are there.
        sources=Sources(db, env.text("SOURCES_TABLE"), cache_seconds=0, now=now),
        now=now,
    )


@at_startup
def parts() -> Parts:
    return build(Environment(), Dynamo(dynamodb_client()), clock)
