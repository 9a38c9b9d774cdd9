"""Activations: list, read with messages and push attempts, push an SMS once more (contract 5)."""

from collections.abc import Callable

from admin_api.activations.views import (
    ActivationDetails,
    ActivationDetailsQuery,
    ActivationPage,
    ActivationsQuery,
    ActivationView,
    PushDueView,
    SmsView,
)
from admin_api.route import PAGE, Call
from admin_api.schema import NoFields, NoQuery
from admin_api.wiring import Parts
from globalconnect.domain.activation import Activation, State
from globalconnect.domain.errors import Busy, Conflict, NotFound
from globalconnect.domain.ids import read_activation_id
from globalconnect.domain.partner import Partner
from globalconnect.domain.push_attempt import ATTEMPT_TIMEOUT_SECONDS
from globalconnect.domain.push_schedule import CLAIM_LASTS
from globalconnect.domain.sms import SmsRef
from globalconnect.domain.times import DAY, SECOND, to_iso
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
    return ActivationPage(activations=[ActivationView.of(activation, now) for activation in found], cursor=cursor)


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
        SmsView.of(sms, attempts.get(sms.sms_id, []), hidden=str(sms.sms_id) not in looked_at) for sms in sale.sms
    ]
    return ActivationDetails.of(sale.activation, parts.now(), message_count=len(messages), messages=messages)


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
