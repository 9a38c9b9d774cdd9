"""Two stacks in one account and region don't meet."""

from pathlib import Path

from local.stack import Stack
from tests.contract.beside import second_stack, sell_and_push
from tests.contract.market import Market


def test_a_second_stack_in_the_account_sells_and_pushes_beside_the_first(
    deployed: Stack, market: Market, tmp_path: Path
) -> None:
    with second_stack(deployed, tmp_path / "second") as second:
        assert second.api != deployed.api
        sell_and_push([deployed, second])
