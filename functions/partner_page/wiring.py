"""What partner_page is made of, put together in one place and replaced whole in tests."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from globalconnect.domain.ids import Rng
from globalconnect.hub_protocol.catalogue import DIALECTS
from globalconnect.hub_protocol.dialect import Dialect
from globalconnect.runtime.aws import dynamodb_client, kms_client
from globalconnect.runtime.page import BuiltPage
from globalconnect.runtime.startup import Environment, at_startup, clock, rng
from globalconnect.store.activations import Activations
from globalconnect.store.candidates import Candidates
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.encryption import Encryption, KmsClient
from globalconnect.store.names import Names
from globalconnect.store.numbers import Numbers
from globalconnect.store.partners import Partners
from globalconnect.store.pool_counts import Holders, PoolCountsStore
from globalconnect.store.services import Services

STATIC = Path(__file__).with_name("static")

# A key is read once and shown once; who explains a NO_NUMBERS says what is, not what was a moment ago.
_NO_CACHE = 0


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of this function. `max_live` is the limit of partners without one of their own, 0 for none."""

    built: BuiltPage
    partners: Partners
    names: Names
    services: Services
    pool_counts: PoolCountsStore
    holders: Holders
    numbers: Numbers
    candidates: Candidates
    activations: Activations
    max_live: int
    now: Callable[[], int]
    rng: Rng
    dialects: Mapping[str, Dialect] = DIALECTS


def build(  # noqa: PLR0913, PLR0917 - what it is put together of
    env: Environment,
    db: Dynamo,
    now: Callable[[], int],
    rng: Rng,
    kms: Callable[[], KmsClient] = kms_client,
    static: Path = STATIC,
) -> Parts:
    encryption = Encryption(kms, env.text("SECRETS_KEY"), _NO_CACHE, now)
    numbers = Numbers(db, env.text("NUMBERS_TABLE"), env.duration("REST_MINUTES"))
    pool_counts = PoolCountsStore(db, env.text("AVAILABILITY_TABLE"), _NO_CACHE, now)
    cache_seconds = env.number("CACHE_SECONDS")
    return Parts(
        built=BuiltPage.read(static),
        partners=Partners(db, env.text("PARTNERS_TABLE"), cache_seconds, now, encryption),
        names=Names(db, env.text("NAMES_TABLE")),
        services=Services(db, env.text("SERVICES_TABLE"), cache_seconds, now),
        pool_counts=pool_counts,
        holders=Holders(db, env.text("HOLDERS_TABLE")),
        numbers=numbers,
        candidates=Candidates(numbers, pool_counts),
        activations=Activations(db, env.text("ACTIVATIONS_TABLE"), env.duration("RETENTION_DAYS"), now),
        max_live=env.number("MAX_LIVE"),
        now=now,
        rng=rng,
    )


@at_startup
def parts() -> Parts:
    return build(Environment(), Dynamo(dynamodb_client()), clock, rng)
