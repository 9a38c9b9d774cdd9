"""What partners ask for, as the use cases take it (contract 1); `globalconnect.hub_protocol.requests` reads it."""

from dataclasses import dataclass

from globalconnect.domain.activation import Outcome
from globalconnect.domain.ids import ActivationId
from globalconnect.domain.names import folded


@dataclass(frozen=True, slots=True)
class GetServices:
    """What is available?"""


@dataclass(frozen=True, slots=True)
class GetNumber:
    """Issue a number of this pool for this service; `exception_prefixes` are phones' beginnings that are not wanted.

    Country, operator and service are what the partner calls them, the first two as they were sent: a pool may be stored
    under such a name. An operator of None is any of the country's.
    """

    country: str
    operator: str | None
    service: str
    total: str | None = None
    currency: str | None = None
    exception_prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AskedPools:
    """Pools of a country of ours, by names as they may be stored: of these `operators`, or of all but those in `without`."""

    country: str
    operators: frozenset[str] | None = None
    without: frozenset[str] = frozenset()

    def has(self, operator: str) -> bool:
        """Return whether the pool of an operator, as it is stored, is among them."""
        names = {operator, folded(operator)}
        return names.isdisjoint(self.without) if self.operators is None else not names.isdisjoint(self.operators)


@dataclass(frozen=True, slots=True)
class WantedNumber:
    """What is `asked` for, in our names."""

    pools: tuple[AskedPools, ...]
    service: str
    asked: GetNumber


@dataclass(frozen=True, slots=True)
class FinishActivation:
    """Close an activation with an outcome."""

    activation_id: ActivationId
    outcome: Outcome


type PartnerRequest = GetServices | GetNumber | FinishActivation
