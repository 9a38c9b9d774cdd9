"""What a whole number is, however JSON or a query spells it: 3, 3.0, 3e0, "3" and "3.0" are the same (contract 1).

Spellings are read exactly and never by way of a float, which above 2^53 is another number.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Never

from globalconnect.domain.errors import InvalidInput

# Every JSON reader keeps integers up to this exact.
LARGEST_WHOLE_NUMBER = 2**53 - 1

_SPELLED = re.compile(r"([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?)([0-9]+))?", re.ASCII)
# What a body can hold has no exponent that matters beyond this many digits.
_LONGEST_EXPONENT = 9


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number of JSON, as it was spelled: of any length, and not yet of any type."""

    text: str


def read_json(body: bytes, number: Callable[[str], object] = Numeral) -> object:
    """Return the JSON in a body, with each of its numbers as `number` makes it of its spelling. Raises InvalidInput."""
    try:
        # Some clients put a byte-order mark before their JSON; it says nothing.
        text = body.decode("utf-8-sig")
        value: object = json.loads(text, parse_int=number, parse_float=number, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        # `from None`: the parser's own message quotes the body, which may hold a key.
        raise InvalidInput("body", "expected valid JSON in UTF-8") from None
    return value


def read_json_of_gateway(body: bytes) -> object:
    """Return the JSON in a body as gateways write it: with line breaks inside of texts, and bytes that are no UTF-8, which
    become U+FFFD. Raises InvalidInput.
    """
    try:
        text = body.decode("utf-8-sig", "replace")
        value: object = json.loads(text, parse_int=Numeral, parse_float=Numeral, parse_constant=Numeral, strict=False)
    except (ValueError, RecursionError):
        raise InvalidInput("body", "expected JSON") from None
    return value


def refuse_constant(name: str) -> Never:
    raise ValueError(name)


def whole_number(value: object, most: int = LARGEST_WHOLE_NUMBER) -> int | None:
    """Return the whole number from 0 to `most` that a number or text spells; None when it spells none."""
    if isinstance(value, int):
        number = None if isinstance(value, bool) else value
    else:
        spelled = value.text if isinstance(value, Numeral) else value
        found = _SPELLED.fullmatch(spelled) if isinstance(spelled, str) else None
        number = _worth(*(part or "" for part in found.groups()), longest=len(str(most))) if found else None
    return number if number is not None and 0 <= number <= most else None


def _worth(whole: str, fraction: str, sign: str, exponent: str, *, longest: int) -> int | None:
    """Return what the parts of a spelling are worth; None for a fraction, and for what has more digits than `longest`."""
    digits = (whole + fraction).lstrip("0")
    exponent = exponent.lstrip("0")
    if not digits:
        return 0
    if len(exponent) > _LONGEST_EXPONENT:
        return None
    # Without its zeros at the end, times ten to the power of `zeros`: less than 0 leaves a fraction.
    significant = digits.rstrip("0")
    zeros = len(digits) - len(significant) - len(fraction) + int(f"{sign}{exponent or 0}")
    if zeros < 0 or len(significant) + zeros > longest:
        return None
    return int(significant + "0" * zeros)


def plain_number(spelled: str) -> int | float:
    """Return a number of JSON as Python has it: a whole one up to 2^53 as an exact integer, any other as a float."""
    number = whole_number(spelled.removeprefix("-"))
    if number is None:
        return float(spelled)
    return -number if spelled.startswith("-") else number
