"""httpSMS: https://docs.httpsms.com/webhooks (contract 4)."""

import warnings

import jwt
from jwt.warnings import InsecureKeyLengthWarning

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.inbound import InboundSms
from globalconnect.domain.line_state import DeviceReport, ReportedLine
from globalconnect.domain.phones import check_phone
from globalconnect.domain.source import SourceSettings
from globalconnect.domain.times import MINUTE, SECOND
from globalconnect.inbound.providers.fields import (
    id_in,
    json_object,
    moment_in,
    recipient,
    sender_field,
    text_field,
    text_in,
)
from globalconnect.inbound.providers.port import ClockOff, Delivery, Provider, Reading
from globalconnect.inbound.providers.signatures import urls_of
from globalconnect.runtime.http import Response

_LEEWAY = MINUTE
_STATES = {"phone.heartbeat.online": True, "phone.heartbeat.offline": False}


class _HttpSms:
    acknowledgement = Response(200, {"status": "SUCCESS"})

    def is_authentic(self, delivery: Delivery, secret: str, _settings: SourceSettings, now: int) -> bool:
        scheme, _, token = (delivery.request.header("authorization") or "").partition(" ")
        if scheme.lower() != "bearer":
            return False
        try:
            claims = _claims(token, secret, [*urls_of(delivery.request)])
        except (jwt.PyJWTError, ValueError):
            return False
        begin, end = claims["nbf"], claims["exp"]
        if not isinstance(begin, int | float) or not isinstance(end, int | float):
            return False
        if not begin * SECOND - _LEEWAY <= now <= end * SECOND + _LEEWAY:
            raise ClockOff
        return True

    def read(self, delivery: Delivery, settings: SourceSettings, _now: int) -> Reading:
        fields = json_object(delivery)
        event, data = text_in(fields.get("type")), fields.get("data")
        if event is None:
            raise InvalidInput("type", "expected the type of an event")
        if event in _STATES:
            return _state(data, is_online=_STATES[event])
        if event != "message.phone.received":
            return Reading()
        if not isinstance(data, dict):
            raise InvalidInput("data", "expected a JSON object")
        if data.get("encrypted") is True:
            raise InvalidInput("encrypted", "expected false: encryption has to be off in the app")
        phone, readings = recipient(data.get("owner"), "owner", settings)
        moment = moment_in(data.get("timestamp"))
        sms = InboundSms(
            phone=phone,
            phone_from=sender_field(data, "contact"),
            text=text_field(data, "content"),
            provider_id=id_in(data.get("message_id")),
            stated_at=moment[0] if moment else None,
            stated_to=moment[1] if moment else None,
            readings=readings,
        )
        return Reading([sms], untimed=None if moment else "timestamp: expected an ISO 8601 time with its offset")


def _state(data: object, *, is_online: bool) -> Reading:
    """Return the state of a telephone, which httpSMS tells when it changes."""
    try:
        phone = check_phone(data.get("owner") if isinstance(data, dict) else None, "owner")
    except InvalidInput:
        return Reading()
    return Reading(reports=[DeviceReport(phone, (ReportedLine(phone, is_online=is_online, phone=phone),))])


def _claims(token: str, secret: str, urls: list[str]) -> dict[str, object]:
    """Return what a token for one of some URLs claims. Raises PyJWTError, and ValueError for what is no text."""
    with warnings.catch_warnings():
        # Of short keys. They are its owner's choice, and nothing to log with each delivery.
        warnings.simplefilter("ignore", InsecureKeyLengthWarning)
        return jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            audience=urls,
            issuer="api.httpsms.com",
            # The times are compared with our own clock.
            options={
                "require": ["aud", "iss", "nbf", "exp"],
                "verify_nbf": False,
                "verify_exp": False,
                "verify_iat": False,
            },
        )


PROVIDER: Provider = _HttpSms()
