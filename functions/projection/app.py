"""The projection: the stream of Numbers becomes counts per pool and partner (contract 1.1, 1.7)."""

from typing import Any

from globalconnect.runtime.logs import Event, log
from globalconnect.store.numbers import changed_number
from globalconnect.store.projection import count
from projection.wiring import parts


def handler(event: dict[str, Any], _context: object) -> None:
    """Count a batch of changed numbers. A failure is raised: the batch is redelivered, and counts nothing twice."""
    numbers = (changed_number(record["dynamodb"]) for record in event["Records"])
    changed = count([number for number in numbers if number], parts())
    log(Event.COUNTED, records=len(event["Records"]), changed=changed)
