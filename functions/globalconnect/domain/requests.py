"""What partners ask for, as the use cases take it (contract 1); `globalconnect.hub_protocol.requests` reads it."""

from dataclasses import dataclass

from globalconnect.domain.activation import Outcome
from globalconnect.domain.ids import ActivationId


@dataclass(frozen=True, slots=True)
class GetServices:
    """What is available?"""


@dataclass(frozen=True, slots=True)
class GetNumber:
    """Issue a number of this pool for this service; `exception_prefixes` are phones' beginnings that are not wanted.

    Country and operator are as they were sent: a pool may be stored under such a name. An operator of None is any of
    the country's.
    """

    country: str
    operator: str | None
    service: str
    total: str | None = None
    currency: str | None = None
    exception_prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FinishActivation:
    """Close an activation with an outcome."""

    activation_id: ActivationId
    outcome: Outcome


type PartnerRequest = GetServices | GetNumber | FinishActivation
