"""Which partners are slow, so that their time-outs hold nobody else's pushes up (contract 3).

A partner is slow for a while after an attempt that took long, however it ended; one that fails at once holds nobody up.
This environment knows at once; others learn it from the partner's item, which is written when slowness begins and now
and then while it lasts, not at every attempt. So is when a partner last took a push, for the alarm about those that don't.
"""

from collections.abc import Callable

from globalconnect.domain.errors import Busy, Unavailable
from globalconnect.domain.ids import PartnerId
from globalconnect.domain.partner import Partner
from globalconnect.domain.push_schedule import SLOW_LASTS, SUCCESS_NOTED_EVERY, is_slow
from globalconnect.domain.times import SECOND
from globalconnect.runtime.logs import Event, log_failure
from globalconnect.store.partners import Partners

# Others' knowledge may be this much older than ours.
_SLOWNESS_SHARED_EVERY = 20 * SECOND


class Health:
    """What is known of partners' health. `now` gives the time in ms."""

    def __init__(self, partners: Partners, now: Callable[[], int]) -> None:
        self._partners = partners
        self._now = now
        self._slow_until: dict[PartnerId, int] = {}
        self._slow_until_shared: dict[PartnerId, int] = {}
        self._success: dict[PartnerId, int] = {}
        self._success_shared: dict[PartnerId, int] = {}

    def is_slow(self, partner: Partner) -> bool:
        """Return whether an attempt of the last minute was slow, here or, as far as the partner's item says, elsewhere."""
        now = self._now()
        return partner.is_slow(now) or now < self._slow_until.get(partner.partner_id, 0)

    def note(self, partner: Partner, *, delivered: bool, duration_ms: int) -> None:
        """Take note of how an attempt ended. Calls nobody."""
        now, name = self._now(), partner.partner_id
        self._slow_until_shared[name] = max(self._slow_until_shared.get(name, 0), partner.slow_until)
        self._success_shared[name] = max(self._success_shared.get(name, 0), partner.last_success_at or 0)
        if is_slow(duration_ms):
            self._slow_until[name] = now + SLOW_LASTS
        if delivered:
            self._success[name] = now

    def share(self) -> None:
        self._share(self._slow_until, self._slow_until_shared, _SLOWNESS_SHARED_EVERY, self._partners.note_slow)
        self._share(self._success, self._success_shared, SUCCESS_NOTED_EVERY, self._partners.note_success)

    def _share(
        self,
        known: dict[PartnerId, int],
        shared: dict[PartnerId, int],
        every: int,
        note: Callable[[PartnerId, int], None],
    ) -> None:
        for partner_id, time in known.items():
            if time < shared[partner_id] + every:
                continue
            try:
                note(partner_id, time)
            except (Busy, Unavailable) as error:
                # The next batch tries again; meanwhile others learn it by an attempt of their own.
                log_failure(Event.HEALTH_NOT_SHARED, error, partner_id=partner_id)
            else:
                shared[partner_id] = time
