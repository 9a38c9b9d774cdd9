"""Partners, their keys and signing secrets: issue, list, read, change, rotate, revoke, try out (contract 5)."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypedDict, cast

from pydantic import Field, TypeAdapter, with_config
from pydantic.alias_generators import to_camel

from admin_api.push_once import push_once
from admin_api.route import PAGE, Call, id_in, route
from admin_api.schema import (
    STRICT,
    Body,
    BodyWithReason,
    Dialect,
    MaxLive,
    Name,
    NoFields,
    NoQuery,
    OfferFields,
    OfferOrNone,
    Overrides,
    OverridesOrNone,
    PageQuery,
    PushUrl,
    ServiceCodes,
    SmsId,
    Texts,
    Time,
    Version,
    View,
)
from admin_api.statistics import OutcomesView, outcomes_by_partner, sold_out_after_poll
from admin_api.wiring import Parts
from globalconnect.domain.activation import Activation
from globalconnect.domain.backlog import PendingNote
from globalconnect.domain.errors import Busy, Conflict, InvalidInput, Unavailable
from globalconnect.domain.ids import PartnerId
from globalconnect.domain.offer import Offer
from globalconnect.domain.outcomes import Outcomes
from globalconnect.domain.partner import (
    LINK_LIFETIME,
    KeyLink,
    Partner,
    digest_of,
    live_limit,
    new_key,
    new_link_token,
    new_partner_id,
    new_signing_secret,
)
from globalconnect.domain.push_attempt import AttemptOutcome
from globalconnect.domain.push_url import check_push_url, is_plain_http
from globalconnect.domain.staff import Role
from globalconnect.domain.times import to_iso, to_iso_if_any
from globalconnect.hub_protocol.catalogue import DEFAULT, DIALECTS

if TYPE_CHECKING:
    from globalconnect.store.partners import PartnerUpdate

# How far back a partner's activity is looked for, in activations, how many are read at once, and what is shown of it.
_LOOKED_AT = 25
_READERS = 8
_MOST_FAILURES = 20

_NOT_ARRANGED = "offer: no turn was given to it, so it is shown none of the last numbers; set the offer again"
_OVERRIDES = TypeAdapter(Overrides)


class NewPartner(Body):
    """A partner that is to get a key."""

    name: Name
    push_url: PushUrl = None
    services: ServiceCodes = None
    dialect: Dialect = "globalconnect"
    overrides: OverridesOrNone = None
    max_live: MaxLive = None
    offer: OfferOrNone = None


@with_config(STRICT)
class PartnerChange(TypedDict, total=False):
    """What is to change about a partner; what is absent stays. With a version: only if that is still the current one."""

    name: Name
    push_url: PushUrl
    services: ServiceCodes
    dialect: Dialect
    overrides: OverridesOrNone
    max_live: MaxLive
    offer: OfferOrNone
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

    `overrides` are what it has otherwise than its dialect. `maxLive` is its own limit of live activations, null when the
    deployment's applies; `liveLimit` is the one that applies, null for none. `offer` is what it is shown of what is free, null
    for all. What goes to a plain http URL can be read on its way, the key in it too. `version` grows with every change by
    staff. `lastSuccessAt` is when it last took a push, give or take a minute; `slowUntil` is there while it counts as
    slow. `inTrouble` is as in the statistics.
    """

    partner_id: str
    name: str
    push_url: str | None
    push_url_is_plain_http: bool
    services: list[str] | None
    dialect: str
    overrides: Overrides
    max_live: int | None
    live_limit: int | None
    offer: OfferFields | None
    paused: PauseView | None
    created_at: Time
    revoked: bool
    signed: bool
    version: int
    last_success_at: Time | None
    slow_until: Time | None
    in_trouble: bool

    @classmethod
    def of(cls, partner: Partner, parts: Parts, note: PendingNote | None, **more: Any) -> Self:
        """Return a partner as staff see it now; `note` is what the sweep found last, `more` a subclass's fields."""
        now, hold = parts.now(), DIALECTS.get(partner.dialect, DEFAULT).hold
        return cls(
            partner_id=partner.partner_id,
            name=partner.name,
            push_url=partner.push_url,
            push_url_is_plain_http=partner.push_url is not None and is_plain_http(partner.push_url),
            services=None if partner.services is None else sorted(partner.services),
            dialect=partner.dialect,
            overrides=cast("Overrides", partner.overrides),
            max_live=partner.max_live,
            live_limit=live_limit(partner, parts.max_live, hold),
            offer=_offer_as_given(partner.offer),
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


class IssuedPartner(PartnerWithKey):
    """A new partner with its key, which is never shown again, and what is to be said of its offer."""

    offer_warning: str | None


class ChangedPartner(PartnerView):
    """A partner as it is now, and what is to be said of the offer that it was given."""

    offer_warning: str | None


class SigningSecretView(View):
    """A new secret that signs a partner's pushes, which is never shown again."""

    signing_secret: str = Field(repr=False, json_schema_extra={"pattern": "^whsec_[A-Za-z0-9+/]{43}=$"})


class KeyLinkView(View):
    """A link to the partner's page, which hands out the partner's key once, until then. It is never shown again."""

    url: str = Field(repr=False)
    expires_at: Time


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
    """How it goes with a partner: what waited when that was last measured, the newest push attempts that failed, and, of 24
    hours, the current one among them, its outcomes and `soldOutAfterPoll`: how often it got NO_NUMBERS though the counts that
    it last asked for may have shown some. That is counted too often rather than too seldom: when it polled is known to about
    a minute, and what it bought itself counts, too.

    `measuredAt` is null before the first measurement.
    """

    waiting: int
    oldest_pending_at: Time | None
    measured_at: Time | None
    failures: list[FailedAttempt]
    outcomes: OutcomesView
    sold_out_after_poll: int


@route(
    "POST",
    "/admin/partners",
    Role.OWNER,
    "Issue a key to a new partner. The key is shown in this answer only.",
    action="partner.issued",
    status=201,
)
def issue(parts: Parts, call: Call[NoQuery, NewPartner]) -> IssuedPartner:
    wanted = call.body
    partner_id = new_partner_id(parts.rng)
    key = new_key(partner_id, parts.rng)
    partner = Partner(
        partner_id=partner_id,
        name=wanted.name,
        key=key,
        push_url=_checked(parts, wanted.push_url),
        services=None if wanted.services is None else frozenset(wanted.services),
        dialect=wanted.dialect,
        overrides=_as_kept(wanted.overrides),
        max_live=wanted.max_live,
        offer=_offer_of(wanted.offer),
        created_at=parts.now(),
    )
    parts.partners.add(partner)
    call.log_change(changed_id=partner_id)
    warning = None
    if partner.offer is not None:
        try:
            warning = _arranged(parts)
        except (Busy, Unavailable):
            # The answer has the only copy of the key.
            warning = _NOT_ARRANGED
    # Nothing can wait for it yet.
    return IssuedPartner.of(partner, parts, None, key=key, offer_warning=warning)


@route(
    "GET",
    "/admin/partners",
    Role.VIEW,
    "List partners, in no particular order.",
)
def browse(parts: Parts, call: Call[PageQuery, NoFields]) -> PartnerPage:
    page = parts.partners.page(PAGE, call.query.get("cursor"))
    note = parts.statistics.pending()
    return PartnerPage(partners=[PartnerView.of(partner, parts, note) for partner in page.items], cursor=page.cursor)


@route(
    "GET",
    "/admin/partners/{partnerId}",
    Role.VIEW,
    "Read a partner.",
    errors=(404,),
)
def read(parts: Parts, call: Call[NoQuery, NoFields]) -> PartnerView:
    return PartnerView.of(partner_in(parts, call.path), parts, parts.statistics.pending())


@route(
    "GET",
    "/admin/partners/{partnerId}/activity",
    Role.VIEW,
    "Show how pushing to a partner goes: how many SMS wait, as last measured (once a minute), and the newest "
    "failed push attempts (at most 20) among its last 25 activations; and its outcomes of 24 hours; and how often "
    "in these it got NO_NUMBERS though its last poll may have shown some.",
    errors=(404,),
)
def activity(parts: Parts, call: Call[ActivityQuery, NoFields]) -> PartnerActivity:
    """Show how pushing to a partner goes: what waits, as the sweep found it last, what failed last, and its
    outcomes.

    A look at what the partner answered is entered in the audit log first.
    """
    partner = partner_in(parts, call.path)
    found = parts.activations.last_of_partner(partner.partner_id, _LOOKED_AT)
    with ThreadPoolExecutor(_READERS) as threads:
        failures = [failure for failed in threads.map(partial(_failures, parts), found) for failure in failed]
    failures.sort(key=lambda failure: failure[0], reverse=True)
    newest = [failure for _, failure in failures[:_MOST_FAILURES]]
    answers = sum(bool(failure.answer) for failure in newest)
    if call.query.get("texts") == "hidden":
        newest = [failure.model_copy(update={"answer": None}) for failure in newest]
    elif answers:
        call.log_look(parts, "partner.answers_read", partner.partner_id, answers=answers)
    note = parts.statistics.pending()
    pending = None if note is None else note.partners.get(partner.partner_id)
    return PartnerActivity(
        waiting=0 if pending is None else pending.waiting,
        oldest_pending_at=None if pending is None else to_iso(pending.oldest_at),
        measured_at=None if note is None else to_iso(note.measured_at),
        failures=newest,
        outcomes=OutcomesView.of(outcomes_by_partner(parts).get(partner.partner_id, Outcomes()), parts.outcome_limits),
        sold_out_after_poll=sold_out_after_poll(parts, partner.partner_id),
    )


def _failures(parts: Parts, activation: Activation) -> list[tuple[int, FailedAttempt]]:
    """Return the failed push attempts of an activation that are kept, each with when it began (ms)."""
    attempts = parts.pushes.attempts(activation.activation_id)
    return [
        (
            attempt.started_at,
            FailedAttempt(
                at=to_iso(attempt.started_at),
                activation_id=activation.activation_id,
                sms_id=str(sms_id),
                number=attempt.number,
                outcome=attempt.outcome,
                http_status=attempt.http_status,
                duration_ms=attempt.duration_ms,
                answer=attempt.answer,
            ),
        )
        for sms_id, made in attempts.items()
        for attempt in made
        if attempt.outcome != AttemptOutcome.DELIVERED
    ]


@route(
    "PATCH",
    "/admin/partners/{partnerId}",
    Role.OWNER,
    "Change the fields that are given. With a `version`, only if the partner still has it (409). A revoked "
    "partner can't be changed (409).",
    action="partner.changed",
    errors=(404, 409),
)
def change(parts: Parts, call: Call[NoQuery, PartnerChange]) -> ChangedPartner:
    """Change what is given and nothing else, so that two people who change different things both succeed.

    Who gives the version that was read is refused when there has been another change since.
    """
    asked = call.body
    fields = [name for name in asked if name != "version"]
    if not fields:
        raise InvalidInput(
            "body", "expected at least one of name, pushUrl, services, dialect, overrides, maxLive and offer"
        )
    call.log_change(fields=sorted(map(to_camel, fields)))
    wanted: dict[str, Any] = {name: value for name, value in asked.items() if name in fields}
    if "push_url" in asked:
        wanted["push_url"] = _checked(parts, asked["push_url"])
    if "overrides" in asked:
        wanted["overrides"] = _as_kept(asked["overrides"])
    if "offer" in asked:
        wanted["offer"] = _offer_of(asked["offer"])
    if asked.get("services") is not None:
        wanted["services"] = frozenset(asked["services"] or ())
    note = parts.statistics.pending()
    partner = parts.partners.change(_id(call.path), cast("PartnerUpdate", wanted), asked.get("version"))
    warning = _arranged(parts) if "offer" in asked else None
    return ChangedPartner.of(partner, parts, note, offer_warning=warning)


@route(
    "POST",
    "/admin/partners/{partnerId}/rotate-key",
    Role.OWNER,
    "Give a partner a new key, shown in this answer only. The old one stops working within 60 s.",
    action="partner.key_rotated",
    errors=(404, 409),
)
def rotate_key(parts: Parts, call: Call[NoQuery, NoFields]) -> PartnerWithKey:
    partner_id = _id(call.path)
    # Read first: once there is a new key, nothing must keep its only copy from being shown.
    note = parts.statistics.pending()
    key = new_key(partner_id, parts.rng)
    partner = parts.partners.rotate_key(partner_id, key)
    return PartnerWithKey.of(partner, parts, note, key=key)


@route(
    "POST",
    "/admin/partners/{partnerId}/link",
    Role.OWNER,
    "Make a link for the partner's developer, shown in this answer only: the page for partners, which gets the key by "
    "it, once, within 24 hours. A former link, and one from before another key, leads to no key any more. A revoked "
    "partner gets none (409).",
    action="partner.link_made",
    status=201,
    errors=(404, 409),
)
def make_link(parts: Parts, call: Call[NoQuery, NoFields]) -> KeyLinkView:
    partner_id = _id(call.path)
    token = new_link_token(partner_id, parts.rng)
    link = KeyLink(digest_of(token), parts.now() + LINK_LIFETIME)
    parts.partners.put_link(partner_id, link)
    # After #, so that no request and no log has it.
    url = f"{call.request.public_url(f'/admin/partners/{partner_id}/link')}/partner/#{token}"
    return KeyLinkView(url=url, expires_at=to_iso(link.until))


@route(
    "POST",
    "/admin/partners/{partnerId}/signing-secret",
    Role.OWNER,
    "Sign the partner's pushes with a new secret, shown in this answer only. A former one goes on signing "
    "beside it for 24 hours. 409 when the partner is revoked, or was given another secret at the same moment.",
    action="partner.signing_secret_rotated",
    status=201,
    errors=(404, 409),
)
def rotate_signing_secret(parts: Parts, call: Call[NoQuery, NoFields]) -> SigningSecretView:
    partner_id = _id(call.path)
    secret = new_signing_secret(parts.rng)
    parts.partners.rotate_signing_secret(partner_id, secret, parts.now())
    return SigningSecretView(signing_secret=secret)


@route(
    "DELETE",
    "/admin/partners/{partnerId}/signing-secret",
    Role.OWNER,
    "Stop signing the partner's pushes, at once. Repeating it changes nothing. A revoked partner can't be "
    "changed (409).",
    action="partner.signing_secrets_removed",
    errors=(404, 409),
)
def remove_signing_secrets(parts: Parts, call: Call[NoQuery, NoFields]) -> PartnerView:
    note = parts.statistics.pending()
    partner = parts.partners.remove_signing_secrets(_id(call.path))
    return PartnerView.of(partner, parts, note)


@route(
    "POST",
    "/admin/partners/{partnerId}/test-push",
    Role.SUPPORT,
    "Push a made-up SMS to the partner's Push URL: once, now, in the form of every push and signed if they "
    "are. The phone is 447700900000, which nobody has; the smsId is at most 2^32, as no real one is. Nothing is "
    "tried again or kept. 409 when the partner is revoked or has no Push URL.",
    action="partner.push_tested",
    errors=(404, 409),
)
def test_push(parts: Parts, call: Call[NoQuery, NoFields]) -> TestPushResult:
    partner = partner_in(parts, call.path)
    if partner.revoked_at is not None:
        raise Conflict("partner: is revoked")
    if partner.push_url is None:
        raise Conflict("partner: has no Push URL")
    result = push_once(parts, partner, partner.push_url)
    call.log_change(outcome=result.outcome.value)
    return TestPushResult(
        delivered=result.delivered,
        outcome=result.outcome.value,
        http_status=result.http_status,
        duration_ms=result.duration_ms,
        answer=result.answer,
    )


@route(
    "POST",
    "/admin/partners/{partnerId}/pause",
    Role.SUPPORT,
    "Sell nothing to a partner: within 60 s its counts are 0 and its GET_NUMBER is NO_NUMBERS. All else goes "
    "on. One that is paused already is given the new reason. A revoked partner can't be changed (409).",
    action="partner.paused",
    errors=(404, 409),
)
def pause(parts: Parts, call: Call[NoQuery, PauseReason]) -> PartnerView:
    now, note = parts.now(), parts.statistics.pending()
    call.log_change(fields=["reason"])
    partner = parts.partners.pause(_id(call.path), call.body.reason, now)
    _rearranged(parts, partner)
    return PartnerView.of(partner, parts, note)


@route(
    "DELETE",
    "/admin/partners/{partnerId}/pause",
    Role.SUPPORT,
    "Sell to a paused partner again, within 60 s. Repeating it changes nothing. A revoked partner can't be "
    "changed (409).",
    action="partner.resumed",
    errors=(404, 409),
)
def resume(parts: Parts, call: Call[NoQuery, NoFields]) -> PartnerView:
    note = parts.statistics.pending()
    partner = parts.partners.resume(_id(call.path))
    _rearranged(parts, partner)
    return PartnerView.of(partner, parts, note)


@route(
    "DELETE",
    "/admin/partners/{partnerId}",
    Role.OWNER,
    "Revoke a partner: its key stops working within 60 s, for good. Repeating it changes nothing.",
    action="partner.revoked",
    errors=(404,),
)
def revoke(parts: Parts, call: Call[NoQuery, NoFields]) -> PartnerView:
    now, note = parts.now(), parts.statistics.pending()
    partner = parts.partners.revoke(_id(call.path), now)
    _rearranged(parts, partner)
    return PartnerView.of(partner, parts, note)


def partner_in(parts: Parts, path: Mapping[str, str]) -> Partner:
    """Return the partner that a path names, as it is now. Raises NotFound."""
    return parts.partners.get(_id(path))


def _id(path: Mapping[str, str]) -> PartnerId:
    return PartnerId(id_in(path, "partnerId", "partner"))


def _offer_of(fields: OfferFields | None) -> Offer | None:
    return None if fields is None else Offer(**fields)


def _offer_as_given(offer: Offer | None) -> OfferFields | None:
    if offer is None:
        return None
    given = {"percent": offer.percent, "most": offer.most}
    return cast("OfferFields", {name: limit for name, limit in given.items() if limit is not None})


def _arranged(parts: Parts) -> str | None:
    """Arrange whose turn comes when, after a change of an offer; return what is to be said of all offers together."""
    percent = parts.partners.arrange_turns()
    if percent <= 100:  # noqa: PLR2004
        return None
    return f"offer: the offers of all partners are {percent} % together, above 100: a partner may be shown what another buys"


def _rearranged(parts: Parts, partner: Partner) -> None:
    """Arrange whose turn comes when, after a change of who takes turns."""
    if partner.offer is not None:
        parts.partners.arrange_turns()


def _as_kept(overrides: Overrides | None) -> dict[str, object]:
    """Return what a partner has otherwise by the names of switches."""
    kept: dict[str, object] = _OVERRIDES.dump_python(overrides or {}, by_alias=True)
    return kept


def _checked(parts: Parts, push_url: str | None) -> str | None:
    if push_url is None:
        return None
    return check_push_url(push_url, "pushUrl", loopback=parts.push_loopback, https_only=parts.push_https_only)
