"""Partners for whom SMS wait, and who of them is in trouble: what staff are alarmed about (docs/architecture.md)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from globalconnect.domain.ids import PartnerId
from globalconnect.domain.partner import Partner
from globalconnect.domain.push_schedule import SUCCESS_NOTED_EVERY
from globalconnect.domain.sms import PushState, Sms
from globalconnect.domain.times import MINUTE

# The note is one item, so it can't name any number of partners.
MOST_PARTNERS = 200
# For so long a partner may take nothing while SMS wait.
WITHOUT_SUCCESS = 5 * MINUTE


@dataclass(frozen=True, slots=True)
class PartnerPending:
    """How many SMS wait for a partner, and when the oldest of them was stored (ms)."""

    waiting: int
    oldest_at: int


@dataclass(frozen=True, slots=True)
class PendingNote:
    """What the sweep that began at `measured_at` (ms) found waiting for OVERDUE or longer, in all and by partner.

    `oldest_at` (ms) is None when nothing waits. `partners` are by id; of very many, those in the most trouble.
    """

    measured_at: int
    waiting: int
    oldest_at: int | None
    partners: Mapping[PartnerId, PartnerPending]

    def is_in_trouble(self, partner: Partner) -> bool:
        """Return whether the alarm would speak of a partner, as it is known now, for what waited at this sweep."""
        pending = self.partners.get(partner.partner_id)
        return pending is not None and is_without_success(partner, pending.oldest_at, self.measured_at)


def is_without_success(partner: Partner | None, oldest: int, now: int) -> bool:
    """Return whether a partner has taken no push for 5 minutes at `now` (ms), while SMS have waited longer than that.

    `oldest` (ms) is when the oldest that waits was stored. A partner that is revoked or has no Push URL is not meant
    to take any: what waits for it is stopped when its next push is due.
    """
    if partner is None or partner.revoked_at is not None or partner.push_url is None:
        return False
    noted = partner.last_success_at
    # Its last success may be later than the noted one, and nobody must be in the alarm who took a push 5 minutes ago.
    had_success = noted is not None and now < noted + SUCCESS_NOTED_EVERY + WITHOUT_SUCCESS
    return not had_success and now > oldest + WITHOUT_SUCCESS


@dataclass(frozen=True, slots=True)
class Waiting:
    """A partner whose SMS wait: what does, for how long the oldest has (`age`, ms), and whether it is in the alarm."""

    partner_id: PartnerId
    pending: PartnerPending
    age: int
    without_success: bool


def waiting_by_partner(batch: Iterable[Sms]) -> dict[PartnerId, PartnerPending]:
    """Return what waits of these SMS, by partner.

    One that was delivered before and that staff have had pushed again does not wait: the partner has it.
    """
    return _together(
        (sms.partner_id, PartnerPending(1, sms.stored_at))
        for sms in batch
        if sms.push_state is PushState.PENDING and sms.delivered_at is None
    )


def all_waiting(parts: Iterable[Mapping[PartnerId, PartnerPending]]) -> dict[PartnerId, PartnerPending]:
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


def _together(entries: Iterable[tuple[PartnerId, PartnerPending]]) -> dict[PartnerId, PartnerPending]:
    found: dict[PartnerId, PartnerPending] = {}
    for partner_id, pending in entries:
        known = found.get(partner_id, PartnerPending(0, pending.oldest_at))
        found[partner_id] = PartnerPending(known.waiting + pending.waiting, min(known.oldest_at, pending.oldest_at))
    return found
