"""What partners ask for, read from JSON or a query string into typed requests (contract 1 and 2).

Written out by hand: a validation library would cost more at a cold start than the whole rest of the function
(docs/adr/0003).
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from globalconnect.domain.activation import Outcome
from globalconnect.domain.errors import InvalidInput, InvalidKey
from globalconnect.domain.ids import LARGEST_ID
from globalconnect.domain.text import is_text

LARGEST_BODY = 256 * 1024

_LONGEST_TEXT = 200
_LONGEST_HINT = 64
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
# API Gateway makes a space of a + that a query does not encode.
_PREFIX = re.compile(r"\s*\+?([0-9]{1,15})\s*")

type Fields = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class GetServices:
    """What is available?"""


@dataclass(frozen=True, slots=True)
class GetNumber:
    """Issue a number of this pool for this service; `exception_prefixes` are phones' beginnings that are not wanted."""

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


type Request = GetServices | GetNumber | FinishActivation


class Repeated:
    """A query field that was given more than once, where only one makes sense."""


REPEATED = Repeated()


def read_json_object(body: bytes) -> dict[str, object]:
    """Give the JSON object in a request's body. Raises InvalidInput when it is not one (contract 1: 400)."""
    if len(body) > LARGEST_BODY:
        raise InvalidInput("body", f"expected at most {LARGEST_BODY} bytes")
    try:
        # Some clients put a byte-order mark before their JSON; it says nothing.
        value: object = json.loads(body.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        # `from None`: the parser's own message quotes the body, which may hold a key.
        raise InvalidInput("body", "expected valid JSON in UTF-8") from None
    if not isinstance(value, dict):
        raise InvalidInput("body", "expected a JSON object")
    return value


def _refuse_constant(name: str) -> object:
    raise ValueError(name)


def read_query(query: Mapping[str, Sequence[str]]) -> dict[str, object]:
    """Give the fields of a query string; `exceptionPhoneSet` may be repeated or comma-separated (contract 1)."""
    fields: dict[str, object] = {}
    for name, values in query.items():
        if name == "exceptionPhoneSet":
            fields[name] = [part for value in values for part in value.split(",") if part.strip()]
        else:
            fields[name] = values[0] if len(values) == 1 else REPEATED
    return fields


def read_key(fields: Fields, name: str) -> str:
    """Give the key a request presents. Raises InvalidKey, whatever is wrong with it."""
    key = fields.get(name)
    if isinstance(key, str) and key:
        return key
    raise InvalidKey


def read_request(fields: Fields) -> Request:
    """Give the typed request, its action first. Raises InvalidInput naming the field (contract 1: 400)."""
    match fields.get("action"):
        case "GET_SERVICES":
            return GetServices()
        case "GET_NUMBER":
            return GetNumber(
                country=_text(fields, "country"),
                operator=_text(fields, "operator"),
                service=_text(fields, "service"),
                total=_hint(fields, "sum"),
                currency=_hint(fields, "currency"),
                exception_prefixes=_prefixes(fields, "exceptionPhoneSet"),
            )
        case "FINISH_ACTIVATION":
            return FinishActivation(
                activation_id=read_activation_id(fields, "activationId"), outcome=_outcome(fields, "status")
            )
        case _:
            raise InvalidInput("action", "expected GET_SERVICES, GET_NUMBER or FINISH_ACTIVATION")


def read_activation_id(fields: Fields, name: str) -> int:
    """Give an activation id: a JSON number or a string of digits, positive and below 2^53 (contract 1.3)."""
    value = _whole_number(fields.get(name))
    if value is None or not 0 < value <= LARGEST_ID:
        raise InvalidInput(name, "expected a positive integer below 2^53, as a number or a string of digits")
    return value


def _whole_number(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    # Twenty digits are more than 2^53 has, and keep a megabyte of digits from being parsed.
    if isinstance(value, str) and len(value) <= 20 and _DIGITS.fullmatch(value):  # noqa: PLR2004
        return int(value)
    return None


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name)
    if isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT and is_text(value):
        return value
    raise InvalidInput(name, f"expected a text of 1 to {_LONGEST_TEXT} characters")


def _hint(fields: Fields, name: str) -> str | None:
    """Read a field that is kept and never a reason to refuse (contract 1.2): unusable forms are left out."""
    value = fields.get(name)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        hint = str(value)[:_LONGEST_HINT]
        return hint if is_text(hint) else None
    return None


def _prefixes(fields: Fields, name: str) -> tuple[str, ...]:
    values = fields.get(name)
    if values is None:
        return ()
    if isinstance(values, list):
        prefixes = [_prefix(value) for value in values]
        if None not in prefixes:
            return tuple(dict.fromkeys(prefix for prefix in prefixes if prefix is not None))
    raise InvalidInput(name, "expected a list of phone numbers or their beginnings, as strings of digits or integers")


def _prefix(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if 0 <= value <= LARGEST_ID else ""
    found = _PREFIX.fullmatch(value) if isinstance(value, str) else None
    return found.group(1) if found else None


def _outcome(fields: Fields, name: str) -> Outcome:
    value = _whole_number(fields.get(name))
    if value is not None and value in set(Outcome):
        return Outcome(value)
    raise InvalidInput(name, "expected 1 (Prohibited), 3 (Success), 4 (Canceled) or 5 (Returned)")
