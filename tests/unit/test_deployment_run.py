"""`make deploy` and `make remove` from every state that a stack can be in, on a pretend AWS that tells what was done."""

# ruff: noqa: N803 - arguments are called what boto3 calls them

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from deployment.account import Account
from deployment.deploy import SAM_STACK, Deployment, next_lines
from deployment.failure import DeploymentError
from deployment.removal import Data
from deployment.remove import Removal
from deployment.stacks import Stack, Stacks, was_never_complete
from local.progress import Progress

NAME = "globalconnect"
TEMPLATE: dict[str, Any] = {
    "Description": "GlobalConnect - numbers",
    "Parameters": {
        "Architecture": {"Type": "String", "Default": "arm64"},
        "DeletionProtection": {"Type": "String", "Default": "true", "AllowedValues": ["true", "false"]},
    },
    "Resources": {},
}
TEMPLATE["Parameters"]["KeyEncryption"] = {"Type": "String", "Default": "off", "AllowedValues": ["off", "on", "ending"]}
OUTPUTS = {
    "ApiUrl": "https://api.example/live",
    "ConsoleUrl": "https://api.example/live/console/",
    "DashboardUrl": "https://cloudwatch.example/",
}
OWN_DOMAIN = {"PartnerUrl": "https://sms.example.com/SMSBOWER", "DomainTarget": "d-1.execute-api.example"}
BROKEN = ["REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"]
IN_PROGRESS = ["CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "DELETE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"]


def client_error(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


@dataclass
class PretendStack:
    """One stack: its states to come, the present one first; the last one stays. DELETE_COMPLETE is the end of it.

    Its history holds states of its own, the oldest first, and failures of resources as `name: reason`.
    """

    states: list[str]
    history: list[str] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=lambda: dict(OUTPUTS))
    description: str = TEMPLATE["Description"]
    parameters: dict[str, str] = field(default_factory=dict)
    termination_protected: bool = False
    # What its deletion leads to.
    deleted: str = "DELETE_COMPLETE"
    pool_outlives_it: bool = False


@dataclass
class PretendAws:
    """CloudFormation with its stacks, a table and a pool in each, and a note of all that was done."""

    stacks: dict[str, PretendStack] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    protected: set[str] = field(default_factory=lambda: {"table", "pool"})
    there: set[str] = field(default_factory=lambda: {"table", "pool"})
    # Held by a stack that is not among `stacks`.
    taken_over: set[str] = field(default_factory=set)
    quota: int | None = 1000
    # What is in the table, if that is the one of partners; and which resources are there beside the usual ones.
    partners: list[dict[str, Any]] | None = None
    others: dict[str, str] = field(default_factory=dict)

    # CloudFormation

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        name = StackName.removeprefix("arn:")
        stack = self.stacks.get(name)
        if stack is None or (stack.states[0] == "DELETE_COMPLETE" and name == StackName):
            raise client_error("ValidationError", f"Stack with id {StackName} does not exist")
        described = {
            "StackName": name,
            "StackId": f"arn:{name}",
            "StackStatus": stack.states[0],
            "Description": "" if stack.states[0] == "REVIEW_IN_PROGRESS" else stack.description,
            "EnableTerminationProtection": stack.termination_protected,
            "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in stack.parameters.items()],
            "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in stack.outputs.items()],
        }
        return {"Stacks": [described]}

    def pass_time(self, _seconds: float) -> None:
        for stack in self.stacks.values():
            if len(stack.states) > 1:
                stack.states.pop(0)

    def describe_stack_resources(self, PhysicalResourceId: str) -> dict[str, Any]:
        if PhysicalResourceId not in self.taken_over:
            raise client_error("ValidationError", f"Stack for {PhysicalResourceId} does not exist")
        return {"StackResources": [{"StackName": "another"}]}

    def delete_stack(self, StackName: str) -> None:
        stack = self.stacks[StackName.removeprefix("arn:")]
        self.done.append(f"delete {StackName.removeprefix('arn:')}")
        held = set() if stack.pool_outlives_it else {"pool"}
        assert not self.protected & ({"table"} | held) & self.there, "AWS refuses to delete what is protected"
        self.there -= {"table"} | held
        stack.states = ["DELETE_IN_PROGRESS", stack.deleted]

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=getattr(self, f"_{operation}"))

    def _describe_stack_events(self, StackName: str) -> Iterator[dict[str, Any]]:
        history = enumerate(self.stacks[StackName.removeprefix("arn:")].history)
        yield {"StackEvents": [self._event(str(number), *happened.split(": ")) for number, happened in history][::-1]}

    @staticmethod
    def _event(number: str, what: str, reason: str | None = None) -> dict[str, str]:
        event = {"EventId": number, "LogicalResourceId": what}
        if reason is None:
            return event | {"ResourceType": "AWS::CloudFormation::Stack", "ResourceStatus": what}
        failed = {"ResourceType": "AWS::Route53::RecordSet", "ResourceStatus": "CREATE_FAILED"}
        return event | failed | {"ResourceStatusReason": reason}

    def _list_stack_resources(self, StackName: str) -> Iterator[dict[str, Any]]:
        kinds = {"table": "AWS::DynamoDB::Table", "pool": "AWS::Cognito::UserPool", "queue": "AWS::SQS::Queue"}
        for name, kind in (kinds | self.others).items():
            logical_id = "PartnersTable" if name == "table" and self.partners is not None else name.title()
            summary = {"LogicalResourceId": logical_id, "PhysicalResourceId": name, "ResourceType": kind}
            yield {"StackResourceSummaries": [summary | {"ResourceStatus": "CREATE_COMPLETE"}]}

    def _list_stacks(self, StackStatusFilter: Sequence[str]) -> Iterator[dict[str, Any]]:
        yield {
            "StackSummaries": [
                {"StackName": name, "StackId": f"arn:{name}"}
                for name, stack in self.stacks.items()
                if stack.states[0] in StackStatusFilter
            ]
        }

    # DynamoDB

    def _scan(self, TableName: str, ConsistentRead: bool) -> Iterator[dict[str, Any]]:
        assert (TableName, ConsistentRead) == ("table", True)
        yield {"Items": self.partners}

    def describe_table(self, TableName: str) -> dict[str, Any]:
        if TableName not in self.there:
            raise client_error("ResourceNotFoundException")
        protected = TableName in self.protected
        return {"Table": {"TableStatus": "ACTIVE", "DeletionProtectionEnabled": protected, "ItemCount": 7}}

    def update_table(self, TableName: str, DeletionProtectionEnabled: bool) -> None:
        self._protect(TableName, on=DeletionProtectionEnabled)

    def _protect(self, name: str, *, on: bool) -> None:
        self.protected = self.protected | {name} if on else self.protected - {name}
        self.done.append(f"{'protect' if on else 'unprotect'} {name}")

    # Cognito

    meta = SimpleNamespace(
        service_model=SimpleNamespace(
            operation_model=lambda _: SimpleNamespace(
                input_shape=SimpleNamespace(members=["UserPoolId", "AdminCreateUserConfig", "DeletionProtection"])
            )
        )
    )

    def describe_user_pool(self, UserPoolId: str) -> dict[str, Any]:
        if UserPoolId not in self.there:
            raise client_error("ResourceNotFoundException")
        protection = "ACTIVE" if UserPoolId in self.protected else "INACTIVE"
        invitations = {"AllowAdminCreateUserOnly": True, "UnusedAccountValidityDays": 7}
        return {
            "UserPool": {
                "Id": UserPoolId,
                "DeletionProtection": protection,
                "AdminCreateUserConfig": invitations,
                "EstimatedNumberOfUsers": 3,
            }
        }

    def update_user_pool(
        self, UserPoolId: str, AdminCreateUserConfig: Mapping[str, Any], DeletionProtection: str
    ) -> None:
        assert AdminCreateUserConfig == {"AllowAdminCreateUserOnly": True}, "anybody could sign up from here on"
        self._protect(UserPoolId, on=DeletionProtection == "ACTIVE")

    def delete_user_pool(self, UserPoolId: str) -> None:
        assert UserPoolId not in self.protected
        self.there.discard(UserPoolId)
        self.done.append(f"delete {UserPoolId}")

    # Lambda

    exceptions = SimpleNamespace(ClientError=ClientError)

    def get_account_settings(self) -> dict[str, Any]:
        if self.quota is None:
            raise client_error("AccessDeniedException")
        return {"AccountLimit": {"ConcurrentExecutions": self.quota}}


