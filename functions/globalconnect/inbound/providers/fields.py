"""What gateways write into the fields of an SMS, read wherever there is one reading (contract 4)."""

from globalconnect.domain.numerals import Numeral, whole_number
from globalconnect.domain.text import repaired
from globalconnect.domain.times import parse_iso

_LONGEST_TEXT = 20_000
_LONGEST_SENDER = 256
_CUT = "\N{HORIZONTAL ELLIPSIS}"


def plain(value: object) -> object:
    """Return a value of JSON, a number as the text that spelled it."""
    return value.text if isinstance(value, Numeral) else value


def text_in(value: object) -> str | None:
    """Return the text that a field holds, None when it holds none."""
    text = plain(value)
    return repaired(text) if isinstance(text, str) else None


def cut_text(text: str) -> str:
    """Return the text of an SMS, no longer than we keep it, and marked where it was cut."""
    return _cut(text, _LONGEST_TEXT)


def cut_sender(sender: str) -> str:
    return _cut(sender, _LONGEST_SENDER)


def id_in(value: object) -> str | None:
    """Return an id as text, None for none; whole numbers are the same however they are spelled."""
    if isinstance(value, Numeral) and (number := whole_number(value)) is not None:
        return str(number)
    return text_in(value) or None


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


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + _CUT
