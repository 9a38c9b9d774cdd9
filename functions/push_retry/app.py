"""The next push of an SMS, from the retry queue, until the partner takes it or closes the activation (contract 3)."""

from typing import Any

from globalconnect.push.queue import UnreadableMessage, read_message
from globalconnect.push.wiring import pusher
from globalconnect.runtime.logs import Event, log_failure


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Make the attempts a batch of messages asks for. Messages that must be redelivered are reported by their id.

    A message that can't be read is reported too, until the queue dead-letters it.
    """
    due, failed = {}, []
    for record in event["Records"]:
        try:
            due[record["messageId"]] = read_message(record["body"])
        except UnreadableMessage as error:
            log_failure(Event.UNEXPECTED, error, message_id=record["messageId"])
            failed.append(record["messageId"])
    left = pusher().deliver(list(due.values()))
    failed += [message_id for message_id, push in due.items() if push.ref in left]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
