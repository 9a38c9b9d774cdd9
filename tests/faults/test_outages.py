"""Partners' outages on the simulated cloud: contract 3. `make bench` plays the same large."""

from dataclasses import replace

import pytest

from simulation.pushes.outages import cadence, in_account, outages, play_outage, small_account, twelve
from simulation.pushes.parameters import Parameters

_OUTAGES = {what.name: what for what in (*outages(pending=500), twelve(pending=40))}


def test_a_partner_that_fails_is_tried_every_10_s_until_it_takes_the_sms() -> None:
    parts = cadence(Parameters(), messages=40, arrive=3, failing=24)
    assert [str(part) for part in parts if not part.ok] == []


def test_where_lambda_ends_loops_pushes_lose_their_cadence_after_16_attempts_and_as_deployed_they_keep_it() -> None:
    assert Parameters().recursive_loop == "Allow"
    for choice, holds in (("Allow", True), ("Terminate", False)):
        parts = cadence(replace(Parameters(), recursive_loop=choice), messages=3, arrive=1, failing=400)
        assert all(part.ok for part in parts) is holds


@pytest.mark.parametrize("shards", [1, 4])
def test_in_an_account_of_10_executions_partners_find_one_beside_an_outage_and_nothing_is_lost(shards: int) -> None:
    parts = small_account(in_account(10, shards), pending=100, rate=5, failing=120)
    assert [str(part) for part in parts if not part.ok] == []


@pytest.mark.parametrize("name", _OUTAGES)
def test_an_outage_delays_no_other_partner_and_one_that_is_back_gets_everything_soon_and_once(name: str) -> None:
    played = play_outage(_OUTAGES[name], Parameters(), watch=25)
    assert [str(part) for part in (*played.beside, *played.back) if not part.ok] == []
    assert bool(played.back) is played.what.never_answers
