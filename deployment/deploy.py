"""`make deploy`: from whatever a stack is in, to one that is complete and protected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployment import parameters, plan, scaling
from deployment.failure import DeploymentError
from deployment.removal import take_away
from deployment.stacks import Step, way_out

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deployment.account import Account
    from deployment.plan import Plan
    from deployment.removal import Data
    from deployment.sam import Tools
    from deployment.stacks import Stack, Stacks

# It holds SAM's bucket. SAM gives up on one that is half-made, as a deployment that was killed may leave it.
SAM_STACK = "aws-sam-cli-managed-default"
_ENCRYPTION = "KeyEncryption"


@dataclass(frozen=True)
class Deployment:
    """One run of `make deploy`: of what, as which stack, where, with which tools."""

    template: Mapping[str, Any]
    stack_name: str
    account: Account
    stacks: Stacks
    data: Data
    tools: Tools
    say: Callable[[str], None]
    # What commands that are shown end with, so that they are about this stack.
    suffix: str = ""

    def run(self, variables: Mapping[str, str], costs: str) -> None:
        """Deploy with the parameters that ``variables`` name. ``costs`` is the text of docs/costs.md.

        Raises DeploymentError with what is the matter and how to go on.
        """
        stack = self.stacks.find(self.stack_name)
        step = self.stacks.step(stack)
        for line in [
            f"Deploying {plan.product(self.template)} to AWS",
            *self.account.lines(),
            f"  stack     {self.stack_name}: {plan.standing(stack, step)}",
            f"  contents  {plan.contents(self.template)}",
        ]:
            self.say(line)
        self.stacks.check_ours(stack, plan.product(self.template))
        if stack and step is Step.REFUSE:
            raise self._refusal(stack)
        quota = self._quota()
        stated = self.template["Parameters"]
        named = parameters.named(stated, variables)
        scaled = scaling.for_quota(quota).but(named)
        parameters.check(named, stack.parameters if stack else {}, self.account.region, quota)
        if stack and named.get(_ENCRYPTION) == "off":
            self._check_nothing_is_encrypted(stack)
        planned = plan.plan(stated, named, scaled, stack if step is Step.UPDATE else None)
        for line in [*plan.lines(planned, named), *scaling.lines(quota, scaled, self.account.region)]:
            self.say(line)

        before = self._ready()
        planned = plan.plan(stated, named, scaled, before)
        self.tools.build(planned.first)
        self._deploy(planned, before)
        self._check_protection(planned)
        self._say_what_there_is(named, costs)

    def _refusal(self, stack: Stack) -> DeploymentError:
        return DeploymentError(
            f"The stack {stack.name} is {stack.status}. {stack.reason}".rstrip(),
            how=way_out(stack, self.account.region, f"make remove{self.suffix}"),
        )

    def _check_nothing_is_encrypted(self, stack: Stack) -> None:
        """Refuse to take the KMS key from functions that need it. Raises DeploymentError."""
        before = stack.parameters.get(_ENCRYPTION, "off")
        ending, again = f"make deploy KEY_ENCRYPTION=ending{self.suffix}", f"make encrypt-keys{self.suffix}"
        if before == "on":
            raise DeploymentError(
                "KEY_ENCRYPTION doesn't go from on to off at once: keys that are encrypted could be read no more.",
                how=f"{ending}\n{again}\nmake deploy KEY_ENCRYPTION=off{self.suffix}",
            )
        left = self.data.encrypted(self.stacks.resources(stack.id)) if before == "ending" else 0
        if left:
            raise DeploymentError(
                f"{left} partners or sources still have keys or secrets that are encrypted.", how=f"First: {again}"
            )

    def _quota(self) -> int | None:
        """How many functions the account may run at a time in the region; None when these credentials may not ask."""
        functions = self.account.client("lambda")
        try:
            return int(functions.get_account_settings()["AccountLimit"]["ConcurrentExecutions"])
        except functions.exceptions.ClientError:
            return None

    def _ready(self) -> Stack | None:
        """Wait and clear away until a deployment can begin; gives the complete stack, None when there is none."""
        # Under review it may be somebody else's, about to be made.
        sams = self.stacks.settled(self.stacks.reviewed(self.stacks.find(SAM_STACK)))
        if sams and self.stacks.step(sams) is Step.CLEAR:
            self._clear(sams)
        stack = self.stacks.settled(self.stacks.find(self.stack_name))
        self.stacks.check_ours(stack, plan.product(self.template))
        match self.stacks.step(stack):
            case Step.CLEAR if stack:
                self._clear(stack)
                return None
            case Step.REFUSE if stack:
                raise self._refusal(stack)
        return stack

    def _clear(self, stack: Stack) -> None:
        self.say(f"{stack.name} is {stack.status} and never was complete: what is left of it goes first.")
        take_away(stack, self.stacks, self.data)

    def _deploy(self, planned: Plan, before: Stack | None) -> None:
        again = f"make deploy{self.suffix}"
        try:
            self._attempt(planned.first)
        except DeploymentError as error:
            if before is None:
                how = f"When that is put right: {again} (it clears away what is left, and starts anew)"
            else:
                how = f"What was deployed before goes on. When that is put right: {again}"
            raise DeploymentError(error.what, how=how) from None
        if planned.protecting:
            self.say("\nThe stack is complete. Now protecting its tables and people from deletion.")
            try:
                self._attempt(planned.protecting)
            except DeploymentError as error:
                raise DeploymentError(
                    f"{error.what}\nThe stack is complete and works, but its tables and people are NOT protected from "
                    "deletion.",
                    how=f"To finish it: {again}",
                ) from None

    def _check_protection(self, planned: Plan) -> None:
        """Protect what somebody, or a removal that was broken off, has left unprotected behind the stack's back."""
        stack = self.stacks.find(self.stack_name)
        wanted = (planned.protecting or planned.first).get("DeletionProtection")
        if stack is None or wanted != "true":
            return
        bare = [each for each in self.data.held(self.stacks.resources(stack.id)) if not each.is_protected]
        if bare:
            names = ", ".join(each.logical_id for each in bare)
            self.say(f"Not protected from deletion, though the stack says so: {names}. Protecting them ...")
            self.data.protect(bare)

    def _attempt(self, given: Mapping[str, str]) -> None:
        """Deploy once. Raises DeploymentError with what failed when the stack is not complete then."""
        before = self.stacks.find(self.stack_name)
        last = self.stacks.newest_event(before) if before else None
        try:
            self.tools.deploy(given)
        except DeploymentError as error:
            stack = self.stacks.find(self.stack_name)
            failures = self.stacks.failures(stack, last) if stack else []
            raise DeploymentError("\n".join([error.what, *(f"  {failure}" for failure in failures)])) from None
        stack = self.stacks.find(self.stack_name)
        if stack is None or not stack.is_complete:
            raise DeploymentError(f"Nothing was deployed: the stack is {stack.status if stack else 'not there'}.")

    def _say_what_there_is(self, named: Mapping[str, str], costs: str) -> None:
        stack = self.stacks.find(self.stack_name)
        if stack:
            for line in next_lines(stack, self.account.region, self.suffix):
                self.say(line)
        if named.get("AlarmEmail"):
            self.say(f"  {named['AlarmEmail']} gets alarms when it has said yes to the mail that AWS sends it")
        idle = plan.idle_month(costs)
        if idle:
            self.say(f"\n{idle}")


