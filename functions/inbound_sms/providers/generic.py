"""The `generic` provider: our own plain form, for gateways that can be told what to send (contract 4).

`{"phone","from","text","id"?,"receivedAt"?}` or a list of them, signed `X-Signature: hex(HMAC-SHA256(secret, body))`.
"""

import hashlib
import hmac

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.numerals import plain_number, read_json
from globalconnect.domain.phones import check_phone
from globalconnect.domain.sms import InboundSms, moment_meant
from globalconnect.domain.text import is_text
from globalconnect.domain.times import parse_iso
from inbound_sms.providers import Payload

_MOST_AT_ONCE = 100
_LONGEST_TEXT = 20_000
_LONGEST_NAME = 256


class Generic:
    """The adapter."""

    def is_authentic(self, payload: Payload, secret: str) -> bool:
        """Compare the signature over the raw body, in constant time."""
        signature = payload.headers.get("x-signature", "").strip().lower()
        expected = hmac.new(secret.encode(), payload.body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(signature.encode(), expected.encode())

    def read(self, payload: Payload, now: int) -> list[InboundSms]:
        """Read one SMS or a list of them; nothing is taken when one of them can't be read."""
        content = read_json(payload.body, plain_number)
        entries = content if isinstance(content, list) else [content]
        if len(entries) > _MOST_AT_ONCE:
            raise InvalidInput("body", f"expected at most {_MOST_AT_ONCE} SMS at once")
        return [_read_one(entry, now) for entry in entries]


def _read_one(entry: object, now: int) -> InboundSms:
    if not isinstance(entry, dict):
        raise InvalidInput("body", "expected a JSON object, or a list of them")
    phone = check_phone(entry.get("phone"), "phone")
    phone_from = _text(entry, "from", _LONGEST_NAME)
    text = _text(entry, "text", _LONGEST_TEXT)
    provider_id = _provider_id(entry.get("id"))
    stated = entry.get("receivedAt")
    moment = _moment(stated, now)
    if provider_id is not None:
        delivery = f"id\n{provider_id}"
    else:
        # Without an id, an SMS is what it says, to whom, from whom, and when if that is known.
        words = "\n".join((phone, phone_from, text, str(stated)))
        delivery = f"words\n{hashlib.sha256(words.encode(errors='surrogatepass')).hexdigest()}"
    return InboundSms(
        phone=phone,
        phone_from=phone_from,
        text=text,
        delivery=delivery,
        lasting=provider_id is not None or moment is not None,
        received_at=moment[0] if moment else None,
        received_to=moment[1] if moment else None,
    )


def _text(entry: dict[str, object], name: str, longest: int) -> str:
    value = entry.get(name)
    if isinstance(value, str) and len(value) <= longest and is_text(value):
        return value
    raise InvalidInput(name, f"expected a text of at most {longest} characters")


def _provider_id(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME and is_text(value):
        return value
    raise InvalidInput("id", f"expected a text of 1 to {_LONGEST_NAME} characters or an integer")


def _moment(value: object, now: int) -> tuple[int, int] | None:
    if value is None:
        return None
    try:
        parsed = parse_iso(value) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        parsed = None
    if parsed is None or parsed[0] < 0:
        raise InvalidInput("receivedAt", "expected an ISO 8601 time with its offset, such as 2024-01-15T12:34:56+00:00")
    at, fraction_stated = parsed
    return moment_meant(at, fraction_stated=fraction_stated, now=now)
