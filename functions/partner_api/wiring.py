"""What partner_api is made of, put together in one place and replaced whole in tests."""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

from globalconnect.domain.ids import Rng
from globalconnect.hub_protocol.catalogue import DIALECTS
from globalconnect.hub_protocol.dialect import Dialect
from globalconnect.runtime import clock
from globalconnect.runtime.aws import dynamodb_client
from globalconnect.runtime.settings import PartnerApiSettings, retention
from globalconnect.runtime.startup import at_startup
from globalconnect.store.activations import Activations
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.holders import Holders
from globalconnect.store.numbers import Numbers
from globalconnect.store.partners import Partners
from globalconnect.store.pool_counts import PoolCountsStore
from globalconnect.store.services import Services
from globalconnect.store.transactions import Transactions

# How many pools are asked side by side for `any`; each costs a query.
POOLS_AT_ONCE = 20

# Counts may lag the truth by at most 2 s (contract 1.1); the projection takes its part of that.
_COUNTS_CACHE_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of this function."""

    settings: PartnerApiSettings
    partners: Partners
    services: Services
    pool_counts: PoolCountsStore
    holders: Holders
    numbers: Numbers
    activations: Activations
    transactions: Transactions
    threads: Executor
    now: Callable[[], int]
    rng: Rng
    dialects: Mapping[str, Dialect] = DIALECTS


def build(settings: PartnerApiSettings, db: Dynamo, now: Callable[[], int], rng: Rng) -> Parts:
    numbers = Numbers(db, settings.numbers_table, settings.rest)
    activations = Activations(db, settings.activations_table, retention(settings.retention_days), now)
    counts_cache = min(_COUNTS_CACHE_SECONDS, settings.cache_seconds)
    return Parts(
        settings=settings,
        partners=Partners(db, settings.partners_table, settings.cache_seconds, now),
        services=Services(db, settings.services_table, settings.cache_seconds, now),
        pool_counts=PoolCountsStore(db, settings.availability_table, counts_cache, now),
        holders=Holders(db, settings.holders_table),
        numbers=numbers,
        activations=activations,
        transactions=Transactions(db, numbers, activations),
        threads=ThreadPoolExecutor(POOLS_AT_ONCE),
        now=now,
        rng=rng,
    )


@at_startup
def parts() -> Parts:
    return build(PartnerApiSettings.from_env(), Dynamo(dynamodb_client()), clock.now, clock.rng)
