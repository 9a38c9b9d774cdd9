"""What recount is made of."""

import time
import uuid

from globalconnect.runtime.aws import dynamodb_client
from globalconnect.runtime.startup import Environment, at_startup, clock
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.numbers import Numbers
from globalconnect.store.pool_counts import CountsStore
from recount.recount import Recount


@at_startup
def parts() -> Recount:
    env = Environment()
    db = Dynamo(dynamodb_client())
    return Recount(
        numbers=Numbers(db, env.text("NUMBERS_TABLE")),
        counts=CountsStore(
            db, env.text("AVAILABILITY_TABLE"), env.text("COUNTED_TABLE"), env.text("HOLDERS_TABLE"), clock
        ),
        new_id=lambda: uuid.uuid4().hex,
        pause=time.sleep,
    )
