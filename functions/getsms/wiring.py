"""What getsms is made of, put together in one place and replaced whole in tests."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from globalconnect.hub_protocol.catalogue import DIALECTS
from globalconnect.hub_protocol.dialect import Dialect
from globalconnect.runtime.aws import dynamodb_client
from globalconnect.runtime.startup import Environment, at_startup, clock
from globalconnect.store.activations import Activations
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.partners import Partners


@dataclass(frozen=True, slots=True)
class Parts:
    partners: Partners
    activations: Activations
    now: Callable[[], int]
    dialects: Mapping[str, Dialect] = DIALECTS


def build(env: Environment, db: Dynamo, now: Callable[[], int]) -> Parts:
    return Parts(
        Partners(db, env.text("PARTNERS_TABLE"), env.number("CACHE_SECONDS"), now),
        Activations(db, env.text("ACTIVATIONS_TABLE"), env.duration("RETENTION_DAYS"), now),
        now,
    )


@at_startup
def parts() -> Parts:
    return build(Environment(), Dynamo(dynamodb_client()), clock)
