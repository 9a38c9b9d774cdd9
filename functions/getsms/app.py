"""Polling for the SMS of an activation (contract 2)."""

from collections.abc import Callable
from dataclasses import dataclass

from globalconnect import clock
from globalconnect.aws import dynamodb_client
from globalconnect.domain.activation import State
from globalconnect.domain.errors import NotFound
from globalconnect.domain.requests import read_activation_id, read_key, read_query
from globalconnect.domain.sms import Sms
from globalconnect.domain.times import to_iso
from globalconnect.init import made_in_init
from globalconnect.settings import GetsmsSettings, retention
from globalconnect.store.activations import Activations
from globalconnect.store.dynamo import Dynamo
from globalconnect.store.partners import Partners
from globalconnect.web import ProxyEvent, Response, endpoint


@dataclass(frozen=True, slots=True)
class Getsms:
    """The parts of this function."""

    partners: Partners
    activations: Activations
    now: Callable[[], int]


def build(settings: GetsmsSettings, db: Dynamo, now: Callable[[], int]) -> Getsms:
    """Put the function together."""
    return Getsms(
        Partners(db, settings.partners_table, settings.cache_seconds, now),
        Activations(db, settings.activations_table, retention(settings.retention_days), now),
        now,
    )


@made_in_init
def getsms() -> Getsms:
    """Return the function's parts, put together once per environment."""
    return build(GetsmsSettings.from_env(), Dynamo(dynamodb_client()), clock.now)


def answer(event: ProxyEvent, parts: Getsms) -> Response:
    """Return the messages of one of the partner's activations, or say whether to wait for them."""
    fields = read_query(event.get("multiValueQueryStringParameters") or {})
    partner = parts.partners.authenticate(read_key(fields, "apiKey"))
    sale = parts.activations.sale(read_activation_id(fields, "id"), partner.partner_id)
    if sale is None:
        raise NotFound("id")
    if sale.sms:
        messages = [_shown(sms) for sms in sale.sms]
        return Response(200, {"status": "SUCCESS", "messages": messages}, shortened="messages")
    live = sale.activation.state(parts.now()) is State.LIVE
    return Response(200, {"status": "WAIT_CODE" if live else "EXPIRED"})


def _shown(sms: Sms) -> dict[str, str]:
    return {
        "smsId": str(sms.sms_id),
        "phone": sms.phone,
        "phoneFrom": sms.phone_from,
        "text": sms.text,
        "receivedAt": to_iso(sms.received_at),
    }


handler = endpoint(lambda event: answer(event, getsms()))
