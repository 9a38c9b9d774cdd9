"""What staff send and get as JSON (contract 5): camelCase names, nothing unknown, nothing converted.

The description of a field says what is expected of it. It is what a refusal tells staff, and what
docs/openapi.json says.
"""

import re
from collections.abc import Callable, Container, Mapping
from typing import Annotated, Literal, TypedDict

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, with_config
from pydantic.alias_generators import to_camel

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.ids import LARGEST_ID
from globalconnect.domain.partner import dialect_named
from globalconnect.domain.phones import check_phone, phone_to_find
from globalconnect.domain.provider import PROVIDERS
from globalconnect.domain.push_url import MAX_LENGTH as LONGEST_PUSH_URL
from globalconnect.domain.times import parse_iso
from globalconnect.hub_protocol.catalogue import DIALECTS

SERVICE_CODE = re.compile(r"[A-Za-z0-9_.-]{1,40}", re.ASCII)
_HOURS = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)

# A month of 30 days is the longest span of statistics.
MOST_HOURS = 720

_LONGEST_NAME = 100
_MOST_SERVICES = 1_000
_LONGEST_CURSOR = 4_096
_HIGHEST_CANCEL_LIMIT = 100
_HIGHEST_MAX_LIVE = 1_000_000
_HIGHEST_OFFER = 1_000_000
_LONGEST_REASON = 200
_LONGEST_FILE_NAME = 255
_MOST_PHONES = 500
_HIGHEST_GZIP_FROM = 1_000_000
_SPELLED = "string or number"
_SHORTEST_SECRET = 8
_LONGEST_SECRET = 4_096

STRICT = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel, hide_input_in_errors=True)


def _printable(name: str) -> str:
    if name == name.strip() and name.isprintable():
        return name
    raise ValueError("not printable")


def _without_repeats(names: list[str]) -> list[str]:
    if len({*names}) == len(names):
        return names
    raise ValueError("repeated")


def _not_empty[T: Mapping[str, object]](fields: T | None) -> T | None:
    if fields is None or fields:
        return fields
    raise ValueError("empty")


def _known_in(catalogue: Container[str], current: Callable[[str], str] = str) -> AfterValidator:
    def known(name: str) -> str:
        if current(name) in catalogue:
            return current(name)
        raise ValueError("unknown")

    return AfterValidator(known)


def _span(hours: str) -> str:
    if _HOURS.fullmatch(hours) and int(hours) <= MOST_HOURS:
        return hours
    raise ValueError("not a span")


def _moment(text: str) -> str:
    if parse_iso(text) is not None:
        return text
    raise ValueError("no offset")


def _phone_to_find(text: str) -> str:
    phone = phone_to_find(text)
    if phone:
        return phone
    raise ValueError("no phone")


def _phone(phone: str) -> str:
    try:
        return check_phone(phone, "phones")
    except InvalidInput:
        raise ValueError("not a phone") from None


type Code = Annotated[str, Field(pattern=f"^{SERVICE_CODE.pattern}$")]
type Time = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2024-01-15T12:34:56+00:00"])]
type Phone = Annotated[str, AfterValidator(_phone)]
type SmsId = Annotated[str, Field(json_schema_extra={"pattern": "^[1-9][0-9]{0,15}$"})]

Name = Annotated[
    str,
    Field(
        min_length=1,
        max_length=_LONGEST_NAME,
        description=f"a text of 1 to {_LONGEST_NAME} printable characters, without spaces at its ends",
    ),
    AfterValidator(_printable),
]
PushUrl = Annotated[
    Annotated[str, Field(max_length=LONGEST_PUSH_URL)] | None,
    Field(description=f"an http or https URL of at most {LONGEST_PUSH_URL} characters, or null for none"),
]
ServiceCodes = Annotated[
    Annotated[list[Code], Field(max_length=_MOST_SERVICES)] | None,
    Field(
        description=f"a list of at most {_MOST_SERVICES} codes of services (1 to 40 letters, digits and _ . - each), "
        "or null for all services"
    ),
]
Dialect = Annotated[
    str,
    Field(description=f"one of {', '.join(sorted(DIALECTS))}", json_schema_extra={"enum": [*sorted(DIALECTS)]}),
    _known_in(DIALECTS, dialect_named),
]
_Spelling = Literal["string", "number"]


@with_config(STRICT)
class TypeOverrides(TypedDict, total=False):
    """Which JSON types a partner gets otherwise than its dialect says."""

    number: Annotated[_Spelling, Field(description=_SPELLED)]
    phone: Annotated[_Spelling, Field(description=_SPELLED)]
    sms_id: Annotated[_Spelling, Field(description=_SPELLED)]


@with_config(STRICT)
class Overrides(TypedDict, total=False):
    """What a partner has otherwise than its dialect says."""

    types: Annotated[TypeOverrides, Field(description="an object of number, phone and smsId")]
    error_fields: Annotated[
        list[Literal["message", "error"]],
        Field(min_length=1, max_length=2, description="a list of message, error or both"),
        AfterValidator(_without_repeats),
    ]
    error_http: Annotated[Literal["mapped", 200], Field(description="mapped, or 200")]
    gzip_from: Annotated[
        int, Field(ge=0, le=_HIGHEST_GZIP_FROM, description=f"a whole number from 0 to {_HIGHEST_GZIP_FROM}")
    ]
    push_done: Annotated[Literal["body", "http200"], Field(description="body or http200")]


