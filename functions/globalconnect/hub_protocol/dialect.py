"""What one hub's protocol may have of its own, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from globalconnect.domain.activation import Hold, Outcome
from globalconnect.domain.requests import FinishActivation, GetNumber, GetServices, PartnerRequest

type Spelling = type[str | int]
"""How JSON spells a number: as a string of digits, or as a number."""


@dataclass(frozen=True, slots=True)
class CountsForm:
    """How counts are written, as texts to fill in: `whole` with all countries, `country` with its name and its operators,
    `count` with one count.
    """

    whole: str
    country: str
    count: str


@dataclass(frozen=True, slots=True)
class ListedOperators:
    """Which operators the counts of a country have: `each` that it has, and `total`, the sum of all as that of `any`."""

    each: bool
    total: bool


COUNTRY_LIST = CountsForm('{{"status":"SUCCESS","countryList":[{}]}}', '{{"country":{},"operatorMap":{{{}}}}}', "%d")
COUNT_MAP = CountsForm('{{"status":"SUCCESS","countMap":{{{}}}}}', "{}:{{{}}}", '{"SMS":%d}')

SPLIT = ListedOperators(each=True, total=False)
SPLIT_AND_ANY = ListedOperators(each=True, total=True)
ANY = ListedOperators(each=False, total=True)


@dataclass(frozen=True, slots=True)
class PushAcceptance:
    """Which answer takes a push: its HTTP statuses, and what the `status` of its JSON is, None for any body at all."""

    statuses: range
    says: str | None


BODY = PushAcceptance(range(200, 300), says="SUCCESS")
HTTP_200 = PushAcceptance(range(200, 201), says=None)

BEARER = "Bearer {}"

# What staff call the values of switches.
SPELLINGS: Mapping[str, Spelling] = MappingProxyType({"string": str, "number": int})
ERROR_STATUSES: Mapping[str | int, int | None] = MappingProxyType({"mapped": None, 200: 200})
ACCEPTANCES: Mapping[str, PushAcceptance] = MappingProxyType({"body": BODY, "http200": HTTP_200})
COUNTS_FORMS: Mapping[str, CountsForm] = MappingProxyType({"countryList": COUNTRY_LIST, "countMap": COUNT_MAP})
OPERATORS: Mapping[str, ListedOperators] = MappingProxyType({"split": SPLIT, "split+any": SPLIT_AND_ANY, "any": ANY})
AUTHORIZATIONS: Mapping[str, str | None] = MappingProxyType({"none": None, "bearer": BEARER})


class Evidence(StrEnum):
    """Where what we know of a hub's protocol comes from: our contract; the hub's own document, read whole or in part; or
    what others that serve it do.
    """

    CONTRACT = "contract"
    DOCUMENT = "document"
    PART = "part"
    OBSERVED = "observed"


_NO_CALLS: Mapping[str, object] = MappingProxyType({"call": 0, "voice": 0})


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a hub sends and expects where hubs differ. The defaults are the contract's (1 to 3).

    `actions` are the words for what may be asked for, `counts` the forms of those that ask for counts, `outcomes` the
    codes of how an activation ends. `number` spells the phone of a GET_NUMBER's answer, `phone` and `sms_id` those of an
    SMS. `number_extras` and `push_extras` are constant further fields. `error_fields` all hold the text of an error;
    `error_status` is the HTTP status of every error, None where each has its own. Answers are gzipped from `gzip_from`
    bytes on. `operators` are those that counts list.

    At `cancel_limit` cancels a number is never issued again for the service, None for the limit of service and deployment.
    `hold` is what ends an activation that the hub doesn't finish.

    A push is taken as `push_done` says, and ended for ever by an answer that has one of `push_stop_words` for any text at
    its top level. It has the header Authorization that `push_authorization` makes of the key, None for none, says which
    `push_accept_encoding` its answer may have, and is packed itself with `push_gzip`.

    Staff know it as `title`, with its `evidence`, the switches that are `uncertain`, by their names, and the Push URL that
    most of the hub's suppliers have, if it is known.
    """

    actions: Mapping[str, type[PartnerRequest]] = MappingProxyType(
        {"GET_SERVICES": GetServices, "GET_NUMBER": GetNumber, "FINISH_ACTIVATION": FinishActivation}
    )
    counts: Mapping[str, CountsForm] = MappingProxyType({"GET_SERVICES": COUNTRY_LIST})
    operators: ListedOperators = SPLIT
    outcomes: Mapping[int, Outcome] = MappingProxyType({outcome.value: outcome for outcome in Outcome})
    number: Spelling = str
    phone: Spelling = str
    sms_id: Spelling = str
    number_extras: Mapping[str, object] = _NO_CALLS
    push_extras: Mapping[str, object] = _NO_CALLS
    error_fields: tuple[str, ...] = ("message",)
    error_status: int | None = None
    gzip_from: int = 1024
    cancel_limit: int | None = None
    hold: Hold = Hold.LEASE
    push_done: PushAcceptance = BODY
    push_stop_words: frozenset[str] = frozenset()
    push_authorization: str | None = None
    push_accept_encoding: str = "identity"
    push_gzip: bool = False
    title: str = "GlobalConnect"
    evidence: Evidence = Evidence.CONTRACT
    uncertain: tuple[str, ...] = ()
    push_url: str | None = None
