"""GET_NUMBER: issue a number that nobody else can get (contract 1.2)."""

from contextlib import suppress
from itertools import islice

from globalconnect.domain.activation import Activation, Hold
from globalconnect.domain.errors import Busy, Unavailable
from globalconnect.domain.ids import new_activation_id
from globalconnect.domain.number import Candidate
from globalconnect.domain.partner import Partner
from globalconnect.domain.pool_counts import may_have_been_shown
from globalconnect.domain.requests import WantedNumber
from globalconnect.store.transactions import IssueResult
from partner_api.wiring import Parts

# Buyers who lose a race choose among this many times more candidates each time, so that they don't meet again:
# when all go on to the next in line, 300 parallel buyers lose five times as many races.
_SPREAD = 4
_WIDEST = 64

_PATIENT_TRIES = 8


def issue(wanted: WantedNumber, partner: Partner, hold: Hold, parts: Parts) -> Activation | None:
    """Issue the least recently used number that may be issued; None when there is none (contract 1.2).

    `hold` is what ends the activation, if the partner doesn't.
    None is only given when the pool has been read to its end, or as far as one call reads. Raises Busy when numbers are
    left that others keep changing.
    """
    service = parts.services.find(wanted.service)
    if service is None or not service.enabled:
        return None
    candidates = parts.candidates.of(wanted, parts.now())
    near: list[Candidate] = []
    contended: list[Candidate] = []
    reach = 1
    while near := near + list(islice(candidates, max(0, reach - len(near)))):
        candidate = near.pop(parts.rng(len(near)))
        try:
            activation = _try(candidate, wanted, partner, hold, parts, tries=1)
        except Busy:
            contended.append(candidate)
            activation = None
        if activation is not None:
            return activation
        reach = min(reach * _SPREAD, _WIDEST)
    # Somebody was changing these while we asked; that does not say they were sold.
    for candidate in contended:
        activation = _try(candidate, wanted, partner, hold, parts, tries=_PATIENT_TRIES)
        if activation is not None:
            return activation
    with suppress(Busy, Unavailable):
        _note_if_shown(wanted, partner, parts)
    return None


def _note_if_shown(wanted: WantedNumber, partner: Partner, parts: Parts) -> None:
    """Count for staff that a partner gets none though its last poll may have shown some (docs/adr/0047). Raises Busy and
    Unavailable.
    """
    polled_at = parts.partners.last_poll(partner)
    if polled_at is None:
        return
    pools = parts.candidates.counted(wanted)
    if may_have_been_shown(pools, wanted.service, polled_at, excludes=bool(wanted.asked.exception_prefixes)):
        parts.sold_out.note(partner.partner_id, parts.now())


def _try(  # noqa: PLR0913 - what an activation is made of
    candidate: Candidate, wanted: WantedNumber, partner: Partner, hold: Hold, parts: Parts, *, tries: int
) -> Activation | None:
    while True:
        now = parts.now()
        expires_at, overdue_at = parts.lifetimes.of(hold, now)
        activation = Activation(
            activation_id=new_activation_id(now, parts.rng),
            partner_id=partner.partner_id,
            phone=candidate.phone,
            country=candidate.country,
            operator=candidate.operator,
            service=wanted.service,
            started_at=now,
            expires_at=expires_at,
            overdue_at=overdue_at,
            total=wanted.asked.total,
            currency=wanted.asked.currency,
        )
        match parts.transactions.issue(activation, tries=tries):
            case IssueResult.DONE:
                return activation
            case IssueResult.TAKEN:
                return None
            case IssueResult.ID_USED:
                continue
