"""What one hub's protocol may have of its own, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from globalconnect.domain.activation import Outcome
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

_NO_CALLS: Mapping[str, object] = MappingProxyType({"call": 0, "voice": 0})


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a hub sends and expects where hubs differ. The defaults are the contract's (1 to 3).

    `actions` are the words for what may be asked for, `counts` the forms of those that ask for counts, `outcomes` the
    codes of how an activation ends. `number` spells the phone of a GET_NUMBER's answer, `phone` and `sms_id` those of an
    SMS. `number_extras` and `push_extras` are constant further fields. `error_fields` all hold the text of an error;
    `error_status` is the HTTP status of every error, None where each has its own. Answers are gzipped from `gzip_from`
    bytes on. `operators` are those that counts list.
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
