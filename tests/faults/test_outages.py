"""Partners' outages on the simulated cloud: contract 3. `make bench` plays the same large."""

import pytest

from simulation.pushes.outages import cadence, outages, play_outage, twelve
from simulation.pushes.parameters import Parameters

_OUTAGES = {what.name: what for what in (*outages(pending=500), twelve(pending=40))}


def test_a_partner_that_fails_is_tried_every_10_s_until_it_takes_the_sms() -> None:
    parts = cadence(Parameters(), messages=40, arrive=3, failing=24)
    assert [str(part) for part in parts if not part.ok] == []


@pytest.mark.parametrize("name", _OUTAGES)
def test_an_outage_delays_no_other_partner_and_one_that_is_back_gets_everything_soon_and_once(name: str) -> None:
    played = play_outage(_OUTAGES[name], Parameters(), watch=25)
    assert [str(part) for part in (*played.beside, *played.back) if not part.ok] == []
    assert bool(played.back) is played.what.never_answers
