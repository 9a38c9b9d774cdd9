"""Whose SMS wait, and how many: what the sweep notes for staff, and what they are alarmed about."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from globalconnect.domain.backlog import PartnerPending, PendingNote
from globalconnect.domain.sms import PushState, Sms

# The note is one item, so it can't name any number of partners.
MOST_PARTNERS = 200


@dataclass(frozen=True, slots=True)
class Waiting:
    """A partner whose SMS wait: what does, for how long the oldest has (`age`, ms), and whether it is in the alarm."""

    partner_id: str
    pending: PartnerPending
    age: int
    without_success: bool


def waiting_by_partner(batch: Iterable[Sms]) -> dict[str, PartnerPending]:
    """Return what waits of these SMS, by partner.

    One that was delivered before and that an operator has pushed again does not wait: the partner has it.
    """
    return _together(
        (sms.partner_id, PartnerPending(1, sms.stored_at))
        for sms in batch
        if sms.push_state is PushState.PENDING and sms.delivered_at is None
    )


def all_waiting(parts: Iterable[Mapping[str, PartnerPending]]) -> dict[str, PartnerPending]:
    """Return what `waiting_by_partner` would of all messages together, from what it gave of some at a time."""
    return _together(entry for part in parts for entry in part.items())


def note_of(waiting: Sequence[Waiting], measured_at: int) -> PendingNote:
    """Return what to note of a sweep that began at `measured_at` (ms): sums of all, and the partners in most trouble."""
    in_trouble = sorted(waiting, key=lambda one: (not one.without_success, -one.age))
    return PendingNote(
        measured_at=measured_at,
        waiting=sum(one.pending.waiting for one in waiting),
        oldest_at=min((one.pending.oldest_at for one in waiting), default=None),
        partners={one.partner_id: one.pending for one in in_trouble[:MOST_PARTNERS]},
    )


def _together(entries: Iterable[tuple[str, PartnerPending]]) -> dict[str, PartnerPending]:
    found: dict[str, PartnerPending] = {}
    for partner_id, pending in entries:
        known = found.get(partner_id, PartnerPending(0, pending.oldest_at))
        found[partner_id] = PartnerPending(known.waiting + pending.waiting, min(known.oldest_at, pending.oldest_at))
    return found
