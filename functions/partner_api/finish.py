"""FINISH_ACTIVATION: record an outcome once, with its effects on the number (contract 1.5)."""

from globalconnect.domain.activation import Activation, Outcome, Step, step_for
from globalconnect.domain.errors import Busy, NotFound, existing
from globalconnect.domain.number import mark_for
from globalconnect.domain.partner import Partner
from globalconnect.domain.requests import FinishActivation
from globalconnect.domain.service import cancel_limit_of
from globalconnect.hub_protocol.catalogue import dialect_of
from globalconnect.hub_protocol.requests import ACTIVATION_ID
from globalconnect.store.dynamo import ConditionFailed
from partner_api.wiring import Parts

_TRIES = 10
_DECIDED_BY_SERVICE = frozenset({Outcome.SUCCESS, Outcome.CANCELED})


def finish(request: FinishActivation, partner: Partner, parts: Parts) -> None:
    """Close an activation. Doing it again changes nothing; the first outcome stands, a refund aside.

    Raises NotFound when the activation does not exist or is another partner's, and Busy when its number keeps
    changing.
    """
    for _ in range(_TRIES):
        activation = parts.activations.get(request.activation_id)
        if activation is None or activation.partner_id != partner.partner_id:
            raise NotFound(ACTIVATION_ID)
        try:
            _take_step(activation, request.outcome, partner, parts)
        except ConditionFailed:
            # The activation or its number changed since it was read: re-read.
            continue
        return
    raise Busy


def _take_step(activation: Activation, outcome: Outcome, partner: Partner, parts: Parts) -> None:
    match step_for(activation.outcome, outcome):
        case Step.NOTHING:
            return
        case Step.REFUND:
            parts.transactions.refund(activation, parts.now())
        case Step.RECORD:
            _record(activation, outcome, partner, parts)


def _record(activation: Activation, outcome: Outcome, partner: Partner, parts: Parts) -> None:
    number = existing(parts.numbers.get(activation.phone), ACTIVATION_ID)
    service = parts.services.find(activation.service) if outcome in _DECIDED_BY_SERVICE else None
    mark = mark_for(
        outcome,
        activation.service,
        reusable=service is not None and service.reusable,
        cancels=number.cancels.get(activation.service, 0),
        cancel_limit=cancel_limit_of(service, parts.cancel_limit, dialect_of(partner, parts.dialects).cancel_limit),
    )
    parts.transactions.finish(activation, outcome, mark, number, parts.now())
