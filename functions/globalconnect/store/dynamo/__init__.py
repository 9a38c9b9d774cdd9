"""DynamoDB, typed: what our stores are made of. Only this names its client, its spelling and its failures."""

from globalconnect.store.dynamo.client import Dynamo, ItemPage
from globalconnect.store.dynamo.expressions import (
    Expression,
    Item,
    Key,
    Statement,
    changing,
    check,
    expression,
    from_wire,
    put,
    remove,
    to_wire,
    update,
)
from globalconnect.store.dynamo.failures import TRIES, ConditionFailed, unavailable

__all__ = [
    "TRIES",
    "ConditionFailed",
    "Dynamo",
    "Expression",
    "Item",
    "ItemPage",
    "Key",
    "Statement",
    "changing",
    "check",
    "expression",
    "from_wire",
    "put",
    "remove",
    "to_wire",
    "unavailable",
    "update",
]
