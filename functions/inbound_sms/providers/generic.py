"""The `generic` provider: our own plain form, for gateways that can be told what to send (contract 4).

`{"phone","from","text","id"?,"receivedAt"?}` or a list of them, signed `X-Signature: hex(HMAC-SHA256(secret, body))`.
"""

import hashlib
import hmac
import json

from globalconnect.domain.errors import InvalidInput, TooLarge
from globalconnect.domain.inbound import REPEAT_WINDOW, InboundSms
from globalconnect.domain.numerals import Numeral, read_json_of_gateway, whole_number
from globalconnect.domain.phones import phone_as_delivered
from globalconnect.domain.text import repaired
from globalconnect.domain.times import parse_iso
from inbound_sms.providers import Payload, Reading, UnreadableDelivery

MOST_AT_ONCE = 100
LONGEST_TEXT = 20_000
_LONGEST_SENDER = 256
_CUT = "\N{HORIZONTAL ELLIPSIS}"


class Generic:
    """The adapter."""

    def is_authentic(self, payload: Payload, secret: str) -> bool:
        """Compare the signature over the raw body, in constant time."""
        signature = payload.headers.get("x-signature", "").strip().lower()
        expected = hmac.new(secret.encode(), payload.body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(signature.encode(), expected.encode())

    def read(self, payload: Payload, now: int) -> Reading:
        """Read one SMS or a list of them, each for itself."""
        content = read_json_of_gateway(payload.body)
        entries = content if isinstance(content, list) else [content]
        if len(entries) > MOST_AT_ONCE:
            raise TooLarge(f"body: expected at most {MOST_AT_ONCE} SMS at once")
        messages: list[InboundSms] = []
        unreadable: list[UnreadableDelivery] = []
        untimed: str | None = None
        for entry in entries:
            try:
                sms, problem = _read_one(entry, now)
            except InvalidInput as error:
                if len(entries) == 1:
                    raise
                unreadable.append(UnreadableDelivery(_spelled(entry), str(error)))
            else:
                messages.append(sms)
                untimed = problem or untimed
        if unreadable and not messages:
            raise InvalidInput("body", f"none of its SMS can be read; the first: {unreadable[0].reason}")
        return Reading(messages, unreadable, untimed)


def _read_one(entry: object, now: int) -> tuple[InboundSms, str | None]:
    if not isinstance(entry, dict):
        raise InvalidInput("body", "expected a JSON object, or a list of them")
    phone = phone_as_delivered(entry.get("phone"), "phone")
    text = _text(entry.get("text"))
    if text is None:
        raise InvalidInput("text", "expected a text")
    phone_from, provider_id = _text(entry.get("from")) or "", _provider_id(entry.get("id"))
    stated = entry.get("receivedAt")
    moment = _moment(stated)
    sms = InboundSms(
        phone=phone,
        phone_from=_cut(phone_from, _LONGEST_SENDER),
        text=_cut(text, LONGEST_TEXT),
        provider_id=provider_id,
        stated_at=moment[0] if moment else None,
        stated_to=moment[1] if moment else None,
        former_names=_former_names(
            provider_id, (phone, phone_from, text, str(stated)), now, is_timed=moment is not None
        ),
    )
    if moment:
        return sms, None
    return (
        sms,
        "receivedAt: expected an ISO 8601 time with its offset" if stated is not None else "receivedAt: not given",
    )


def _plain(value: object) -> object:
    return value.text if isinstance(value, Numeral) else value


def _text(value: object) -> str | None:
    text = _plain(value)
    return repaired(text) if isinstance(text, str) else None


def _cut(text: str, longest: int) -> str:
    """Return a text that is no longer than that, marked where it was cut."""
    return text if len(text) <= longest else text[: longest - 1] + _CUT


def _provider_id(value: object) -> str | None:
    """Return an id as text, None for none; whole numbers are the same however they are spelled."""
    if isinstance(value, Numeral) and (number := whole_number(value)) is not None:
        return str(number)
    return _text(value) or None


def _moment(value: object) -> tuple[int, int] | None:
    """Return the first and the last ms that a gateway's time of receipt may mean, None when it can't be used."""
    try:
        parsed = parse_iso(value) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None
    if parsed is None or parsed[0] < 0:
        return None
    at, span = parsed
    return at, at + span - 1


def _former_names(provider_id: str | None, words: tuple[str, ...], now: int, *, is_timed: bool) -> tuple[str, ...]:
    if provider_id is not None:
        return (f"id\n{provider_id}",)
    name = f"words\n{hashlib.sha256('\n'.join(words).encode(errors='surrogatepass')).hexdigest()}"
    window = now // REPEAT_WINDOW
    return (name,) if is_timed else (f"{name}\n{window}", f"{name}\n{window - 1}")


def _spelled(entry: object) -> bytes:
    """Return an entry of a list as staff read it."""
    return json.dumps(entry, ensure_ascii=False, default=_plain).encode(errors="backslashreplace")
