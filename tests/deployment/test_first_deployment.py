"""A first deployment that breaks in the middle is repaired by `make deploy`, and `make remove` leaves nothing."""

import pytest

from tests.deployment.stories import Broken, Killed, Repaired

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(params=["broken", "killed"])
def repaired(request: pytest.FixtureRequest) -> Repaired:
    story: Broken | Killed = request.getfixturevalue(request.param)
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


def test_a_deployment_was_killed_in_the_middle(killed: Killed) -> None:
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
