"""Activations: list, read with messages and push attempts, push an SMS once more (contract 5)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, Self, TypedDict

from pydantic import Field, with_config

from admin_api.route import PAGE, Call, route
from admin_api.schema import (
    STRICT,
    Acknowledgement,
    ActivationTexts,
    Cursor,
    Filter,
    NoFields,
    NoQuery,
    PhoneFilter,
    SmsId,
    StateFilter,
    Time,
    View,
)
from admin_api.wiring import Parts
from globalconnect.domain import ids
from globalconnect.domain.activation import LONGEST_LIFETIME, Activation, State
from globalconnect.domain.errors import Busy, Conflict, NotFound, existing
from globalconnect.domain.partner import Partner
from globalconnect.domain.push_attempt import ATTEMPT_TIMEOUT_SECONDS
from globalconnect.domain.push_schedule import CLAIM_LASTS
from globalconnect.domain.sms import Attempt, DuePush, Sms, SmsRef
from globalconnect.domain.staff import Role
from globalconnect.domain.times import SECOND, to_iso, to_iso_if_any
from globalconnect.store.dynamo import ConditionFailed

# How long after its claim the attempt that may be under way can still last: it may start late.
LONGEST_ATTEMPT = CLAIM_LASTS + round(ATTEMPT_TIMEOUT_SECONDS * SECOND)

# What is looked for may be rare: so often a page of the store is read for one of ours.
_MOST_READS = 10
_TRIES = 10
# What is listed by this is live as well.
_OVERDUE = "overdue"


@with_config(STRICT)
class ActivationsQuery(TypedDict, total=False):
    """Which activations."""

    partner_id: Filter
    phone: PhoneFilter
    service: Filter
    state: StateFilter
    cursor: Cursor


@with_config(STRICT)
class ActivationDetailsQuery(TypedDict, total=False):
    """Whose text of its SMS is shown: that of all, of one, or of none."""

    texts: ActivationTexts


class ActivationView(View):
    """An activation; `outcome` 1 Prohibited, 3 Success, 4 Canceled, 5 Returned, null when not finished. `lineOfflineAt` is
    when its number's line went offline, the first time while it held the number. `overdueSince` is there while it is live though
    its partner should have finished it.
    """

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
    line_offline_at: Time | None
    overdue_since: Time | None

    @classmethod
    def of(cls, activation: Activation, now: int, **more: Any) -> Self:
        """Return an activation as staff see it at `now` (ms); `more` are the fields of a subclass."""
        return cls(
            activation_id=activation.activation_id,
            partner_id=activation.partner_id,
            phone=activation.phone,
            country=activation.country,
            operator=activation.operator,
            service=activation.service,
            started_at=to_iso(activation.started_at),
            expires_at=to_iso(activation.expires_at),
            state=activation.state(now).value,
            outcome=None if activation.outcome is None else activation.outcome.value,
            finished_at=to_iso_if_any(activation.finished_at),
            sum=activation.total,
            currency=activation.currency,
            line_offline_at=to_iso_if_any(activation.line_offline_at),
            overdue_since=to_iso_if_any(activation.overdue_at) if activation.is_overdue(now) else None,
            **more,
        )


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

    @classmethod
    def of(cls, attempt: Attempt, *, hidden: bool) -> Self:
        """Return an attempt as staff see it; what was answered may repeat the text, and is hidden with it."""
        return cls(
            number=attempt.number,
            started_at=to_iso(attempt.started_at),
            duration_ms=attempt.duration_ms,
            outcome=attempt.outcome,
            http_status=attempt.http_status,
            answer=None if hidden else attempt.answer,
        )


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

    @classmethod
    def of(cls, stored: Sms, attempts: Sequence[Attempt], *, hidden: bool) -> Self:
        """Return an SMS with its kept attempts as staff see them, or without what it says."""
        sms = stored.caught_up(attempts)
        return cls(
            sms_id=str(sms.sms_id),
            phone=sms.phone,
            phone_from=sms.phone_from,
            text=None if hidden else sms.text,
            received_at=to_iso(sms.received_at),
            stored_at=to_iso(sms.stored_at),
            push_state=sms.push_state.value,
            attempts=sms.attempts,
            outcomes=dict(sms.outcomes),
            delivered_at=to_iso_if_any(sms.delivered_at),
            attempt_log=[AttemptView.of(attempt, hidden=hidden) for attempt in attempts],
        )


class ActivationDetails(ActivationView):
    """An activation with its messages, oldest first; of `messageCount` the newest, when all are too many for an answer."""

    message_count: int
    messages: list[SmsView]


class PushDueView(Acknowledgement):
    """When the SMS will be pushed."""

    due_at: Time


@route(
    "GET",
    "/admin/activations",
    Role.VIEW,
    "List activations, newest first; overdue ones are live, too. With several filters, or by service or state, a page may hold fewer "
    "than there are to come, or none: only a null cursor is the end.",
)
def browse(parts: Parts, call: Call[ActivationsQuery, NoFields]) -> ActivationPage:
    query = call.query
    partner_id, phone = ids.PartnerId(query.get("partner_id", "")) or None, query.get("phone")
    now = parts.now()
    service, state, cursor = query.get("service"), query.get("state"), query.get("cursor")
    if state == _OVERDUE:
        # Found by the numbers that are held, which are fewer than what was sold in the last days.
        holding = parts.numbers.holding(now)
        overdue = parts.activations.overdue(
            holding, PAGE, cursor, now, partner_id=partner_id, phone=phone, service=service
        )
        return _page(overdue.items, overdue.cursor, now)
    only_live = state == State.LIVE.value
    found: list[Activation] = []
    for _ in range(_MOST_READS):
        page = parts.activations.page(
            PAGE - len(found), cursor, partner_id=partner_id, phone=phone, now=now, filters=(service, state)
        )
        found += [one for one in page.items if service in {None, one.service} and state in {None, one.state(now)}]
        cursor = page.cursor
        if only_live and page.items and page.items[-1].started_at < now - LONGEST_LIFETIME:
            # All that is to come is older.
            cursor = None
        if cursor is None or len(found) == PAGE:
            break
    return _page(found, cursor, now)


def _page(found: Sequence[Activation], cursor: str | None, now: int) -> ActivationPage:
    return ActivationPage(activations=[ActivationView.of(activation, now) for activation in found], cursor=cursor)


@route(
    "GET",
    "/admin/activations/{activationId}",
    Role.VIEW,
    "Read an activation with its messages and their push attempts (the first and the last 20 of each). That its texts, "
    "and what was answered to their pushes, were looked at is entered in the audit log, unless they are hidden; with an "
    "smsId, only those of that one are shown.",
    shortened="messages",
    errors=(404,),
)
def read(parts: Parts, call: Call[ActivationDetailsQuery, NoFields]) -> ActivationDetails:
    activation_id = ids.read_activation_id(call.path, "activationId")
    sale = existing(parts.activations.sale(activation_id), "activation")
    attempts = parts.pushes.attempts(activation_id) if sale.sms else {}
    texts = call.query.get("texts", "shown")
    looked_at = {str(sms.sms_id) for sms in sale.sms if texts in {"shown", str(sms.sms_id)}}
    if texts not in {"shown", "hidden"} and not looked_at:
        raise NotFound("message")
    if looked_at:
        only = {} if texts == "shown" else {"smsId": texts}
        call.log_look(parts, "sms.texts_read", str(activation_id), messages=len(looked_at), **only)
    messages = [
        SmsView.of(sms, attempts.get(sms.sms_id, []), hidden=str(sms.sms_id) not in looked_at) for sms in sale.sms
    ]
    return ActivationDetails.of(sale.activation, parts.now(), message_count=len(messages), messages=messages)


@route(
    "POST",
    "/admin/activations/{activationId}/end",
    Role.SUPPORT,
    "End an overdue activation: it expires now, and its number is free, or rests first. Once it has expired, repeating it "
    "changes nothing. 409 when it is finished, or not overdue.",
    action="activation.ended",
    errors=(404, 409),
)
def end(parts: Parts, call: Call[NoQuery, NoFields]) -> ActivationView:
    activation_id = ids.read_activation_id(call.path, "activationId")
    for _ in range(_TRIES):
        activation, now = existing(parts.activations.get(activation_id), "activation"), parts.now()
        if activation.is_overdue(now):
            number = existing(parts.numbers.get(activation.phone), "number")
            try:
                parts.transactions.end(activation, number, now)
            except ConditionFailed:
                # It was finished, or its number changed, since it was read.
                continue
            activation = replace(activation, expires_at=now)
        elif activation.outcome is not None:
            raise Conflict("activation: is finished")
        elif activation.overdue_at is None or activation.state(now) is State.LIVE:
            raise Conflict("activation: is not overdue")
        return ActivationView.of(activation, now)
    raise Busy


@route(
    "POST",
    "/admin/activations/{activationId}/messages/{smsId}/push",
    Role.SUPPORT,
    "Push an SMS once more, also one that was delivered: now, or when the attempt under way has ended. "
    "409 when the activation is finished, or its partner is revoked or has no Push URL.",
    action="message.pushed_again",
    status=202,
    errors=(404, 409),
)
def push(parts: Parts, call: Call[NoQuery, NoFields]) -> PushDueView:
    ref = SmsRef(
        ids.read_activation_id(call.path, "activationId"), ids.SmsId(ids.read_activation_id(call.path, "smsId"))
    )
    activation = existing(parts.activations.get(ref.activation_id), "activation")
    if not parts.pushes.find([ref]):
        raise NotFound("message")
    partner = _pushed_to(parts, activation)
    sms = parts.pushes.push_again(ref, parts.now(), LONGEST_ATTEMPT)
    now = parts.now()
    (refusal,) = parts.retry_queues.send(
        [DuePush(ref, partner.partner_id, sms.next_due)], slow=partner.is_slow(now), now=now
    )
    if refusal is not None:
        # It is due all the same and the sweep will queue it, but staff should know that it wasn't done now.
        raise Busy from refusal
    return PushDueView(due_at=to_iso(sms.next_due))


def _pushed_to(parts: Parts, activation: Activation) -> Partner:
    """Return the partner of an activation. Raises Conflict when a push would be against contract 3 or go nowhere."""
    if activation.outcome is not None:
        raise Conflict("activation: is finished, so nothing is pushed any more")
    partner = parts.partners.get(activation.partner_id)
    if partner.revoked_at is not None:
        raise Conflict("partner: is revoked")
    if partner.push_url is None:
        raise Conflict("partner: has no Push URL")
    return partner
