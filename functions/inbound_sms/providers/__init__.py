"""One adapter per provider type: it checks a delivery's authenticity and reads its payload (contract 4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from globalconnect.domain.inbound import InboundSms


@dataclass(frozen=True, slots=True)
class Payload:
    """A delivery as it came: its body (a Content-Encoding undone), and its headers by lower-case name."""

    body: bytes
    headers: Mapping[str, str]

    def __repr__(self) -> str:
        """Leave the content out: a repr ends up in logs."""
        return f"Payload({len(self.body)} bytes)"


@dataclass(frozen=True, slots=True)
class UnreadableDelivery:
    """A part of a delivery that is no SMS that can be read, as it came, and why."""

    part: bytes
    reason: str

    def __repr__(self) -> str:
        """Leave the content out: a repr ends up in logs."""
        return f"UnreadableDelivery({self.reason!r})"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was in a delivery. `untimed` tells why the time of receipt of one of its SMS is not known, None when all are."""

    messages: Sequence[InboundSms]
    unreadable: Sequence[UnreadableDelivery] = ()
    untimed: str | None = None


class Adapter(Protocol):
    """What a provider's adapter can do."""

    def is_authentic(self, payload: Payload, secret: str) -> bool:
        """Return whether the delivery comes from whoever knows the source's secret."""

    def read(self, payload: Payload, now: int) -> Reading:
        """Return what is in a delivery that arrived at `now` (ms).

        Raises InvalidInput naming what can't be read when nothing can be, and TooLarge when there are too many SMS.
        """
