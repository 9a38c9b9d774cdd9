"""`python -m deployment deploy|staff|encrypt-keys|remove|restore`: what the Makefile calls, its variables in the environment."""

from __future__ import annotations

import os
import re
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from deployment import account, plan, sam, staff
from deployment.copies import Copies
from deployment.deploy import Deployment, console_url
from deployment.failure import DeploymentError
from deployment.removal import Data
from deployment.remove import Removal
from deployment.stacks import Stacks
from local import stack as local_stack
from local import template
from local.aws import CONFIG, session
from local.failure import LocalError
from local.place import DEFAULT_ROOT, REPOSITORY, TEMPLATE
from local.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from deployment.account import Account

COSTS = REPOSITORY / "docs" / "costs.md"


def main(arguments: Sequence[str], variables: Mapping[str, str]) -> int:
    """Run one command; returns the exit status."""
    try:
        match list(arguments):
            case ["deploy", *others]:
                deploy(variables, others)
            case ["staff"]:
                invite(variables, DEFAULT_ROOT)
            case ["encrypt-keys"]:
                encrypt_keys(variables, DEFAULT_ROOT)
            case ["remove"]:
                remove(variables)
            case ["restore"]:
                restore(variables)
            case _:
                print(f"{__doc__}", file=sys.stderr)
                return 2
    except LocalError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except (ClientError, BotoCoreError) as error:
        print(f"\nAWS refused or was out of reach: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. AWS goes on with what it began; the same command again takes it up.", file=sys.stderr)
        return 130
    return 0


def deploy(variables: Mapping[str, str], arguments: Sequence[str]) -> None:
    """Build and deploy; ``arguments`` go to `sam deploy`."""
    sam.check_arguments(arguments)
    name = _stack_name(variables)
    where = account.find(variables, _say)
    Deployment(
        template=template.load(TEMPLATE),
        stack_name=name,
        account=where,
        stacks=_stacks(where),
        data=_data(where),
        tools=sam.Sam(name, where.region, variables, arguments),
        say=_say,
        suffix=_suffix(name),
    ).run(variables, COSTS.read_text(encoding="utf-8") if COSTS.is_file() else "")


def invite(variables: Mapping[str, str], local_root: Path) -> None:
    """Invite a person to the console of the local stack under ``local_root``, or of the one on AWS, or let one in again."""
    email, resets = staff.email_of(variables.get("EMAIL", "")), staff.wants_reset(variables.get("RESET", ""))
    up = local_if_meant(variables, local_root)
    console = _local_console(up) if up else _console_on_aws(variables)
    let_in = staff.reset if resets else staff.invite
    let_in(console, email, staff.role_for(console, email, variables.get("ROLE", "")), _say)


def encrypt_keys(variables: Mapping[str, str], local_root: Path) -> None:
    """Bring the keys and secrets of the local stack under ``local_root``, or of the one on AWS, into the form they are
    to have.
    """
    # The functions' code, which no other command needs.
    from deployment.keys import Keys  # noqa: PLC0415

    up = local_if_meant(variables, local_root)
    client: Callable[[str], Any]
    if up:
        client = partial(session().client, endpoint_url=up.endpoint_url, config=CONFIG)
        stacks, name, place = Stacks(client("cloudformation"), Progress()), up.stack_name, "on this machine"
        changed_by = "make up KEY_ENCRYPTION="
    else:
        where = account.find(variables, _say)
        client, stacks, name, place = where.client, _stacks(where), _stack_name(variables), f"in {where.region}"
        changed_by = f"make deploy{_suffix(name)} KEY_ENCRYPTION="
    stack = stacks.find(name)
    stacks.check_ours(stack, plan.product(template.load(TEMPLATE)))
    if stack is None or not stack.is_complete:
        raise DeploymentError(f"The stack {name} {f'is {stack.status}' if stack else 'is not there'} {place}.")
    Keys(stack, stacks.resources(stack.id), client, changed_by).write_again(_say)


def remove(variables: Mapping[str, str]) -> None:
    """Take the stack away."""
    where = account.find(variables, _say)
    Removal(
        stack_name=_stack_name(variables),
        account=where,
        stacks=_stacks(where),
        data=_data(where),
        say=_say,
        ask=_ask,
        product=plan.product(template.load(TEMPLATE)),
        zip_prefix=sam.zip_prefix(),
    ).run(variables.get("CONFIRM"))


def restore(variables: Mapping[str, str]) -> None:
    """Put back what a table lost."""
    # The one command that knows what the functions keep in tables: their modules are not on the path of the others.
    from deployment.restore import Restoration  # noqa: PLC0415
    from globalconnect.store.dynamo import Dynamo  # noqa: PLC0415

    name = _stack_name(variables)
    where = account.find(variables, _say)
    tables = where.client("dynamodb")
    Restoration(
        stack_name=name,
        account=where,
        stacks=_stacks(where),
        copies=Copies(tables, Progress(sys.stdout)),
        db=Dynamo(tables),
        functions=where.client("lambda"),
        say=_say,
        ask=_ask,
        product=plan.product(template.load(TEMPLATE)),
        suffix=_suffix(name),
    ).run(variables)


def local_if_meant(variables: Mapping[str, str], local_root: Path) -> local_stack.Stack | None:
    """The local stack, None when the one on AWS is meant. Raises DeploymentError when that is not plain."""
    up = local_stack.status(local_root)
    wanted = variables.get("ON", "")
    at_hand = not wanted and account.is_at_hand(variables)
    return up if staff.where(wanted, local_is_up=up is not None, aws_is_at_hand=at_hand) == staff.LOCAL else None


def _local_console(up: local_stack.Stack) -> staff.Console:
    client: Callable[[str], Any] = partial(session().client, endpoint_url=up.endpoint_url, config=CONFIG)
    deployed = Stacks(client("cloudformation"), Progress()).find(up.stack_name)
    if deployed is None or "StaffTableName" not in deployed.outputs:
        raise DeploymentError("The local stack is not deployed, or older than this command.", how="Deploy it: make up")
    return staff.Console.of(client, deployed, f"{up.api}/console/", sends_mail=False)


def _console_on_aws(variables: Mapping[str, str]) -> staff.Console:
    name = _stack_name(variables)
    where = account.find(variables, _say)
    deployed = _stacks(where).find(name)
    if deployed is None or "StaffTableName" not in deployed.outputs:
        state = f"is {deployed.status}, and older than this command" if deployed else "is not there"
        raise DeploymentError(f"The stack {name} {state} in {where.region}.", how=f"First: make deploy{_suffix(name)}")
    return staff.Console.of(where.client, deployed, console_url(deployed), sends_mail=True)


def _stacks(where: Account) -> Stacks:
    return Stacks(where.client("cloudformation"), Progress(sys.stdout))


def _data(where: Account) -> Data:
    return Data(where.client("dynamodb"), where.client("cognito-idp"))


def _stack_name(variables: Mapping[str, str]) -> str:
    name = variables.get("STACK") or sam.usual_stack_name()
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,127}", name):
        raise DeploymentError("STACK is a name of letters, digits and hyphens that begins with a letter.")
    return name


def _suffix(stack_name: str) -> str:
    return "" if stack_name == sam.usual_stack_name() else f" STACK={stack_name}"


def _say(text: str) -> None:
    print(text, flush=True)


def _ask(question: str) -> str | None:
    if not sys.stdin.isatty():
        return None
    try:
        return input(question)
    except EOFError:
        return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
