"""Whatever happens to numbers in whatever order, at once or amid failures of AWS: contract 1.1, 1.2, 1.4 and 1.5."""

from functools import partial

import pytest

from simulation.clouds import Moto
from simulation.histories import play
from simulation.inventory import Inventory


@pytest.mark.parametrize("rest_minutes", [0, 30])
def test_every_history_of_sales_leaves_what_the_contract_says(moto: Moto, rest_minutes: int) -> None:
    play(partial(Inventory, moto, rest_minutes), examples=20, steps=40, derandomize=True)
