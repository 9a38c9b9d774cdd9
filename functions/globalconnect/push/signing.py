"""Signatures of pushes in the form of Standard Webhooks, for partners that have a signing secret (docs/adr/0019)."""

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from globalconnect.domain.ids import SmsId
from globalconnect.domain.partner import SIGNING_SECRET_PREFIX
from globalconnect.domain.times import SECOND

_SCHEME = "v1"


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs one attempt: `webhook_id` names the SMS, `at` (ms) is the attempt's time.

    Each of the `secrets` (`whsec_` and base64) makes a signature, so that a partner may check with any of them.
    """

    webhook_id: str
    at: int
    secrets: Sequence[str] = field(repr=False)

    @classmethod
    def of(cls, secrets: Sequence[str], sms_id: SmsId, now: int) -> Self | None:
        """Return what signs an attempt for this SMS at `now` (ms), None when the partner's pushes are not signed."""
        return cls(f"sms_{sms_id}", now, secrets) if secrets else None

    def headers(self, content: bytes) -> dict[str, str]:
        """Return the headers that go with exactly these bytes."""
        timestamp = str(self.at // SECOND)
        signed = f"{self.webhook_id}.{timestamp}.".encode() + content
        return {
            "webhook-id": self.webhook_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": " ".join(_signature(secret, signed) for secret in self.secrets),
        }

    def hidden(self) -> list[str]:
        """Return what must not be kept of an answer that repeats it: the secrets, also without their prefix."""
        return [*self.secrets, *(secret.removeprefix(SIGNING_SECRET_PREFIX) for secret in self.secrets)]


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SIGNING_SECRET_PREFIX))
    return f"{_SCHEME},{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}"