@dataclass
class PretendTools:
    """Tools that note what they are told, and make or update the pretend stack."""

    aws: PretendAws
    # What each `sam deploy` leaves the stack in; a failure when that is not what it is to be.
    leads_to: list[str] = field(default_factory=list)
    fails: list[str] = field(default_factory=list)
    deployed: list[dict[str, str]] = field(default_factory=list)

    def build(self, parameters: Mapping[str, str]) -> None:
        self.aws.done.append(f"build for {parameters['Architecture']}")

    def deploy(self, parameters: Mapping[str, str]) -> None:
        self.deployed.append(dict(parameters))
        self.aws.done.append(f"deploy, protection {parameters['DeletionProtection']}")
        stack = self.aws.stacks.get(NAME)
        if stack is None or stack.states[0] == "DELETE_COMPLETE":
            stack = self.aws.stacks[NAME] = PretendStack([], ["REVIEW_IN_PROGRESS"])
        usual = "UPDATE_COMPLETE" if stack.states else "CREATE_COMPLETE"
        stack.states = [self.leads_to.pop(0) if self.leads_to else usual]
        stack.history += [*self.fails, stack.states[0]]
        stack.parameters |= parameters
        if stack.states[0] not in {usual, "REVIEW_IN_PROGRESS"}:
            raise DeploymentError("`sam deploy` failed; what it said is above.")


