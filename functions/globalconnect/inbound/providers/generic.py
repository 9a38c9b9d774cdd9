"""The `generic` provider: our own plain form, for gateways that can be told what to send (contract 4).

`{"phone","line"?,"from","text","id"?,"receivedAt"?}` or a list of them, signed `X-Signature: hex(HMAC-SHA256(secret, body))`.
"""

import hashlib
import json

from globalconnect.domain.errors import InvalidInput, TooLarge
from globalconnect.domain.inbound import REPEAT_WINDOW, InboundSms
from globalconnect.domain.numerals import read_json_of_gateway
from globalconnect.domain.source import SourceSettings
from globalconnect.inbound.providers.fields import (
    cut_sender,
    id_in,
    line_in,
    moment_in,
    plain,
    recipient,
    text_field,
    text_in,
)
from globalconnect.inbound.providers.port import Delivery, Provider, Reading, UnreadablePiece
from globalconnect.inbound.providers.signatures import is_hex_hmac
from globalconnect.runtime.http import Response

MOST_AT_ONCE = 100


class _Generic:
    acknowledgement = Response(200, {"status": "SUCCESS"})

    def is_authentic(self, delivery: Delivery, secret: str, _settings: SourceSettings, _now: int) -> bool:
        return is_hex_hmac(delivery.request.header("x-signature") or "", secret, delivery.body)

    def read(self, delivery: Delivery, settings: SourceSettings, now: int) -> Reading:
        content = read_json_of_gateway(delivery.body)
        entries = content if isinstance(content, list) else [content]
        if len(entries) > MOST_AT_ONCE:
            raise TooLarge(f"body: expected at most {MOST_AT_ONCE} SMS at once")
        messages: list[InboundSms] = []
        unreadable: list[UnreadablePiece] = []
        untimed: str | None = None
        for entry in entries:
            try:
                sms, problem = _read_one(entry, settings, now)
            except InvalidInput as error:
                if len(entries) == 1:
                    raise
                unreadable.append(UnreadablePiece(_spelled(entry), str(error)))
            else:
                messages.append(sms)
                untimed = problem or untimed
        if unreadable and not messages:
            raise InvalidInput("body", f"none of its SMS can be read; the first: {unreadable[0].reason}")
        return Reading(messages, unreadable, untimed)


def _read_one(entry: object, settings: SourceSettings, now: int) -> tuple[InboundSms, str | None]:
    if not isinstance(entry, dict):
        raise InvalidInput("body", "expected a JSON object, or a list of them")
    line = line_in(entry.get("line"), "line")
    phone, readings = recipient(entry.get("phone"), "phone", settings, line)
    text = text_field(entry, "text")
    phone_from, provider_id = text_in(entry.get("from")) or "", id_in(entry.get("id"))
    stated = entry.get("receivedAt")
    moment = moment_in(stated)
    sms = InboundSms(
        phone=phone,
        phone_from=cut_sender(phone_from),
        text=text,
        provider_id=provider_id,
        stated_at=moment[0] if moment else None,
        stated_to=moment[1] if moment else None,
        former_names=_former_names(
            provider_id, (phone, phone_from, text, str(stated)), now, is_timed=moment is not None
        ),
        line=line,
        readings=readings,
    )
    if moment:
        return sms, None
    return (
        sms,
        "receivedAt: expected an ISO 8601 time with its offset" if stated is not None else "receivedAt: not given",
    )


def _former_names(provider_id: str | None, words: tuple[str, ...], now: int, *, is_timed: bool) -> tuple[str, ...]:
    if provider_id is not None:
        return (f"id\n{provider_id}",)
    name = f"words\n{hashlib.sha256('\n'.join(words).encode(errors='surrogatepass')).hexdigest()}"
    window = now // REPEAT_WINDOW
    return (name,) if is_timed else (f"{name}\n{window}", f"{name}\n{window - 1}")


def _spelled(entry: object) -> bytes:
    """Return an entry of a list as staff read it."""
    return json.dumps(entry, ensure_ascii=False, default=plain).encode(errors="backslashreplace")


PROVIDER: Provider = _Generic()
