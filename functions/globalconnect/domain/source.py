"""Inbound gateways: what one is to us, and which of its secrets are good (contract 4)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from globalconnect.domain.ids import SourceId
from globalconnect.domain.partner import Secret, SigningSecret, rotated

# Values by the names of its provider's SettingSpecs.
type SourceSettings = Mapping[str, str | bool]

# Of the name that a gateway gives a line of its own, in characters.
LONGEST_LINE = 200


@dataclass(frozen=True, slots=True)
class Line:
    """What a gateway calls a SIM or device of its own, and which number of ours that is, None when staff have not said.

    `heard_at` (ms) is when an SMS came in on it that no number was known for, None when none did.
    """

    source_id: SourceId
    line: str
    phone: str | None = None
    heard_at: int | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """When (ms) a source sent something that we could not use, and why we could not."""

    at: int
    reason: str


@dataclass(frozen=True, slots=True)
class Source:
    """An inbound gateway: the provider whose payload it speaks, and the secret it signs with (contract 4).

    `former_secrets` are those it may still sign with, newest first. `last_heard_at` (ms), `last_unreadable`, and
    `last_untimed`, an SMS without a time of receipt, are at most NOTED_EVERY behind, and so is `last_sms_at` (ms), when its
    last SMS came. `quiet_since` (ms) is since when it has been silent for longer than it usually is, None while it isn't.
    """

    source_id: SourceId
    name: str
    provider: str
    secret: Secret = field(repr=False)
    created_at: int
    last_heard_at: int | None = None
    last_unreadable: Problem | None = None
    last_untimed: Problem | None = None
    former_secrets: tuple[SigningSecret, ...] = field(default=(), repr=False)
    settings: SourceSettings = field(default_factory=dict, repr=False)
    last_sms_at: int | None = None
    quiet_since: int | None = None

    def secrets(self, now: int) -> list[Secret]:
        """Return the secrets that are good at `now` (ms), newest first, as they are kept."""
        return [self.secret, *(former.secret for former in self.former_secrets if former.signs(now))]

    def with_secret(self, secret: str, now: int) -> Self:
        """Return the source with a new secret at `now` (ms); the one before stays good for a while, as partners' do.

        Its own are in clear. One that it has already is the newest then, and not among the former.
        """
        if secret == self.secret:
            return self
        known = [SigningSecret(self.secret), *self.former_secrets]
        newest, *former = rotated([one for one in known if one.secret != secret], secret, now)
        return replace(self, secret=newest.secret, former_secrets=tuple(former))
