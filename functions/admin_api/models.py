"""What operators send and get as JSON (contract 5): camelCase names, nothing unknown, nothing converted.

The description of a field says what is expected of it. It is what a refusal tells the operator, and what
docs/openapi.json says.
"""

import re
from typing import Annotated, Literal, TypedDict

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, with_config
from pydantic.alias_generators import to_camel

from globalconnect.domain.partner import DIALECTS
from globalconnect.domain.push_url import MAX_LENGTH as LONGEST_PUSH_URL

SERVICE_CODE = re.compile(r"[A-Za-z0-9_.-]{1,40}", re.ASCII)

_LONGEST_NAME = 100
_MOST_SERVICES = 1_000
_LONGEST_CURSOR = 4_096
_HIGHEST_CANCEL_LIMIT = 100

_STRICT = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel, hide_input_in_errors=True)


def _printable(name: str) -> str:
    if name == name.strip() and name.isprintable():
        return name
    raise ValueError("not printable")


def _known_dialect(dialect: str) -> str:
    if dialect in DIALECTS:
        return dialect
    raise ValueError("not a dialect")


def _code(code: str) -> str:
    if SERVICE_CODE.fullmatch(code):
        return code
    raise ValueError("not a code")


type Code = Annotated[str, Field(json_schema_extra={"pattern": f"^{SERVICE_CODE.pattern}$"}), AfterValidator(_code)]
type Time = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2024-01-15T12:34:56+00:00"])]
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
    AfterValidator(_known_dialect),
]
Provider = Annotated[Literal["generic"], Field(description="generic")]
CancelLimit = Annotated[
    Annotated[int, Field(ge=1, le=_HIGHEST_CANCEL_LIMIT)] | None,
    Field(description=f"a whole number from 1 to {_HIGHEST_CANCEL_LIMIT}, or null for the deployment's cancel limit"),
]
Flag = Annotated[bool, Field(description="true or false")]
Cursor = Annotated[
    str,
    Field(min_length=1, max_length=_LONGEST_CURSOR, description="the cursor of an earlier answer to the same listing"),
]
# Whether they are names and phones that exist is for the listing to say: one that doesn't has an empty list.
Filter = Annotated[str, Field(min_length=1, max_length=200, description="a text of 1 to 200 characters")]


# ---------------------------------------------------------------- what operators send


class Given(BaseModel):
    """A JSON body."""

    model_config = _STRICT


class NoFields(Given):
    """No body at all, or `{}`."""


class NewPartner(Given):
    """A partner that is to get a key."""

    name: Name
    push_url: PushUrl = None
    services: ServiceCodes = None
    dialect: Dialect = "default"


@with_config(_STRICT)
class PartnerChange(TypedDict, total=False):
    """What is to change about a partner; what is absent stays."""

    name: Name
    push_url: PushUrl
    services: ServiceCodes
    dialect: Dialect


class ServiceGiven(Given):
    """A service as it is to be from now on."""

    name: Name
    reusable: Flag = False
    enabled: Flag = True
    cancel_limit: CancelLimit = None


class NumberChange(Given):
    """Whether a number is on sale."""

    enabled: Flag


class NewSource(Given):
    """An inbound gateway that is to get a secret."""

    name: Name
    provider: Provider


@with_config(_STRICT)
class NoQuery(TypedDict, total=False):
    """No query field."""


@with_config(_STRICT)
class PageQuery(TypedDict, total=False):
    """Which page of a listing."""

    cursor: Cursor


@with_config(_STRICT)
class NumbersQuery(TypedDict, total=False):
    """Which numbers; an operator only within a country."""

    country: Filter
    operator: Filter
    cursor: Cursor


@with_config(_STRICT)
class ActivationsQuery(TypedDict, total=False):
    """Which activations."""

    partner_id: Filter
    phone: Filter
    cursor: Cursor


# ---------------------------------------------------------------- what they get


class Shown(BaseModel):
    """A JSON answer."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True, hide_input_in_errors=True
    )


class Done(Shown):
    """It is done."""

    status: Literal["SUCCESS"] = "SUCCESS"


class PartnerShown(Shown):
    """A partner, without its key."""

    partner_id: str
    name: str
    push_url: str | None
    services: list[str] | None
    dialect: str
    created_at: Time
    revoked: bool
    signed: bool


class PartnerWithKey(PartnerShown):
    """A partner with its new key, which is never shown again."""

    key: str = Field(repr=False)


class SigningSecretShown(Shown):
    """A new secret that signs a partner's pushes, which is never shown again."""

    signing_secret: str = Field(repr=False, json_schema_extra={"pattern": "^whsec_[A-Za-z0-9+/]{43}=$"})


