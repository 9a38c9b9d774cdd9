"""Every minute: count what happened by the hour, and what there is of numbers, for the operators' overview."""

import functools
from typing import Any

from globalconnect import clock
from globalconnect.aws import dynamodb_client
from globalconnect.settings import HourlyStatisticsSettings, retention
from globalconnect.store.availability import Availability
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.statistics import Happened, Statistics
from hourly_statistics.measure import Measure


@functools.cache
def measure() -> Measure:
    """Give the function's parts, put together once per environment."""
    settings = HourlyStatisticsSettings.from_env()
    db = Dynamo(dynamodb_client())
    return Measure(
        happened=Happened(db, settings.activations_table),
        availability=Availability(db, settings.availability_table, cache_seconds=0, now=clock.now),
        statistics=Statistics(db, settings.statistics_table),
        lease=settings.lease,
        keep=retention(settings.retention_days),
        now=clock.now,
    )


def handler(_event: dict[str, Any], _context: object) -> None:
    """Measure once. A failure is raised; the next minute takes up what was left."""
    measure().run()
