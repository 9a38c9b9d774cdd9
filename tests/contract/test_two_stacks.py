"""Two stacks in one account and region don't meet."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from local import demo, deploy, staff
from local.aws import CONFIG, session
from local.place import Place
from local.progress import Progress
from local.stack import Stack
from tests.contract.market import Market

NAME = "staging"


@contextmanager
def _second_stack(first: Stack, root: Path) -> Iterator[Stack]:
    """Yield a stack of the same template beside the first, on its emulator; `root` is a folder for its files."""
    root.mkdir()
    place = Place(root)
    outputs = deploy.deploy(place, first.endpoint_url, NAME, {}, Progress())
    try:
        api = f"{first.endpoint_url}/_aws/execute-api/{outputs.api_id}/{deploy.STAGE}"
        deploy.finish_gateway(first.endpoint_url, outputs.api_id, api)
        token = staff.sign_in(place, first.endpoint_url, outputs).token
        yield replace(first, api=api, admin_token=token, stack_name=NAME)
    finally:
        stacks = session().client("cloudformation", endpoint_url=first.endpoint_url, config=CONFIG)
        stacks.delete_stack(StackName=NAME)
        stacks.get_waiter("stack_delete_complete").wait(StackName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 60})


def test_a_second_stack_in_the_account_sells_and_pushes_beside_the_first(
    deployed: Stack, market: Market, tmp_path: Path
) -> None:
    with _second_stack(deployed, tmp_path / "second") as second, ThreadPoolExecutor(2) as threads:
        assert second.api != deployed.api
        list(threads.map(demo.play, [deployed, second]))
