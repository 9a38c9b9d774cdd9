"""What admin_api is made of, put together in one place and replaced whole in tests."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from admin_api.user_pool import UserPool
from globalconnect.domain.ids import Rng
from globalconnect.domain.outcomes import OutcomeLimits
from globalconnect.inbound import parts as inbound
from globalconnect.inbound.parts import Parts as InboundParts
from globalconnect.push.queue import RetryQueues
from globalconnect.runtime.aws import cognito_client, dynamodb_client, kms_client, sqs_client
from globalconnect.runtime.startup import Environment, at_startup, clock, rng
from globalconnect.store.activations import Activations
from globalconnect.store.audit import Audit
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.encryption import Encryption, KmsClient
from globalconnect.store.import_jobs import ImportJobs
from globalconnect.store.inbox import Inbox
from globalconnect.store.names import Names
from globalconnect.store.numbers import Numbers
from globalconnect.store.partners import Partners
from globalconnect.store.pool_counts import Holders, PoolCountsStore, SoldOutAfterPoll
from globalconnect.store.pushes import Pushes
from globalconnect.store.services import Services
from globalconnect.store.sources import Sources
from globalconnect.store.staff import StaffMembers
from globalconnect.store.statistics import Statistics
from globalconnect.store.transactions import Transactions

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.client import CognitoIdentityProviderClient

# Staff see and change what is, not what was a moment ago.
_NO_CACHE = 0


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of this function.

    `cancel_limit` is that of services without their own, `max_live` that of partners without, 0 for
    none. `push_loopback` lets Push URLs point at this machine, on a local stack; `push_https_only` refuses plain http ones. `user_pool_client_id` is the client through which staff sign in;
    `require_totp` asks a second factor of all of them. `inbound` is what takes in SMS: what waits for its line, or could not be
    read, is taken in once staff see to it.
    """

    partners: Partners
    names: Names
    holders: Holders
    services: Services
    numbers: Numbers
    pool_counts: PoolCountsStore
    activations: Activations
    transactions: Transactions
    pushes: Pushes
    sources: Sources
    inbox: Inbox
    import_jobs: ImportJobs
    audit: Audit
    statistics: Statistics
    sold_out: SoldOutAfterPoll
    retry_queues: RetryQueues
    cancel_limit: int
    max_live: int
    outcome_limits: OutcomeLimits
    push_loopback: bool
    push_https_only: bool
    staff: StaffMembers
    user_pool: UserPool
    user_pool_client_id: str
    require_totp: bool
    inbound: InboundParts
    now: Callable[[], int]
    rng: Rng


def build(  # noqa: PLR0913, PLR0917 - what it is put together of
    env: Environment,
    db: Dynamo,
    retry_queues: RetryQueues,
    now: Callable[[], int],
    rng: Rng,
    kms: Callable[[], KmsClient] = kms_client,
    cognito: "Callable[[], CognitoIdentityProviderClient]" = cognito_client,
) -> Parts:
    encrypts = env.text("KEY_ENCRYPTION") == "on"
    encryption = Encryption(kms, env.text("SECRETS_KEY"), _NO_CACHE, now, encrypts=encrypts)
    kept_for = env.duration("RETENTION_DAYS")
    numbers = Numbers(db, env.text("NUMBERS_TABLE"), env.duration("REST_MINUTES"))
    activations = Activations(db, env.text("ACTIVATIONS_TABLE"), kept_for, now)
    sources = Sources(db, env.text("SOURCES_TABLE"), _NO_CACHE, now, encryption)
    return Parts(
        partners=Partners(db, env.text("PARTNERS_TABLE"), _NO_CACHE, now, encryption),
        names=Names(db, env.text("NAMES_TABLE")),
        holders=Holders(db, env.text("HOLDERS_TABLE")),
        services=Services(db, env.text("SERVICES_TABLE"), _NO_CACHE, now),
        numbers=numbers,
        pool_counts=PoolCountsStore(db, env.text("AVAILABILITY_TABLE"), _NO_CACHE, now),
        activations=activations,
        transactions=Transactions(db, numbers, activations),
        pushes=Pushes(db, env.text("ACTIVATIONS_TABLE"), kept_for),
        sources=sources,
        inbox=Inbox(db, env.text("INBOX_TABLE"), kept_for),
        import_jobs=ImportJobs(db, env.text("IMPORTS_TABLE"), kept_for),
        audit=Audit(db, env.text("AUDIT_TABLE"), env.duration("AUDIT_DAYS")),
        statistics=Statistics(db, env.text("STATISTICS_TABLE")),
        sold_out=SoldOutAfterPoll(db, env.text("STATISTICS_TABLE")),
        retry_queues=retry_queues,
        cancel_limit=env.number("CANCEL_LIMIT"),
        max_live=env.number("MAX_LIVE"),
        outcome_limits=OutcomeLimits(
            env.number("OUTCOME_LEAST"), env.number("REFUSED_PERCENT"), env.number("TAKEN_BACK_PERCENT")
        ),
        push_loopback=env.flag("PUSH_LOOPBACK"),
        push_https_only=env.flag("PUSH_HTTPS_ONLY"),
        staff=StaffMembers(db, env.text("STAFF_TABLE"), env.number("CACHE_SECONDS"), now),
        user_pool=UserPool(cognito, env.text("USER_POOL_ID"), now),
        require_totp=env.flag("REQUIRE_TOTP"),
        user_pool_client_id=env.text("USER_POOL_CLIENT_ID"),
        inbound=inbound.build(env, db, now, sources),
        now=now,
        rng=rng,
    )


@at_startup
def parts() -> Parts:
    env = Environment()
    retry_queues = RetryQueues(sqs_client(), env.text("RETRY_QUEUE_URL"), env.text("SLOW_RETRY_QUEUE_URL"))
    return build(env, Dynamo(dynamodb_client()), retry_queues, clock, rng)
