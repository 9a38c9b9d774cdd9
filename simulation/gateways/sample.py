"""What a sample of a type of gateway is: how it sends, written from what its makers say and not from how we read it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

# Of a part of a long SMS: the reference that its parts share, its number from 1, and how many they are.
type Place = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as a gateway sends it; `path` follows the source's URL."""

    method: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """A type of gateway.

    `write` writes an SMS of an id at the gateway, a number and a text, received there at a time (ms) unless the type states
    no times. `sign` proves that a request to a URL is from who knows a secret, at a time (ms). `forge` makes
    of a signed request what nobody must be able to send. `nothing` are requests that hold no SMS, `unreadable` ought to;
    neither is signed yet. `acknowledged` is the status, content type and body that it waits for. `secret` gives the
    n-th secret of a source, `lines` is how the gateway calls the SIM of a number where it doesn't name that,
    `write_part` writes a part of a long SMS where it sends such parts.
    """

    write: Callable[[str, str, str, int], Sent]
    sign: Callable[[Sent, str, str, int], Sent]
    forge: Callable[[Sent], Sequence[Sent]]
    nothing: Sequence[Sent]
    unreadable: Sequence[Sent]
    acknowledged: tuple[int, str, str]
    settings: Mapping[str, str | bool] = field(default_factory=dict)
    secret: Callable[[int], str] = lambda n: f"the secret & the key {n}"
    line_of: Callable[[str], str] | None = None
    write_part: Callable[[str, str, str, int, Place], Sent] | None = None


def iso(at: int) -> str:
    """Return a time (ms) as most of them state it: `2024-01-15T12:34:56.789Z`."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
