"""What projection is made of."""

from collections.abc import Callable

from globalconnect.runtime.aws import dynamodb_client
from globalconnect.runtime.startup import Environment, at_startup, clock
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.pool_counts import CountsStore


def build(env: Environment, db: Dynamo, now: Callable[[], int]) -> CountsStore:
    return CountsStore(db, env.text("AVAILABILITY_TABLE"), env.text("COUNTED_TABLE"), env.text("HOLDERS_TABLE"), now)


@at_startup
def parts() -> CountsStore:
    return build(Environment(), Dynamo(dynamodb_client()), clock)
