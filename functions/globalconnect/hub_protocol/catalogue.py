"""The dialects by the names that partners are stored with: a new hub is an entry (docs/adding-a-dialect.md)."""

from collections.abc import Mapping
from types import MappingProxyType

from globalconnect.domain.activation import Outcome
from globalconnect.domain.partner import Partner
from globalconnect.domain.requests import GetServices
from globalconnect.hub_protocol.dialect import ANY, BEARER, COUNT_MAP, HTTP_200, SPLIT_AND_ANY, Dialect

DEFAULT = Dialect()

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        "globalconnect": DEFAULT,
        "smshub": Dialect(
            number=int,
            phone=int,
            sms_id=int,
            number_extras={},
            push_extras={},
            error_fields=("error",),
            error_status=200,
            gzip_from=0,
            cancel_limit=4,
            push_accept_encoding="gzip",
        ),
        "smsbower": Dialect(
            error_fields=("message", "error"), error_status=200, gzip_from=0, push_accept_encoding="gzip"
        ),
        "grizzly": Dialect(
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
    """Return the dialect of a partner. Raises KeyError for a name that the code does not know, which is never the default's."""
    return dialects[partner.dialect]
