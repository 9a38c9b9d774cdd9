"""Two stacks in one account and region don't meet."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from deployment.keys import Keys
from deployment.removal import Data
from deployment.stacks import KMS_KEY, Stacks
from local import demo, deploy, staff
from local.aws import CONFIG, session
from local.place import Place
from local.progress import Progress
from local.stack import Stack
from simulation.shop import present
from tests.contract.market import Market

NAME = "staging"


@contextmanager
def _second_stack(first: Stack, root: Path) -> Iterator[Stack]:
    """Yield a stack of the same template beside the first, on its emulator; `root` is a folder for its files."""
    root.mkdir()
    place = Place(root)
    outputs = deploy.deploy(place, first.endpoint_url, NAME, {"KeyEncryption": "on"}, Progress())
    try:
        api = f"{first.endpoint_url}/_aws/execute-api/{outputs.api_id}/{deploy.STAGE}"
        deploy.finish_gateway(first.endpoint_url, outputs.api_id, api)
        token = staff.sign_in(place, first.endpoint_url, outputs).token
        yield replace(first, api=api, admin_token=token, stack_name=NAME)
    finally:
        stacks = _client(first, "cloudformation")
        stacks.delete_stack(StackName=NAME)
        stacks.get_waiter("stack_delete_complete").wait(StackName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 60})


def _client(stack: Stack, service: str) -> Any:
    return session().client(service, endpoint_url=stack.endpoint_url, config=CONFIG)  # type: ignore[call-overload]


def test_a_second_stack_in_the_account_sells_and_pushes_beside_the_first(
    deployed: Stack, market: Market, tmp_path: Path
) -> None:
    with _second_stack(deployed, tmp_path / "second") as second, ThreadPoolExecutor(2) as threads:
        assert second.api != deployed.api
        list(threads.map(demo.play, [deployed, second]))
        stacks = Stacks(_client(second, "cloudformation"), Progress())
        stack = present(stacks.find(NAME))
        data = Data(_client(second, "dynamodb"), None)
        held = stacks.resources(stack.id)
        # The demo's partner and gateway, who were pushed to and heard.
        assert data.encrypted(held) == 2
        said: list[str] = []
        Keys(stack, held, partial(_client, second), "").write_again(said.append)
        assert [line.split(maxsplit=1)[1] for line in said[1:]] == ["0 changed, 1 encrypted already, 0 left"] * 2
        # As a template says it, the key outlives a stack that had it from its beginning.
        key = next(each.physical_id for each in held if each.kind == KMS_KEY)
    assert _client(deployed, "kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"
