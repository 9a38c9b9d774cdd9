"""The first push of every new SMS, from the stream of Activations (contract 3)."""

from typing import Any

from globalconnect.push.wiring import pusher
from globalconnect.store.activations import first_push


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Push a batch of new SMS at once. A partner's failure goes to the retry queue and never fails the batch.

    When an SMS can't even be claimed because AWS gives trouble, the batch is redelivered from that record on; pushes
    already made are not due then, so they aren't repeated.
    """
    pushes = {record["dynamodb"]["SequenceNumber"]: first_push(record["dynamodb"]) for record in event["Records"]}
    left = pusher().deliver_new(list(pushes.values()))
    failed = [sequence_number for sequence_number, push in pushes.items() if push.ref in left]
    return {"batchItemFailures": [{"itemIdentifier": failed[0]}] if failed else []}
