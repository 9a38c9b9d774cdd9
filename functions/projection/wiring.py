"""What projection is made of."""

from globalconnect.runtime.aws import dynamodb_client
from globalconnect.runtime.settings import ProjectionSettings
from globalconnect.runtime.startup import at_startup
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.pool_counts import CountsStore


@at_startup
def parts() -> CountsStore:
    settings = ProjectionSettings.from_env()
    tables = (settings.availability_table, settings.counted_table, settings.holders_table)
    return CountsStore(Dynamo(dynamodb_client()), *tables)
