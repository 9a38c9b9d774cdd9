"""What all tests share: no way to AWS, and a pretend cloud whose tables are those of template.yaml."""

import io
import os
from collections.abc import Callable, Iterator

import pytest

from simulation.aws import ENVIRONMENT, Cloud
from simulation.clouds import Moto, emulated_aws, pretend_aws
from simulation.logs import log_to


@pytest.fixture(autouse=True)
def _no_real_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may reach AWS, or a stack that happens to run, by what the environment holds."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    with pretend_aws() as made:
        yield made


@pytest.fixture
def cloud(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Return an empty cloud made of template.yaml: its tables, its queues and the functions' environment."""
    made = moto.cloud()
    for name, value in made.env.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture(scope="session")
def _new_emulated_cloud() -> Iterator[Callable[[], Cloud]]:
    with emulated_aws() as new_cloud:
        yield new_cloud


@pytest.fixture
def emulated(_new_emulated_cloud: Callable[[], Cloud]) -> Cloud:
    """Return a cloud whose DynamoDB is the emulator's, over HTTP; threads may use it at once."""
    return _new_emulated_cloud()


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Return what is logged from now on, as the text that would reach CloudWatch."""
    text = io.StringIO()
    with log_to(text):
        yield text
