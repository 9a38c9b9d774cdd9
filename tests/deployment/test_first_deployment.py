"""A first deployment that breaks in the middle is repaired by `make deploy`, and `make remove` leaves nothing.

Each story is told once: it runs the commands that a person types, and keeps what it saw after each.
"""

import time
from dataclasses import dataclass

import pytest

from tests.deployment.checkout import Checkout, EmulatedAws, Ran, an_aws

pytestmark = pytest.mark.timeout(600)

STACK = "globalconnect"
SAM = ".tools/sam/bin/sam"
# AWS finds out late that there is no such zone: tables, functions and the API are there by then.
_UNKNOWN_ZONE = {
    "DOMAIN": "sms.example.com",
    "CERTIFICATE_ARN": "arn:aws:acm:us-east-1:000000000000:certificate/0a1b",
    "HOSTED_ZONE_ID": "Z0123456789ABC",
}


@dataclass(frozen=True)
class Repaired:
    """The end of every story: `make deploy` alone, then `make remove`."""

    deployed: Ran
    status: str | None
    protected: dict[str, bool]
    removed: Ran
    left: list[str]


@dataclass(frozen=True)
class Broken:
    """A first deployment that a resource broke: as it was done before, once more, by `make deploy`, and repaired."""

    before: Ran
    status_before: str | None
    protected_before: dict[str, bool]
    before_again: Ran
    now: Ran
    status_now: str | None
    repaired: Repaired


@dataclass(frozen=True)
class KilledDeployment:
    """A first deployment that was killed as soon as there was a stack, and repaired."""

    status: str | None
    repaired: Repaired


def _break(checkout: Checkout, aws: EmulatedAws) -> Broken:
    by_sam = (SAM, "deploy", "--template-file", "template.yaml", "--region", aws.variables["AWS_REGION"])
    names = {"DOMAIN": "DomainName", "CERTIFICATE_ARN": "CertificateArn", "HOSTED_ZONE_ID": "HostedZoneId"}
    overrides = [f"{names[variable]}={value}" for variable, value in _UNKNOWN_ZONE.items()]
    before = checkout.run(*by_sam, "--parameter-overrides", *overrides, variables=aws.variables)
    status_before, protected_before = aws.status_of(STACK), aws.protected()
    before_again = checkout.run(*by_sam, variables=aws.variables)
    assignments = [f"{variable}={value}" for variable, value in _UNKNOWN_ZONE.items()]
    now = checkout.run("make", "deploy", *assignments, variables=aws.variables)
    return Broken(
        before, status_before, protected_before, before_again, now, aws.status_of(STACK), _repair(checkout, aws)
    )


def _kill(checkout: Checkout, aws: EmulatedAws) -> KilledDeployment:
    with checkout.started("make", "deploy", variables=aws.variables) as process:
        deadline = time.monotonic() + 60
        while aws.status_of(STACK) is None:
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("there never was a stack")
            time.sleep(0.02)
    return KilledDeployment(aws.status_of(STACK), _repair(checkout, aws))


def _repair(checkout: Checkout, aws: EmulatedAws) -> Repaired:
    deployed = checkout.run("make", "deploy", variables=aws.variables)
    status, protected = aws.status_of(STACK), aws.protected()
    removed = checkout.run("make", "remove", f"CONFIRM={STACK}", variables=aws.variables)
    return Repaired(deployed, status, protected, removed, aws.holds())


@pytest.fixture(scope="module")
def broken(checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Broken:
    """Return the story of a deployment that a resource broke, where what is protected is not deleted."""
    with an_aws(tmp_path_factory.mktemp("broken")) as aws:
        return _break(checkout, aws)


@pytest.fixture(scope="module")
def killed(checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> KilledDeployment:
    """Return the story of a deployment that was killed, on the emulator as it comes."""
    with an_aws(tmp_path_factory.mktemp("killed"), {"KEEP_PROTECTED": "0"}) as aws:
        return _kill(checkout, aws)


@pytest.fixture(params=["broken", "killed"])
def repaired(request: pytest.FixtureRequest) -> Repaired:
    story: Broken | KilledDeployment = request.getfixturevalue(request.param)
    return story.repaired


def test_a_deployment_that_is_protected_from_the_first_can_neither_be_rolled_back_nor_repeated(broken: Broken) -> None:
    assert broken.before.code != 0
    assert broken.status_before == "ROLLBACK_FAILED"
    assert broken.protected_before
    assert all(broken.protected_before.values())
    assert broken.before_again.code != 0
    assert "can not be updated" in broken.before_again.said


def test_what_broke_the_deployment_is_said_at_its_end(broken: Broken) -> None:
    assert broken.now.code != 0
    assert "DomainRecord: No hosted zone with id" in broken.now.said[-1_000:]
    assert "make deploy" in broken.now.said[-1_000:]


def test_a_deployment_that_is_unprotected_until_it_is_complete_rolls_back(broken: Broken) -> None:
    assert broken.status_now == "ROLLBACK_COMPLETE"


def test_a_deployment_was_killed_in_the_middle(killed: KilledDeployment) -> None:
    assert killed.status in {"REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"}


def test_make_deploy_alone_repairs_it(repaired: Repaired) -> None:
    assert repaired.deployed.code == 0, repaired.deployed.said
    assert repaired.status == "UPDATE_COMPLETE"
    assert "GlobalConnect is deployed." in repaired.deployed.said


def test_every_table_and_person_is_protected_in_the_end(repaired: Repaired) -> None:
    assert len(repaired.protected) > 1
    assert [name for name, protected in repaired.protected.items() if not protected] == []


def test_make_remove_leaves_nothing_but_what_it_names(repaired: Repaired) -> None:
    assert repaired.removed.code == 0, repaired.removed.said
    assert repaired.left == []
    assert "35 days" in repaired.removed.said
    assert "s3://aws-sam-cli-managed-default" in repaired.removed.said
