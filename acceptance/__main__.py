"""`python -m acceptance`: what `make check-deployment` calls. Variables of make come in the environment."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from acceptance.checks import checks
from acceptance.cloud import AwsCloud, Cloud, LocalCloud
from acceptance.run import Line, Say, holds, run, table
from acceptance.trial import Trial
from deployment import account, sam
from deployment.__main__ import local_if_meant
from deployment.failure import DeploymentError
from deployment.stacks import Stack, Stacks
from local import stack as local_stack
from local.aws import CONFIG, session
from local.failure import LocalError
from local.place import DEFAULT_ROOT
from local.progress import Progress

OUTAGE_SECONDS = 360.0
# The first call of a function waits for its start.
_CALL_SECONDS = 60.0


def main(variables: Mapping[str, str]) -> int:
    """Check the stack that the variables name; returns the exit status."""
    for stopping in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(stopping, _interrupt)
    try:
        cloud = _target(variables)
        print(f"Checking {cloud.bases[0]} on {cloud.name}; takes about ten minutes, most of it an outage.")
        return 0 if holds(check(cloud, live=bool(variables.get("LIVE")))) else 1
    except LocalError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except (ClientError, BotoCoreError, httpx.HTTPError) as error:
        print(f"\nThe stack or AWS refused, or was out of reach: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130


def check(cloud: Cloud, *, live: bool, outage_seconds: float = OUTAGE_SECONDS, say: Say = print) -> Sequence[Line]:
    """Check what is deployed there, print the table, and return its lines."""
    # Of the local stack no proxy is to hear.
    is_local = isinstance(cloud, LocalCloud)
    limits = httpx.Limits(max_connections=100)
    with httpx.Client(base_url=cloud.bases[0], timeout=_CALL_SECONDS, limits=limits, trust_env=not is_local) as http:
        lines = run(Trial(cloud, http), checks(outage_seconds), say, live=live)
    say(f"\n{table(lines)}")
    return lines


def local(up: local_stack.Stack) -> LocalCloud:
    """The local stack that is up. Raises DeploymentError when it is not deployed."""

    def client(service: str) -> Any:
        return session().client(service, endpoint_url=up.endpoint_url, config=CONFIG)  # type: ignore[call-overload]

    stacks = Stacks(client("cloudformation"), Progress())
    return LocalCloud(client, _complete(stacks, up.stack_name, "make up"), stacks, up.api)


def _target(variables: Mapping[str, str]) -> Cloud:
    if up := local_if_meant(variables, DEFAULT_ROOT):
        return local(up)
    where = account.find(variables)
    stacks = Stacks(where.client("cloudformation"), Progress())
    name = variables.get("STACK") or sam.usual_stack_name()
    return AwsCloud(where.client, _complete(stacks, name, "make deploy"), stacks)


def _complete(stacks: Stacks, name: str, how: str) -> Stack:
    found = stacks.find(name)
    if found is None or not found.is_complete:
        raise DeploymentError(f"The stack {name} is {found.status if found else 'not there'}.", how=f"First: {how}")
    return found


def _interrupt(*_: object) -> NoReturn:
    # Once: what follows takes a moment, and is not to be broken off.
    for stopping in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(stopping, lambda *_: None)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(os.environ))
