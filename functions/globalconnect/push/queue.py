"""The retry queues: a message per push that is due later. Messages carry ids and counts, never what an SMS says.

Pushes of slow partners have a queue of their own, so that their time-outs never take the room of others' retries
(contract 3: no partner's outage delays another partner's pushes).
"""

import json
import time
from collections.abc import Callable, Sequence
from itertools import batched
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from globalconnect.domain.errors import Unavailable
from globalconnect.domain.ids import ActivationId, PartnerId, SmsId
from globalconnect.domain.push_schedule import delay_seconds
from globalconnect.domain.sms import AttemptTally, DuePush, SmsRef
from globalconnect.store.dynamo import unavailable

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

# SQS takes no more in one call.
MESSAGES_AT_ONCE = 10
_TRIES = 3


class UnreadableMessage(ValueError):
    """A queue message that no RetryQueues wrote; it belongs in the dead-letter queue."""


class RetryQueues:
    """Writes due pushes to the queue of their kind. `pause` waits between tries (seconds)."""

    def __init__(
        self, client: "SQSClient", url: str, slow_url: str, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._url = url
        self._slow_url = slow_url
        self._pause = pause

    def send(self, pushes: Sequence[DuePush], *, slow: bool, now: int) -> list[Exception | None]:
        """Have pushes made when they are due; `slow` for those of slow partners.

        The partner is a message's group: one partner's many don't delay others'. Returns per push what it failed with,
        or None. Raises Unavailable.
        """
        ends: list[Exception | None] = []
        for some in batched(pushes, MESSAGES_AT_ONCE, strict=False):
            ends += self._send(some, self._slow_url if slow else self._url, now)
        return ends

    def _send(self, pushes: Sequence[DuePush], url: str, now: int) -> list[Exception | None]:
        refused: dict[str, str] = {}
        waiting: dict[str, Any] = {str(place): _entry(push, now) for place, push in enumerate(pushes)}
        for attempt in range(1, _TRIES + 1):
            entries: Any = [{"Id": place, **entry} for place, entry in waiting.items()]
            try:
                failed = self._client.send_message_batch(QueueUrl=url, Entries=entries).get("Failed", [])
            except (BotoCoreError, ClientError) as error:
                raise unavailable(error) from None
            refused = {failure["Id"]: failure["Code"] for failure in failed}
            waiting = {place: waiting[place] for place in refused}
            if not waiting:
                break
            self._pause(0.05 * attempt)
        return [Unavailable(refused[place]) if (place := str(n)) in waiting else None for n in range(len(pushes))]


def _entry(push: DuePush, now: int) -> dict[str, Any]:
    body: dict[str, Any] = {
        "activationId": push.ref.activation_id,
        "smsId": push.ref.sms_id,
        "partnerId": push.partner_id,
        "due": push.due,
    }
    if push.tally is not None:
        tally = push.tally
        body["tally"] = {"nextDue": tally.next_due, "attempts": tally.attempts, "outcomes": dict(tally.outcomes)}
    return {
        "MessageBody": json.dumps(body),
        "DelaySeconds": delay_seconds(push.due, now),
        "MessageGroupId": push.partner_id,
    }


def read_message(body: str) -> DuePush:
    """Return the push a message asks for. Raises UnreadableMessage."""
    try:
        fields = json.loads(body)
        ref = SmsRef(ActivationId(int(fields["activationId"])), SmsId(int(fields["smsId"])))
        return DuePush(ref, PartnerId(str(fields["partnerId"])), int(fields["due"]), _read_tally(fields.get("tally")))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UnreadableMessage("not a message of the retry queues") from None


def _read_tally(fields: Any) -> AttemptTally | None:
    if fields is None:
        return None
    outcomes = {str(outcome): int(count) for outcome, count in fields["outcomes"].items()}
    return AttemptTally(int(fields["nextDue"]), int(fields["attempts"]), outcomes)
