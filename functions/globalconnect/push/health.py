"""Which partners are in trouble, so that their time-outs hold nobody else's first push up (contract 3).

A partner is in trouble for a while after an attempt that failed or was slow. This function knows at once; others learn
it from the partner's item, which is written when trouble begins and while it lasts, not at every attempt.
"""

from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from globalconnect.domain.errors import Busy
from globalconnect.domain.push_schedule import TROUBLE_LASTS, is_trouble
from globalconnect.store.partners import Partners
from globalconnect.telemetry import Event, log_failure


class Health:
    """What is known of partners' health. `now` gives the time in ms."""

    def __init__(self, partners: Partners, now: Callable[[], int]) -> None:
        self._partners = partners
        self._now = now
        self._until: dict[str, int] = {}
        self._shared_until: dict[str, int] = {}

    def in_trouble(self, partner_id: str) -> bool:
        """Tell whether an attempt of the last minute failed or was slow, here or, as far as is known, elsewhere."""
        now = self._now()
        if now < self._until.get(partner_id, 0):
            return True
        partner = self._partners.cached(partner_id)
        return partner is not None and now < partner.troubled_until

    def note(self, partner_id: str, *, delivered: bool, duration_ms: int) -> None:
        """Take note of how an attempt ended. Writes at most once in TROUBLE_LASTS per partner."""
        if not is_trouble(delivered=delivered, duration_ms=duration_ms):
            return
        until = self._now() + TROUBLE_LASTS
        self._until[partner_id] = until
        if until <= self._shared_until.get(partner_id, 0):
            return
        # Twice as long for others, so that trouble that lasts need not be written at every attempt.
        self._shared_until[partner_id] = until + TROUBLE_LASTS
        try:
            self._partners.note_trouble(partner_id, until + TROUBLE_LASTS)
        except (BotoCoreError, ClientError, Busy) as error:
            # Others learn it by an attempt of their own.
            log_failure(Event.HEALTH_NOT_SHARED, error, partner_id=partner_id)
