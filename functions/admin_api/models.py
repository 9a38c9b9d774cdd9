"""What staff send and get as JSON (contract 5): camelCase names, nothing unknown, nothing converted.

The description of a field says what is expected of it. It is what a refusal tells the operator, and what
docs/openapi.json says.
"""

import re
from typing import Annotated, Literal, TypedDict

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, with_config
from pydantic.alias_generators import to_camel

from globalconnect.domain.errors import InvalidInput
from globalconnect.domain.ids import LARGEST_ID
from globalconnect.domain.partner import DIALECTS
from globalconnect.domain.phones import check_phone, phone_to_find
from globalconnect.domain.push_url import MAX_LENGTH as LONGEST_PUSH_URL
from globalconnect.domain.times import parse_iso

SERVICE_CODE = re.compile(r"[A-Za-z0-9_.-]{1,40}", re.ASCII)
_HOURS = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)

# A month of 30 days is the longest span of statistics.
MOST_HOURS = 720

_LONGEST_NAME = 100
_MOST_SERVICES = 1_000
_LONGEST_CURSOR = 4_096
_HIGHEST_CANCEL_LIMIT = 100
_HIGHEST_MAX_LIVE = 1_000_000
_LONGEST_REASON = 200
_LONGEST_FILE_NAME = 255
_MOST_PHONES = 500
_SHORTEST_SECRET = 8
_LONGEST_SECRET = 4_096

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


