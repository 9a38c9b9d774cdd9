"""A copy of the repository to deploy from, and the stories that several tests look at, each told once."""

from collections.abc import Iterator

import pytest

from tests.deployment import stories
from tests.deployment.checkout import Aws, Checkout, an_aws


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Return the copy."""
    return Checkout.make_in(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """Return an AWS that many tests share: it refuses to delete what is protected, and a new account has a quota of 10."""
    with an_aws(tmp_path_factory.mktemp("aws"), {"LAMBDA_ACCOUNT_CONCURRENCY": "10"}) as aws:
        yield aws


@pytest.fixture(scope="session")
def broken(checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> stories.Broken:
    """Tell the story of a deployment that a resource broke, where what is protected is not deleted."""
    with an_aws(tmp_path_factory.mktemp("broken")) as aws:
        return stories.broken(checkout, aws)


@pytest.fixture(scope="session")
def killed(checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> stories.Killed:
    """Tell the story of a deployment that was killed, on the emulator as it comes."""
    with an_aws(tmp_path_factory.mktemp("killed"), {"KEEP_PROTECTED": "0"}) as aws:
        return stories.killed(checkout, aws)
