"""What gateways write into the fields of an SMS, read wherever there is one reading (contract 4)."""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.inbound import InboundSms, SmsPart
from globalconnect.domain.long_sms import MOST_PARTS
from globalconnect.domain.numerals import Numeral, read_json_of_gateway, whole_number
from globalconnect.domain.phones import phone_as_delivered, readings_of
from globalconnect.domain.provider import COUNTRY_CODE, UTC_OFFSET
from globalconnect.domain.source import LONGEST_LINE, SourceSettings
from globalconnect.domain.text import repaired
from globalconnect.domain.times import SECOND, parse_iso
from globalconnect.inbound.charsets import UCS2, UTF8
from globalconnect.inbound.providers.port import Delivery
from globalconnect.inbound.providers.signatures import QUERY_FIELD

if TYPE_CHECKING:
    # Only providers with parts by a header load it.
    from globalconnect.inbound.udh import Concatenation

_MOST_FIELDS = 500
# Seconds: the year 9999.
_LATEST = 253_370_764_800
# Of what a clock that was set shows: modems begin with 1970 or 1980.
_EARLIEST = "2000"
_LONGEST_TEXT = 20_000
_LONGEST_SENDER = 256
_LONGEST_ID = 500
# Of what fits into one SMS it is several times as much: 255 of them have to fit into an item.
_LARGEST_PART = 1_000
_CUT = "\N{HORIZONTAL ELLIPSIS}"


def plain(value: object) -> object:
    """Return a value of JSON, a number as the text that spelled it."""
    return value.text if isinstance(value, Numeral) else value


def text_in(value: object) -> str | None:
    """Return the text that a field holds, None when it holds none."""
    text = plain(value)
    return repaired(text) if isinstance(text, str) else None


def json_object(delivery: Delivery) -> dict[str, object]:
    """Return the JSON object in a delivery. Raises InvalidInput."""
    value = read_json_of_gateway(delivery.body)
    if not isinstance(value, dict):
        raise InvalidInput("body", "expected a JSON object")
    return value


def query_fields(delivery: Delivery) -> dict[str, str]:
    """Return the fields of a query, the last value of each."""
    return {name: repaired(values[-1]) for name, values in delivery.request.query.items() if values}


def form_fields(delivery: Delivery, charset: str = UTF8) -> dict[str, str]:
    """Return the fields of a form: of the body of a POST, else of the query; the last value of each."""
    if delivery.request.method != "POST":
        return query_fields(delivery)
    return dict(form_pairs(delivery, charset))


def says_nothing(fields: Mapping[str, str]) -> bool:
    """Return whether a form has no fields, beside the secret of who signs nothing: somebody tried the URL out."""
    return not fields.keys() - {QUERY_FIELD}