@dataclass
class Site:
    """One AWS and who works on it."""

    aws: PretendAws = field(default_factory=PretendAws)
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tools = PretendTools(self.aws)
        self.stacks = Stacks(self.aws, Progress(io.StringIO()), pause=self.aws.pass_time)
        self.data = Data(self.aws, self.aws, pause=self.aws.pass_time)
        session = SimpleNamespace(client=lambda _service, config: self.aws)
        self.account = Account("123456789012", "arn:aws:iam::123456789012:user/ada", "eu-west-1", cast("Any", session))

    def deploy(self, **variables: str) -> list[str]:
        """Run `make deploy`; gives what was done."""
        Deployment(TEMPLATE, NAME, self.account, self.stacks, self.data, self.tools, self.said.append).run(
            variables, costs="**US$ 9.99 for a month with 10,000 numbers and nobody calling**"
        )
        return self.aws.done

    def remove(self, confirmed: str | None = NAME, ask: Callable[[str], str | None] = lambda _: None) -> list[str]:
        """Run `make remove`; gives what was done."""
        Removal(
            NAME, self.account, self.stacks, self.data, self.said.append, ask, "GlobalConnect", "globalconnect"
        ).run(confirmed)
        return self.aws.done


@pytest.fixture
def world() -> Site:
    return Site()


def with_stack(world: Site, *states: str, history: Sequence[str] = ("REVIEW_IN_PROGRESS",), **facts: Any) -> None:
    world.aws.stacks[NAME] = PretendStack(list(states), list(history), **facts)


def refusal(command: Callable[..., object], **given: Any) -> str:
    """Return what is said when a command must not, or can't, go on."""
    with pytest.raises(DeploymentError) as failure:
        command(**given)
    return str(failure.value)


MADE = ["build for arm64", "deploy, protection false", "deploy, protection true"]
UPDATED = ["build for arm64", "deploy, protection true"]
CLEARED = ["unprotect table", "unprotect pool", f"delete {NAME}"]


