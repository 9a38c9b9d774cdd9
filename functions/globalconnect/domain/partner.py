"""Partners, their keys, and the secrets that sign their pushes (contract 1 and 5)."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from globalconnect.domain.activation import Hold
from globalconnect.domain.ids import PartnerId, Rng, new_token
from globalconnect.domain.offer import Offer, Turn
from globalconnect.domain.times import DAY

_PREFIX = "gc"
_LINK_PREFIX = "gclink"

SIGNING_SECRET_PREFIX = "whsec_"  # noqa: S105 - what such a secret begins with, for everybody to see
_SIGNING_SECRET_BYTES = 32
# A secret that was replaced goes on signing beside the new one for this long: the time the partner has to switch.
SIGNING_OVERLAP = DAY
# Each one that signs makes a header of every push longer.
MOST_SIGNING_SECRETS = 5

# How long a link hands out a partner's key, if nobody follows it before.
LINK_LIFETIME = DAY

# How many live activations a partner may have whose activations end with FINISH alone, unless something else is said.
MOST_HELD = 100

# The names of dialects that partners were stored with before, which are good for ever.
_FORMER_DIALECTS = MappingProxyType({"default": "globalconnect"})

# A key or secret as it is kept: in clear, or encrypted for who may decrypt it (docs/adr/0038).
type Secret = str | bytes


def in_clear(secret: Secret) -> str:
    """Return a secret that is kept in clear. Raises TypeError for an encrypted one, which its store has to open."""
    if isinstance(secret, bytes):
        raise TypeError("a secret is encrypted that was expected in clear")
    return secret


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """A secret that signs a partner's pushes: `until` (ms) once it was replaced, None as long as it is the newest."""

    secret: Secret = field(repr=False)
    until: int | None = None

    def signs(self, now: int) -> bool:
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class PushSecrets:
    """What of a push is secret: the partner's key, which it says, and what signs it."""

    key: str = field(repr=False)
    signing: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pause:
    """Since when (ms) and why nothing is sold to a partner."""

    at: int
    reason: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Partner:
    """A hub that buys from us.

    `services` is None when it may buy every service, `max_live` when it has no limit of its own for live activations.
    The key is kept, in clear or encrypted, because PUSH_SMS has to send it; who sells to a partner is not given it, and
    has "" here.
    Its server was last seen slow so that it counts as slow until `slow_until` (ms); `last_success_at` (ms) is when it
    last took a push, `last_polled_at` (ms) when it last asked for the counts, give or take a minute. `signing_secrets` sign its pushes, the newest first; none, and they are
    not signed. `overrides` are what it has otherwise than its dialect. With an `offer` it is shown a part of what is free,
    and one of the last when its `turn` comes; None of either, and it is shown all, or none of the last. `names_version` tells its names apart from those before, None when it calls
    everything as we do. `version` grows
    with every change by staff, and with nothing else.
    """

    partner_id: PartnerId
    name: str
    key: Secret = field(repr=False)
    push_url: str | None = field(repr=False)
    services: frozenset[str] | None
    dialect: str
    created_at: int
    revoked_at: int | None = None
    slow_until: int = 0
    last_success_at: int | None = None
    last_polled_at: int | None = None
    signing_secrets: tuple[SigningSecret, ...] = field(default=(), repr=False)
    version: int = 0
    max_live: int | None = None
    paused: Pause | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict, hash=False)
    offer: Offer | None = None
    turn: Turn | None = None
    names_version: str | None = None

    def __post_init__(self) -> None:
        """Call the dialect as it is called now."""
        object.__setattr__(self, "dialect", dialect_named(self.dialect))

    @property
    def is_signed(self) -> bool:
        return bool(self.signing_secrets)

    @property
    def is_encrypted(self) -> bool:
        """Whether its key or any of its secrets is encrypted."""
        return any(
            isinstance(secret, bytes) for secret in (self.key, *(known.secret for known in self.signing_secrets))
        )

    def push_secrets(self, now: int, opened: Callable[[Secret], str] = in_clear) -> PushSecrets:
        """Return what a push at `now` (ms) needs; `opened` reads what is kept."""
        signing = tuple(opened(known.secret) for known in self.signing_secrets if known.signs(now))
        return PushSecrets(opened(self.key), signing)

    def is_slow(self, now: int) -> bool:
        return now < self.slow_until

    def may_buy(self, service: str) -> bool:
        """Return whether this partner may buy `service` at all (contract 1, 403)."""
        return self.services is None or service in self.services


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """A partner, with the digest of its key in place of that."""

    partner: Partner
    digest: str

    def accepts(self, key: str) -> bool:
        """Return whether `key` is this partner's and still works."""
        return hmac.compare_digest(self.digest, digest_of(key)) and self.partner.revoked_at is None


