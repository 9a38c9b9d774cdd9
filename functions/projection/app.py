"""The projection: the stream of Numbers becomes counts per pool and partner (contract 1.1, 1.7)."""

import functools
from typing import Any

from globalconnect.aws import dynamodb_client
from globalconnect.settings import ProjectionSettings
from globalconnect.store.dynamo import Dynamo, from_wire
from globalconnect.store.numbers import to_number
from globalconnect.store.pool_counts import CountsStore
from globalconnect.telemetry import Event, log
from projection.project import project


@functools.cache
def counts() -> CountsStore:
    """Return what this function writes to, put together once per environment."""
    settings = ProjectionSettings.from_env()
    tables = (settings.availability_table, settings.counted_table, settings.holders_table)
    return CountsStore(Dynamo(dynamodb_client()), *tables)


def handler(event: dict[str, Any], _context: object) -> None:
    """Count a batch of changed numbers. A failure is raised: the batch comes again, and counts nothing twice."""
    images = (record["dynamodb"].get("NewImage") for record in event["Records"])
    changed = project([to_number(from_wire(image)) for image in images if image], counts())
    log(Event.COUNTED, records=len(event["Records"]), changed=changed)
