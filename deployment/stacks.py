"""CloudFormation stacks: what state one is in, what that means for a deployment, and waiting for AWS."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from deployment.failure import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from local.progress import Progress

_COMPLETE = {
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
}
# What a stack is left in by a first deployment that was refused or broken off, or by the removal of one.
_BROKEN = {"REVIEW_IN_PROGRESS", "CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"}
_BEGUN = {"REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS"}
# How long somebody else may look at a change set before carrying it out, as SAM does for its bucket.
_REVIEW_SECONDS = 60.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 5.0
TABLE, POOL, KMS_KEY = "AWS::DynamoDB::Table", "AWS::Cognito::UserPool", "AWS::KMS::Key"
# A resource of a stack may be called like the stack; none is of this type.
_STACK = "AWS::CloudFormation::Stack"


@dataclass(frozen=True)
class Stack:
    """A stack as CloudFormation describes it."""

    name: str
    id: str
    status: str
    reason: str = ""
    description: str = ""
    created: float = 0.0
    parameters: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    termination_protected: bool = False

    def is_of(self, product: str) -> bool:
        """Whether the stack's template is one of ``product``: its description says so."""
        return self.description.startswith(f"{product} - ")

    @property
    def is_complete(self) -> bool:
        """Whether all of it is there, as of its last deployment or the one before."""
        return self.status in _COMPLETE

    @property
    def is_in_progress(self) -> bool:
        """Whether AWS is at work on it. Under review nothing happens until somebody says so."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"


@dataclass(frozen=True)
class Resource:
    """One thing that a stack holds."""

    logical_id: str
    physical_id: str
    kind: str
    status: str


class Step(Enum):
    """What a deployment does next about a stack."""

    MAKE = auto()
    UPDATE = auto()
    WAIT = auto()
    CLEAR = auto()
    REFUSE = auto()


def next_step(stack: Stack | None, never_complete: Callable[[], bool]) -> Step:
    """What to do about ``stack``, None when there is none; ``never_complete`` is asked only where it matters.

    Nothing is cleared away of a stack that was complete once: it may hold numbers, keys and people.
    """
    if stack is None:
        return Step.MAKE
    if stack.is_complete:
        return Step.UPDATE
    if stack.is_in_progress:
        return Step.WAIT
    if stack.status in _BROKEN and never_complete():
        return Step.CLEAR
    return Step.REFUSE


def was_never_complete(events: Iterable[tuple[str, str]]) -> bool:
    """Whether ``events``, pairs of resource type and status, tell a stack's whole life and no completion is in it.

    A history that does not go back to the beginning proves nothing.
    """
    own = {status for kind, status in events if kind == _STACK}
    was_complete = any(status in _COMPLETE or status.startswith(("UPDATE_", "IMPORT_")) for status in own)
    return bool(own & _BEGUN) and not was_complete


def way_out(stack: Stack, region: str, remove: str) -> str:
    """What a person can do about a stack that no deployment may touch; ``remove`` is the command that takes it away."""
    there = f"--stack-name {stack.name} --region {region}"
    match stack.status:
        case "UPDATE_ROLLBACK_FAILED":
            return (
                "Put right what its events say (the AWS console shows them), then let AWS go on, and deploy again:\n"
                f"  aws cloudformation continue-update-rollback {there}"
            )
        case "UPDATE_FAILED":
            return f"Let AWS go back to what was there before, and deploy again:\n  aws cloudformation rollback-stack {there}"
        case _:
            return f"It was complete once, so this command deletes nothing of it. To take it away for good:\n  {remove}"


@dataclass(frozen=True)
class Stacks:
    """The stacks of an account and region, through a client of CloudFormation."""

    client: Any
    progress: Progress
    pause: Callable[[float], None] = time.sleep

    def find(self, name_or_id: str) -> Stack | None:
        """The stack, None when there is none (any more)."""
        try:
            described = self.client.describe_stacks(StackName=name_or_id)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in error.response["Error"]["Message"]:
                return None
            raise
        return None if described["StackStatus"] == "DELETE_COMPLETE" else _stack(described)

    def check_ours(self, stack: Stack | None, product: str) -> None:
        """Refuse a stack of another template: to update it is to delete what it holds. Raises DeploymentError."""
        # Under review, a stack holds nothing yet.
        if stack is None or stack.status == "REVIEW_IN_PROGRESS" or stack.is_of(product):
            return
        raise DeploymentError(
            f"The stack {stack.name} is none of {product}: {stack.description or 'it has no description'}.",
            how="Name another: STACK=...",
        )

    def step(self, stack: Stack | None) -> Step:
        """What a deployment does next about ``stack``."""
        return next_step(stack, lambda: stack is not None and self._was_never_complete(stack))

    def reviewed(self, stack: Stack | None, now: Callable[[], float] = time.time) -> Stack | None:
        """The stack when nobody can be about to make it any more; one that is under review is given a minute."""
        found = stack
        while found and found.status == "REVIEW_IN_PROGRESS" and now() - found.created < _REVIEW_SECONDS:
            self.pause(_LONGEST_PAUSE_SECONDS)
            found = self.find(found.id)
        return found

    def settled(self, stack: Stack | None) -> Stack | None:
        """The stack when AWS is no longer at work on it, None when it is gone then."""
        if stack is None or not stack.is_in_progress:
            return stack
        found: Stack | None = stack
        with self.progress.step(f"waiting for AWS to be done with {stack.name} ({stack.status})"):
            for seconds in _pauses():
                found = self.find(stack.id)
                if found is None or not found.is_in_progress:
                    break
                self.pause(seconds)
        return found

    def deleted(self, name: str, product: str) -> list[Stack]:
        """The stacks of that name and ``product`` that were deleted. CloudFormation knows them for 90 days."""
        pages = self.client.get_paginator("list_stacks").paginate(StackStatusFilter=["DELETE_COMPLETE"])
        ids = [each["StackId"] for page in pages for each in page["StackSummaries"] if each["StackName"] == name]
        gone = [_stack(self.client.describe_stacks(StackName=stack_id)["Stacks"][0]) for stack_id in ids]
        return [stack for stack in gone if stack.is_of(product)]

    def is_held(self, resource: Resource) -> bool:
        """Whether a stack that there is holds it, which may have taken it over from the one that made it."""
        try:
            self.client.describe_stack_resources(PhysicalResourceId=resource.physical_id)
        except ClientError as error:
            if "does not exist" in error.response["Error"]["Message"]:
                return False
            raise
        return True

    def resources(self, stack_id: str) -> list[Resource]:
        """What the stack holds; of a deleted one, what it held."""
        pages = self.client.get_paginator("list_stack_resources").paginate(StackName=stack_id)
        return [
            Resource(
                each["LogicalResourceId"],
                each.get("PhysicalResourceId", ""),
                each["ResourceType"],
                each["ResourceStatus"],
            )
            for page in pages
            for each in page["StackResourceSummaries"]
        ]

    def newest_event(self, stack: Stack) -> str | None:
        """The id of what happened to the stack last."""
        return next((str(event["EventId"]) for event in self._events(stack)), None)

    def failures(self, stack: Stack, since: str | None) -> list[str]:
        """What failed in the stack since that event and why, the first failure first."""
        found: list[str] = []
        for event in self._events(stack):
            if event["EventId"] == since:
                break
            reason = event.get("ResourceStatusReason", "")
            failed = event["ResourceStatus"].endswith("_FAILED") and "cancelled" not in reason
            if failed and event["ResourceType"] != _STACK:
                found.append(f"{event['LogicalResourceId']}: {reason}")
        return found[::-1]

    def make_anew(self, stack: Stack, lost: Sequence[Resource], say: Callable[[str], None]) -> None:
        """Have AWS make resources again that are gone, and change whatever names them; template and parameters stay.

        Raises DeploymentError when AWS can't, or would take another table or pool away, or make one.
        """
        ids = {each.logical_id for each in lost}
        names = ", ".join(sorted(ids))
        given = [{"ParameterKey": name, "UsePreviousValue": True} for name in stack.parameters]
        made = self.client.create_change_set(
            StackName=stack.id,
            ChangeSetName=f"restore-{uuid.uuid4().hex}",
            UsePreviousTemplate=True,
            Parameters=given,
            Capabilities=["CAPABILITY_IAM"],
            # Compares with what there is, not with what there was last time: it sees what is gone.
            DeploymentMode="REVERT_DRIFT",
        )["Id"]
        with self.progress.step("asking AWS what it would change"):
            described = self._change_set(made, "Status", {"CREATE_PENDING", "CREATE_IN_PROGRESS"})
        changes = [each["ResourceChange"] for each in described["Changes"]]
        others = [f"{each['Action']} {each['LogicalResourceId']}" for each in changes if _ends(each, ids)]
        if others or not ids <= {each["LogicalResourceId"] for each in changes}:
            self.client.delete_change_set(ChangeSetName=made)
            why = described.get("StatusReason") or f"it would {', '.join(others) or 'not make all of it'}"
            raise DeploymentError(
                f"AWS can't make {names} anew by itself: {why}.",
                how='docs/runbook.md, "Restore a table", says how to do it with the template.',
            )
        for each in changes:
            say(f"  {each['Action']:<8} {each['LogicalResourceId']}")
        begun = self.newest_event(stack)
        self.client.execute_change_set(ChangeSetName=made)
        with self.progress.step(f"making {names} anew"):
            self._change_set(made, "ExecutionStatus", {"AVAILABLE", "EXECUTE_IN_PROGRESS"})
        found = self.settled(self.find(stack.id))
        if found is None or not found.is_complete or "ROLLBACK" in found.status:
            failures = "".join(f"\n  {failure}" for failure in self.failures(stack, begun))
            raise DeploymentError(f"AWS could not make {names} anew:{failures}")

    def _change_set(self, name: str, what: str, while_in: set[str]) -> dict[str, Any]:
        """A change set with all its changes, once its status of that kind is none of those."""
        pauses = _pauses()
        found: dict[str, Any] = self.client.describe_change_set(ChangeSetName=name)
        while found[what] in while_in:
            self.pause(next(pauses))
            found = self.client.describe_change_set(ChangeSetName=name)
        page = found
        while page.get("NextToken"):
            page = self.client.describe_change_set(ChangeSetName=name, NextToken=page["NextToken"])
            found["Changes"] += page["Changes"]
        return found

    def delete(self, stack: Stack) -> None:
        """Delete the stack and wait until it is gone; raises DeploymentError when something stays of it."""
        begun = self.newest_event(stack)
        self.client.delete_stack(StackName=stack.id)
        with self.progress.step(f"deleting the stack {stack.name}"):
            for seconds in _pauses():
                found = self.find(stack.id)
                if found is None:
                    return
                if found.status == "DELETE_FAILED":
                    break
                self.pause(seconds)
        failures = "".join(f"\n  {failure}" for failure in self.failures(stack, begun))
        raise DeploymentError(
            f"AWS could not delete all of {stack.name}:{failures}",
            how="Put that right, then the same command again: it goes on from here.",
        )

    def _was_never_complete(self, stack: Stack) -> bool:
        return was_never_complete((event["ResourceType"], event["ResourceStatus"]) for event in self._events(stack))

    def _events(self, stack: Stack) -> Iterator[Mapping[str, Any]]:
        """Events of the stack, the newest first."""
        for page in self.client.get_paginator("describe_stack_events").paginate(StackName=stack.id):
            yield from page["StackEvents"]


def _ends(change: Mapping[str, Any], lost: set[str]) -> bool:
    """Whether a change of a change set is the end of something that holds data, other than what is lost anyway."""
    is_other = change["ResourceType"] in {TABLE, POOL} and change["LogicalResourceId"] not in lost
    return is_other and (change["Action"] in {"Remove", "Add"} or change.get("Replacement") == "True")


def _stack(described: Mapping[str, Any]) -> Stack:
    created = described.get("CreationTime")
    return Stack(
        name=described["StackName"],
        id=described["StackId"],
        status=described["StackStatus"],
        reason=described.get("StackStatusReason", ""),
        description=described.get("Description", ""),
        created=created.timestamp() if created else 0.0,
        parameters={each["ParameterKey"]: each["ParameterValue"] for each in described.get("Parameters", [])},
        outputs={each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])},
        termination_protected=described.get("EnableTerminationProtection", False),
    )


def _pauses() -> Iterator[float]:
    """Seconds between two looks: short at first, without end."""
    seconds = _FIRST_PAUSE_SECONDS
    while True:
        yield seconds
        seconds = min(seconds * 1.5, _LONGEST_PAUSE_SECONDS)
