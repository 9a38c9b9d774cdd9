"""Whose SMS wait, and who takes none: what operators are alarmed about (docs/architecture.md)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from globalconnect.domain.partner import Partner
from globalconnect.domain.push_schedule import SUCCESS_NOTED_EVERY
from globalconnect.domain.sms import PushState, Sms
from globalconnect.domain.times import MINUTE

# For so long a partner may take nothing while SMS wait.
WITHOUT_SUCCESS = 5 * MINUTE


@dataclass(frozen=True, slots=True)
class Waiting:
    """A partner whose SMS wait: how long the oldest has (`age`, ms), and whether the partner is in the alarm."""

    partner_id: str
    age: int
    without_success: bool


def oldest_by_partner(messages: Iterable[Sms]) -> dict[str, int]:
    """Give when the oldest SMS that waits was stored (ms), by partner.

    One that was delivered before and that an operator has pushed again does not wait: the partner has it.
    """
    return _oldest(
        (sms.partner_id, sms.stored_at)
        for sms in messages
        if sms.push_state is PushState.PENDING and sms.delivered_at is None
    )


def oldest_of_all(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Give what `oldest_by_partner` would of all messages together, from what it gave of some at a time."""
    return _oldest(entry for part in parts for entry in part.items())


def _oldest(entries: Iterable[tuple[str, int]]) -> dict[str, int]:
    oldest: dict[str, int] = {}
    for partner_id, stored_at in entries:
        oldest[partner_id] = min(stored_at, oldest.get(partner_id, stored_at))
    return oldest


def is_without_success(partner: Partner | None, oldest: int, now: int) -> bool:
    """Tell whether a partner has taken no push for 5 minutes at `now` (ms), while SMS have waited longer than that.

    `oldest` (ms) is when the oldest that waits was stored. A partner that is revoked or has no Push URL is not meant
    to take any: what waits for it is stopped when its next push is due.
    """
    if partner is None or partner.revoked_at is not None or partner.push_url is None:
        return False
    noted = partner.last_success_at
    # Its last success may be later than the noted one, and nobody must be in the alarm who took a push 5 minutes ago.
    had_success = noted is not None and now < noted + SUCCESS_NOTED_EVERY + WITHOUT_SUCCESS
    return not had_success and now > oldest + WITHOUT_SUCCESS
