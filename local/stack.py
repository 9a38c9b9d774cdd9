"""A local stack as a whole: up, down, status.

`make up` keeps one under .local; tests bring up others, each with a root and a port of its own.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from local import deploy, emulator, staff
from local.aws import REGION
from local.failure import LocalError
from local.place import Place, read_private, write_private
from local.progress import Progress

DEFAULT_PORT = 4566


@dataclass(frozen=True)
class Stack:
    """A stack that is up: where it is and how to sign in."""

    api: str
    admin_user: str
    admin_password: str
    admin_token: str
    user_pool_client_id: str
    region: str
    endpoint_url: str
    stack_name: str
    pid: int

    def as_json(self) -> dict[str, str | int]:
        """The content of stack.json."""
        return {
            "api": self.api,
            "adminUser": self.admin_user,
            "adminPassword": self.admin_password,
            "adminToken": self.admin_token,
            "userPoolClientId": self.user_pool_client_id,
            "region": self.region,
            "endpointUrl": self.endpoint_url,
            "stackName": self.stack_name,
            "pid": self.pid,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The stack that a stack.json describes; raises KeyError when a field is missing."""
        return cls(
            api=content["api"],
            admin_user=content["adminUser"],
            admin_password=content["adminPassword"],
            admin_token=content["adminToken"],
            user_pool_client_id=content["userPoolClientId"],
            region=content["region"],
            endpoint_url=content["endpointUrl"],
            stack_name=content["stackName"],
            pid=content["pid"],
        )


def up(
    root: Path,
    port: int | None = None,
    overrides: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Stack:
    """Have the stack of ``root`` running what the working tree says, and sign in anew.

    ``port`` None takes the port the running stack has, then the one used last, then a free one. ``overrides`` are
    parameters of template.yaml. Data of an earlier run of this root is found again. Raises LocalError.
    """
    place = Place(root.resolve())
    progress = progress or Progress()
    with place.locked():
        started = _ensure_started(place, port, progress)
        try:
            outputs = deploy.ensure_deployed(place, started.endpoint, overrides or {}, progress)
        except deploy.UnusableStateError as error:
            emulator.stop(place)
            aside = place.state.with_name(f"state-unusable-{time.strftime('%Y%m%d-%H%M%S')}")
            place.state.rename(aside)
            progress.say(f"   {error}: starting with a new one.")
            progress.say(f"   The old one is kept in {aside}; delete it when you don't need it.")
            started = _start(place, started.port, progress)
            outputs = deploy.ensure_deployed(place, started.endpoint, overrides or {}, progress)
        api = f"{started.endpoint}/_aws/execute-api/{outputs.api_id}/{deploy.STAGE}"
        with progress.step("opening the API and signing in"):
            deploy.finish_gateway(started.endpoint, outputs.api_id, api)
            user = staff.sign_in(place, started.endpoint, outputs)
        stack = Stack(
            api=api,
            admin_user=user.user,
            admin_password=user.password,
            admin_token=user.token,
            user_pool_client_id=outputs.user_pool_client_id,
            region=REGION,
            endpoint_url=started.endpoint,
            stack_name=deploy.stack_name(),
            pid=started.pid,
        )
        write_private(place.stack_file, stack.as_json())
        return stack


def down(root: Path, progress: Progress | None = None) -> bool:
    """Stop the stack of ``root``; its data is kept. False when it was not running. Raises LocalError."""
    place = Place(root.resolve())
    with place.locked():
        started = emulator.started(place) is not None
        if started:
            with (progress or Progress()).step("stopping the emulator, which saves its data"):
                emulator.stop(place)
        place.stack_file.unlink(missing_ok=True)
        return started


def status(root: Path) -> Stack | None:
    """The stack of ``root`` if it is up, as its last `up` left it. Raises LocalError when it does not answer."""
    place = Place(root.resolve())
    if emulator.running(place) is None:
        return None
    content = read_private(place.stack_file)
    return Stack.from_json(content) if content else None


def _ensure_started(place: Place, port: int | None, progress: Progress) -> emulator.Emulator:
    already = emulator.running(place)
    if already is None:
        return _start(place, port or emulator.last_port(place) or emulator.free_port(), progress)
    if port not in {None, already.port}:
        raise LocalError(f"This stack is already up on port {already.port}.", how="Stop it first: make down")
    return already


def _start(place: Place, port: int, progress: Progress) -> emulator.Emulator:
    place.stack_file.unlink(missing_ok=True)
    loading = ", which loads its data" if emulator.has_data(place) else ""
    with progress.step(f"starting the emulator{loading}"):
        return emulator.start(place, port)
