"""What is protected or outlives its stack goes with it, on an AWS that refuses; small stacks, so each takes no time."""

import io
import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from deployment.account import Account
from deployment.removal import Data, take_away
from deployment.remove import Removal
from deployment.stacks import Stack, Stacks, Step
from local.aws import REGION
from local.progress import Progress
from tests.contract.market import until
from tests.deployment.checkout import EmulatedAws

_names = (f"small-{number}" for number in itertools.count())
TABLE = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "DeletionProtectionEnabled": True,
    },
}
POOL = {
    "Type": "AWS::Cognito::UserPool",
    "DeletionPolicy": "RetainExceptOnCreate",
    "Properties": {
        "DeletionProtection": "ACTIVE",
        "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True},
        "Policies": {"PasswordPolicy": {"MinimumLength": 12, "RequireNumbers": True, "RequireSymbols": False}},
    },
}
REFUSED = {
    "Type": "AWS::Route53::RecordSet",
    "DependsOn": ["Table", "Pool"],
    "Properties": {
        "HostedZoneId": "Z0",
        "Name": "a.example.com",
        "Type": "TXT",
        "TTL": "60",
        "ResourceRecords": ['"a"'],
    },
}


@pytest.fixture
def stacks(aws: EmulatedAws) -> Stacks:
    return Stacks(aws.client("cloudformation"), Progress(io.StringIO()))


@pytest.fixture
def data(aws: EmulatedAws) -> Data:
    return Data(aws.client("dynamodb"), aws.client("cognito-idp"))


@pytest.fixture
def name(aws: EmulatedAws) -> Iterator[str]:
    """Return a name for a stack; nothing of any stack may be left when the test is over."""
    yield next(_names)
    assert aws.holds() == []


def known(stacks: Stacks, name: str) -> Stack:
    """Return a stack that there is, once nothing is at work on it."""
    until(lambda: stacks.find(name), lambda stack: stack is not None and not stack.is_in_progress)
    stack = stacks.find(name)
    assert stack
    return stack


def make(stacks: Stacks, name: str, **resources: Any) -> Stack:
    """Make a stack; return it in the state it ends in."""
    outputs = {logical_id: {"Value": {"Ref": logical_id}} for logical_id in resources}
    template = {"Description": "GlobalConnect - small", "Resources": resources, "Outputs": outputs}
    stacks.client.create_stack(StackName=name, TemplateBody=json.dumps(template))
    return known(stacks, name)


def removal(aws: EmulatedAws, stacks: Stacks, data: Data, name: str, said: list[str]) -> Removal:
    account = Account("000000000000", "arn:aws:iam::000000000000:root", REGION, session=None)  # type: ignore[arg-type]
    return Removal(name, account, stacks, data, said.append, lambda _: None, "GlobalConnect", "globalconnect")


def test_what_a_rollback_could_not_delete_is_cleared_away(stacks: Stacks, data: Data, name: str) -> None:
    stack = make(stacks, name, Table=TABLE, Pool=POOL, Refused=REFUSED)
    assert (stack.status, stacks.step(stack)) == ("ROLLBACK_FAILED", Step.CLEAR)
    take_away(stack, stacks, data)
    assert stacks.find(name) is None


def test_what_a_deletion_could_not_delete_is_left_to_a_removal(
    aws: EmulatedAws, stacks: Stacks, data: Data, name: str
) -> None:
    assert make(stacks, name, Table=TABLE, Pool=POOL).status == "CREATE_COMPLETE"
    stacks.client.delete_stack(StackName=name)
    stack = until(lambda: known(stacks, name), lambda stack: stack.status == "DELETE_FAILED")
    assert stacks.step(stack) is Step.REFUSE
    removal(aws, stacks, data, name, []).run(name)
    assert stacks.find(name) is None


def test_a_change_set_that_nobody_executed_is_cleared_away(stacks: Stacks, data: Data, name: str) -> None:
    body = json.dumps({"Resources": {"Table": TABLE}})
    stacks.client.create_change_set(StackName=name, ChangeSetName="a", ChangeSetType="CREATE", TemplateBody=body)
    stack = known(stacks, name)
    assert (stack.status, stacks.step(stack)) == ("REVIEW_IN_PROGRESS", Step.CLEAR)
    take_away(stack, stacks, data)
    assert stacks.find(name) is None


def test_people_who_outlived_their_stack_are_found_again(
    aws: EmulatedAws, stacks: Stacks, data: Data, name: str
) -> None:
    stacks.delete(make(stacks, name, Pool=POOL))
    assert list(aws.protected().values()) == [True]
    said: list[str] = []
    removal(aws, stacks, data, name, said).run(name)
    assert any("0 people" in line for line in said)


def test_to_lift_a_pools_protection_changes_nothing_else_of_it(stacks: Stacks, data: Data, name: str) -> None:
    stack = make(stacks, name, Pool=POOL)

    def described() -> dict[str, Any]:
        pool: dict[str, Any] = data.pools.describe_user_pool(UserPoolId=stack.outputs["Pool"])["UserPool"]
        return pool

    before = described()
    data.protect(data.held(stacks.resources(stack.id)), on=False)
    after = described()
    assert {key for key in before if before[key] != after.get(key)} <= {"DeletionProtection", "LastModifiedDate"}
    take_away(stack, stacks, data)
