"""Partners and their keys (contract 1 and 5)."""

import hmac
from dataclasses import dataclass

from globalconnect.domain.ids import Dice, new_token

_PREFIX = "gc"
DIALECTS = frozenset({"default"})


@dataclass(frozen=True, slots=True)
class Partner:
    """A hub that buys from us.

    `services` is None when it may buy every service. The key is kept readable because PUSH_SMS has to send it.
    Its server was last seen in trouble so that it counts as such until `troubled_until` (ms).
    """

    partner_id: str
    name: str
    key: str
    push_url: str | None
    services: frozenset[str] | None
    dialect: str
    created_at: int
    revoked_at: int | None = None
    troubled_until: int = 0

    def __repr__(self) -> str:
        """Leave the key out: a repr ends up in logs."""
        return f"Partner({self.partner_id!r})"

    def accepts_key(self, key: str) -> bool:
        """Tell whether `key` is this partner's and still works."""
        same = hmac.compare_digest(self.key.encode(), key.encode())
        return same and self.revoked_at is None

    def may_buy(self, service: str) -> bool:
        """Tell whether this partner may buy `service` at all (contract 1, 403)."""
        return self.services is None or service in self.services


def new_partner_id(dice: Dice) -> str:
    """Give the id of a new partner."""
    return new_token(10, dice)


def new_key(partner_id: str, dice: Dice) -> str:
    """Give a new key of a partner: it names the partner, so one read by id checks it; the rest is 160 random bits."""
    return f"{_PREFIX}_{partner_id}_{new_token(32, dice)}"


def partner_id_of(key: str) -> str | None:
    """Give the partner a key names, or None when the text can't be a key of ours."""
    parts = key.split("_")
    if len(parts) != 3 or parts[0] != _PREFIX or not parts[1] or len(key) > 100 or not key.isascii():  # noqa: PLR2004
        return None
    return parts[1]
