"""What hourly_counts is made of."""

from globalconnect.domain.outcomes import ByPartner, OutcomeLimits
from globalconnect.runtime import clock
from globalconnect.runtime.aws import dynamodb_client
from globalconnect.runtime.logs import Event, log
from globalconnect.runtime.metrics import publish_outcomes
from globalconnect.runtime.settings import HourlyCountsSettings, retention
from globalconnect.runtime.startup import at_startup
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.pool_counts import PoolCountsStore
from globalconnect.store.statistics import HourEvents, Statistics
from hourly_counts.measure import Measure


def tell(over: ByPartner) -> None:
    """Publish how many partners are over a limit of outcomes, and name each in a log line."""
    for partner_id, outcomes in over.items():
        log(
            Event.PARTNER_OVER_OUTCOME_LIMIT,
            partner_id=partner_id,
            finished=outcomes.finished,
            refused=outcomes.refused,
            delivered=outcomes.delivered,
            taken_back=outcomes.taken_back,
        )
    publish_outcomes(len(over))


@at_startup
def parts() -> Measure:
    settings = HourlyCountsSettings.from_env()
    db = Dynamo(dynamodb_client())
    return Measure(
        happened=HourEvents(db, settings.activations_table),
        pool_counts=PoolCountsStore(db, settings.availability_table, cache_seconds=0, now=clock.now),
        statistics=Statistics(db, settings.statistics_table),
        lease=settings.lease,
        retention=retention(settings.retention_days),
        limits=OutcomeLimits(settings.outcome_least, settings.refused_percent, settings.taken_back_percent),
        tell=tell,
        now=clock.now,
    )
