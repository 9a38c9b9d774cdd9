"""What admin_api is made of, put together in one place and replaced whole in tests."""

from collections.abc import Callable
from dataclasses import dataclass

from globalconnect.domain.ids import Rng
from globalconnect.domain.outcomes import OutcomeLimits
from globalconnect.push.queue import RetryQueues
from globalconnect.runtime import clock
from globalconnect.runtime.aws import dynamodb_client, sqs_client
from globalconnect.runtime.settings import AdminApiSettings, retention
from globalconnect.runtime.startup import at_startup
from globalconnect.store.activations import Activations
from globalconnect.store.audit import Audit
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.import_jobs import ImportJobs
from globalconnect.store.inbox import Inbox
from globalconnect.store.numbers import Numbers
from globalconnect.store.partners import Partners
from globalconnect.store.pool_counts import PoolCountsStore
from globalconnect.store.pushes import Pushes
from globalconnect.store.services import Services
from globalconnect.store.sources import Sources
from globalconnect.store.statistics import Statistics
from globalconnect.store.transactions import Transactions

# Staff see and change what is, not what was a moment ago.
_NO_CACHE = 0


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of this function.

    `cancel_limit` is that of services without their own. `push_loopback` lets Push URLs point at this machine, on a local
    stack; `push_https_only` refuses plain http ones. `user_pool_client_id` is the client through which staff sign in.
    """

    partners: Partners
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
    retry_queues: RetryQueues
    cancel_limit: int
    outcome_limits: OutcomeLimits
    push_loopback: bool
    push_https_only: bool
    user_pool_client_id: str
    now: Callable[[], int]
    rng: Rng


def build(settings: AdminApiSettings, db: Dynamo, retry_queues: RetryQueues, now: Callable[[], int], rng: Rng) -> Parts:
    kept_for = retention(settings.retention_days)
    numbers = Numbers(db, settings.numbers_table)
    activations = Activations(db, settings.activations_table, kept_for, now)
    return Parts(
        partners=Partners(db, settings.partners_table, _NO_CACHE, now),
        services=Services(db, settings.services_table, _NO_CACHE, now),
        numbers=numbers,
        pool_counts=PoolCountsStore(db, settings.availability_table, _NO_CACHE, now),
        activations=activations,
        transactions=Transactions(db, numbers, activations),
        pushes=Pushes(db, settings.activations_table, kept_for),
        sources=Sources(db, settings.sources_table, _NO_CACHE, now),
        inbox=Inbox(db, settings.inbox_table, kept_for),
        import_jobs=ImportJobs(db, settings.imports_table, kept_for),
        audit=Audit(db, settings.audit_table, retention(settings.audit_days)),
        statistics=Statistics(db, settings.statistics_table),
        retry_queues=retry_queues,
        cancel_limit=settings.cancel_limit,
        outcome_limits=OutcomeLimits(settings.outcome_least, settings.refused_percent, settings.taken_back_percent),
        push_loopback=settings.push_loopback,
        push_https_only=settings.push_https_only,
        user_pool_client_id=settings.user_pool_client_id,
        now=now,
        rng=rng,
    )


@at_startup
def parts() -> Parts:
    settings = AdminApiSettings.from_env()
    retry_queues = RetryQueues(sqs_client(), settings.retry_queue_url, settings.slow_retry_queue_url)
    return build(settings, Dynamo(dynamodb_client()), retry_queues, clock.now, clock.rng)
