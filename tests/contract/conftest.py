"""A deployed stack of this test run's own, and who uses it: an operator, partners, a gateway."""

import os
from collections.abc import Iterator

import pytest

from local import stack as stacks
from tests.contract.market import Market


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stacks.Stack]:
    """Give the stack of template.yaml, deployed to an emulator on a free port."""
    root = tmp_path_factory.mktemp("stack")
    yield stacks.up(root)
    stacks.down(root)


@pytest.fixture(scope="session")
def market(deployed: stacks.Stack) -> Iterator[Market]:
    """Give the stack as people use it, its functions warm."""
    # The product's own URLs only: no proxy of whoever runs the tests.
    os.environ["NO_PROXY"] = "127.0.0.1"
    with Market(deployed) as market:
        market.warm_up()
        yield market
