"""Ejoin, and Skyline alike: the vendor's "HTTP API" 2.x, `recv-sms`, `dev-status`, `port-status`, "SMS to HTTP" (contract 4).

SMS come as rows of JSON, or one as text with its port in the query; states of ports as JSON. No signature.
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from globalconnect.domain.errors import InvalidInput, TooLarge
from globalconnect.domain.inbound import InboundSms
from globalconnect.domain.line_state import DeviceReport, ReportedLine
from globalconnect.domain.numerals import whole_number
from globalconnect.domain.source import SourceSettings
from globalconnect.domain.times import DAY, MINUTE
from globalconnect.inbound.charsets import UTF8, decoded
from globalconnect.inbound.providers.fields import (
    cut_sender,
    cut_text,
    id_in,
    json_object,
    line_in,
    name_in,
    plain,
    query_fields,
    recipient,
    seconds_in,
    text_in,
)
from globalconnect.inbound.providers.port import Delivery, Provider, Reading, UnreadablePiece
from globalconnect.inbound.providers.signatures import KeyInUrl
from globalconnect.runtime.http import Response

MOST_AT_ONCE = 100
MOST_LINES = 5_000
# What "SMS to HTTP" adds to the URL.
_ADDED = frozenset({"port", "iccid"})
# Before a text stand lines such as `Sender: Google`, up to the first blank one.
_HEADER = re.compile(r"(Sender:.*?)\r?\n\r?\n", re.DOTALL)
_RECEIVER = re.compile(r'\s*(?:"([^"]*)")?\s*(.*)')
_COLUMNS = 6
_ONLINE = frozenset({3, 4})
# No SIM, refused, locked (by the device, the operator), faulty, no response. Others are read both ways.
_OFFLINE = frozenset({0, 6, 7, 8, 9, 16})
_GOOD_FOR = 3 * MINUTE


class _Ejoin(KeyInUrl):
    acknowledgement = Response(200, {"code": 200, "reason": "OK"})

    def read(self, delivery: Delivery, settings: SourceSettings, _now: int) -> Reading:
        if delivery.body and delivery.request.query.keys() & _ADDED:
            return _one(delivery, settings)
        fields = json_object(delivery)
        match text_in(fields.get("type")):
            case None:
                raise InvalidInput("type", "expected the type of a message")
            case "recv-sms":
                return _several(fields.get("sms"), settings)
            case "dev-status":
                return Reading(reports=[_report(fields, fields.get("status"), _GOOD_FOR)])
            case "port-status":
                status = fields.get("status", fields)
                return Reading(reports=[_report(fields, status if isinstance(status, list) else [status], None)])
            case _:
                return Reading()


def _several(rows: object, settings: SourceSettings) -> Reading:
    if not isinstance(rows, list):
        raise InvalidInput("sms", "expected a list of rows")
    if len(rows) > MOST_AT_ONCE:
        raise TooLarge(f"sms: expected at most {MOST_AT_ONCE} SMS at once")
    messages: list[InboundSms] = []
    unreadable: list[UnreadablePiece] = []
    for row in rows:
        try:
            sms = _sms_in(row, settings)
        except InvalidInput as error:
            if len(rows) == 1:
                raise
            spelled = json.dumps({"type": "recv-sms", "sms": [row]}, ensure_ascii=False, default=plain)
            unreadable.append(UnreadablePiece(spelled.encode(errors="backslashreplace"), str(error)))
        else:
            messages += sms
    if rows and len(unreadable) == len(rows):
        raise InvalidInput("sms", f"none of its rows can be read; the first: {unreadable[0].reason}")
    is_timed = all(sms.stated_at is not None for sms in messages)
    return Reading(
        messages, unreadable, None if is_timed else "sms: expected seconds since 1970 as a row's third value"
    )


def _sms_in(row: object, settings: SourceSettings) -> list[InboundSms]:
    """Return the SMS in a row: flag, port, time, sender, recipient, content, ICCID; none for a delivery report."""
    if not isinstance(row, list) or len(row) < _COLUMNS:
        raise InvalidInput("sms", f"expected rows of at least {_COLUMNS} values")
    flag, port, stated, sender, to, content, sim, *_ = [*row, None]
    if whole_number(flag) == 1:
        return []
    _, text = _parted(_from_base64(content))
    sms = _sms((sim, port), text_in(sender) or "", to, text, settings)
    moment = seconds_in(stated)
    if moment is None:
        return [sms]
    return [replace(sms, provider_id=str(moment[0]), stated_at=moment[0], stated_to=moment[1])]


def _from_base64(content: object) -> str:
    spelled = text_in(content)
    if spelled is None:
        raise InvalidInput("sms", "expected a text as a row's sixth value")
    bare = "".join(spelled.split())
    try:
        octets = base64.b64decode(f"{bare}{'=' * (-len(bare) % 4)}".encode(), validate=True)
    except ValueError:
        raise InvalidInput("sms", "expected base64 as a row's sixth value") from None
    return decoded(octets, UTF8)


def _one(delivery: Delivery, settings: SourceSettings) -> Reading:
    """Return the SMS that is a body."""
    query = query_fields(delivery)
    header, text = _parted(decoded(delivery.body, UTF8))
    receiver = _RECEIVER.match(header.get("receiver", ""))
    port, to = receiver.groups() if receiver else (None, "")
    sender = query.get("sender") or header.get("sender", "")
    sms = _sms((query.get("iccid"), query.get("port") or port), sender, to, text, settings)
    # It tells repeats apart. As a time it is of no use: its zone is the modem's, right or wrong.
    named = replace(sms, provider_id=id_in(header.get("scts")))
    return Reading([named], untimed="it states no times that can be used")


def _sms(names: Iterable[object], sender: str, to: object, text: str, settings: SourceSettings) -> InboundSms:
    """Return an SMS; `names` are those of its line. What the device takes for its number may be outdated, or none."""
    known = tuple(filter(None, (line_in((id_in(name) or "").strip(), "port") for name in names)))
    line = known[0] if known else None
    try:
        phone, readings = recipient(to, "recipient", settings, line)
    except InvalidInput:
        if line is None:
            raise
        phone, readings = "", ()
    return InboundSms(
        phone=phone,
        phone_from=cut_sender(sender.strip()),
        text=cut_text(text),
        line=line,
        readings=readings,
        aliases=known[1:],
    )


def _parted(content: str) -> tuple[Mapping[str, str], str]:
    """Return what stands before the text of an SMS, by its names in lower case, and the text."""
    found = _HEADER.match(content)
    if found is None:
        return {}, content
    pairs = (line.partition(":") for line in found[1].splitlines())
    return {name.strip().lower(): value.strip() for name, _, value in pairs}, content[found.end() :]


def _report(fields: Mapping[str, object], entries: object, good_for: int | None) -> DeviceReport:
    """Return what a device says of its ports, good for so long (ms) if it doesn't tell.

    Raises InvalidInput when none of it can be read, and TooLarge.
    """
    if not isinstance(entries, list):
        raise InvalidInput("status", "expected a list of ports")
    if len(entries) > MOST_LINES:
        raise TooLarge(f"status: expected at most {MOST_LINES} ports at once")
    lines = tuple(line for line in map(_line_in, entries) if line is not None)
    if entries and not lines:
        raise InvalidInput("status", "expected ports with their names")
    expires = seconds_in(fields.get("expires"))
    told_for = min(max(expires[0], MINUTE), DAY) if expires else good_for
    return DeviceReport(name_in(fields.get("mac")) or "device", lines, told_for)


def _line_in(entry: object) -> ReportedLine | None:
    """Return what an entry says of a port, None for one that names no port."""
    fields = entry if isinstance(entry, dict) else {}
    port = name_in(fields.get("port"))
    if port is None:
        return None
    # A number, or a text that begins with it.
    state = re.match(r"\s*([0-9]+)", str(plain(fields.get("st"))), re.ASCII)
    code = whole_number(state[1]) if state else None
    # Where it is not active, another SIM of its port is in use.
    is_active = fields.get("active") is not False and whole_number(fields.get("active")) != 0
    is_online = True if code in _ONLINE else None
    if code in _OFFLINE or not is_active:
        is_online = False
    return ReportedLine(port, name_in(fields.get("iccid")), is_online)


PROVIDER: Provider = _Ejoin()