def test_a_stack_that_is_not_there_is_made_and_then_protected(world: Site) -> None:
    assert world.deploy() == MADE


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_a_complete_stack_is_updated_and_protected_in_one_step(world: Site, status: str) -> None:
    with_stack(world, status)
    assert world.deploy() == UPDATED


@pytest.mark.parametrize(
    ("named", "done"),
    [
        ({}, [*UPDATED, "protect table", "protect pool"]),
        ({"DELETION_PROTECTION": "false"}, ["build for arm64", "deploy, protection false"]),
    ],
    ids=["as usual", "not to be protected"],
)
def test_what_lost_its_protection_behind_the_stacks_back_gets_it_again_unless_it_is_to_have_none(
    world: Site, named: dict[str, str], done: list[str]
) -> None:
    with_stack(world, "UPDATE_COMPLETE")
    world.aws.protected.clear()
    assert world.deploy(**named) == done
    assert any("Table, Pool" in line for line in world.said) is not bool(named)


ENDING = ["KEY_ENCRYPTION=ending", "make encrypt-keys", "KEY_ENCRYPTION=off"]


@pytest.mark.parametrize(
    ("before", "partners", "said"),
    [
        ("on", [{"key": {"S": "gc_a_b"}}], ENDING),
        ("ending", [{"key": {"S": "gc_a_b"}}, {"key": {"B": b"encrypted"}}], ["1 partners", "make encrypt-keys"]),
        ("ending", [{"signing_secrets": {"L": [{"M": {"secret": {"B": b"x"}}}]}}], ["1 partners", "make encrypt-keys"]),
    ],
)
def test_no_key_is_taken_from_what_it_has_encrypted(
    world: Site, before: str, partners: list[dict[str, Any]], said: list[str]
) -> None:
    with_stack(world, "UPDATE_COMPLETE", parameters={"KeyEncryption": before})
    world.aws.partners = partners
    refused = refusal(world.deploy, KEY_ENCRYPTION="off")
    assert all(part in refused for part in said)
    assert world.aws.done == []


@pytest.mark.parametrize(
    ("before", "after"),
    [("ending", "off"), ("off", "off"), (None, "off"), ("off", "on"), ("on", "ending"), ("on", None)],
)
def test_encryption_begins_at_any_time_and_ends_once_nothing_is_encrypted(
    world: Site, before: str | None, after: str | None
) -> None:
    with_stack(world, "UPDATE_COMPLETE", parameters={"KeyEncryption": before} if before else {})
    world.aws.partners = [{"key": {"S": "gc_a_b"}, "signing_secrets": {"L": [{"M": {"secret": {"S": "x"}}}]}}]
    assert world.deploy(**({"KEY_ENCRYPTION": after} if after else {})) == UPDATED


def test_who_removes_a_stack_is_told_of_the_kms_key_that_stays(world: Site) -> None:
    with_stack(world, "UPDATE_COMPLETE")
    world.aws.others = {"key-1": "AWS::KMS::Key"}
    world.remove()
    assert "schedule-key-deletion --key-id key-1" in "\n".join(world.said)


@pytest.mark.parametrize("status", BROKEN)
def test_what_is_left_of_a_stack_that_never_was_complete_goes_first(world: Site, status: str) -> None:
    with_stack(world, status, history=["REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS", status])
    assert world.deploy() == CLEARED + MADE


@pytest.mark.parametrize("status", [*BROKEN, "UPDATE_ROLLBACK_FAILED", "UPDATE_FAILED"])
@pytest.mark.parametrize(
    "history", [["CREATE_IN_PROGRESS", "CREATE_COMPLETE"], ["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"], []]
)
def test_nothing_is_deleted_of_a_stack_that_was_complete_or_may_have_been(
    world: Site, status: str, history: list[str]
) -> None:
    with_stack(world, status, history=history)
    said = refusal(world.deploy)
    ways_out = {
        "UPDATE_ROLLBACK_FAILED": "aws cloudformation continue-update-rollback --stack-name globalconnect --region eu-west-1",
        "UPDATE_FAILED": "aws cloudformation rollback-stack --stack-name globalconnect --region eu-west-1",
    }
    assert status in said
    assert ways_out.get(status, "make remove") in said
    assert world.aws.done == []


