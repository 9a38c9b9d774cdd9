"""The first push of every new SMS, from the stream of Activations (contract 3)."""

from typing import Any

from globalconnect.push.queue import DuePush
from globalconnect.push.wiring import delivery
from globalconnect.store.activations import SmsRef, sms_id_of_entry
from globalconnect.store.dynamo import from_wire


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Push a batch of new SMS at once. A partner's failure goes to the retry queue and never fails the batch.

    When AWS itself gives trouble, the batch comes again from its first record on; pushes already made are not due
    then, so they aren't repeated.
    """
    refs = {record["eventID"]: _ref(record["dynamodb"]["Keys"]) for record in event["Records"]}
    left = delivery().deliver([DuePush(ref, due=0) for ref in refs.values()])
    failed = [record["dynamodb"]["SequenceNumber"] for record in event["Records"] if refs[record["eventID"]] in left]
    return {"batchItemFailures": [{"itemIdentifier": failed[0]}] if failed else []}


def _ref(keys: dict[str, Any]) -> SmsRef:
    key = from_wire(keys)
    return SmsRef(key["activation_id"], sms_id_of_entry(key["entry"]))
