"""The gateways' endpoint: SMS come in, signed; 2xx is answered only after they are durable (contract 4)."""

import hashlib
from collections.abc import Callable

from globalconnect.domain.errors import Busy, InvalidInput, InvalidSignature, TooLarge, Unavailable
from globalconnect.domain.ids import is_token
from globalconnect.domain.source import Source
from globalconnect.domain.times import SECOND
from globalconnect.runtime.http import LARGEST_BODY, Request, Response, endpoint
from globalconnect.runtime.logs import Event, log, log_failure
from inbound_sms.providers import Adapter, Payload, Reading
from inbound_sms.providers.generic import Generic
from inbound_sms.receive import receive
from inbound_sms.wiring import Parts, parts

# Whether a delivery is authentic is judged by so many bytes at most, unpacked.
LARGEST_JUDGED = 10 * 1024 * 1024

ADAPTERS: dict[str, Adapter] = {"generic": Generic()}


def answer(request: Request, parts: Parts) -> Response:
    """Take the SMS of one delivery."""
    arrived_at = parts.now()
    source_id: str = request.path_parameters["sourceId"]
    if not is_token(source_id):
        raise InvalidSignature
    payload = Payload(request.delivery(LARGEST_JUDGED), request.headers)
    source = _source_of(source_id, payload, parts)
    try:
        reading = _read(payload, source, arrived_at)
    except TooLarge as error:
        _note_unreadable(source, str(error), parts)
        raise
    except InvalidInput as error:
        _keep_unreadable(payload.body, source, str(error), parts)
        raise
    for sms in reading.messages:
        receive(sms, source.source_id, arrived_at, parts)
    for unreadable in reading.unreadable:
        _keep_unreadable(unreadable.part, source, unreadable.reason, parts)
    _note(source, lambda: parts.sources.note_heard(source, parts.now()))
    if reading.untimed is not None:
        _note(source, lambda: parts.sources.note_untimed(source, str(reading.untimed), parts.now()))
    return Response(200, {"status": "SUCCESS"})


def _source_of(source_id: str, payload: Payload, parts: Parts) -> Source:
    """Return the source that a delivery is from.

    Raises InvalidSignature, also when there is no such source: ids can't be tried out.
    """
    source = parts.sources.find(source_id)
    if source is not None and not _is_authentic(payload, source, parts.now()):
        # It may have a newer secret than is remembered. Read once a second at most, however many strangers knock.
        newest = parts.sources.find(source_id, oldest=SECOND)
        source = newest if newest and newest is not source and _is_authentic(payload, newest, parts.now()) else None
    if source is None:
        raise InvalidSignature
    return source


def _is_authentic(payload: Payload, source: Source, now: int) -> bool:
    """Return whether a delivery is by who knows one of the source's secrets; how long that takes doesn't tell which."""
    adapter = ADAPTERS[source.provider]
    return any([adapter.is_authentic(payload, secret) for secret in source.secrets(now)])  # noqa: C419


def _read(payload: Payload, source: Source, arrived_at: int) -> Reading:
    if len(payload.body) > LARGEST_BODY:
        raise TooLarge(f"body: expected at most {LARGEST_BODY} bytes, came {len(payload.body)}")
    return ADAPTERS[source.provider].read(payload, arrived_at)


def _keep_unreadable(payload: bytes, source: Source, reason: str, parts: Parts) -> None:
    # The same payload again is the gateway's retry, not something new to look at.
    inbox_id = f"unreadable#{source.source_id}#{hashlib.sha256(payload).hexdigest()}"
    parts.inbox.keep_unreadable(inbox_id, source.source_id, payload, reason, parts.now())
    _note_unreadable(source, reason, parts)


def _note_unreadable(source: Source, reason: str, parts: Parts) -> None:
    log(Event.PAYLOAD_UNREADABLE, source_id=source.source_id)
    _note(source, lambda: parts.sources.note_unreadable(source, reason, parts.now()))


def _note(source: Source, note: Callable[[], None]) -> None:
    """Note what was heard of a source, for operators to see whether it is alive; after what it sent is durable.

    A failure fails no delivery: the SMS is stored, and a gateway that is told otherwise would only send it again. The
    next delivery after a minute notes it then.
    """
    try:
        note()
    except (Busy, Unavailable) as error:
        log_failure(Event.SOURCE_NOT_NOTED, error, source_id=source.source_id)


handler = endpoint(lambda request: answer(request, parts()))
