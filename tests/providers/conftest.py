"""Fixtures of the suite that every provider passes."""

import pytest

from globalconnect.domain.provider import PROVIDERS
from simulation.aws import Cloud
from tests.providers.gateway import Gateway
from tests.providers.samples import FAKE, SAMPLES


@pytest.fixture(params=[*PROVIDERS, "fake"])
def gateway(cloud: Cloud, request: pytest.FixtureRequest) -> Gateway:
    """Return a gateway of each type, and of one that does all otherwise."""
    return Gateway(cloud, request.param, {**SAMPLES, "fake": FAKE}[request.param])
