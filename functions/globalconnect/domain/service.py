"""The catalogue of services on sale (contract 5)."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Service:
    """What a number is sold for, such as `tg`.

    `reusable`: a number may be sold again for it after a success. `enabled`: it is on sale at all. `cancel_limit`: at
    this many cancels a number is never issued again for it, or at the deployment's limit if that is smaller; None for
    that alone (contract 1.5).
    """

    code: str
    name: str
    reusable: bool = False
    enabled: bool = True
    cancel_limit: int | None = None


def cancel_limit_of(service: Service | None, deployments: int, partners: int | None) -> int:
    """Return at how many cancels a number is never issued again for a service, to anybody (contract 1.5).

    It is the smallest of the deployment's limit, the service's and that of the partner who cancels, as far as they have
    one.
    """
    limits = (deployments, service.cancel_limit if service else None, partners)
    return min(limit for limit in limits if limit is not None)


type Catalogue = Mapping[str, Service]
