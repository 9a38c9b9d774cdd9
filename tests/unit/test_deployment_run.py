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
OUTPUTS = {"ApiUrl": "https://api.example/live", "ConsoleUrl": "https://api.example/live/console/"}
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

    # CloudFormation

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        stack = self.stacks.get(StackName.removeprefix("arn:"))
        if stack is None:
            raise client_error("ValidationError", f"Stack with id {StackName} does not exist")
        if stack.states[0] == "DELETE_COMPLETE" and not StackName.startswith("arn:"):
            raise client_error("ValidationError", f"Stack with id {StackName} does not exist")
        described = {
            "StackName": StackName.removeprefix("arn:"),
            "StackId": f"arn:{StackName.removeprefix('arn:')}",
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
        name = StackName.removeprefix("arn:")
        events = []
        for number, happened in enumerate(self.stacks[name].history):
            resource, _, reason = happened.rpartition(": ")
            status = "CREATE_FAILED" if resource else happened
            event = {"EventId": f"{number}", "LogicalResourceId": resource or name, "ResourceStatus": status}
            event["ResourceType"] = "AWS::Route53::RecordSet" if resource else "AWS::CloudFormation::Stack"
            events.append(event | ({"ResourceStatusReason": reason} if resource else {}))
        yield {"StackEvents": events[::-1]}

    def _list_stack_resources(self, StackName: str) -> Iterator[dict[str, Any]]:
        kinds = {"table": "AWS::DynamoDB::Table", "pool": "AWS::Cognito::UserPool", "queue": "AWS::SQS::Queue"}
        for name, kind in kinds.items():
            summary = {"LogicalResourceId": name.title(), "PhysicalResourceId": name, "ResourceType": kind}
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


def with_stack(world: Site, *states: str, history: Sequence[str] = ("REVIEW_IN_PROGRESS",)) -> PretendStack:
    world.aws.stacks[NAME] = PretendStack(list(states), list(history))
    return world.aws.stacks[NAME]


MADE = ["build for arm64", "deploy, protection false", "deploy, protection true"]
UPDATED = ["build for arm64", "deploy, protection true"]
CLEARED = ["unprotect table", "unprotect pool", f"delete {NAME}"]


def test_a_stack_that_is_not_there_is_made_and_then_protected(world: Site) -> None:
    assert world.deploy() == MADE


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_a_complete_stack_is_updated_and_protected_in_one_step(world: Site, status: str) -> None:
    with_stack(world, status)
    assert world.deploy() == UPDATED


def test_what_lost_its_protection_behind_the_stacks_back_gets_it_again(world: Site) -> None:
    with_stack(world, "UPDATE_COMPLETE")
    world.aws.protected.clear()
    assert world.deploy() == [*UPDATED, "protect table", "protect pool"]
    assert "Table, Pool" in "\n".join(world.said)


def test_what_is_to_be_unprotected_stays_so(world: Site) -> None:
    with_stack(world, "UPDATE_COMPLETE")
    world.aws.protected.clear()
    assert world.deploy(DELETION_PROTECTION="false") == ["build for arm64", "deploy, protection false"]


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
    with pytest.raises(DeploymentError, match=status):
        world.deploy()
    assert world.aws.done == []


@pytest.mark.parametrize(
    ("status", "how"),
    [
        (
            "UPDATE_ROLLBACK_FAILED",
            f"aws cloudformation continue-update-rollback --stack-name {NAME} --region eu-west-1",
        ),
        ("UPDATE_FAILED", f"aws cloudformation rollback-stack --stack-name {NAME} --region eu-west-1"),
        ("DELETE_FAILED", "make remove"),
    ],
)
def test_a_stack_that_needs_a_person_is_refused_with_the_command_that_helps(world: Site, status: str, how: str) -> None:
    with_stack(world, status, history=["CREATE_IN_PROGRESS", "CREATE_COMPLETE"])
    with pytest.raises(DeploymentError) as failure:
        world.deploy()
    assert how in failure.value.how


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
    with_stack(world, "ROLLBACK_FAILED").deleted = "DELETE_FAILED"
    with pytest.raises(DeploymentError, match="could not delete all of globalconnect"):
        world.deploy()
    assert world.aws.done == CLEARED


def test_a_failed_first_step_says_that_the_next_run_starts_anew_and_so_it_does(world: Site) -> None:
    world.tools.leads_to = ["ROLLBACK_COMPLETE"]
    with pytest.raises(DeploymentError) as failure:
        world.deploy()
    assert "it clears away what is left, and starts anew" in failure.value.how
    world.aws.done.clear()
    assert world.deploy()[-3:] == MADE


def test_a_failed_update_says_that_the_old_one_goes_on(world: Site) -> None:
    with_stack(world, "UPDATE_COMPLETE")
    world.tools.leads_to = ["UPDATE_ROLLBACK_COMPLETE"]
    with pytest.raises(DeploymentError) as failure:
        world.deploy()
    assert "What was deployed before goes on" in failure.value.how


def test_a_failed_deployment_says_what_failed_in_it_and_not_what_failed_before(world: Site) -> None:
    with_stack(
        world, "UPDATE_ROLLBACK_COMPLETE", history=["CREATE_COMPLETE", "Queue: gone", "UPDATE_ROLLBACK_COMPLETE"]
    )
    world.tools.leads_to = ["UPDATE_ROLLBACK_COMPLETE"]
    world.tools.fails = ["DomainRecord: no such zone", "Api: Resource creation cancelled", "Stage: not found"]
    with pytest.raises(DeploymentError) as failure:
        world.deploy()
    assert failure.value.what.split("\n")[1:] == ["  DomainRecord: no such zone", "  Stage: not found"]


def test_a_failed_second_step_fails_aloud_and_the_next_run_finishes_it(world: Site) -> None:
    world.tools.leads_to = ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_COMPLETE"]
    with pytest.raises(DeploymentError, match="works, but its tables and people are NOT protected") as failure:
        world.deploy()
    assert failure.value.how == "To finish it: make deploy"
    assert not any("is deployed" in line for line in world.said)
    world.aws.done.clear()
    assert world.deploy() == UPDATED


def test_a_change_set_that_was_not_executed_is_no_deployment(world: Site) -> None:
    world.tools.leads_to = ["REVIEW_IN_PROGRESS"]
    with pytest.raises(DeploymentError, match="Nothing was deployed: the stack is REVIEW_IN_PROGRESS"):
        world.deploy()
    assert len(world.tools.deployed) == 1


@pytest.mark.parametrize("status", ["UPDATE_COMPLETE", "ROLLBACK_COMPLETE", "DELETE_FAILED"])
@pytest.mark.parametrize("description", ["A blog", ""])
def test_a_stack_of_something_else_is_neither_updated_nor_removed(world: Site, status: str, description: str) -> None:
    with_stack(world, status).description = description
    for command in (world.deploy, world.remove):
        with pytest.raises(DeploymentError, match="is none of GlobalConnect"):
            command()
    assert world.aws.done == []


def test_what_can_be_refused_is_refused_before_anything_is_deleted_or_built(world: Site) -> None:
    with_stack(world, "ROLLBACK_COMPLETE")
    with pytest.raises(DeploymentError, match="DELETION_PROTECTION is one of true, false"):
        world.deploy(DELETION_PROTECTION="yes")
    assert world.aws.done == []


def test_sams_own_stack_is_made_anew_when_a_killed_run_left_it_half_made(world: Site) -> None:
    world.aws.stacks[SAM_STACK] = PretendStack(["CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE"], ["CREATE_IN_PROGRESS"])
    world.aws.there.clear()
    assert world.deploy() == [f"delete {SAM_STACK}", *MADE]


def test_sams_own_stack_is_never_deleted_when_it_was_complete(world: Site) -> None:
    world.aws.stacks[SAM_STACK] = PretendStack(["DELETE_FAILED"], ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"])
    assert world.deploy() == MADE


def test_what_is_done_and_where_is_said_before_it_is_done(world: Site) -> None:
    world.deploy()
    said = "\n".join(world.said)
    assert said.index("123456789012") < said.index("is deployed")
    for part in (
        "region    eu-west-1",
        "globalconnect: is not there yet",
        "DeletionProtection=false",
        "quota     1000",
    ):
        assert part in said


def test_a_quota_that_may_not_be_read_stops_nothing(world: Site) -> None:
    world.aws.quota = None
    assert world.deploy() == MADE
    assert any("may not ask" in line for line in world.said)


def test_it_ends_with_urls_the_next_commands_and_what_an_idle_month_costs(world: Site) -> None:
    world.deploy()
    said = "\n".join(world.said)
    for part in (
        "partners call   https://api.example/live/SMSBOWER",
        "console         https://api.example/live/console/",
        "make staff EMAIL=",
        "make deploy DOMAIN=",
        "US$ 9.99",
    ):
        assert part in said


def test_what_is_left_to_do_is_told_and_what_is_done_is_not() -> None:
    bare = "\n".join(next_lines(Stack(NAME, "arn:1", "UPDATE_COMPLETE", outputs=OUTPUTS), "eu-west-1", " STACK=two"))
    assert "CERTIFICATE_ARN=arn:aws:acm:eu-west-1:... STACK=two" in bare
    assert "make deploy ALARM_EMAIL=you@example.com STACK=two" in bare
    own = {**OUTPUTS, "PartnerUrl": "https://sms.example.com/SMSBOWER", "DomainTarget": "d-1.execute-api.example"}
    given = {"DomainName": "sms.example.com", "AlarmEmail": "ops@example.com", "HostedZoneId": ""}
    said = "\n".join(
        next_lines(Stack(NAME, "arn:1", "UPDATE_COMPLETE", parameters=given, outputs=own), "eu-west-1", "")
    )
    assert "partners call   https://sms.example.com/SMSBOWER" in said
    assert "console         https://sms.example.com/console/" in said
    assert "in your DNS: sms.example.com CNAME d-1.execute-api.example" in said
    assert "make deploy" not in said
    in_zone = Stack(NAME, "arn:1", "UPDATE_COMPLETE", parameters={**given, "HostedZoneId": "Z1"}, outputs=own)
    assert "CNAME" not in "\n".join(next_lines(in_zone, "eu-west-1", ""))


def test_a_history_without_its_beginning_proves_nothing() -> None:
    stack = "AWS::CloudFormation::Stack"
    assert was_never_complete([(stack, "CREATE_IN_PROGRESS"), (stack, "ROLLBACK_COMPLETE")])
    assert not was_never_complete([(stack, "DELETE_IN_PROGRESS"), (stack, "DELETE_FAILED")])
    assert not was_never_complete([])


def test_a_resource_that_was_complete_is_no_complete_stack() -> None:
    stack = "AWS::CloudFormation::Stack"
    assert was_never_complete([(stack, "CREATE_IN_PROGRESS"), ("AWS::DynamoDB::Table", "CREATE_COMPLETE")])


# ---------------------------------------------------------------- make remove


@pytest.mark.parametrize("status", ["UPDATE_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED"])
def test_a_stack_goes_with_all_that_is_protected_in_it(world: Site, status: str) -> None:
    with_stack(world, status, history=["CREATE_IN_PROGRESS", "CREATE_COMPLETE"])
    assert world.remove() == CLEARED
    assert world.aws.there == set()


def test_people_outlive_their_stack_and_go_after_it(world: Site) -> None:
    with_stack(world, "UPDATE_COMPLETE").pool_outlives_it = True
    assert world.remove() == [*CLEARED, "delete pool"]


def test_what_is_lost_is_said_before_it_is_lost(world: Site) -> None:
    with_stack(world, "UPDATE_COMPLETE")
    with pytest.raises(DeploymentError):
        world.remove(confirmed=None)
    said = "\n".join(world.said)
    assert "7 items" in said
    assert "3 people" in said
    assert world.aws.done == []


@pytest.mark.parametrize("typed", ["", "globalconect", "yes"])
def test_another_name_removes_nothing(world: Site, typed: str) -> None:
    with_stack(world, "UPDATE_COMPLETE")
    with pytest.raises(DeploymentError, match="nothing was removed"):
        world.remove(confirmed=None, ask=lambda _: typed)
    with pytest.raises(DeploymentError, match="nothing was removed"):
        world.remove(confirmed=typed)
    assert world.aws.done == []


def test_without_a_terminal_the_name_has_to_be_given_beforehand(world: Site) -> None:
    with_stack(world, "UPDATE_COMPLETE")
    with pytest.raises(DeploymentError) as failure:
        world.remove(confirmed=None)
    assert "make remove CONFIRM=globalconnect" in failure.value.how


def test_the_typed_name_removes_it(world: Site) -> None:
    with_stack(world, "UPDATE_COMPLETE")
    assert world.remove(confirmed=None, ask=lambda _: NAME) == CLEARED


def test_termination_protection_is_lifted_by_a_person_only(world: Site) -> None:
    with_stack(world, "UPDATE_COMPLETE").termination_protected = True
    with pytest.raises(DeploymentError) as failure:
        world.remove()
    assert "update-termination-protection --stack-name globalconnect" in failure.value.how
    assert world.aws.done == []


def test_a_removal_that_was_broken_off_before_the_end_is_taken_up_again(world: Site) -> None:
    with_stack(world, "DELETE_IN_PROGRESS", "DELETE_COMPLETE").pool_outlives_it = True
    world.aws.there.discard("table")
    assert world.remove() == ["unprotect pool", "delete pool"]


def test_people_that_a_deleted_stack_left_behind_are_found_and_asked_about(world: Site) -> None:
    with_stack(world, "DELETE_COMPLETE")
    world.aws.there.discard("table")
    with pytest.raises(DeploymentError):
        world.remove(confirmed=None)
    assert any("3 people" in line for line in world.said)
    assert world.remove() == ["unprotect pool", "delete pool"]


@pytest.mark.parametrize("description", ["Accounts of our shop", "GlobalConnectivity hub", ""])
def test_people_of_another_products_deleted_stack_are_left_alone(world: Site, description: str) -> None:
    with_stack(world, "DELETE_COMPLETE").description = description
    assert world.remove() == []
    assert world.said[-1] == "There is nothing to remove."


def test_people_whom_another_stack_has_taken_over_are_left_alone(world: Site) -> None:
    with_stack(world, "DELETE_COMPLETE")
    world.aws.taken_over.add("pool")
    assert world.remove() == []


def test_what_is_left_after_a_failed_removal_is_said_to_be_unprotected(world: Site) -> None:
    with_stack(world, "UPDATE_COMPLETE").deleted = "DELETE_FAILED"
    with pytest.raises(DeploymentError, match="no longer protected"):
        world.remove()


def test_tables_that_a_deleted_stack_had_are_none_of_a_removals_business(world: Site) -> None:
    with_stack(world, "DELETE_COMPLETE")
    world.remove()
    assert world.aws.there == {"table"}


def test_a_stack_that_is_not_there_is_no_failure(world: Site) -> None:
    world.aws.there.clear()
    assert world.remove() == []
    assert world.said[-1] == "There is nothing to remove."


def test_it_ends_with_what_aws_keeps(world: Site) -> None:
    with_stack(world, "UPDATE_COMPLETE")
    world.aws.stacks[SAM_STACK] = PretendStack(["CREATE_COMPLETE"], outputs={"SourceBucket": "sams-bucket"})
    world.remove()
    said = "\n".join(world.said)
    assert "for 35 days" in said
    assert "s3://sams-bucket/globalconnect/" in said
