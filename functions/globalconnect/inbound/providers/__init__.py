"""What sends us SMS: a module for each entry of the catalogue, loaded with the first delivery of its kind."""

from importlib import import_module

from globalconnect.domain.provider import PROVIDERS
from globalconnect.inbound.providers.port import Provider


def provider_named(name: str) -> Provider:
    """Return a provider of the catalogue. What it imports costs nobody else's cold start."""
    if name not in PROVIDERS:
        raise LookupError(name)
    provider: Provider = import_module(f"{__name__}.{name.replace('-', '_')}").PROVIDER
    return provider