OverridesOrNone = Annotated[
    Overrides | None,
    Field(
        description="an object of types, errorFields, errorHttp, gzipFrom and pushDone, all optional, or null for nothing "
        "otherwise than the dialect"
    ),
]
Provider = Annotated[
    str,
    Field(description=f"one of {', '.join(PROVIDERS)}", json_schema_extra={"enum": [*PROVIDERS]}),
    _known_in(PROVIDERS),
]
CancelLimit = Annotated[
    Annotated[int, Field(ge=1, le=_HIGHEST_CANCEL_LIMIT)] | None,
    Field(description=f"a whole number from 1 to {_HIGHEST_CANCEL_LIMIT}, or null for the deployment's cancel limit"),
]
MaxLive = Annotated[
    Annotated[int, Field(ge=1, le=_HIGHEST_MAX_LIVE)] | None,
    Field(description=f"a whole number from 1 to {_HIGHEST_MAX_LIVE}, or null for the deployment's limit"),
]


@with_config(STRICT)
class OfferFields(TypedDict, total=False):
    """What of the free numbers a partner is shown: so many percent of them, at most so many."""

    percent: Annotated[int, Field(ge=1, le=100, description="a whole number from 1 to 100")]
    most: Annotated[int, Field(ge=1, le=_HIGHEST_OFFER, description=f"a whole number from 1 to {_HIGHEST_OFFER}")]


OfferOrNone = Annotated[
    OfferFields | None,
    Field(
        description="an object of percent, most or both, or null for all that is free",
        json_schema_extra={"minProperties": 1},
    ),
    AfterValidator(_not_empty),
]
Reason = Annotated[
    str,
    Field(
        min_length=1,
        max_length=_LONGEST_REASON,
        description=f"a text of 1 to {_LONGEST_REASON} printable characters, without spaces at its ends",
    ),
    AfterValidator(_printable),
]
FileName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=_LONGEST_FILE_NAME,
        description=f"a text of 1 to {_LONGEST_FILE_NAME} printable characters, without spaces at its ends",
    ),
    AfterValidator(_printable),
]
Phones = Annotated[
    list[Phone],
    Field(
        min_length=1,
        max_length=_MOST_PHONES,
        description=f"a list of 1 to {_MOST_PHONES} numbers, each 5 to 15 digits, country code first",
    ),
]
ServiceCode = Annotated[Code, Field(description="the code of a service: 1 to 40 letters, digits and _ . -")]
Moment = Annotated[
    Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2024-01-15T12:34:56+00:00"])],
    Field(max_length=40, description="a time with its offset, such as 2024-01-15T12:34:56+00:00"),
    AfterValidator(_moment),
]
Flag = Annotated[bool, Field(description="true or false")]
Cursor = Annotated[
    str,
    Field(min_length=1, max_length=_LONGEST_CURSOR, description="the cursor of an earlier answer to the same listing"),
]
# Whether they are names and phones that exist is for the listing to say: one that doesn't has an empty list.
Hours = Annotated[
    str,
    Field(description=f"a whole number from 1 to {MOST_HOURS}", json_schema_extra={"pattern": f"^{_HOURS.pattern}$"}),
    AfterValidator(_span),
]
Filter = Annotated[str, Field(min_length=1, max_length=200, description="a text of 1 to 200 characters")]
PhoneFilter = Annotated[Filter, AfterValidator(_phone_to_find)]
OfflineOnly = Annotated[Literal["false"], Field(description="false: only those whose lines are offline")]
StateFilter = Annotated[
    Literal["live", "overdue", "expired", "finished"], Field(description="one of live, overdue, expired and finished")
]
Texts = Annotated[
    Literal["shown", "hidden"],
    Field(description="shown, which is the default and entered in the audit log, or hidden"),
]
ActivationTexts = Annotated[
    Literal["shown", "hidden"] | Annotated[str, Field(pattern="^[1-9][0-9]{0,15}$")],
    Field(
        description="shown, which is the default, or the smsId of the only one to show, both entered in the audit log; "
        "or hidden"
    ),
]
SourceSecret = Annotated[
    Annotated[str, Field(min_length=_SHORTEST_SECRET, max_length=_LONGEST_SECRET), AfterValidator(_printable)] | None,
    Field(
        description=f"a text of {_SHORTEST_SECRET} to {_LONGEST_SECRET} printable characters, without spaces at its ends, "
        "or null for one that is made",
        repr=False,
    ),
]
Settings = Annotated[
    dict[str, str | bool | dict[str, str]],
    Field(
        description="an object of the settings that its provider has, each a text, true or false, "
        "and of lines: the numbers of its lines, by name"
    ),
]
Version = Annotated[int, Field(ge=0, le=LARGEST_ID, description="the version of the partner as it was read")]


class Body(BaseModel):
    """A JSON body."""

    model_config = STRICT


class NoFields(Body):
    """No body at all, or `{}`."""


class BodyWithReason(Body):
    """Why staff do it, for the audit log."""

    reason: Reason


@with_config(STRICT)
class NoQuery(TypedDict, total=False):
    """No query field."""


@with_config(STRICT)
class PageQuery(TypedDict, total=False):
    """Which page of a listing."""

    cursor: Cursor


class View(BaseModel):
    """A JSON answer."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True, hide_input_in_errors=True
    )


class Acknowledgement(View):
    """It is done."""

    status: Literal["SUCCESS"] = "SUCCESS"
