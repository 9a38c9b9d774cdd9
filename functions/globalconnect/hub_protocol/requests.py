"""What hubs send, read from the fields of a JSON object or a query into typed requests (contract 1 and 2).

Written out by hand: a validation library would cost more at a cold start than the whole rest of the function
(docs/adr/0003).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from globalconnect.domain.activation import Outcome
from globalconnect.domain.errors import InvalidInput, InvalidKey
from globalconnect.domain.ids import read_activation_id
from globalconnect.domain.names import check_name, check_pool_name, folded
from globalconnect.domain.numerals import Numeral, whole_number
from globalconnect.domain.phones import prefix_of
from globalconnect.domain.requests import FinishActivation, GetNumber, GetServices, PartnerRequest
from globalconnect.domain.text import is_text
from globalconnect.hub_protocol.answers import ANY_OPERATOR
from globalconnect.hub_protocol.dialect import Dialect

ACTION = "action"
KEY = "key"
ACTIVATION_ID = "activationId"
OUTCOME = "status"
RESTRICTION = "exceptionPhoneSet"
# The two fields of getsms.
POLLING_KEY = "apiKey"
POLLED_ID = "id"

LONGEST_TEXT = 200

_LONGEST_HINT = 64
# What numbers are not wanted, and how PHP and others spell a list in a query: a name with an index, or none, in brackets.
# A spelling that we don't know is refused, as everything that would restrict is.
_RESTRICTION = re.compile(rf"\s*{RESTRICTION}(?!\w)", re.ASCII | re.IGNORECASE)
_RESTRICTION_IN_FULL = re.compile(rf"\s*{RESTRICTION}(\[[0-9]*\])?\s*", re.ASCII | re.IGNORECASE)

# What is asked for at a path of its own below the base path, where it needs no action.
PATHS: Mapping[str, type[PartnerRequest]] = MappingProxyType(
    {"getServices": GetServices, "getNumber": GetNumber, "finishActivation": FinishActivation}
)

type Fields = Mapping[str, object]


class RepeatedField:
    """A query field that was given more than once, where only one makes sense."""


REPEATED = RepeatedField()


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


def read_request(fields: Fields, dialect: Dialect) -> PartnerRequest:
    """Return the typed request, its action first. Raises InvalidInput naming the field (contract 1: 400)."""
    action = fields.get(ACTION)
    wanted = dialect.actions.get(action) if isinstance(action, str) else None
    if wanted is None:
        raise InvalidInput(ACTION, f"expected {one_of(dialect.actions)}")
    return _READERS[wanted](fields, dialect)


def with_action(fields: Fields, path: str, dialect: Dialect) -> Fields:
    """Return the fields of a request with the action that its path asks for, where it has one of its own (PATHS).

    Takes the last part of the path. Raises InvalidInput when the action that is given is another's.
    """
    asked = PATHS.get(path)
    if asked is None:
        return fields
    words = [word for word, wanted in dialect.actions.items() if wanted is asked]
    action = fields.get(ACTION, words[0])
    if action not in words:
        raise InvalidInput(ACTION, f"expected {one_of(words)} here, or none")
    return {**fields, ACTION: action}


def check_operator(value: object, name: str) -> str:
    """Return an operator's name as we keep it; `any` is what hubs ask for, never an operator. Raises InvalidInput."""
    operator = check_pool_name(value, name)
    if operator.lower() == ANY_OPERATOR:
        raise InvalidInput(name, f'"{ANY_OPERATOR}" means any operator and can\'t be the name of one')
    return operator


def read_get_number(fields: Fields) -> GetNumber:
    """Return what kind of number a request asks for, whatever its action. Raises InvalidInput naming the field."""
    country = _name(fields, "country")
    operator = _name(fields, "operator")
    return GetNumber(
        country=country,
        operator=None if folded(operator) == ANY_OPERATOR else operator,
        service=folded(_name(fields, "service")),
        total=_hint(fields, "sum"),
        currency=_hint(fields, "currency"),
        exception_prefixes=_prefixes(fields),
    )


def _finish_activation(fields: Fields, dialect: Dialect) -> FinishActivation:
    return FinishActivation(
        activation_id=read_activation_id(fields, ACTIVATION_ID), outcome=_outcome(fields, dialect.outcomes)
    )


_READERS: Mapping[type[PartnerRequest], Callable[[Fields, Dialect], PartnerRequest]] = MappingProxyType(
    {
        GetServices: lambda *_: GetServices(),
        GetNumber: lambda fields, _: read_get_number(fields),
        FinishActivation: _finish_activation,
    }
)


def _name(fields: Fields, name: str) -> str:
    """Return a name as it was sent. Raises InvalidInput."""
    value = fields.get(name)
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise InvalidInput(name, f"expected a text of 1 to {LONGEST_TEXT} characters")
    check_name(value, name, LONGEST_TEXT)
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
        RESTRICTION, "expected a list of phone numbers or their beginnings, as strings of digits or integers"
    )


def _outcome(fields: Fields, outcomes: Mapping[int, Outcome]) -> Outcome:
    code = whole_number(fields.get(OUTCOME))
    if code is not None and code in outcomes:
        return outcomes[code]
    raise InvalidInput(
        OUTCOME, f"expected {one_of(f'{code} ({outcome.name.capitalize()})' for code, outcome in outcomes.items())}"
    )


def one_of(words: Iterable[str]) -> str:
    *others, last = words
    return " or ".join(filter(None, (", ".join(others), last)))
