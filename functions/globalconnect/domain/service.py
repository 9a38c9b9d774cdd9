"""The catalogue of services on sale (contract 5)."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Service:
    """What a number is sold for, such as `tg`.

    `reusable`: a number may be sold again for it after a success. `enabled`: it is on sale at all. `cancel_limit`: at
    this many cancels a number is never issued again for it, None for the deployment's limit (contract 1.5).
    """

    code: str
    name: str
    reusable: bool = False
    enabled: bool = True
    cancel_limit: int | None = None


type Catalogue = Mapping[str, Service]
