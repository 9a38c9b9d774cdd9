"""What hourly_counts is made of."""

from collections.abc import Callable

from globalconnect.domain.outcomes import ByPartner, OutcomeLimits
from globalconnect.runtime.aws import dynamodb_client
from globalconnect.runtime.logs import Event, log
from globalconnect.runtime.metrics import Metric, publish, publish_lines
from globalconnect.runtime.startup import Environment, at_startup, clock
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
    publish({Metric.PARTNERS_OVER_OUTCOME_LIMIT: [len(over)]})


def build(env: Environment, db: Dynamo, now: Callable[[], int]) -> Measure:
    return Measure(
        happened=HourEvents(db, env.text("ACTIVATIONS_TABLE")),
        pool_counts=PoolCountsStore(db, env.text("AVAILABILITY_TABLE"), cache_seconds=0, now=now),
        statistics=Statistics(db, env.text("STATISTICS_TABLE")),
        lease=env.duration("ACTIVATION_MINUTES"),
        longest_hold=env.duration("LONGEST_HOLD_HOURS"),
        retention=env.duration("RETENTION_DAYS"),
        limits=OutcomeLimits(
            env.number("OUTCOME_LEAST"), env.number("REFUSED_PERCENT"), env.number("TAKEN_BACK_PERCENT")
        ),
        tell=tell,
        tell_silent=publish_lines,
        now=now,
    )


@at_startup
def parts() -> Measure:
    return build(Environment(), Dynamo(dynamodb_client()), clock)
