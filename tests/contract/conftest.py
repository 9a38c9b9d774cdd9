"""A deployed stack of this test run's own, and who uses it: staff, partners, a gateway."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import stack as stacks
from tests.contract.market import Hub, Market


@pytest.fixture(scope="session")
def stack_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which the stack keeps its files."""
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="session")
def deployed(stack_root: Path) -> Iterator[stacks.Stack]:
    """Return the stack of template.yaml, deployed to an emulator on a free port."""
    try:
        yield stacks.up(stack_root)
    finally:
        stacks.down(stack_root)


@pytest.fixture(scope="session")
def market(deployed: stacks.Stack) -> Iterator[Market]:
    """Return the stack as people use it, its functions warm."""
    # The product's own URLs only: no proxy of whoever runs the tests.
    os.environ["NO_PROXY"] = "127.0.0.1"
    with Market(deployed) as market:
        market.warm_up()
        yield market


@pytest.fixture(scope="module")
def hub(market: Market) -> Hub:
    """Return a partner that may buy everything."""
    return market.hub()