@pytest.mark.parametrize("status", IN_PROGRESS)
@pytest.mark.parametrize(
    ("then", "done"),
    [
        ("CREATE_COMPLETE", UPDATED),
        ("UPDATE_ROLLBACK_COMPLETE", UPDATED),
        ("ROLLBACK_COMPLETE", CLEARED + MADE),
        ("ROLLBACK_FAILED", CLEARED + MADE),
        ("DELETE_COMPLETE", MADE),
    ],
)
def test_what_aws_is_at_work_on_is_waited_for(world: Site, status: str, then: str, done: list[str]) -> None:
    with_stack(world, status, status, status, then)
    assert world.deploy() == done


def test_a_stack_whose_remains_can_not_be_deleted_is_not_tried_for_ever(world: Site) -> None:
    with_stack(world, "ROLLBACK_FAILED", deleted="DELETE_FAILED")
    assert "could not delete all of globalconnect" in refusal(world.deploy)
    assert world.aws.done == CLEARED


@pytest.mark.parametrize(
    ("begins", "leads_to", "says", "next_run"),
    [
        ([], ["ROLLBACK_COMPLETE"], "it clears away what is left, and starts anew", CLEARED + MADE),
        (["UPDATE_COMPLETE"], ["UPDATE_ROLLBACK_COMPLETE"], "What was deployed before goes on", UPDATED),
        (
            [],
            ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"],
            "works, but its tables and people are NOT protected from deletion.\nTo finish it: make deploy",
            UPDATED,
        ),
        ([], ["REVIEW_IN_PROGRESS"], "Nothing was deployed: the stack is REVIEW_IN_PROGRESS", CLEARED + MADE),
    ],
    ids=["first step", "update", "second step", "change set that was not executed"],
)
def test_a_failed_deployment_says_how_the_stack_stands_and_the_next_run_finishes_it(
    world: Site, begins: list[str], leads_to: list[str], says: str, next_run: list[str]
) -> None:
    if begins:
        with_stack(world, *begins)
    world.tools.leads_to = list(leads_to)
    assert says in refusal(world.deploy)
    assert not any("is deployed" in line for line in world.said)
    world.aws.done.clear()
    assert world.deploy() == next_run


def test_a_failed_deployment_says_what_failed_in_it_and_not_what_failed_before(world: Site) -> None:
    with_stack(
        world, "UPDATE_ROLLBACK_COMPLETE", history=["CREATE_COMPLETE", "Queue: gone", "UPDATE_ROLLBACK_COMPLETE"]
    )
    world.tools.leads_to = ["UPDATE_ROLLBACK_COMPLETE"]
    world.tools.fails = ["DomainRecord: no such zone", "Api: Resource creation cancelled", "Stage: not found"]
    assert refusal(world.deploy).split("\n")[1:3] == ["  DomainRecord: no such zone", "  Stage: not found"]


@pytest.mark.parametrize("status", ["UPDATE_COMPLETE", "ROLLBACK_COMPLETE", "DELETE_FAILED"])
@pytest.mark.parametrize("description", ["A blog", ""])
def test_a_stack_of_something_else_is_neither_updated_nor_removed(world: Site, status: str, description: str) -> None:
    with_stack(world, status, description=description)
    for command in (world.deploy, world.remove):
        assert "is none of GlobalConnect" in refusal(command)
    assert world.aws.done == []


def test_what_can_be_refused_is_refused_before_anything_is_deleted_or_built(world: Site) -> None:
    with_stack(world, "ROLLBACK_COMPLETE")
    assert "DELETION_PROTECTION is one of true, false" in refusal(world.deploy, DELETION_PROTECTION="yes")
    assert world.aws.done == []


