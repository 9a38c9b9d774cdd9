"""What partner_api is made of, put together in one place and replaced whole in tests."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from globalconnect.domain.activation import Lifetimes
from globalconnect.domain.ids import Rng
from globalconnect.hub_protocol.catalogue import DIALECTS
from globalconnect.hub_protocol.dialect import Dialect
from globalconnect.runtime.aws import dynamodb_client
from globalconnect.runtime.startup import Environment, at_startup, clock, rng
from globalconnect.store.activations import Activations
from globalconnect.store.candidates import Candidates
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.names import Names
from globalconnect.store.numbers import Numbers
from globalconnect.store.partners import Partners
from globalconnect.store.pool_counts import Holders, PoolCountsStore, SoldOutAfterPoll
from globalconnect.store.services import Services
from globalconnect.store.transactions import Transactions

# Counts may lag the truth by at most 2 s (contract 1.1); the projection takes its part of that.
_COUNTS_CACHE_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of this function.

    `lifetimes` say how long a number is held. `cancel_limit` is that of services without their own, `max_live` that of
    partners without, 0 for none.
    """

    partners: Partners
    names: Names
    services: Services
    pool_counts: PoolCountsStore
    holders: Holders
    sold_out: SoldOutAfterPoll
    numbers: Numbers
    activations: Activations
    transactions: Transactions
    candidates: Candidates
    lifetimes: Lifetimes
    cancel_limit: int
    max_live: int
    now: Callable[[], int]
    rng: Rng
    dialects: Mapping[str, Dialect] = DIALECTS


def build(env: Environment, db: Dynamo, now: Callable[[], int], rng: Rng) -> Parts:
    numbers = Numbers(db, env.text("NUMBERS_TABLE"), env.duration("REST_MINUTES"))
    activations = Activations(db, env.text("ACTIVATIONS_TABLE"), env.duration("RETENTION_DAYS"), now)
    cache_seconds = env.number("CACHE_SECONDS")
    counts_seconds = min(_COUNTS_CACHE_SECONDS, cache_seconds)
    pool_counts = PoolCountsStore(db, env.text("AVAILABILITY_TABLE"), counts_seconds, now)
    return Parts(
        partners=Partners(db, env.text("PARTNERS_TABLE"), cache_seconds, now),
        names=Names(db, env.text("NAMES_TABLE")),
        services=Services(db, env.text("SERVICES_TABLE"), cache_seconds, now),
        pool_counts=pool_counts,
        holders=Holders(db, env.text("HOLDERS_TABLE")),
        sold_out=SoldOutAfterPoll(db, env.text("STATISTICS_TABLE")),
        numbers=numbers,
        activations=activations,
        transactions=Transactions(db, numbers, activations),
        candidates=Candidates(numbers, pool_counts),
        # What is no longer kept can't be finished.
        lifetimes=Lifetimes(
            lease=env.duration("ACTIVATION_MINUTES"),
            longest_hold=min(env.duration("LONGEST_HOLD_HOURS"), activations.retention),
        ),
        cancel_limit=env.number("CANCEL_LIMIT"),
        max_live=env.number("MAX_LIVE"),
        now=now,
        rng=rng,
    )


@at_startup
def parts() -> Parts:
    return build(Environment(), Dynamo(dynamodb_client()), clock, rng)
