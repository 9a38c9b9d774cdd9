"""Fixtures of the tests that run the built functions under AWS's Runtime Interface Emulator."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from local import emulator
from local.aws import CONFIG, session
from local.place import Place
from local.pretend_partner import PretendPartner
from simulation import rie
from simulation.aws import TEMPLATE, make_environment
from simulation.rie import LambdaRuntime, functions_of, link_brought_packages
from tests.rie.world import SampleWorld

type Runtimes = Callable[[str], LambdaRuntime]


@dataclass(frozen=True, slots=True)
class Built:
    """The built functions, by their logical ids, and what the runtime adds to them."""

    functions: Path
    packages: Path


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    root = tmp_path_factory.mktemp("artefact")
    return Built(rie.build(root / "build"), link_brought_packages(root / "packages"))


@pytest.fixture(scope="session")
def _endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    place = Place(tmp_path_factory.mktemp("emulator"))
    try:
        yield emulator.start(place, emulator.free_port()).endpoint
    finally:
        emulator.stop(place)


@pytest.fixture(scope="session")
def _shared_world(_endpoint: str) -> Iterator[SampleWorld]:
    dynamodb = session().client("dynamodb", endpoint_url=_endpoint, config=CONFIG)
    sqs = session().client("sqs", endpoint_url=_endpoint, config=CONFIG)
    environment = make_environment(TEMPLATE, dynamodb, sqs)
    # Pushes go to this machine, as on every local stack.
    environment["PUSH_LOOPBACK"] = "true"
    with PretendPartner() as partner:
        yield SampleWorld(dynamodb, sqs, environment, partner)


@pytest.fixture
def world(_shared_world: SampleWorld) -> SampleWorld:
    """Return the sample data as it is in events/data.json, whatever was done to it before."""
    _shared_world.reset()
    return _shared_world


@pytest.fixture(scope="session")
def runtimes(
    built: Built, _endpoint: str, _shared_world: SampleWorld, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runtimes]:
    """Return what gives the running function whose folder is named; each is started once."""
    functions = {function.folder: function for function in functions_of(TEMPLATE)}
    logs = tmp_path_factory.mktemp("logs")
    started: dict[str, LambdaRuntime] = {}
    with ExitStack() as stack:

        def of(folder: str) -> LambdaRuntime:
            if folder not in started:
                function, log = functions[folder], logs / f"{folder}.log"
                root = built.functions / function.logical_id
                runtime = LambdaRuntime(function, root, _shared_world.env, _endpoint, built.packages, log)
                started[folder] = stack.enter_context(runtime)
            return started[folder]

        yield of
