"""How an attempt to push an SMS ends, and how long it may take (contract 3)."""

from dataclasses import dataclass, field
from enum import StrEnum


class AttemptOutcome(StrEnum):
    DELIVERED = "delivered"
    REFUSED_ANSWER = "refused_answer"
    """2xx, but nothing that begins with a JSON object whose `status` is SUCCESS."""
    HTTP_STATUS = "http_status"
    """Not 2xx; a redirect is one of these."""
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    """No such name, refused, reset, closed before the answer was whole, or not HTTP."""
    TLS = "tls"
    """No handshake, or a certificate that is not good for this name now."""
    FORBIDDEN_ADDRESS = "forbidden_address"
    """The URL's name leads inside and nowhere else."""
    ANSWER_TOO_LARGE = "answer_too_large"
    BAD_URL = "bad_url"
    """The stored URL would not be accepted today; nothing was sent."""
    STOP_WORD = "stop_word"
    """The answer has a word by which this hub wants no further attempt; it has not taken the push."""


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """How one attempt ended, fit for the attempt log.

    `http_status` is there as soon as the partner sent one, whatever happened after it. `answer` is the start of the
    answer as text without control characters, the secrets replaced by `***`.
    """

    delivered: bool
    outcome: AttemptOutcome
    http_status: int | None
    duration_ms: int
    answer: str = field(repr=False)


CONNECT_TIMEOUT_SECONDS = 2.0


ATTEMPT_TIMEOUT_SECONDS = 5.0
