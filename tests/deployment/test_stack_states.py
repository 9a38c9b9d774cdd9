"""What is protected or outlives its stack goes with it, on an AWS that refuses; small stacks, so each takes no time."""

import io
import itertools
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from deployment import staff
from deployment.account import Account
from deployment.removal import Data, take_away
from deployment.remove import Removal
from deployment.stacks import Stacks, Step
from local.aws import REGION
from local.progress import Progress
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
CLIENT = {
    "Type": "AWS::Cognito::UserPoolClient",
    "Properties": {"UserPoolId": {"Ref": "Pool"}, "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"]},
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


def make(stacks: Stacks, name: str, **resources: Any) -> str:
    """Make a stack; gives the state it ends in."""
    outputs = {logical_id: {"Value": {"Ref": logical_id}} for logical_id in resources}
    template = {"Description": "GlobalConnect - small", "Resources": resources, "Outputs": outputs}
    stacks.client.create_stack(StackName=name, TemplateBody=json.dumps(template))
    deadline = time.monotonic() + 30
    while (stack := stacks.find(name)) and stack.is_in_progress:
        assert time.monotonic() < deadline
    assert stack
    return stack.status


def removal(aws: EmulatedAws, stacks: Stacks, data: Data, name: str, said: list[str]) -> Removal:
    account = Account("000000000000", "arn:aws:iam::000000000000:root", REGION, session=None)  # type: ignore[arg-type]
    return Removal(name, account, stacks, data, said.append, lambda _: None, "GlobalConnect", "globalconnect")


def test_what_a_rollback_could_not_delete_is_cleared_away(stacks: Stacks, data: Data, name: str) -> None:
    assert make(stacks, name, Table=TABLE, Pool=POOL, Refused=REFUSED) == "ROLLBACK_FAILED"
    stack = stacks.find(name)
    assert stack
    assert stacks.step(stack) is Step.CLEAR
    take_away(stack, stacks, data)
    assert stacks.find(name) is None


def test_what_a_deletion_could_not_delete_is_left_to_a_removal(
    aws: EmulatedAws, stacks: Stacks, data: Data, name: str
) -> None:
    assert make(stacks, name, Table=TABLE, Pool=POOL) == "CREATE_COMPLETE"
    stacks.client.delete_stack(StackName=name)
    deadline = time.monotonic() + 30
    while (stack := stacks.find(name)) and stack.status != "DELETE_FAILED":
        assert time.monotonic() < deadline
    assert stacks.step(stack) is Step.REFUSE
    removal(aws, stacks, data, name, []).run(name)
    assert stacks.find(name) is None


def test_a_change_set_that_nobody_executed_is_cleared_away(stacks: Stacks, data: Data, name: str) -> None:
    body = json.dumps({"Resources": {"Table": TABLE}})
    stacks.client.create_change_set(StackName=name, ChangeSetName="a", ChangeSetType="CREATE", TemplateBody=body)
    stack = stacks.find(name)
    assert stack
    assert (stack.status, stacks.step(stack)) == ("REVIEW_IN_PROGRESS", Step.CLEAR)
    take_away(stack, stacks, data)
    assert stacks.find(name) is None


def test_people_who_outlived_their_stack_are_found_again(
    aws: EmulatedAws, stacks: Stacks, data: Data, name: str
) -> None:
    assert make(stacks, name, Pool=POOL) == "CREATE_COMPLETE"
    stack = stacks.find(name)
    assert stack
    stacks.delete(stack)
    assert list(aws.protected().values()) == [True]
    said: list[str] = []
    removal(aws, stacks, data, name, said).run(name)
    assert any("0 people" in line for line in said)


def test_to_lift_a_pools_protection_changes_nothing_else_of_it(stacks: Stacks, data: Data, name: str) -> None:
    make(stacks, name, Pool=POOL)
    stack = stacks.find(name)
    assert stack
    pool_id = stack.outputs["Pool"]
    before = data.pools.describe_user_pool(UserPoolId=pool_id)["UserPool"]
    data.protect(data.held(stacks.resources(stack.id)), on=False)
    after = data.pools.describe_user_pool(UserPoolId=pool_id)["UserPool"]
    changed = {key for key in before if before[key] != after.get(key)}
    assert changed <= {"DeletionProtection", "LastModifiedDate"}
    take_away(stack, stacks, data)


def test_who_is_invited_signs_in_with_the_temporary_password_and_has_to_set_one(
    stacks: Stacks, data: Data, name: str
) -> None:
    make(stacks, name, Pool=POOL, Client=CLIENT)
    stack = stacks.find(name)
    assert stack
    said: list[str] = []
    console = staff.Console(data.pools, stack.outputs["Pool"], "http://127.0.0.1/console/", sends_mail=False)
    for _ in range(2):
        staff.invite(console, "ada@example.com", said.append)
    passwords = [line.rpartition(" ")[2] for line in said if "temporary password is" in line]
    assert len(set(passwords)) == 2

    client = {"ClientId": stack.outputs["Client"]}
    signing_in = {"USERNAME": "ada@example.com", "PASSWORD": passwords[-1]}
    asked = data.pools.initiate_auth(**client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=signing_in)
    assert asked["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    responses = {"USERNAME": "ada@example.com", "NEW_PASSWORD": "Chosen-by-Ada-1"}
    signed_in = data.pools.respond_to_auth_challenge(
        **client, ChallengeName=asked["ChallengeName"], Session=asked["Session"], ChallengeResponses=responses
    )
    assert signed_in["AuthenticationResult"]["IdToken"]
    staff.invite(console, "ada@example.com", said.append)
    assert "is there already (CONFIRMED)" in said[-1]
    take_away(stack, stacks, data)