@pytest.mark.parametrize(
    ("states", "then", "done"),
    [
        (["CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE"], "ROLLBACK_COMPLETE", [f"delete {SAM_STACK}", *MADE]),
        (["DELETE_FAILED"], "CREATE_COMPLETE", MADE),
    ],
    ids=["half-made by a run that was killed", "complete once"],
)
def test_sams_own_stack_is_made_anew_unless_it_was_complete(
    world: Site, states: list[str], then: str, done: list[str]
) -> None:
    world.aws.stacks[SAM_STACK] = PretendStack(list(states), ["CREATE_IN_PROGRESS", then])
    world.aws.there.clear()
    assert world.deploy() == done


def test_it_says_what_it_does_and_where_and_ends_with_urls_the_next_commands_and_what_an_idle_month_costs(
    world: Site,
) -> None:
    world.deploy()
    before, _, after = "\n".join(world.said).partition("GlobalConnect is deployed.")
    for part in (
        "account   123456789012",
        "region    eu-west-1",
        "globalconnect: is not there yet",
        "DeletionProtection=false",
        "quota     1000",
    ):
        assert part in before
    for part in (
        "partners call   https://api.example/live/SMSBOWER",
        "console         https://api.example/live/console/",
        "make staff EMAIL=",
        "make deploy DOMAIN=",
        "US$ 9.99",
    ):
        assert part in after


def test_a_quota_that_may_not_be_read_stops_nothing(world: Site) -> None:
    world.aws.quota = None
    assert world.deploy() == MADE
    assert any("may not ask" in line for line in world.said)


@pytest.mark.parametrize(
    ("outputs", "given", "says", "is_silent_of"),
    [
        (
            {},
            {},
            [
                "CERTIFICATE_ARN=arn:aws:acm:eu-west-1:... STACK=two",
                "make deploy ALARM_EMAIL=you@example.com STACK=two",
            ],
            "CNAME",
        ),
        (
            OWN_DOMAIN,
            {"DomainName": "sms.example.com", "AlarmEmail": "ops@example.com", "HostedZoneId": ""},
            [
                "partners call   https://sms.example.com/SMSBOWER",
                "console         https://sms.example.com/console/",
                "in your DNS: sms.example.com CNAME d-1.execute-api.example",
            ],
            "make deploy",
        ),
        (OWN_DOMAIN, {"DomainName": "sms.example.com", "HostedZoneId": "Z1"}, ["make deploy ALARM_EMAIL="], "CNAME"),
    ],
    ids=["bare", "domain", "domain in a zone of Route 53"],
)
def test_what_is_left_to_do_is_told_and_what_is_done_is_not(
    outputs: dict[str, str], given: dict[str, str], says: list[str], is_silent_of: str
) -> None:
    stack = Stack(NAME, "arn:1", "UPDATE_COMPLETE", parameters=given, outputs=OUTPUTS | outputs)
    said = "\n".join(next_lines(stack, "eu-west-1", " STACK=two"))
    assert [part for part in says if part not in said] == []
    assert is_silent_of not in said


OF_STACK = "AWS::CloudFormation::Stack"


@pytest.mark.parametrize(
    ("events", "never_complete"),
    [
        ([(OF_STACK, "CREATE_IN_PROGRESS"), (OF_STACK, "ROLLBACK_COMPLETE")], True),
        ([(OF_STACK, "CREATE_IN_PROGRESS"), ("AWS::DynamoDB::Table", "CREATE_COMPLETE")], True),
        ([(OF_STACK, "DELETE_IN_PROGRESS"), (OF_STACK, "DELETE_FAILED")], False),
        ([], False),
    ],
    ids=["whole", "only a resource was complete", "without its beginning", "none"],
)
def test_only_a_whole_history_proves_that_a_stack_never_was_complete(
    events: list[tuple[str, str]], *, never_complete: bool
) -> None:
    assert was_never_complete(events) is never_complete


