"""The retry queue: a message per push that is due later. Messages carry ids only, never what an SMS says."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from globalconnect.domain.push_schedule import delay_seconds
from globalconnect.store.activations import SmsRef

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient


class UnreadableMessage(ValueError):
    """A queue message that no RetryQueue wrote; it belongs in the dead-letter queue."""


@dataclass(frozen=True, slots=True)
class DuePush:
    """A push that is due at `due` (ms)."""

    ref: SmsRef
    due: int


class RetryQueue:
    """Writes due pushes to the queue."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def send(self, ref: SmsRef, partner_id: str, due: int, now: int) -> None:
        """Have an SMS pushed at `due` (ms). The partner is the message's group: one partner's many don't delay others'."""
        body = {"activationId": ref.activation_id, "smsId": ref.sms_id, "due": due}
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=json.dumps(body),
            DelaySeconds=delay_seconds(due, now),
            MessageGroupId=partner_id,
        )


def read_message(body: str) -> DuePush:
    """Give the push a message asks for. Raises UnreadableMessage."""
    try:
        fields = json.loads(body)
        return DuePush(SmsRef(int(fields["activationId"]), int(fields["smsId"])), int(fields["due"]))
    except (ValueError, KeyError, TypeError):
        raise UnreadableMessage("not a message of the retry queue") from None
