"""The dialects by the names that partners are stored with: a new hub is an entry (docs/adding-a-dialect.md)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from globalconnect.domain.activation import Hold, Outcome
from globalconnect.domain.partner import Partner
from globalconnect.domain.requests import GetServices
from globalconnect.hub_protocol.dialect import (
    ACCEPTANCES,
    ANY,
    BEARER,
    COUNT_MAP,
    ERROR_STATUSES,
    HTTP_200,
    SPELLINGS,
    SPLIT_AND_ANY,
    Dialect,
    Evidence,
)

DEFAULT = Dialect()

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        "globalconnect": DEFAULT,
        "smshub": Dialect(
            title="SMSHub",
            evidence=Evidence.DOCUMENT,
            uncertain=("errorHttp", "gzipFrom"),
            push_url="https://agent.unerio.com/agent/api/sms",
            number=int,
            phone=int,
            sms_id=int,
            number_extras={},
            push_extras={},
            error_fields=("error",),
            error_status=200,
            gzip_from=0,
            cancel_limit=4,
            hold=Hold.FINISH,
            push_accept_encoding="gzip",
        ),
        "smsbower": Dialect(
            title="SMSBower",
            evidence=Evidence.PART,
            uncertain=("types.number", "types.phone", "types.smsId", "errorFields"),
            error_fields=("message", "error"),
            error_status=200,
            gzip_from=0,
            push_accept_encoding="gzip",
        ),
        "grizzly": Dialect(
            title="Grizzly",
            evidence=Evidence.PART,
            uncertain=("numberExtras", "any", "errorHttp"),
            push_url="https://api.grizzlysms.com/agent/api/sms",
            operators=ANY,
            number=int,
            phone=int,
            sms_id=int,
            number_extras={"flashcall": False, "voice": False},
            push_extras={},
            error_fields=("error",),
            error_status=200,
        ),
        "onlinesim": Dialect(
            title="OnlineSim",
            evidence=Evidence.PART,
            uncertain=("types.number", "types.phone", "types.smsId", "errorFields", "errorHttp"),
            operators=SPLIT_AND_ANY,
            number=int,
            sms_id=int,
            number_extras={},
            push_extras={},
            error_fields=("message", "error"),
            error_status=200,
            push_done=HTTP_200,
            push_stop_words=frozenset({"NO_OPERATION", "NO_OP", "BAD_SERVICE"}),
            push_authorization=BEARER,
        ),
        "herosms": Dialect(
            title="HeroSMS",
            evidence=Evidence.OBSERVED,
            uncertain=("counts", "any", "errorHttp", "outcomes"),
            push_url="https://api.partnersservices.net/agent/api/sms",
            actions=MappingProxyType({**DEFAULT.actions, "GET_COUNT": GetServices}),
            counts=MappingProxyType({**DEFAULT.counts, "GET_COUNT": COUNT_MAP}),
            operators=ANY,
            outcomes=MappingProxyType(
                {**DEFAULT.outcomes, 14: Outcome.SUCCESS, 15: Outcome.CANCELED, 16: Outcome.RETURNED}
            ),
            number=int,
            phone=int,
            sms_id=int,
            number_extras={"supported": ["SMS"]},
            push_extras={},
            error_fields=("error",),
            error_status=200,
            push_accept_encoding="gzip",
        ),
    }
)


def dialect_of(partner: Partner, dialects: Mapping[str, Dialect] = DIALECTS) -> Dialect:
    """Return the dialect of a partner, with what this partner has otherwise.

    Raises KeyError for a name that the code does not know, which is never the default's.
    """
    dialect = dialects[partner.dialect]
    return overridden(dialect, partner.overrides) if partner.overrides else dialect


# What staff may say otherwise for a partner: the field, and what reads the value.
_OVERRIDES: Mapping[str, tuple[str, Callable[[Any], object]]] = MappingProxyType(
    {
        "types.number": ("number", SPELLINGS.__getitem__),
        "types.phone": ("phone", SPELLINGS.__getitem__),
        "types.smsId": ("sms_id", SPELLINGS.__getitem__),
        "errorFields": ("error_fields", tuple),
        "errorHttp": ("error_status", ERROR_STATUSES.__getitem__),
        "gzipFrom": ("gzip_from", int),
        "pushDone": ("push_done", ACCEPTANCES.__getitem__),
    }
)


def overridden(dialect: Dialect, overrides: Mapping[str, Any]) -> Dialect:
    """Return a dialect with what a partner has otherwise. Raises KeyError for a switch or value that the code does not know."""
    given = {name: value for name, value in overrides.items() if name != "types"}
    given |= {f"types.{name}": value for name, value in overrides.get("types", {}).items()}
    changes: dict[str, Any] = {}
    for name, value in given.items():
        attribute, read = _OVERRIDES[name]
        changes[attribute] = read(value)
    return replace(dialect, **changes)