# ---------------------------------------------------------------- make remove

GONE = ["unprotect pool", "delete pool"]


@pytest.mark.parametrize("status", ["UPDATE_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED"])
@pytest.mark.parametrize(("confirmed", "typed"), [(NAME, None), (None, NAME)], ids=["given beforehand", "typed"])
def test_a_stack_goes_with_all_that_is_protected_in_it(
    world: Site, status: str, confirmed: str | None, typed: str | None
) -> None:
    with_stack(world, status, history=["CREATE_IN_PROGRESS", "CREATE_COMPLETE"])
    assert world.remove(confirmed, ask=lambda _: typed) == CLEARED
    assert world.aws.there == set()


@pytest.mark.parametrize(
    ("states", "facts", "done"),
    [
        (["UPDATE_COMPLETE"], {"pool_outlives_it": True}, [*CLEARED, "delete pool"]),
        (["DELETE_IN_PROGRESS", "DELETE_COMPLETE"], {"pool_outlives_it": True}, GONE),
        (["DELETE_COMPLETE"], {}, GONE),
        (["DELETE_COMPLETE"], {"description": "Accounts of our shop"}, []),
        (["DELETE_COMPLETE"], {"description": "GlobalConnectivity hub"}, []),
        (["DELETE_COMPLETE"], {"description": ""}, []),
    ],
    ids=["complete", "removal broken off", "deleted otherwise", "another product", "a longer name", "no description"],
)
def test_people_who_outlive_their_stack_go_after_it_and_a_deleted_stacks_tables_stay(
    world: Site, states: list[str], facts: dict[str, Any], done: list[str]
) -> None:
    with_stack(world, *states, **facts)
    assert world.remove() == done


def test_people_whom_another_stack_has_taken_over_are_left_alone(world: Site) -> None:
    with_stack(world, "DELETE_COMPLETE")
    world.aws.taken_over.add("pool")
    assert world.remove() == []
    assert world.said[-1] == "There is nothing to remove."


@pytest.mark.parametrize("status", ["UPDATE_COMPLETE", "DELETE_COMPLETE"])
def test_what_is_lost_is_said_before_it_is_lost(world: Site, status: str) -> None:
    with_stack(world, status)
    assert "make remove CONFIRM=globalconnect" in refusal(world.remove, confirmed=None)
    assert any("7 items" in line for line in world.said) is (status == "UPDATE_COMPLETE")
    assert any("3 people" in line for line in world.said)
    assert world.aws.done == []


@pytest.mark.parametrize("typed", ["", "globalconect", "yes"])
def test_another_name_removes_nothing(world: Site, typed: str) -> None:
    with_stack(world, "UPDATE_COMPLETE")
    assert "nothing was removed" in refusal(world.remove, confirmed=None, ask=lambda _: typed)
    assert "nothing was removed" in refusal(world.remove, confirmed=typed)
    assert world.aws.done == []


def test_termination_protection_is_lifted_by_a_person_only(world: Site) -> None:
    with_stack(world, "UPDATE_COMPLETE", termination_protected=True)
    assert "update-termination-protection --stack-name globalconnect" in refusal(world.remove)
    assert world.aws.done == []


def test_what_is_left_after_a_failed_removal_is_said_to_be_unprotected(world: Site) -> None:
    with_stack(world, "UPDATE_COMPLETE", deleted="DELETE_FAILED")
    assert "no longer protected" in refusal(world.remove)


def test_it_ends_with_what_aws_keeps(world: Site) -> None:
    with_stack(world, "UPDATE_COMPLETE")
    world.aws.stacks[SAM_STACK] = PretendStack(["CREATE_COMPLETE"], outputs={"SourceBucket": "sams-bucket"})
    world.remove()
    said = "\n".join(world.said)
    assert "for 35 days" in said
    assert "s3://sams-bucket/globalconnect/" in said
