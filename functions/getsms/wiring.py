"""What getsms is made of, put together in one place and replaced whole in tests."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from globalconnect.hub_protocol.catalogue import DIALECTS
from globalconnect.hub_protocol.dialect import Dialect
from globalconnect.runtime import clock
from globalconnect.runtime.aws import dynamodb_client
from globalconnect.runtime.settings import GetsmsSettings, retention
from globalconnect.runtime.startup import at_startup
from globalconnect.store.activations import Activations
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.partners import Partners


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of this function."""

    partners: Partners
    activations: Activations
    now: Callable[[], int]
    dialects: Mapping[str, Dialect] = DIALECTS


def build(settings: GetsmsSettings, db: Dynamo, now: Callable[[], int]) -> Parts:
    return Parts(
        Partners(db, settings.partners_table, settings.cache_seconds, now),
        Activations(db, settings.activations_table, retention(settings.retention_days), now),
        now,
    )


@at_startup
def parts() -> Parts:
    return build(GetsmsSettings.from_env(), Dynamo(dynamodb_client()), clock.now)
