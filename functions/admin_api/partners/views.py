"""What staff send and get of partners (contract 5)."""

from typing import Any, Self, TypedDict

from pydantic import Field, with_config

from admin_api.outcomes import OutcomesView
from admin_api.schema import (
    STRICT,
    Body,
    BodyWithReason,
    Dialect,
    MaxLive,
    Name,
    PushUrl,
    ServiceCodes,
    SmsId,
    Texts,
    Time,
    Version,
    View,
)
from globalconnect.domain.backlog import PendingNote
from globalconnect.domain.partner import Partner
from globalconnect.domain.push_url import is_plain_http
from globalconnect.domain.times import to_iso, to_iso_if_any


class NewPartner(Body):
    """A partner that is to get a key."""

    name: Name
    push_url: PushUrl = None
    services: ServiceCodes = None
    dialect: Dialect = "default"
    max_live: MaxLive = None


@with_config(STRICT)
class PartnerChange(TypedDict, total=False):
    """What is to change about a partner; what is absent stays. With a version: only if that is still the current one."""

    name: Name
    push_url: PushUrl
    services: ServiceCodes
    dialect: Dialect
    max_live: MaxLive
    version: Version


class PauseReason(BodyWithReason):
    """Why nothing is to be sold to a partner."""


@with_config(STRICT)
class ActivityQuery(TypedDict, total=False):
    """Whether what the partner answered is shown."""

    texts: Texts


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

    @classmethod
    def of(cls, partner: Partner, now: int, note: PendingNote | None, **more: Any) -> Self:
        """Return a partner as staff see it at `now` (ms); `note` is what the sweep found last, `more` a subclass's fields."""
        return cls(
            partner_id=partner.partner_id,
            name=partner.name,
            push_url=partner.push_url,
            push_url_is_plain_http=partner.push_url is not None and is_plain_http(partner.push_url),
            services=None if partner.services is None else sorted(partner.services),
            dialect=partner.dialect,
            max_live=partner.max_live,
            paused=partner.paused and PauseView(at=to_iso(partner.paused.at), reason=partner.paused.reason),
            created_at=to_iso(partner.created_at),
            revoked=partner.revoked_at is not None,
            signed=partner.is_signed,
            version=partner.version,
            last_success_at=to_iso_if_any(partner.last_success_at),
            slow_until=to_iso(partner.slow_until) if partner.is_slow(now) else None,
            in_trouble=note is not None and note.is_in_trouble(partner),
            **more,
        )


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
