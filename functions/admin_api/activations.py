"""Activations: list, read with messages and push attempts, push an SMS once more (contract 5)."""

from collections.abc import Callable, Sequence
from typing import Any

from admin_api.models import (
    ActivationDetails,
    ActivationDetailsQuery,
    ActivationPage,
    ActivationsQuery,
    ActivationView,
    AttemptView,
    NoFields,
    NoQuery,
    PushDueView,
    SmsView,
)
from admin_api.routes import PAGE, Call, Route
from admin_api.wiring import Parts
from globalconnect.domain.activation import Activation, State
from globalconnect.domain.errors import Busy, Conflict, NotFound
from globalconnect.domain.partner import Partner
from globalconnect.domain.push_attempt import ATTEMPT_TIMEOUT_SECONDS
from globalconnect.domain.push_schedule import CLAIM_LASTS
from globalconnect.domain.requests import read_activation_id
from globalconnect.domain.sms import Attempt, Sms, SmsRef
from globalconnect.domain.times import DAY, SECOND, to_iso, to_iso_if_any
from globalconnect.push.queue import DuePush

# How long after its claim the attempt that may be under way can still last: it may start late.
LONGEST_ATTEMPT = CLAIM_LASTS + round(ATTEMPT_TIMEOUT_SECONDS * SECOND)
# What is looked for may be rare: so often a page of the store is read for one of ours.
_MOST_READS = 10
# No deployment has longer ones (template.yaml, ActivationMinutes).
_LONGEST_LIFETIME = DAY


def browse(parts: Parts, call: Call[ActivationsQuery, NoFields]) -> ActivationPage:
    """List activations, newest first: all of them, or of a partner, a phone, a service, in a state, or all of these."""
    query = call.query
    partner_id, phone = query.get("partner_id"), query.get("phone")
    now = parts.now()
    filters = (query.get("service"), query.get("state"))
    cursor = query.get("cursor")
    wanted = _wanted(query, now)
    only_live = query.get("state") == State.LIVE.value
    found: list[Activation] = []
    for _ in range(_MOST_READS):
        page = parts.activations.page(
            PAGE - len(found), cursor, partner_id=partner_id, phone=phone, now=now, filters=filters
        )
        found += filter(wanted, page.items)
        cursor = page.cursor
        if only_live and page.items and page.items[-1].started_at < now - _LONGEST_LIFETIME:
            # All that is to come is older.
            cursor = None
        if cursor is None or len(found) == PAGE:
            break
    return ActivationPage(activations=[shown(activation, now) for activation in found], cursor=cursor)


def _wanted(query: ActivationsQuery, now: int) -> Callable[[Activation], bool]:
    service, state = query.get("service"), query.get("state")

    def is_wanted(activation: Activation) -> bool:
        return service in {None, activation.service} and state in {None, activation.state(now)}

    return is_wanted


def read(parts: Parts, call: Call[ActivationDetailsQuery, NoFields]) -> ActivationDetails:
    """Read an activation with its messages and push attempts; a look at what they say is entered in the audit log first."""
    activation_id = read_activation_id(call.path, "activationId")
    sale = parts.activations.sale(activation_id)
    if sale is None:
        raise NotFound("activation")
    attempts = parts.pushes.attempts(activation_id) if sale.sms else {}
    texts = call.query.get("texts", "shown")
    looked_at = {str(sms.sms_id) for sms in sale.sms if texts in {"shown", str(sms.sms_id)}}
    if texts not in {"shown", "hidden"} and not looked_at:
        raise NotFound("message")
    if looked_at:
        only = {} if texts == "shown" else {"smsId": texts}
        call.log_look(parts, "sms.texts_read", str(activation_id), messages=len(looked_at), **only)
    messages = [
        _message(sms, attempts.get(sms.sms_id, []), hidden=str(sms.sms_id) not in looked_at) for sms in sale.sms
    ]
    return ActivationDetails(**_fields(sale.activation, parts.now()), message_count=len(messages), messages=messages)


def push(parts: Parts, call: Call[NoQuery, NoFields]) -> PushDueView:
    """Push an SMS once more: now, or as soon as the attempt that may be under way has ended."""
    ref = SmsRef(read_activation_id(call.path, "activationId"), read_activation_id(call.path, "smsId"))
    activation = parts.activations.get(ref.activation_id)
    if activation is None:
        raise NotFound("activation")
    if not parts.pushes.find([ref]):
        raise NotFound("message")
    partner = _pushed_to(parts, activation)
    sms = parts.pushes.push_again(ref, parts.now(), LONGEST_ATTEMPT)
    now = parts.now()
    push = DuePush(ref, partner.partner_id, sms.next_due)
    (refusal,) = parts.retry_queues.send([push], slow=partner.is_slow(now), now=now)
    if refusal is not None:
        # It is due all the same and the sweep will queue it, but the operator should know that it wasn't done now.
        raise Busy from refusal
    return PushDueView(due_at=to_iso(sms.next_due))


def shown(activation: Activation, now: int) -> ActivationView:
    """Return an activation as staff see it at `now` (ms)."""
    return ActivationView(**_fields(activation, now))


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


def _fields(activation: Activation, now: int) -> dict[str, Any]:
    return {
        "activation_id": activation.activation_id,
        "partner_id": activation.partner_id,
        "phone": activation.phone,
        "country": activation.country,
        "operator": activation.operator,
        "service": activation.service,
        "started_at": to_iso(activation.started_at),
        "expires_at": to_iso(activation.expires_at),
        "state": activation.state(now).value,
        "outcome": None if activation.outcome is None else activation.outcome.value,
        "finished_at": to_iso_if_any(activation.finished_at),
        "sum": activation.total,
        "currency": activation.currency,
    }


def _message(stored: Sms, attempts: Sequence[Attempt], *, hidden: bool) -> SmsView:
    sms = stored.caught_up(attempts)
    attempt_log = [
        AttemptView(
            number=attempt.number,
            started_at=to_iso(attempt.started_at),
            duration_ms=attempt.duration_ms,
            outcome=attempt.outcome,
            http_status=attempt.http_status,
            # It may repeat the text.
            answer=None if hidden else attempt.answer,
        )
        for attempt in attempts
    ]
    return SmsView(
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
        attempt_log=attempt_log,
    )


ROUTES = (
    Route(
        method="GET",
        path="/admin/activations",
        use=browse,
        query=ActivationsQuery,
        answer=ActivationPage,
        summary="List activations, newest first. With several filters, or by service or state, a page may hold fewer "
        "than there are to come, or none: only a null cursor is the end.",
    ),
    Route(
        method="GET",
        path="/admin/activations/{activationId}",
        use=read,
        query=ActivationDetailsQuery,
        answer=ActivationDetails,
        shortened="messages",
        errors=(404,),
        summary="Read an activation with its messages and their push attempts (the first and the last 20 of each). That its texts, "
        "and what was answered to their pushes, were looked at is entered in the audit log, unless they are hidden; with an "
        "smsId, only those of that one are shown.",
    ),
    Route(
        method="POST",
        path="/admin/activations/{activationId}/messages/{smsId}/push",
        action="message.pushed_again",
        use=push,
        answer=PushDueView,
        status=202,
        errors=(404, 409),
        summary="Push an SMS once more, also one that was delivered: now, or when the attempt under way has ended. "
        "409 when the activation is finished, or its partner is revoked or has no Push URL.",
    ),
)