type Code = Annotated[str, Field(json_schema_extra={"pattern": f"^{SERVICE_CODE.pattern}$"}), AfterValidator(_code)]
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
    AfterValidator(_known_dialect),
]
Provider = Annotated[Literal["generic"], Field(description="generic")]
CancelLimit = Annotated[
    Annotated[int, Field(ge=1, le=_HIGHEST_CANCEL_LIMIT)] | None,
    Field(description=f"a whole number from 1 to {_HIGHEST_CANCEL_LIMIT}, or null for the deployment's cancel limit"),
]
MaxLive = Annotated[
    Annotated[int, Field(ge=1, le=_HIGHEST_MAX_LIVE)] | None,
    Field(description=f"a whole number from 1 to {_HIGHEST_MAX_LIVE}, or null for the deployment's limit"),
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
StateFilter = Annotated[Literal["live", "expired", "finished"], Field(description="one of live, expired and finished")]
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
Version = Annotated[int, Field(ge=0, le=LARGEST_ID, description="the version of the partner as it was read")]


# ---------------------------------------------------------------- what staff send


class Body(BaseModel):
    """A JSON body."""

    model_config = _STRICT


class NoFields(Body):
    """No body at all, or `{}`."""


class NewPartner(Body):
    """A partner that is to get a key."""

    name: Name
    push_url: PushUrl = None
    services: ServiceCodes = None
    dialect: Dialect = "default"
    max_live: MaxLive = None


@with_config(_STRICT)
class PartnerChange(TypedDict, total=False):
    """What is to change about a partner; what is absent stays. With a version: only if that is still the current one."""

    name: Name
    push_url: PushUrl
    services: ServiceCodes
    dialect: Dialect
    max_live: MaxLive
    version: Version


class BodyWithReason(Body):
    """Why staff do it, for the audit log."""

    reason: Reason


class PauseReason(BodyWithReason):
    """Why nothing is to be sold to a partner."""


class ServiceBody(Body):
    """A service as it is to be from now on."""

    name: Name
    reusable: Flag = False
    enabled: Flag = True
    cancel_limit: CancelLimit = None


class NumberChange(Body):
    """Whether a number is on sale."""

    enabled: Flag


class NumbersChange(Body):
    """Whether these numbers are on sale."""

    phones: Phones
    enabled: Flag


class MarksOfNumber(BodyWithReason):
    """The service for which a number's marks are to be lifted."""

    service: ServiceCode


class MarksOfPartner(BodyWithReason):
    """Since when the activations began whose marks are to be lifted, and where an earlier answer ended."""

    since: Moment
    cursor: Annotated[Cursor | None, Field(description="the cursor of the answer before, or null")] = None


class NewImport(Body):
    """A file that is to be sent in parts; of a dry run nothing is entered, only told what would be."""

    file_name: FileName
    dry_run: Flag = False


class NewSource(Body):
    """An inbound gateway that is to get a secret."""

    name: Name
    provider: Provider


class NewSourceSecret(Body):
    """The secret that a gateway signs with from now on; without one we make it."""

    secret: SourceSecret = None


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
    phone: PhoneFilter
    service: Filter
    state: StateFilter
    cursor: Cursor


@with_config(_STRICT)
class StatisticsQuery(TypedDict, total=False):
    """Of how many hours, the current one among them; of 24 when not said."""

    hours: Hours


@with_config(_STRICT)
class ActivationDetailsQuery(TypedDict, total=False):
    """Whose text of its SMS is shown: that of all, of one, or of none."""

    texts: ActivationTexts


@with_config(_STRICT)
class InboxQuery(TypedDict, total=False):
    """Which page of the inbox, and whether what was sent is shown."""

    texts: Texts
    cursor: Cursor


@with_config(_STRICT)
class ActivityQuery(TypedDict, total=False):
    """Whether what the partner answered is shown."""

    texts: Texts


# ---------------------------------------------------------------- what they get


class View(BaseModel):
    """A JSON answer."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True, hide_input_in_errors=True
    )


class Acknowledgement(View):
    """It is done."""

    status: Literal["SUCCESS"] = "SUCCESS"


class PauseView(View):
    """Since when and why nothing is sold to a partner."""

    at: Time
    reason: str


class PartnerView(View):
    """A partner, without its key.

    `maxLive` is its own limit of live activations, null when the deployment's applies.
    What goes to a plain http URL can be read on its way, the key in it too. `version` grows with every change by an
    operator. `lastSuccessAt` is when it last took a push, give or take a minute; `slowUntil` is there while it counts as
    slow. `inTrouble` is as in the statistics.
    """

    partner_id: str
    name: str
    push_url: str | None
    push_url_is_plain_http: bool
    services: list[str] | None
    dialect: str
    max_live: int | None
    paused: PauseView | None
    created_at: Time
    revoked: bool
    signed: bool
    version: int
    last_success_at: Time | None
    slow_until: Time | None
    in_trouble: bool


class PartnerWithKey(PartnerView):
    """A partner with its new key, which is never shown again."""

    key: str = Field(repr=False)


class SigningSecretView(View):
    """A new secret that signs a partner's pushes, which is never shown again."""

    signing_secret: str = Field(repr=False, json_schema_extra={"pattern": "^whsec_[A-Za-z0-9+/]{43}=$"})


class TestPushResult(View):
    """How a test push ended, and the beginning of what the partner answered, secrets masked."""

    delivered: bool
    outcome: str
    http_status: int | None
    duration_ms: int
    answer: str


class PartnerPage(View):
    """A page of partners."""

    partners: list[PartnerView]
    cursor: str | None


class FailedAttempt(View):
    """A push attempt that failed: of which SMS, how it ended, and the beginning of what the partner answered.

    An answer may repeat what the SMS says; `answer` is null when it was asked to be hidden.
    """

    at: Time
    activation_id: int
    sms_id: SmsId
    number: int
    outcome: str
    http_status: int | None
    duration_ms: int
    answer: str | None = Field(repr=False)


class OutcomesView(View):
    """How a partner's activations ended, by the hour of their outcome, and which shares of them (0 to 1) that is.

    `shareRefused`: prohibited and canceled among all. `delivered`: of so many an SMS was pushed and taken, within the
    hour of the outcome or the time before it in which an activation is live; `takenBack` of these were canceled or
    returned all the same, `shareTakenBack` is that share. Null where nothing was counted. `overLimit`: the alarm speaks
    of this partner.
    """

    prohibited: int
    success: int
    canceled: int
    returned: int
    delivered: int
    taken_back: int
    share_refused: float | None
    share_taken_back: float | None
    over_limit: bool


class PartnerActivity(View):
    """How it goes with a partner: what waited when that was last measured, the newest push attempts that failed, and its
    outcomes of 24 hours, the current one among them.

    `measuredAt` is null before the first measurement.
    """

    waiting: int
    oldest_pending_at: Time | None
    measured_at: Time | None
    failures: list[FailedAttempt]
    outcomes: OutcomesView


class ServiceView(View):
    """A service of the catalogue."""

    code: str
    name: str
    reusable: bool
    enabled: bool
    cancel_limit: int | None


class ServicePage(View):
    """The whole catalogue, by code."""

    services: list[ServiceView]
    cursor: str | None = None


class NumberView(View):
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


class NumberPage(View):
    """A page of numbers."""

    numbers: list[NumberView]
    cursor: str | None


class PoolView(View):
    """A pool: its numbers that are not withdrawn, how many are free, and how many can be bought for each service."""

    country: str
    operator: str
    total: int
    free: int
    services: dict[str, int]


class PoolPage(View):
    """A page of pools, by country and operator."""

    pools: list[PoolView]
    cursor: str | None


class RejectedRowView(View):
    """A row that was not imported, counted from 1 without the header and without empty lines."""

    row: int
    reason: str


class ImportResult(View):
    """What an import did; each row is counted in one of the three."""

    imported: int
    updated: int
    rejected: list[RejectedRowView]


class NumbersChangeResult(View):
    """How many numbers were not so before, and which of those asked for we don't have."""

    changed: int
    unknown: list[str]


class ImportJobView(View):
    """An import that is sent in parts, and what its `parts` parts did so far.

    `updated` are numbers that were known, `unchanged` those of them that were in their pool already. `staff` is the id
    of who began it.
    """

    import_id: str
    file_name: str
    dry_run: bool
    state: Literal["open", "finished"]
    started_at: Time
    finished_at: Time | None
    staff: str
    parts: int
    rows: int
    imported: int
    updated: int
    unchanged: int
    rejected: int


class ImportJobPage(View):
    """A page of imports, newest first."""

    imports: list[ImportJobView]
    cursor: str | None


class ImportPartView(View):
    """What a part of an import did; rows are counted over the whole file."""

    part: int
    rows: int
    imported: int
    updated: int
    unchanged: int
    rejected: list[RejectedRowView]


class RejectedRowPage(View):
    """A page of the rows of an import that were not imported, in the order of the file."""

    rejected: list[RejectedRowView]
    cursor: str | None


class CauseView(View):
    """Whose outcome blocked a number for a service. Of cancels (4) it is the last, which stands for all of them."""

    activation_id: int
    partner_id: str
    outcome: Literal[1, 3, 4]
    at: Time


class MarkView(View):
    """What outcomes left on a number for a service; a block without causes is older than they are."""

    service: str
    blocked: bool
    cancels: int
    causes: list[CauseView]


class ActivationView(View):
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


class NumberWithMarks(NumberView):
    """A number with its marks, by service."""

    marks: list[MarkView]


class NumberWithLift(NumberWithMarks):
    """A number as it is now, how many marks were lifted, and a warning when one of them may have been a success."""

    lifted: int
    warning: str | None


class LiftResult(View):
    """How many marks this call lifted, and where the next goes on, null at the end."""

    lifted: int
    cursor: str | None


class NumberWithHistory(NumberWithMarks):
    """A number with its marks and its last activations, the newest 50 at most, newest first."""

    activations: list[ActivationView]


class ActivationPage(View):
    """A page of activations, newest first."""

    activations: list[ActivationView]
    cursor: str | None


class AttemptView(View):
    """One push attempt: how it ended, and the beginning of what the partner answered."""

    number: int
    started_at: Time
    duration_ms: int
    outcome: str
    http_status: int | None
    answer: str | None = Field(repr=False)


class SmsView(View):
    """An SMS of an activation, and how pushing it went.

    `text` and each `answer`, which may repeat it, are null when they were asked to be hidden.

    `outcomes` counts its attempts by how they ended, `attemptLog` has the first and the last 20. Ends of attempts made
    before these were counted are missing.
    """

    sms_id: SmsId
    phone: str
    phone_from: str = Field(repr=False)
    text: str | None = Field(repr=False)
    received_at: Time
    stored_at: Time
    push_state: Literal["pending", "delivered", "stopped", "no-url"]
    attempts: int
    outcomes: dict[str, int]
    delivered_at: Time | None
    attempt_log: list[AttemptView]


class ActivationDetails(ActivationView):
    """An activation with its messages, oldest first; of `messageCount` the newest, when all are too many for an answer."""

    message_count: int
    messages: list[SmsView]


class PushDueView(Acknowledgement):
    """When the SMS will be pushed."""

    due_at: Time


class ProblemView(View):
    """When a gateway last sent what could not be used, and why it could not."""

    at: Time
    reason: str


class SourceView(View):
    """An inbound gateway, without its secret; what was last heard from it is at most a minute behind."""

    source_id: str
    name: str
    provider: str
    url: str
    created_at: Time
    last_heard_at: Time | None
    last_unreadable: ProblemView | None
    last_untimed: ProblemView | None


class SourceWithSecret(SourceView):
    """An inbound gateway with its secret, which is never shown again."""

    secret: str = Field(repr=False)


class SourceSecretView(View):
    """A source's new secret, which is never shown again, and what is to be said against it."""

    source_id: str
    secret: str = Field(repr=False)
    warning: str | None


class SourcePage(View):
    """A page of inbound gateways."""

    sources: list[SourceView]
    cursor: str | None


class UnclaimedSmsView(View):
    """An SMS that no activation got, and why; `repeats` is how often the same came again. `text` is null when it was asked
    to be hidden.
    """

    sms_id: SmsId
    source_id: str
    phone: str
    phone_from: str = Field(repr=False)
    text: str | None = Field(repr=False)
    received_at: Time
    stored_at: Time
    reason: str
    repeats: int


class UnclaimedSmsPage(View):
    """A page of unclaimed SMS, newest first."""

    messages: list[UnclaimedSmsView]
    cursor: str | None


class UnreadablePayloadView(View):
    """What a gateway sent that its adapter could not read, and why; `payload` is null when it was asked to be hidden."""

    source_id: str
    payload: str | None = Field(repr=False)
    reason: str
    stored_at: Time


class UnreadablePayloadPage(View):
    """A page of unreadable payloads, newest first."""

    payloads: list[UnreadablePayloadView]
    cursor: str | None


class AuditEntryView(View):
    """What somebody of the staff did: their id and name. `details` are ids, counts and names of fields; `started` may never have come to an end."""

    at: Time
    staff: str
    staff_name: str
    action: str
    id: str | None
    result: Literal["started", "done", "refused"]
    details: dict[str, str | int | list[str]]


class AuditPage(View):
    """A page of the audit log, newest first."""

    entries: list[AuditEntryView]
    cursor: str | None


class TotalsView(View):
    """Activations that began in a span, by what became of them, and SMS that were delivered in it.

    `started` is the sum of the six; `unfinished` are those that expired without an outcome.
    """

    started: int
    live: int
    unfinished: int
    prohibited: int
    success: int
    canceled: int
    returned: int
    delivered: int
    time_to_deliver_p50_ms: int | None
    time_to_deliver_p99_ms: int | None


class HourView(TotalsView):
    """The same of the hour that begins at `at`."""

    at: Time


class StockView(View):
    """The numbers on sale: how many, how many of them are free, and how many held by an activation or at rest."""

    numbers: int
    free: int
    held: int


class PushBacklogView(View):
    """SMS that have waited for 45 s or longer to be pushed."""

    waiting: int
    oldest_pending_at: Time | None


class PartnerInTrouble(View):
    """A partner that has taken no push for 5 minutes while SMS wait for it."""

    partner_id: str
    name: str
    waiting: int
    oldest_pending_at: Time
    last_success_at: Time | None


class PartnerOverOutcomeLimit(View):
    """A partner whose outcomes of 24 hours are over a limit of this deployment."""

    partner_id: str
    name: str
    outcomes: OutcomesView


class StatisticsView(View):
    """What happened by the hour, oldest first, and what there is now: nothing of it older than `measuredAt`.

    `partnersInTrouble` are 20 at most, the longest waiting first; so are `partnersOverOutcomeLimit`, those with the most
    outcomes first.
    """

    measured_at: Time | None
    stock: StockView
    pushes: PushBacklogView
    partners_in_trouble: list[PartnerInTrouble]
    partners_over_outcome_limit: list[PartnerOverOutcomeLimit]
    hours: list[HourView]
    totals: TotalsView
