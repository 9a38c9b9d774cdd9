"""`make demo ARGS=modem` is true: it compares each of its steps with what the contract says."""

from dataclasses import replace

import pytest

from local import modem_demo
from local.failure import LocalError
from local.stack import Stack


def test_a_pool_that_loses_sims_during_a_sale_sells_them_when_they_are_back_in_every_run(deployed: Stack) -> None:
    assert modem_demo.play(deployed) != modem_demo.play(deployed)


def test_what_goes_otherwise_than_told_ends_the_demo(deployed: Stack) -> None:
    with pytest.raises(LocalError, match=r"Step 1 of the demo failed: expected HTTP 201, got HTTP 401"):
        modem_demo.play(replace(deployed, admin_token="nobody's"))
