"""What partners ask for, read from JSON or a query string into typed requests (contract 1 and 2).

Written out by hand: a validation library would cost more at a cold start than the whole rest of the function
(docs/adr/0003).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from globalconnect.domain.activation import Outcome
from globalconnect.domain.errors import InvalidInput, InvalidKey
from globalconnect.domain.ids import LARGEST_ID
from globalconnect.domain.names import check_name, folded
from globalconnect.domain.numerals import Numeral, read_json, whole_number
from globalconnect.domain.phones import prefix_of
from globalconnect.domain.text import is_text

LARGEST_BODY = 256 * 1024

_LONGEST_TEXT = 200
_LONGEST_HINT = 64
# What numbers are not wanted, and how PHP and others spell a list in a query: a name with an index, or none, in brackets.
# A spelling that we don't know is refused, as everything that would restrict is.
_RESTRICTION = re.compile(r"\s*exceptionPhoneSet(?!\w)", re.ASCII | re.IGNORECASE)
_RESTRICTION_IN_FULL = re.compile(r"\s*exceptionPhoneSet(\[[0-9]*\])?\s*", re.ASCII | re.IGNORECASE)

type Fields = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class GetServices:
    """What is available?"""


@dataclass(frozen=True, slots=True)
class GetNumber:
    """Issue a number of this pool for this service; `exception_prefixes` are phones' beginnings that are not wanted.

    Country and operator are as they were sent: a pool may be stored under such a name.
    """

    country: str
    operator: str
    service: str
    total: str | None = None
    currency: str | None = None
    exception_prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FinishActivation:
    """Close an activation with an outcome."""

    activation_id: int
    outcome: Outcome


type PartnerRequest = GetServices | GetNumber | FinishActivation


class RepeatedField:
    """A query field that was given more than once, where only one makes sense."""


REPEATED = RepeatedField()


def read_json_object(body: bytes, number: Callable[[str], object] = Numeral) -> dict[str, object]:
    """Return the JSON object in a request's body, with each of its numbers as `number` makes it of its spelling.

    Raises InvalidInput when it is not one (contract 1: 400).
    """
    if len(body) > LARGEST_BODY:
        raise InvalidInput("body", f"expected at most {LARGEST_BODY} bytes")
    value = read_json(body, number)
    if not isinstance(value, dict):
        raise InvalidInput("body", "expected a JSON object")
    return value


def read_query(query: Mapping[str, Sequence[str]]) -> dict[str, object]:
    """Return the fields of a query string; what restricts may be repeated, and is then a list (contract 1)."""
    return {
        name: list(values) if _RESTRICTION.match(name) else values[0] if len(values) == 1 else REPEATED
        for name, values in query.items()
    }


def read_key(fields: Fields, name: str) -> str:
    """Return the key a request presents. Raises InvalidKey, whatever is wrong with it."""
    key = fields.get(name)
    if isinstance(key, str) and key:
        return key
    raise InvalidKey


def read_request(fields: Fields) -> PartnerRequest:
    """Return the typed request, its action first. Raises InvalidInput naming the field (contract 1: 400)."""
    match fields.get("action"):
        case "GET_SERVICES":
            return GetServices()
        case "GET_NUMBER":
            return GetNumber(
                country=_name(fields, "country"),
                operator=_name(fields, "operator"),
                service=folded(_name(fields, "service")),
                total=_hint(fields, "sum"),
                currency=_hint(fields, "currency"),
                exception_prefixes=_prefixes(fields),
            )
        case "FINISH_ACTIVATION":
            return FinishActivation(
                activation_id=read_activation_id(fields, "activationId"), outcome=_outcome(fields, "status")
            )
        case _:
            raise InvalidInput("action", "expected GET_SERVICES, GET_NUMBER or FINISH_ACTIVATION")


def read_activation_id(fields: Fields, name: str) -> int:
    """Return an activation id: a whole number, positive and below 2^53 (contract 1.3)."""
    value = whole_number(fields.get(name), LARGEST_ID)
    if not value:
        raise InvalidInput(name, "expected a positive integer below 2^53, as a number or a string of digits")
    return value


def _name(fields: Fields, name: str) -> str:
    """Return a name as it was sent. Raises InvalidInput."""
    value = fields.get(name)
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise InvalidInput(name, f"expected a text of 1 to {_LONGEST_TEXT} characters")
    check_name(value, name, _LONGEST_TEXT)
    return value


def _hint(fields: Fields, name: str) -> str | None:
    """Read a field that is kept as it was sent and never a reason to refuse (contract 1.2).

    What is no text and no number, or can't be stored, is left out.
    """
    value = fields.get(name)
    text = value.text if isinstance(value, Numeral) else value
    hint = text[:_LONGEST_HINT] if isinstance(text, str) else None
    return hint if hint is not None and is_text(hint) else None


def _prefixes(fields: Fields) -> tuple[str, ...]:
    """Return the phones' beginnings that are not wanted, of every field that holds some. Raises InvalidInput."""
    prefixes = [
        prefix_of(entry)
        for name, value in fields.items()
        if _RESTRICTION.match(name)
        for entry in _entries(name, value)
    ]
    if None in prefixes:
        raise _no_prefixes()
    return tuple(dict.fromkeys(prefix for prefix in prefixes if prefix is not None))


def _entries(name: str, value: object) -> Iterator[object]:
    """Return what a field lists that is not empty: commas part entries wherever they stand."""
    if not _RESTRICTION_IN_FULL.fullmatch(name) or not isinstance(value, str | list | None):
        raise _no_prefixes()
    for part in value if isinstance(value, list) else [value]:
        for entry in part.split(",") if isinstance(part, str) else [part]:
            if entry is not None and (not isinstance(entry, str) or entry.strip()):
                yield entry


def _no_prefixes() -> InvalidInput:
    return InvalidInput(
        "exceptionPhoneSet", "expected a list of phone numbers or their beginnings, as strings of digits or integers"
    )


def _outcome(fields: Fields, name: str) -> Outcome:
    value = whole_number(fields.get(name))
    if value is not None and value in set(Outcome):
        return Outcome(value)
    raise InvalidInput(name, "expected 1 (Prohibited), 3 (Success), 4 (Canceled) or 5 (Returned)")
