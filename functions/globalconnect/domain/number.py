"""Numbers: who may get them, and what an outcome does to them (contract 1.2, 1.4, 1.5)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from globalconnect.domain.activation import Outcome
from globalconnect.domain.ids import ActivationId, PartnerId, SourceId
from globalconnect.domain.names import POOL_SEPARATOR
from globalconnect.domain.times import MINUTE

# How long staff may wait for an SMS that tries a number out: it is off sale then.
TEST_FOR = 5 * MINUTE

# So many are noted for a service at most. A block with more is one of unknown cause: only activations that end after it
# can add to it, each an hour after the other.
MOST_CAUSES = 10


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a number is blocked for a service: which activation's outcome did it, whose that was, and when (ms).

    Of cancels it is the one that reached the limit; it stands for all of them.
    """

    activation_id: ActivationId
    partner_id: PartnerId
    outcome: Outcome
    at: int


class OfflineReason(StrEnum):
    """Why a line is taken for offline: its device says so, or says nothing any more."""

    REPORTED = "reported"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Offline:
    """Since when (ms) a number's line is offline, and why that is known."""

    since: int
    reason: OfflineReason


@dataclass(frozen=True, slots=True)
class Number:
    """A phone number we can sell.

    `available_from` (ms) is the lease: the number may be issued when it is not in the future. `activation_id` is
    the activation that holds or held it last; it stays until the number is released, issued again or swept.
    `resting`: it was sold a short while ago and is nobody's until `available_from`; that stays until it is issued
    again or swept. `free_since` (ms) is since when it had been free when it was sold last, and `held_for` the
    service it was sold for, each None when that was not noted: an activation that got lost can be made again from its number
    (docs/adr/0039). A withdrawn number keeps its lease, rest and marks. `entered_by` is what the part of an import that
    put it into its pool did, so that the part counts the same when it is sent again (docs/adr/0024). `causes` are those of
    each block, none when it is older than they are; `lifted` is, per service, the version in which all marks were lifted:
    what activations left up to then is gone (docs/adr/0034). `test_until` (ms) is until when staff tried it out last.
    `offline` is None while nothing says that its line is; `alive_at` (ms) is when it last proved to be, against what was
    said: what was offline before isn't any more. `heard_by` is the source that its last SMS came by (docs/adr/0045).
    `overdue_at` (ms) is that of the activation that holds it (docs/adr/0048).
    """

    phone: str
    country: str
    operator: str
    available_from: int
    enabled: bool = True
    activation_id: ActivationId | None = None
    partner_id: PartnerId | None = None
    held_from: int | None = None
    free_since: int | None = None
    held_for: str | None = None
    resting: bool = False
    blocked: frozenset[str] = frozenset()
    cancels: Mapping[str, int] = field(default_factory=dict)
    causes: Mapping[str, tuple[Cause, ...]] = field(default_factory=dict)
    lifted: Mapping[str, int] = field(default_factory=dict)
    version: int = 0
    entered_by: str | None = None
    test_until: int | None = None
    offline: Offline | None = None
    alive_at: int | None = None
    heard_by: SourceId | None = None
    overdue_at: int | None = None

    def is_held(self, now: int) -> bool:
        return self.activation_id is not None and now < self.available_from

    def is_for_sale(self, pool: str, service: str, now: int, rest: int) -> bool:
        """Return whether it may be issued of a pool for a service at `now` (ms).

        After a lease that ran out and was not swept yet, `rest` (ms) has to pass as well. One that was held too long has to be
        swept first, so that staff are told.
        """
        rested = self.activation_id is None or self.available_from <= now - rest
        is_there = (
            self.enabled
            and self.overdue_at is None
            and self.offline is None
            and pool_of(self.country, self.operator) == pool
        )
        return is_there and self.available_from <= now and service not in self.blocked and rested


def is_tested(number: Number | None, at: int) -> bool:
    """Return whether staff were trying a number out at a time (ms)."""
    return number is not None and number.test_until is not None and 0 < number.test_until - at <= TEST_FOR


@dataclass(frozen=True, slots=True)
class Mark:
    """What an outcome leaves on a number, for one service only: its count of cancels, and whether it is blocked."""

    service: str
    cancels: int | None = None
    block: bool = False


def mark_for(outcome: Outcome, service: str, *, reusable: bool, cancels: int, cancel_limit: int) -> Mark | None:
    """Decide what an outcome leaves on the number (contract 1.5).

    Takes whether the service may be sold again after a success, how many cancels the number had for it so far, and
    the number of cancels that blocks it. Returns None when nothing is left.
    """
    match outcome:
        case Outcome.PROHIBITED:
            return Mark(service, block=True)
        case Outcome.SUCCESS:
            return None if reusable else Mark(service, block=True)
        case Outcome.CANCELED:
            return Mark(service, cancels=cancels + 1, block=cancels + 1 >= cancel_limit)
        case Outcome.RETURNED:
            return None


def causes_with(number: Number, service: str, cause: Cause) -> tuple[Cause, ...]:
    """Return the causes of a number's block for a service, with one more that blocks it.

    A success covers all others, for good. A block of unknown cause stays one but for that.
    """
    if cause.outcome is Outcome.SUCCESS:
        return (cause,)
    known = number.causes.get(service, ())
    outcomes = {each.outcome for each in known}
    is_of_unknown_cause = service in number.blocked and not known
    if is_of_unknown_cause or Outcome.SUCCESS in outcomes:
        return known
    if cause.outcome is Outcome.CANCELED and Outcome.CANCELED in outcomes:
        return known
    return (*known, cause) if len(known) < MOST_CAUSES else ()


def rests_until(end: int, rest: int, now: int) -> int | None:
    """Return until when a number rests whose last sale ended at `end`, None when it has rested at `now` (all in ms)."""
    return end + rest if end + rest > now else None


def pool_of(country: str, operator: str) -> str:
    """Return the name of a pool: the numbers of one operator in one country."""
    return f"{country}{POOL_SEPARATOR}{operator}"


def names_of(pool: str) -> tuple[str, str]:
    """Return the country and the operator of a pool named by `pool_of`."""
    country, _, operator = pool.partition(POOL_SEPARATOR)
    return country, operator


@dataclass(frozen=True, slots=True, order=True)
class Candidate:
    """A number that may be issued, as an index has it; the smallest has rested longest."""

    available_from: int
    phone: str
    country: str
    operator: str


@dataclass(frozen=True, slots=True)
class EndedLease:
    """A number whose lease ended at `until` (ms), or whose rest did: then `activation_id` is None."""

    phone: str
    until: int
    activation_id: ActivationId | None
