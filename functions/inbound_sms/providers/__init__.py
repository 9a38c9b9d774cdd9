"""One adapter per provider type: it checks a delivery's authenticity and reads its payload (contract 4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from globalconnect.domain.sms import InboundSms


@dataclass(frozen=True, slots=True)
class Payload:
    """A delivery as it came: its body (a Content-Encoding undone), and its headers by lower-case name."""

    body: bytes
    headers: Mapping[str, str]

    def __repr__(self) -> str:
        """Leave the content out: a repr ends up in logs."""
        return f"Payload({len(self.body)} bytes)"


class Adapter(Protocol):
    """What a provider's adapter can do."""

    def is_authentic(self, payload: Payload, secret: str) -> bool:
        """Tell whether the delivery comes from whoever knows the source's secret."""

    def read(self, payload: Payload, now: int) -> list[InboundSms]:
        """Give the SMS in a delivery that arrived at `now` (ms). Raises InvalidInput naming what can't be read."""
