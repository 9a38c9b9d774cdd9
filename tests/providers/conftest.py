"""Fixtures of the suite that every provider passes."""

import pytest

from globalconnect.domain.provider import PROVIDERS
from simulation.aws import Cloud
from simulation.gateways import sample_of
from tests.providers import fake_sample
from tests.providers.gateway import Gateway


@pytest.fixture(params=[*PROVIDERS, "fake"])
def gateway(cloud: Cloud, request: pytest.FixtureRequest) -> Gateway:
    """Return a gateway of each type, and of one that does all otherwise."""
    return Gateway(cloud, request.param, fake_sample.SAMPLE if request.param == "fake" else sample_of(request.param))
