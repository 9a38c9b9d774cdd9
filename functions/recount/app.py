"""Every night: compare numbers with the counts per pool and partner, put right what is off, and say so."""

import functools
import time
import uuid
from typing import Any

from globalconnect.aws import dynamodb_client
from globalconnect.metrics import publish_recount
from globalconnect.settings import RecountSettings
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.numbers import Numbers
from globalconnect.store.pool_counts import CountsStore
from recount.recount import Recount


@functools.cache
def recount() -> Recount:
    """Return the function's parts, put together once per environment."""
    settings = RecountSettings.from_env()
    db = Dynamo(dynamodb_client())
    return Recount(
        numbers=Numbers(db, settings.numbers_table),
        counts=CountsStore(db, settings.availability_table, settings.counted_table, settings.holders_table),
        new_id=lambda: uuid.uuid4().hex,
        pause=time.sleep,
    )


def handler(_event: dict[str, Any], _context: object) -> None:
    """Recount once. A failure is raised; what was put right until then is right."""
    publish_recount(recount().run().off)
