"""What a provider is to us: a whole request in, a reading out, any response back (contract 4, docs/adr/0036)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from globalconnect.domain.errors import GlobalConnectError
from globalconnect.domain.inbound import InboundSms, SmsPart
from globalconnect.domain.line_state import DeviceReport
from globalconnect.domain.source import SourceSettings
from globalconnect.runtime.http import Request, Response


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a gateway sends at once: its request, and the body of that, unpacked."""

    request: Request
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class UnreadablePiece:
    """A piece of a delivery that is no SMS that can be read, as it came, and why."""

    content: bytes = field(repr=False)
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What was in a delivery; empty when there is nothing in it for us.

    `parts` are those of long SMS. `untimed` tells why the time of receipt of one of its SMS is not known, None when all
    are. `confirm` is a URL that its sender wants to be fetched before it delivers anything. `reports` say which lines of
    devices are online.
    """

    messages: Sequence[InboundSms] = ()
    unreadable: Sequence[UnreadablePiece] = ()
    untimed: str | None = None
    parts: Sequence[SmsPart] = ()
    confirm: str | None = field(default=None, repr=False)
    reports: Sequence[DeviceReport] = ()


class ClockOff(GlobalConnectError):
    """A delivery is from who knows the secret, and says a time too far from ours: staff must have that clock set."""

    def __init__(self) -> None:
        super().__init__("clock: the time that it signs is too far from ours; set the clock there")


class Provider(Protocol):
    """What each module of a provider has as its PROVIDER. It keeps nothing from one delivery to the next but keys that
    all senders share.
    """

    @property
    def acknowledgement(self) -> Response:
        """The response that tells this provider that we have what it sent."""

    def is_authentic(self, delivery: Delivery, secret: str, settings: SourceSettings, now: int) -> bool:
        """Return whether a delivery that arrived at `now` (ms) is from whoever knows a secret of the source.

        It is asked once for each secret that is good, and takes as long for one as for another. Raises Unavailable when
        that can't be told now, and ClockOff, which is for what is authentic but for its time.
        """

    def read(self, delivery: Delivery, settings: SourceSettings, now: int) -> Reading:
        """Return what is in a delivery that arrived at `now` (ms).

        Raises InvalidInput naming what can't be read when nothing can be, and TooLarge when there are too many SMS.
        Neither quotes the delivery.
        """
