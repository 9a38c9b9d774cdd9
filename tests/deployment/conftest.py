"""A copy of the repository to deploy from, and an AWS to deploy to."""

from collections.abc import Iterator

import pytest

from tests.deployment.checkout import Checkout, EmulatedAws, an_aws


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout.make_in(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatedAws]:
    """Return an AWS that many tests share: it refuses to delete what is protected, and a new account has a quota of 10."""
    with an_aws(tmp_path_factory.mktemp("aws"), {"LAMBDA_ACCOUNT_CONCURRENCY": "10"}) as aws:
        yield aws