def form_pairs(delivery: Delivery, charset: str = UTF8) -> list[tuple[str, str]]:
    """Return the fields of a form in a body, in their order, empty ones too. Raises InvalidInput for too many."""
    content = delivery.body.decode(charset, "replace")
    try:
        return parse_qsl(content, keep_blank_values=True, encoding=charset, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise InvalidInput("body", f"expected at most {_MOST_FIELDS} fields") from None


def form_of(delivery: Delivery) -> bytes:
    """Return a form as the body of a POST, however it was sent; as a piece it is kept so, and can be read again."""
    if delivery.request.method == "POST":
        return delivery.body
    return urlencode(delivery.request.query, doseq=True, errors="backslashreplace").encode()


def text_field(fields: Mapping[str, object], name: str) -> str:
    """Return the text of an SMS in a field, no longer than we keep it. Raises InvalidInput when there is none."""
    text = text_in(fields.get(name))
    if text is None:
        raise InvalidInput(name, "expected a text")
    return cut_text(text)


def sender_field(fields: Mapping[str, object], name: str) -> str:
    """Return the sender in a field, as it was delivered; an empty one for none."""
    return cut_sender((text_in(fields.get(name)) or "").strip())


def line_in(value: object, name: str) -> str | None:
    """Return what a gateway calls one of its lines, None for none. Raises InvalidInput when it is too long for a name."""
    line = id_in(value)
    if line is not None and len(line) > LONGEST_LINE:
        raise InvalidInput(name, f"expected at most {LONGEST_LINE} characters")
    return line


def name_in(value: object) -> str | None:
    """Return what a device, a line or a SIM is called in a report of states, None for none or one too long for a name."""
    name = (id_in(value) or "").strip()
    return name if name and len(name) <= LONGEST_LINE else None


def recipient(
    value: object, name: str, settings: SourceSettings, line: str | None = None
) -> tuple[str, tuple[str, ...]]:
    """Return the destination of an SMS, and what numbers it may mean where its country code may be lacking.

    With a line there need be none: "". Raises InvalidInput when it is neither a number nor what one would dial.
    """
    if line is not None and not (text_in(value) or "").strip() and not isinstance(value, Numeral):
        return "", ()
    code = settings.get(COUNTRY_CODE.name)
    return phone_as_delivered(value, name), readings_of(value, str(code)) if code else ()


def recipient_or_line(
    fields: Mapping[str, object], name: str, line_name: str, settings: SourceSettings
) -> tuple[str, tuple[str, ...], str | None]:
    """Return the destination of an SMS and what it may mean; if it is no number, the line that it came in on instead.

    Raises InvalidInput when there is neither.
    """
    try:
        return *recipient(fields.get(name), name, settings), None
    except InvalidInput:
        line = line_in(fields.get(line_name), line_name)
        if line is None:
            raise
        return "", (), line


def part_of(sms: InboundSms, place: "Concatenation", content: bytes, charset: str, name: str) -> SmsPart:
    """Return a part of a long SMS; `name` is the field that states its place. Raises InvalidInput when there is none such."""
    if len(content) > _LARGEST_PART:
        raise InvalidInput(name, f"expected a part of at most {_LARGEST_PART} octets")
    if not place.is_possible:
        raise InvalidInput(name, f"expected a part from 1 to a total of 2 to {MOST_PARTS}")
    return SmsPart(sms, place.reference, place.total, place.number, content, charset)


def octets_of(text: str) -> bytes:
    """Return a text of which halves of characters may be at the ends, in UCS-2."""
    return text.encode(UCS2, "surrogatepass")


def seconds_in(value: object) -> tuple[int, int] | None:
    """Return the first and the last ms of a time in seconds since 1970, None when it can't be used."""
    seconds = whole_number(value, _LATEST)
    return None if not seconds else (seconds * SECOND, seconds * SECOND + SECOND - 1)


def cut_text(text: str) -> str:
    """Return the text of an SMS, no longer than we keep it, and marked where it was cut."""
    return _cut(text, _LONGEST_TEXT)


def cut_sender(sender: str) -> str:
    return _cut(sender, _LONGEST_SENDER)


def id_in(value: object) -> str | None:
    """Return an id as text, None for none; whole numbers are the same however they are spelled."""
    if isinstance(value, Numeral) and (number := whole_number(value)) is not None:
        return str(number)
    text = text_in(value) or None
    if text is not None and len(text) > _LONGEST_ID:
        return hashlib.sha256(text.encode()).hexdigest()
    return text


def moment_in(value: object) -> tuple[int, int] | None:
    """Return the first and the last ms that a time of receipt in ISO 8601 may mean, None when it can't be used."""
    try:
        parsed = parse_iso(value) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None
    if parsed is None or parsed[0] < 0:
        return None
    at, span = parsed
    return at, at + span - 1


def smsc_moment_in(value: object) -> tuple[int, int] | None:
    """Return what `moment_in` does of a time that the network gave: whole seconds, though telephones write ms; and 0 for
    none.
    """
    moment = moment_in(value)
    if moment is None or moment[0] == 0:
        return None
    at, to = moment
    return at, to if at % SECOND else max(to, at + SECOND - 1)


def local_time_in(value: object, settings: SourceSettings) -> tuple[str | None, tuple[int, int] | None]:
    """Return a time of receipt as a device writes it, None when it is none; and the first and last ms that it may mean,
    None when that can't be told, since it lacks its offset and so does the source (`utc_offset`).
    """
    text = (text_in(value) or "").strip()
    try:
        is_local = parse_iso(text) is None
    except (ValueError, OverflowError):
        return None, None
    if ":" not in text or text < _EARLIEST:
        # A day alone tells no SMS from another, nor does a clock that was never set.
        return None, None
    return text, smsc_moment_in(f"{text}{settings.get(UTC_OFFSET.name, '')}" if is_local else text)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + _CUT
