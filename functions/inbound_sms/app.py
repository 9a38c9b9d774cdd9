"""The gateways' endpoint: SMS come in, signed; 2xx is answered only after they are durable (contract 4)."""

from globalconnect.domain.errors import InvalidSignature
from globalconnect.domain.ids import SourceId, is_token
from globalconnect.domain.source import Source
from globalconnect.domain.times import SECOND
from globalconnect.inbound.parts import Parts
from globalconnect.inbound.providers.port import ClockOff, Delivery
from globalconnect.inbound.take import note_clock, take
from globalconnect.runtime.http import Request, Response, endpoint
from inbound_sms.wiring import parts

# Whether a delivery is authentic is judged by so many bytes at most, unpacked.
LARGEST_JUDGED = 10 * 1024 * 1024


def answer(request: Request, parts: Parts) -> Response:
    """Take what a gateway delivers, and acknowledge it."""
    arrived_at = parts.now()
    source_id = SourceId(request.path_parameters["sourceId"])
    if not is_token(source_id):
        raise InvalidSignature
    delivery = Delivery(request, request.delivery(LARGEST_JUDGED))
    source = _source_of(source_id, delivery, parts)
    provider = parts.provider(source.provider)
    take(delivery, source, provider, arrived_at, parts)
    return provider.acknowledgement


def _source_of(source_id: SourceId, delivery: Delivery, parts: Parts) -> Source:
    """Return the source that a delivery is from.

    Raises InvalidSignature, also when there is no such source: ids can't be tried out.
    """
    source = parts.sources.find(source_id)
    if source is not None:
        delivery.request.note(source_id=source_id)
    if source is not None and not _is_authentic(delivery, source, parts):
        # It may have a newer secret than is remembered. Read once a second at most, however many strangers knock.
        newest = parts.sources.find(source_id, oldest=SECOND)
        source = newest if newest and newest is not source and _is_authentic(delivery, newest, parts) else None
    if source is None:
        raise InvalidSignature
    return source


def _is_authentic(delivery: Delivery, source: Source, parts: Parts) -> bool:
    """Return whether a delivery is by who knows one of the source's secrets; how long that takes doesn't tell which.

    Raises InvalidSignature when it is, and signs a time that is too far from ours: that is noted with the source.
    """
    provider, now = parts.provider(source.provider), parts.now()
    secrets = parts.sources.secrets(source, now)
    try:
        return any([provider.is_authentic(delivery, secret, source.settings, now) for secret in secrets])  # noqa: C419
    except ClockOff as error:
        note_clock(source, error, parts)
        raise InvalidSignature from None


handler = endpoint(lambda request: answer(request, parts()))
