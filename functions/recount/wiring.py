"""What recount is made of."""

import time
import uuid

from globalconnect.runtime.aws import dynamodb_client
from globalconnect.runtime.settings import RecountSettings
from globalconnect.runtime.startup import at_startup
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.numbers import Numbers
from globalconnect.store.pool_counts import CountsStore
from recount.recount import Recount


@at_startup
def parts() -> Recount:
    settings = RecountSettings.from_env()
    db = Dynamo(dynamodb_client())
    return Recount(
        numbers=Numbers(db, settings.numbers_table),
        counts=CountsStore(db, settings.availability_table, settings.counted_table, settings.holders_table),
        new_id=lambda: uuid.uuid4().hex,
        pause=time.sleep,
    )
