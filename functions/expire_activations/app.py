"""Every minute: let go of numbers whose lease has run out, and queue pushes that lost their message."""

import functools
from typing import Any

from expire_activations.sweep import Sweep
from globalconnect import clock
from globalconnect.aws import dynamodb_client, sqs_client
from globalconnect.push.queue import RetryQueue
from globalconnect.settings import ExpireActivationsSettings, retention
from globalconnect.store.activations import Activations
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.numbers import Numbers


@functools.cache
def sweep() -> Sweep:
    """Give the function's parts, put together once per environment."""
    settings = ExpireActivationsSettings.from_env()
    db = Dynamo(dynamodb_client())
    return Sweep(
        numbers=Numbers(db, settings.numbers_table),
        activations=Activations(db, settings.activations_table, retention(settings.retention_days)),
        queue=RetryQueue(sqs_client(), settings.retry_queue_url),
        now=clock.now,
    )


def handler(_event: dict[str, Any], _context: object) -> None:
    """Sweep once. A failure is raised; the next minute takes up what was left."""
    sweep().run()
