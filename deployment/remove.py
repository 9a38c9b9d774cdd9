"""`make remove`: takes a stack away for good, after its name is typed, and names what AWS keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployment.deploy import SAM_STACK
from deployment.failure import DeploymentError
from deployment.removal import take_away
from deployment.stacks import KMS_KEY, POOL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deployment.account import Account
    from deployment.removal import Data, Held
    from deployment.stacks import Stack, Stacks


@dataclass(frozen=True)
class Removal:
    """One run of `make remove`: of which stack, where, and how the person is asked."""

    stack_name: str
    account: Account
    stacks: Stacks
    data: Data
    say: Callable[[str], None]
    # Gives what was typed; None when there is nobody to type.
    ask: Callable[[str], str | None]
    product: str
    zip_prefix: str

    def run(self, confirmed: str | None) -> None:
        """Remove the stack, or what an earlier run left of it. ``confirmed`` is the name as given beforehand.

        Raises DeploymentError when it must not or can't be removed.
        """
        stack = self.stacks.find(self.stack_name)
        for line in [
            f"Removing {self.product} from AWS",
            *self.account.lines(),
            f"  stack     {self.stack_name}: {stack.status if stack else 'is not there'}",
        ]:
            self.say(line)
        self.stacks.check_ours(stack, self.product)
        if stack and stack.termination_protected:
            raise DeploymentError(
                f"The stack {stack.name} has termination protection.",
                how=f"Lift it, then try again: aws cloudformation update-termination-protection --stack-name {stack.name} "
                f"--region {self.account.region} --no-enable-termination-protection",
            )
        resources = self.stacks.resources(stack.id) if stack else []
        held = [*self.data.held(resources), *self._left_behind()]
        if stack is None and not held:
            self.say("There is nothing to remove.")
            return
        self._confirm(stack, held, confirmed)
        self._take_away(stack, held)
        self._say_what_aws_keeps([each.physical_id for each in resources if each.kind == KMS_KEY])

    def _left_behind(self) -> list[Held]:
        """The pools that outlived stacks of this name: a run was broken off, or somebody deleted the stack otherwise."""
        gone = self.stacks.deleted(self.stack_name, self.product)
        had = [each for stack in gone for each in self.stacks.resources(stack.id) if each.kind == POOL]
        return self.data.held(each for each in had if each.physical_id and not self.stacks.is_held(each))

    def _confirm(self, stack: Stack | None, held: Sequence[Held], confirmed: str | None) -> None:
        self.say("This deletes, for good:")
        for each in held:
            self.say(f"  {each}")
        if stack:
            self.say("  and the API with its address, functions, queues with what waits in them, logs, alarms")
        question = f"Type the stack's name to remove it ({self.stack_name}): "
        typed = self.ask(question) if confirmed is None else confirmed
        if typed is None:
            raise DeploymentError(
                "Nobody is there to type the stack's name, so nothing was removed.",
                how=f"If it is meant: make remove CONFIRM={self.stack_name}",
            )
        if typed.strip() != self.stack_name:
            raise DeploymentError(f"{typed.strip() or 'That'} is not {self.stack_name}: nothing was removed.")

    def _take_away(self, stack: Stack | None, held: Sequence[Held]) -> None:
        settled = self.stacks.settled(stack)
        self.stacks.check_ours(settled, self.product)
        if settled:
            take_away(settled, self.stacks, self.data)
        self.data.delete_pools(held)

    def _say_what_aws_keeps(self, keys: Sequence[str]) -> None:
        sams = self.stacks.find(SAM_STACK)
        bucket = sams.outputs.get("SourceBucket") if sams else None
        self.say(f"\n{self.stack_name} is removed. What AWS keeps:")
        self.say("  for 35 days     a system backup of each table with point-in-time recovery (DynamoDB, Backups);")
        self.say("                  keys, secrets and SMS texts are in them, and they cost nothing")
        for key in keys:
            self.say(f"  until deleted   the KMS key {key}, without which nobody reads those that are encrypted;")
            self.say(f"                  US$ 1 a month: aws kms schedule-key-deletion --key-id {key}")
        if bucket:
            self.say(f"  until deleted   the functions' zips in SAM's bucket, s3://{bucket}/{self.zip_prefix}/,")
            self.say("                  which SAM uses for other stacks, too")
