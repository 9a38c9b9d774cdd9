"""Lifting the marks that outcomes 1 and 4 left on numbers (contract 5, docs/adr/0034)."""

from typing import Annotated

from pydantic import Field

from admin_api.numbers import NumberWithMarks
from admin_api.route import Call, id_in, route
from admin_api.schema import BodyWithReason, Cursor, Moment, NoQuery, ServiceCode, View
from admin_api.wiring import Parts
from globalconnect.domain.activation import Activation, Outcome
from globalconnect.domain.errors import Busy, existing
from globalconnect.domain.ids import PartnerId
from globalconnect.domain.marks import may_have_left_one, without_mark_of, without_marks
from globalconnect.domain.number import Number
from globalconnect.domain.phones import check_phone
from globalconnect.domain.service import Catalogue, cancel_limit_of
from globalconnect.domain.staff import Role
from globalconnect.domain.times import parse_iso
from globalconnect.hub_protocol.catalogue import dialect_of
from globalconnect.store.dynamo import ConditionFailed

_TRIES = 10
# A portion ends with the page in which it has lifted or looked at so many.
_PAGE = 50
_MOST_LOOKED_AT = 1_000

_UNSURE = "It is not known what blocked the number for this service: it may have been a success."


class MarksOfNumber(BodyWithReason):
    """The service for which a number's marks are to be lifted."""

    service: ServiceCode


class MarksOfPartner(BodyWithReason):
    """Since when the activations began whose marks are to be lifted, and where an earlier answer ended."""

    since: Moment
    cursor: Annotated[Cursor | None, Field(description="the cursor of the answer before, or null")] = None


class NumberWithLift(NumberWithMarks):
    """A number as it is now, how many marks were lifted, and a warning when one of them may have been a success."""

    lifted: int
    warning: str | None


class LiftResult(View):
    """How many marks this call lifted, and where the next goes on, null at the end."""

    lifted: int
    cursor: str | None


@route(
    "POST",
    "/admin/numbers/{phone}/lift-marks",
    Role.SUPPORT,
    "Lift what outcomes 1 and 4 left on a number for a service, so that it is sold for it again. What a success "
    "used up is never lifted (409). A block older than the causes of blocks is lifted with a warning: it may have been "
    "a success. Repeating it changes nothing. The reason is in the audit log.",
    action="number.marks_lifted",
    errors=(404, 409),
)
def lift_of_number(parts: Parts, call: Call[NoQuery, MarksOfNumber]) -> NumberWithLift:
    phone, service = check_phone(call.path["phone"], "phone"), call.body.service
    call.log_change(changed_id=phone, code=service)
    for _ in range(_TRIES):
        number = existing(parts.numbers.get(phone), "number")
        left = without_marks(number, service)
        if left is None:
            return NumberWithLift.of(number, parts.now(), lifted=0, warning=None)
        try:
            number = parts.numbers.lift(number, left, parts.now())
        except ConditionFailed:
            # Somebody bought it, or finished with it, since it was read.
            continue
        call.log_change(lifted=left.lifted)
        return NumberWithLift.of(number, parts.now(), lifted=left.lifted, warning=_UNSURE if left.unsure else None)
    raise Busy


@route(
    "POST",
    "/admin/partners/{partnerId}/lift-marks",
    Role.SUPPORT,
    "Lift what outcomes 1 and 4 of a partner's activations left on their numbers, of those that began since a "
    "time, newest first, a portion per call: send it again with the cursor until that is null. Each mark is lifted "
    "once, also when it is sent again from the start. Cancels of other partners still count. Blocks older than the "
    "causes of blocks are lifted per number only. The reason is in the audit log.",
    action="partner.marks_lifted",
    errors=(404,),
)
def lift_of_partner(parts: Parts, call: Call[NoQuery, MarksOfPartner]) -> LiftResult:
    partner_id = parts.partners.get(PartnerId(id_in(call.path, "partnerId", "partner"))).partner_id
    since, _ = parse_iso(call.body.since) or (0, 0)
    cursor = call.body.cursor
    catalogue = parts.services.catalogue()
    lifted = looked_at = 0
    while True:
        page = parts.activations.started_since(partner_id, since, _PAGE, cursor)
        cursor = page.cursor
        lifted += sum(_lift(parts, catalogue, activation) for activation in page.items)
        looked_at += len(page.items)
        if cursor is None or lifted >= _PAGE or looked_at >= _MOST_LOOKED_AT:
            break
    call.log_change(since=call.body.since, lifted=lifted)
    return LiftResult(lifted=lifted, cursor=cursor)


def _lift(parts: Parts, catalogue: Catalogue, activation: Activation) -> bool:
    """Lift the mark of an activation; return whether there was one. Raises Busy when its number keeps changing."""
    known: Activation | None = activation
    for _ in range(_TRIES):
        if known is None or not may_have_left_one(known):
            return False
        number = parts.numbers.get(known.phone)
        if number is None:
            return False
        left = without_mark_of(known, number, _cancel_limit(parts, catalogue, number, activation.service))
        if left is None:
            return False
        try:
            parts.transactions.lift_mark(known, number, left, parts.now())
        except ConditionFailed:
            known = parts.activations.get(known.activation_id)
        else:
            return True
    raise Busy


def _cancel_limit(parts: Parts, catalogue: Catalogue, number: Number, service: str) -> int:
    """Return at how many cancels a service is blocked on a number as of now, by whoever's cancel blocked it."""
    causes = number.causes.get(service, ())
    canceled_by = [cause.partner_id for cause in causes if cause.outcome is Outcome.CANCELED]
    partner = next(iter(parts.partners.without_secrets(canceled_by).values()), None) if canceled_by else None
    partners = None if partner is None else dialect_of(partner).cancel_limit
    return cancel_limit_of(catalogue.get(service), parts.cancel_limit, partners)
