"""Take a delivery that is authentic: store its SMS, keep what can't be read, note its source (contract 4)."""

import hashlib
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode

from globalconnect.domain.errors import Busy, InvalidInput, TooLarge, Unavailable
from globalconnect.domain.source import Source
from globalconnect.inbound.parts import Parts
from globalconnect.inbound.providers.port import Delivery, Provider, Reading
from globalconnect.inbound.receive import receive
from globalconnect.runtime.http import LARGEST_BODY
from globalconnect.runtime.logs import Event, log, log_failure

_MASK = b"***"


def take(delivery: Delivery, source: Source, provider: Provider, arrived_at: int, parts: Parts) -> None:
    """Make durable all that is in a delivery that arrived at `arrived_at` (ms).

    Raises InvalidInput when nothing of it can be read, and TooLarge.
    """
    try:
        reading = _read(delivery, source, provider, arrived_at)
    except TooLarge as error:
        _note_unreadable(source, str(error), parts)
        raise
    except InvalidInput as error:
        _keep_unreadable(_spelled(delivery), source, str(error), parts)
        raise
    for sms in reading.messages:
        receive(sms, source.source_id, arrived_at, parts)
    for piece in reading.unreadable:
        _keep_unreadable(piece.content, source, piece.reason, parts)
    _note(source, lambda: parts.sources.note_heard(source, parts.now()))
    if reading.untimed is not None:
        _note(source, lambda: parts.sources.note_untimed(source, str(reading.untimed), parts.now()))


def _read(delivery: Delivery, source: Source, provider: Provider, arrived_at: int) -> Reading:
    if len(delivery.body) > LARGEST_BODY:
        raise TooLarge(f"body: expected at most {LARGEST_BODY} bytes, came {len(delivery.body)}")
    return provider.read(delivery, source.settings, arrived_at)


def _spelled(delivery: Delivery) -> bytes:
    """Return a delivery as staff read it: its body, below whatever else it says."""
    request = delivery.request
    if request.method == "POST" and not request.query:
        return delivery.body
    query = urlencode(request.query, doseq=True, errors="backslashreplace")
    return f"{request.method} ?{query}\n\n".encode() + delivery.body


def _keep_unreadable(content: bytes, source: Source, reason: str, parts: Parts) -> None:
    # Some gateways send their secret in the query or the body. It is neither kept nor to be found by trying hashes.
    for secret in parts.sources.secrets(source, parts.now()):
        for spelled in (secret, quote(secret, safe=""), quote_plus(secret)):
            content = content.replace(spelled.encode(), _MASK)
    # The same again is the gateway's retry, not something new to look at.
    inbox_id = f"unreadable#{source.source_id}#{hashlib.sha256(content).hexdigest()}"
    parts.inbox.keep_unreadable(inbox_id, source.source_id, content, reason, parts.now())
    _note_unreadable(source, reason, parts)


def _note_unreadable(source: Source, reason: str, parts: Parts) -> None:
    log(Event.PAYLOAD_UNREADABLE, source_id=source.source_id)
    _note(source, lambda: parts.sources.note_unreadable(source, reason, parts.now()))


def _note(source: Source, note: Callable[[], None]) -> None:
    """Note what was heard of a source, for staff to see whether it is alive; after what it sent is durable.

    A failure fails no delivery: the SMS is stored, and a gateway that is told otherwise would only send it again. The
    next delivery after a minute notes it then.
    """
    try:
        note()
    except (Busy, Unavailable) as error:
        log_failure(Event.SOURCE_NOT_NOTED, error, source_id=source.source_id)
