"""Partners for whom SMS wait, and who of them is in trouble: what staff are alarmed about (docs/architecture.md)."""

from collections.abc import Mapping
from dataclasses import dataclass

from globalconnect.domain.partner import Partner
from globalconnect.domain.push_schedule import SUCCESS_NOTED_EVERY
from globalconnect.domain.times import MINUTE

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
    partners: Mapping[str, PartnerPending]

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