@dataclass(frozen=True, slots=True)
class KeyLink:
    """A link that hands out a partner's key once, before `until` (ms): the digest of its token."""

    digest: str = field(repr=False)
    until: int

    def opens(self, token: str, now: int) -> bool:
        """Return whether `token` is this link's and good at `now` (ms)."""
        return hmac.compare_digest(self.digest, digest_of(token)) and now < self.until


def turns(partners: Iterable[Partner]) -> list[tuple[Partner, Turn]]:
    """Return whose turn comes when, of those with an offer that are sold to at all."""
    sharing = [
        partner
        for partner in partners
        if partner.offer is not None and partner.paused is None and partner.revoked_at is None
    ]
    sharing.sort(key=lambda partner: partner.partner_id)
    return [(partner, Turn(place, len(sharing))) for place, partner in enumerate(sharing)]


def offered_percent(partners: Iterable[Partner]) -> int:
    """Return how many percent of what is free the offers of these partners are together, paused ones' too."""
    return sum(partner.offer.share for partner in partners if partner.offer is not None and partner.revoked_at is None)


def live_limit(partner: Partner, deployments: int, hold: Hold) -> int | None:
    """Return how many live activations a partner may have, None for any number (contract 1.7).

    Takes the deployment's limit, 0 for none, and what ends the partner's activations.
    """
    return partner.max_live or deployments or (MOST_HELD if hold is Hold.FINISH else None)


def dialect_named(name: str) -> str:
    """Return the name of a dialect as it is now, of one that it may have had before."""
    return _FORMER_DIALECTS.get(name, name)


def digest_of(key: str) -> str:
    """Return what a key, or a link's token, is compared by: its SHA-256 (hex). Of 160 random bits, it needs no salt and no slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()


def new_partner_id(rng: Rng) -> PartnerId:
    return PartnerId(new_token(10, rng))


def new_key(partner_id: PartnerId, rng: Rng) -> str:
    """Return a new key of a partner: it names the partner, so one read by id checks it; the rest is 160 random bits."""
    return f"{_PREFIX}_{partner_id}_{new_token(32, rng)}"


def new_link_token(partner_id: PartnerId, rng: Rng) -> str:
    """Return a new token of a link to a partner's key: it names the partner, as a key does."""
    return f"{_LINK_PREFIX}_{partner_id}_{new_token(32, rng)}"


def new_signing_secret(rng: Rng) -> str:
    """Return a new secret that signs pushes, as Standard Webhooks writes one: `whsec_` and base64 of 256 random bits."""
    secret = bytes(rng(256) for _ in range(_SIGNING_SECRET_BYTES))
    return SIGNING_SECRET_PREFIX + base64.b64encode(secret).decode()


def rotated(secrets: Sequence[SigningSecret], secret: Secret, now: int) -> tuple[SigningSecret, ...]:
    """Return a partner's signing secrets with a new one before them, at `now` (ms).

    The one it replaces signs on for SIGNING_OVERLAP, and so do those replaced before until their own time is over: who
    lost the new secret and makes another must not cut off the one that the partner still checks.
    """
    former = [replace(known, until=known.until or now + SIGNING_OVERLAP) for known in secrets if known.signs(now)]
    return (SigningSecret(secret), *former[: MOST_SIGNING_SECRETS - 1])


def partner_id_of(key: str) -> PartnerId | None:
    """Return the partner a key names, or None when the text can't be a key of ours."""
    return _named_in(key, _PREFIX)


def partner_id_of_link(token: str) -> PartnerId | None:
    """Return the partner a link's token names, or None when the text can't be one of ours."""
    return _named_in(token, _LINK_PREFIX)


def _named_in(text: str, prefix: str) -> PartnerId | None:
    parts = text.split("_")
    if len(parts) != 3 or parts[0] != prefix or not parts[1] or len(text) > 100 or not text.isascii():  # noqa: PLR2004
        return None
    return PartnerId(parts[1])