class PushTried(Shown):
    """How a test push ended, and the beginning of what the partner answered, secrets masked."""

    delivered: bool
    outcome: str
    http_status: int | None
    duration_ms: int
    answer: str


class PartnersShown(Shown):
    """A page of partners."""

    partners: list[PartnerShown]
    cursor: str | None


class ServiceShown(Shown):
    """A service of the catalogue."""

    code: str
    name: str
    reusable: bool
    enabled: bool
    cancel_limit: int | None


class ServicesShown(Shown):
    """The whole catalogue, by code."""

    services: list[ServiceShown]
    cursor: str | None = None


class NumberShown(Shown):
    """A number, and what outcomes left on it: for which services it is blocked, and its cancels per service.

    `heldUntil` and `activationId` while a live activation holds it, `restingUntil` while it rests after a sale.
    """

    phone: str
    country: str
    operator: str
    enabled: bool
    held_until: Time | None
    activation_id: int | None
    resting_until: Time | None
    blocked: list[str]
    cancels: dict[str, int]


class NumbersShown(Shown):
    """A page of numbers."""

    numbers: list[NumberShown]
    cursor: str | None


class RejectedRow(Shown):
    """A row that was not imported, counted from 1 without the header and without empty lines."""

    row: int
    reason: str


class ImportShown(Shown):
    """What an import did; each row is counted in one of the three."""

    imported: int
    updated: int
    rejected: list[RejectedRow]


class ActivationShown(Shown):
    """An activation; `outcome` 1 Prohibited, 3 Success, 4 Canceled, 5 Returned, null when not finished."""

    activation_id: int
    partner_id: str
    phone: str
    country: str
    operator: str
    service: str
    started_at: Time
    expires_at: Time
    state: Literal["live", "expired", "finished"]
    outcome: Literal[1, 3, 4, 5] | None
    finished_at: Time | None
    sum: str | None
    currency: str | None


class NumberWithHistory(NumberShown):
    """A number with its last activations, the newest 50 at most, newest first."""

    activations: list[ActivationShown]


class ActivationsShown(Shown):
    """A page of activations, newest first."""

    activations: list[ActivationShown]
    cursor: str | None


class AttemptShown(Shown):
    """One push attempt: how it ended, and the beginning of what the partner answered."""

    number: int
    started_at: Time
    duration_ms: int
    outcome: str
    http_status: int | None
    answer: str


class MessageShown(Shown):
    """An SMS of an activation, and how pushing it went."""

    sms_id: SmsId
    phone: str
    phone_from: str = Field(repr=False)
    text: str = Field(repr=False)
    received_at: Time
    stored_at: Time
    push_state: Literal["pending", "delivered", "stopped", "no-url"]
    attempts: int
    delivered_at: Time | None
    attempt_log: list[AttemptShown]


class SaleShown(ActivationShown):
    """An activation with its messages, oldest first."""

    messages: list[MessageShown]


class PushQueued(Done):
    """When the SMS will be pushed."""

    due_at: Time


class SourceShown(Shown):
    """An inbound gateway, without its secret."""

    source_id: str
    name: str
    provider: str
    url: str
    created_at: Time


class SourceWithSecret(SourceShown):
    """An inbound gateway with its secret, which is never shown again."""

    secret: str = Field(repr=False)


class SourcesShown(Shown):
    """A page of inbound gateways."""

    sources: list[SourceShown]
    cursor: str | None


class UnclaimedSms(Shown):
    """An SMS that no activation held when it arrived."""

    sms_id: SmsId
    source_id: str
    phone: str
    phone_from: str = Field(repr=False)
    text: str = Field(repr=False)
    received_at: Time
    stored_at: Time


class UnclaimedShown(Shown):
    """A page of unclaimed SMS, newest first."""

    messages: list[UnclaimedSms]
    cursor: str | None


class UnreadablePayload(Shown):
    """What a gateway sent that its adapter could not read, and why."""

    source_id: str
    payload: str = Field(repr=False)
    reason: str
    stored_at: Time


class UnreadableShown(Shown):
    """A page of unreadable payloads, newest first."""

    payloads: list[UnreadablePayload]
    cursor: str | None