def next_lines(stack: Stack, region: str, suffix: str) -> list[str]:
    """What a complete stack is called by, and what is usually done next."""
    partners = stack.outputs.get("PartnerUrl", f"{stack.outputs['ApiUrl']}/SMSBOWER")
    said = [
        "",
        "GlobalConnect is deployed.",
        f"  partners call   {partners}",
        f"  console         {console_url(stack)}",
        f"  dashboard       {stack.outputs['DashboardUrl']}",
        "Next:",
        f"  make staff EMAIL=you@example.com{suffix}",
        "      invites you to the console, where Partners issues the first key",
        f"  make check-deployment ON=aws{suffix}",
        "      sells, pushes and measures on it for ten minutes, before partners do",
    ]
    if "PartnerUrl" not in stack.outputs:
        said += [
            f"  make deploy DOMAIN=sms.example.com CERTIFICATE_ARN=arn:aws:acm:{region}:...{suffix}",
            "      a URL of your own, before partners get one: the one above ends with the stack",
        ]
    elif not stack.parameters.get("HostedZoneId"):
        said.append(f"  in your DNS: {stack.parameters['DomainName']} CNAME {stack.outputs['DomainTarget']}")
    if not stack.parameters.get("AlarmEmail"):
        said += [
            f"  make deploy ALARM_EMAIL=you@example.com{suffix}",
            "      until then alarms tell nobody",
        ]
    return said


def console_url(stack: Stack) -> str:
    """Where staff sign in."""
    if "PartnerUrl" in stack.outputs:
        return f"https://{stack.parameters['DomainName']}/console/"
    return stack.outputs["ConsoleUrl"]
