"""A first deployment that breaks in the middle is repaired by `make deploy`, and `make remove` leaves nothing.

Each story is told once: it runs the commands that a person types, and keeps what it saw after each.
"""

from dataclasses import dataclass

import pytest

from tests.contract.market import until
from tests.deployment.checkout import Checkout, EmulatedAws, Ran, an_aws

pytestmark = pytest.mark.timeout(600)

STACK = "globalconnect"
# AWS finds out late that there is no such zone: tables, functions and the API are there by then.
_UNKNOWN_ZONE = (
    "DOMAIN=sms.example.com",
    "CERTIFICATE_ARN=arn:aws:acm:us-east-1:000000000000:certificate/0a1b",
    "HOSTED_ZONE_ID=Z0123456789ABC",
)


@dataclass(frozen=True)
class Story:
    """A first deployment that broke: the state it left, then `make deploy` alone, then `make remove`."""

    left: str | None
    deployed: Ran
    status: str | None
    protected: dict[str, bool]
    removed: Ran
    remains: list[str]
    said: str = ""


def _repaired(checkout: Checkout, aws: EmulatedAws, said: str = "") -> Story:
    left = aws.status_of(STACK)
    deployed = checkout.run("make", "deploy", variables=aws.variables)
    status, protected = aws.status_of(STACK), aws.protected()
    removed = checkout.run("make", "remove", f"CONFIRM={STACK}", variables=aws.variables)
    return Story(left, deployed, status, protected, removed, aws.holds(), said)


@pytest.fixture(scope="module")
def broken(checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Return the story of a deployment that a resource broke, where what is protected is not deleted."""
    with an_aws(tmp_path_factory.mktemp("broken")) as aws:
        ran = checkout.run("make", "deploy", *_UNKNOWN_ZONE, variables=aws.variables)
        assert ran.code != 0
        return _repaired(checkout, aws, ran.said)


@pytest.fixture(scope="module")
def killed(checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Return the story of a deployment that was killed as soon as there was a stack, on the emulator as it comes."""
    with an_aws(tmp_path_factory.mktemp("killed"), {"KEEP_PROTECTED": "0"}) as aws:
        with checkout.started("make", "deploy", variables=aws.variables) as process:
            until(lambda: aws.status_of(STACK), lambda status: status is not None or process.poll() is not None, 60)
        assert process.returncode < 0, "there never was a stack"
        return _repaired(checkout, aws)


@pytest.fixture(params=["broken", "killed"])
def story(request: pytest.FixtureRequest) -> Story:
    told: Story = request.getfixturevalue(request.param)
    return told


def test_what_broke_a_deployment_is_said_at_its_end_and_it_rolls_back(broken: Story) -> None:
    assert "DomainRecord: No hosted zone with id" in broken.said[-1_000:]
    assert "make deploy" in broken.said[-1_000:]
    # Because it is unprotected until it is complete.
    assert broken.left == "ROLLBACK_COMPLETE"


def test_make_deploy_alone_repairs_it(story: Story) -> None:
    assert story.deployed.code == 0, story.deployed.said
    assert story.status == "UPDATE_COMPLETE"
    assert "GlobalConnect is deployed." in story.deployed.said


def test_every_table_and_person_is_protected_in_the_end(story: Story) -> None:
    assert len(story.protected) > 1
    assert [name for name, protected in story.protected.items() if not protected] == []


def test_make_remove_leaves_nothing_but_what_it_names(story: Story) -> None:
    assert story.removed.code == 0, story.removed.said
    assert story.remains == []
    assert "35 days" in story.removed.said
    assert "s3://aws-sam-cli-managed-default" in story.removed.said
