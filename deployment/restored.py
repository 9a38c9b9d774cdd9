"""What is put back of a table that got lost, when all there is of it is an older state (docs/adr/0039).

What the other tables have since is newer, and decides: a number is held by its live activation whatever it looked like
before, and an activation is as live as the number says that it holds.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from globalconnect.domain.activation import Activation, Outcome, State
from globalconnect.domain.number import Cause, Number, causes_with, mark_for
from globalconnect.domain.partner import Partner
from globalconnect.domain.push_schedule import SUCCESS_NOTED_EVERY


def is_lost(current: Number | None, before: Number | None, live: Activation | None) -> bool:
    """Return whether a number is to be put back: it is missing, or not newer than `before` and otherwise than it was,
    which no change of ours leaves, or free although an activation is live.
    """
    if current is None:
        return True
    if before is not None and current.version <= before.version and current != before:
        return True
    return live is not None and current.activation_id is None


def with_marks_of(before: Number, entered_anew: Number) -> Number:
    """Return a number as it was before, with the marks as well that it got since it was entered once more."""
    services = before.cancels.keys() | entered_anew.cancels.keys()
    return replace(
        before,
        blocked=before.blocked | entered_anew.blocked,
        causes={**entered_anew.causes, **before.causes},
        cancels={code: before.cancels.get(code, 0) + entered_anew.cancels.get(code, 0) for code in services},
    )


def live_among(sold: Sequence[Activation], now: int) -> Activation | None:
    """Return the activation that is live at `now` (ms)."""
    return next((one for one in sold if one.state(now) is State.LIVE), None)


def restored_number(  # noqa: PLR0913 - what is known of it, by name
    before: Number,
    sold: Sequence[Activation],
    *,
    version: int,
    now: int,
    rest: int,
    cancel_limit: Callable[[Activation], int],
) -> Number:
    """Return a number as it should be at `now` (ms), from how it was before.

    `sold` are its activations that began or were finished since, and the one that is live; `version` is the newest that
    is known of it elsewhere, `rest` is in ms, `cancel_limit` that of an activation's
    service and partner. The number is newer than all of them, so that it is counted and no mark is older than itself; and
    nobody's from `now` on at the earliest, so that environments find it (docs/adr/0021). Marks that staff lifted since are there again.
    """
    number = before
    left = sorted((one for one in sold if (one.marked_version or 0) > before.version), key=_marked_version)
    for activation in left:
        if activation.lifted_at is None:
            number = _marked(number, activation, cancel_limit(activation))
    newest = max([version, before.version, *map(_marked_version, left)])
    number = replace(number, version=newest + 1)
    live = live_among(sold, now)
    if live is not None:
        return number if number.activation_id == live.activation_id else _held(number, live)
    ends = [min(one.finished_at or one.expires_at, one.expires_at) + rest for one in sold]
    if before.activation_id is None:
        ends.append(before.available_from)
    elif before.activation_id not in {one.activation_id for one in sold}:
        if now < before.available_from:
            # Its activation got lost, too: it can be made again from the number.
            return number
        ends.append(before.available_from + rest)
    until = max(now, *ends)
    return replace(_held(number, None), available_from=until, resting=until > now)


def activation_of(number: Number) -> Activation | None:
    """Return the activation that holds a number, from what the number says of it; None when that is too little.

    Neither what the partner called total and currency is known then, nor any SMS.
    """
    its_id, partner_id, service, began = number.activation_id, number.partner_id, number.held_for, number.held_from
    if its_id is None or partner_id is None or service is None or began is None:
        return None
    return Activation(
        activation_id=its_id,
        partner_id=partner_id,
        phone=number.phone,
        country=number.country,
        operator=number.operator,
        service=service,
        started_at=began,
        expires_at=number.available_from,
        overdue_at=number.overdue_at,
    )


def may_have_taken(partner: Partner | None, since: int) -> bool:
    """Return whether a partner may have taken a push after `since` (ms): then what was pending by then may be its."""
    if partner is None:
        return True
    noted = partner.last_success_at
    return noted is not None and noted + SUCCESS_NOTED_EVERY >= since


def _marked_version(activation: Activation) -> int:
    return activation.marked_version or 0


def _marked(number: Number, activation: Activation, cancel_limit: int) -> Number:
    service = activation.service
    # What was refunded was a success, and stays used up.
    outcome = Outcome.SUCCESS if activation.outcome is Outcome.RETURNED else activation.outcome
    if outcome is None:
        return number
    count = number.cancels.get(service, 0)
    # It left a mark, so its service was not reusable.
    mark = mark_for(outcome, service, reusable=False, cancels=count, cancel_limit=cancel_limit)
    if mark is None:
        return number
    if mark.cancels is not None:
        number = replace(number, cancels={**number.cancels, service: mark.cancels})
    if not mark.block:
        return number
    cause = Cause(activation.activation_id, activation.partner_id, outcome, activation.finished_at or 0)
    causes = {**number.causes, service: causes_with(number, service, cause)}
    return replace(number, blocked=number.blocked | {service}, causes=causes)


def _held(number: Number, by: Activation | None) -> Number:
    if by is None:
        return replace(
            number, activation_id=None, partner_id=None, held_from=None, free_since=None, held_for=None, overdue_at=None
        )
    return replace(
        number,
        available_from=by.expires_at,
        activation_id=by.activation_id,
        partner_id=by.partner_id,
        held_from=by.started_at,
        free_since=None,
        held_for=by.service,
        overdue_at=by.overdue_at,
        resting=False,
    )
