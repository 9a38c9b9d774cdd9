"""Take a delivery that is authentic: store its SMS, keep what can't be read, note its source (contract 4)."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs, quote, quote_plus, urlencode

from globalconnect.domain.errors import Busy, InvalidInput, TooLarge, Unavailable
from globalconnect.domain.inbound import UnreadablePayload
from globalconnect.domain.source import Source
from globalconnect.inbound.join import join
from globalconnect.inbound.parts import Parts
from globalconnect.inbound.providers.port import ClockOff, Delivery, Provider, Reading
from globalconnect.inbound.receive import Arrival, receive
from globalconnect.runtime.http import LARGEST_BODY, Request
from globalconnect.runtime.logs import Event, log, log_failure

_MASK = "***"
# Of states of lines: of a thousand in one request. SMS are cut far below.
LARGEST_REPORT = 2 * 1024 * 1024


def take(delivery: Delivery, source: Source, provider: Provider, arrived_at: int, parts: Parts) -> None:
    """Make durable all that is in a delivery that arrived at `arrived_at` (ms).

    Raises InvalidInput when nothing of it can be read, and TooLarge.
    """
    if len(delivery.body) > LARGEST_REPORT:
        raise _too_large(delivery, source, parts)
    payload = _payload(delivery, source, arrived_at, parts)
    try:
        reading = provider.read(delivery, source.settings, arrived_at)
    except TooLarge as error:
        _note_unreadable(source, str(error), parts)
        raise
    except InvalidInput as error:
        if len(delivery.body) > LARGEST_BODY:
            raise _too_large(delivery, source, parts) from None
        _keep_unreadable(payload, source, str(error), parts)
        raise
    is_report = not (reading.messages or reading.parts or reading.unreadable)
    if len(delivery.body) > LARGEST_BODY and not is_report:
        raise _too_large(delivery, source, parts)
    _store(reading, source, Arrival(source.source_id, arrived_at, payload.payload_id), parts)
    if reading.messages or reading.parts:
        _note(source, lambda: _note_sms(source, len(reading.messages) + len(reading.parts), parts))
    elif not reading.reports:
        # Its devices are noted by themselves.
        _note(source, lambda: parts.sources.note_heard(source, parts.now()))
    if reading.untimed is not None:
        _note(source, lambda: parts.sources.note_untimed(source, str(reading.untimed), parts.now()))


def replay(payload: UnreadablePayload, source: Source, parts: Parts) -> None:
    """Read a payload again that could not be read when it came, and store what is in it as of then (contract 4).

    That it was authentic was seen then. Raises InvalidInput when it still can't be read, TooLarge and Busy; to be sent
    again it is safe.
    """
    provider = parts.provider(source.provider)
    delivery = Delivery(_request(payload), payload.body)
    reading = provider.read(delivery, source.settings, payload.stored_at)
    if reading.unreadable and not reading.messages and not reading.parts:
        # It was acknowledged unread when it came, and is the piece that is kept.
        field, _, expected = reading.unreadable[0].reason.partition(": ")
        raise InvalidInput(field, expected)
    _store(reading, source, Arrival(source.source_id, payload.stored_at), parts)
    parts.inbox.note_read(payload.payload_id)
    log(Event.PAYLOAD_REPLAYED, source_id=source.source_id)


def _store(reading: Reading, source: Source, arrival: Arrival, parts: Parts) -> None:
    if reading.confirm is not None:
        parts.fetch(reading.confirm)
    for report in reading.reports:
        parts.devices.note(source.source_id, report, arrival.at)
        log(Event.LINES_REPORTED, source_id=source.source_id, lines=len(report.lines))
    for sms in reading.messages:
        receive(sms, arrival, parts)
    for part in reading.parts:
        join(part, arrival, parts)
    for piece in reading.unreadable:
        request = Request({"httpMethod": "POST"})
        _keep_unreadable(
            _payload(Delivery(request, piece.content), source, arrival.at, parts), source, piece.reason, parts
        )
    if reading.unreadable and arrival.payload_id is not None:
        # If it comes again and can be read then, it is as old as now.
        parts.inbox.note_arrival(arrival.payload_id, arrival.source_id, arrival.at)


def _too_large(delivery: Delivery, source: Source, parts: Parts) -> TooLarge:
    error = TooLarge(f"body: expected at most {LARGEST_BODY} bytes, came {len(delivery.body)}")
    _note_unreadable(source, str(error), parts)
    return error


def _note_sms(source: Source, count: int, parts: Parts) -> None:
    now = parts.now()
    noted = parts.sources.note_sms(source, count, now)
    if noted is not None:
        gap, closer = noted
        parts.gaps.note(source.source_id, now, gap, closer)


def _payload(delivery: Delivery, source: Source, arrived_at: int, parts: Parts) -> UnreadablePayload:
    """Return what a delivery is kept as if it can't be read: without the secrets of its source."""
    request = delivery.request
    content, query = delivery.body, urlencode(request.query, doseq=True, errors="backslashreplace")
    # Some gateways send their secret in the query or the body. It is neither kept nor to be found by trying hashes.
    for secret in parts.sources.secrets(source, parts.now()):
        for spelled in (secret, quote(secret, safe=""), quote_plus(secret)):
            content, query = content.replace(spelled.encode(), _MASK.encode()), query.replace(spelled, _MASK)
    payload = UnreadablePayload(
        payload_id="",
        source_id=source.source_id,
        body=content,
        reason="",
        stored_at=arrived_at,
        method=request.method,
        query=query,
        content_type=request.header("content-type") or "",
    )
    # The same again is the gateway's retry, not something new to look at.
    return replace(payload, payload_id=f"unreadable#{source.source_id}#{hashlib.sha256(payload.spelled).hexdigest()}")


def _request(payload: UnreadablePayload) -> Request:
    return Request(
        {
            "httpMethod": payload.method,
            "headers": {"Content-Type": payload.content_type},
            "multiValueQueryStringParameters": parse_qs(payload.query, keep_blank_values=True),
            "body": base64.b64encode(payload.body).decode(),
            "isBase64Encoded": True,
        }
    )


def _keep_unreadable(payload: UnreadablePayload, source: Source, reason: str, parts: Parts) -> None:
    parts.inbox.keep_unreadable(replace(payload, reason=reason))
    _note_unreadable(source, reason, parts)


def note_clock(source: Source, error: ClockOff, parts: Parts) -> None:
    """Note for staff that a source's deliveries are refused for the time that they sign."""
    _note(source, lambda: parts.sources.note_unreadable(source, str(error), parts.now()))


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
