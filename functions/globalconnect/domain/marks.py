"""What lifting marks leaves of a number's marks (contract 5, docs/adr/0034)."""

from dataclasses import dataclass

from globalconnect.domain.activation import Activation, Outcome
from globalconnect.domain.errors import Conflict
from globalconnect.domain.number import Cause, Number

_LIFTABLE = frozenset({Outcome.PROHIBITED, Outcome.CANCELED})


@dataclass(frozen=True, slots=True)
class RemainingMarks:
    """The marks that a number has for a service once `lifted` of them were lifted.

    `anew`: what activations left there before counts no more, whether or not it is known which they are. `unsure`: the
    block had no cause that is known, so it may have been a success.
    """

    service: str
    lifted: int
    blocked: bool = False
    cancels: int = 0
    causes: tuple[Cause, ...] = ()
    anew: bool = False
    unsure: bool = False


def without_marks(number: Number, service: str) -> RemainingMarks | None:
    """Lift all marks of a number for a service; None when there are none.

    Raises Conflict when it is used up by a success, which is never lifted.
    """
    causes, blocked = number.causes.get(service, ()), service in number.blocked
    if any(cause.outcome is Outcome.SUCCESS for cause in causes):
        raise Conflict("service: was used up by a success, which is never lifted")
    prohibited = sum(cause.outcome is Outcome.PROHIBITED for cause in causes)
    unsure = blocked and not causes
    lifted = number.cancels.get(service, 0) + prohibited + unsure
    return RemainingMarks(service, lifted, anew=True, unsure=unsure) if lifted else None


def may_have_left_one(activation: Activation) -> bool:
    """Return whether an activation, by itself, left a mark that can be lifted and was not."""
    known = activation.marked_version is not None and activation.lifted_at is None
    return known and activation.outcome in _LIFTABLE


def without_mark_of(activation: Activation, number: Number, cancel_limit: int) -> RemainingMarks | None:
    """Lift the mark that an activation left on its number; None when it left none, or one that is lifted already.

    Nor is one lifted that is not known to be this activation's, or that a success has covered since. Takes the number
    of cancels that blocks the service as of now: below it, what cancels blocked is blocked no more.
    """
    service = activation.service
    if not may_have_left_one(activation) or (activation.marked_version or 0) <= number.lifted.get(service, 0):
        return None
    causes, cancels = number.causes.get(service, ()), number.cancels.get(service, 0)
    if activation.outcome is Outcome.CANCELED:
        cancels = max(0, cancels - 1)
        left = tuple(cause for cause in causes if cause.outcome is not Outcome.CANCELED or cancels >= cancel_limit)
    else:
        left = tuple(cause for cause in causes if cause.activation_id != activation.activation_id)
        if left == causes:
            return None
    blocked = service in number.blocked and (bool(left) or not causes)
    return RemainingMarks(service, lifted=1, blocked=blocked, cancels=cancels, causes=left)
