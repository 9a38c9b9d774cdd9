"""How gateways of each type send: a module for each entry of the catalogue."""

from importlib import import_module

from simulation.gateways.sample import Sample


def sample_of(provider: str) -> Sample:
    """Return the sample of a type of gateway."""
    sample: Sample = import_module(f"{__name__}.{provider.replace('-', '_')}").SAMPLE
    return sample
