"""The dialects by the names that partners are stored with: a new hub is an entry (docs/adding-a-dialect.md)."""

from collections.abc import Mapping
from types import MappingProxyType

from globalconnect.hub_protocol.dialect import Dialect

DEFAULT = Dialect()

DIALECTS: Mapping[str, Dialect] = MappingProxyType({"default": DEFAULT})
