"""Partners' outages on the simulated cloud, in virtual time: contract 3. `make bench` plays the same large and real."""

from collections.abc import Sequence

import pytest

from simulation.pushes.measures import Part
from simulation.pushes.outages import CadenceScale, OutageScale, Played, baseline, cadence, outage, outages, twelve
from simulation.pushes.parameters import Parameters
from simulation.pushes.timeline import in_virtual_time

_PARAMETERS = Parameters()
_SCALE = OutageScale(baseline=25, watched=25)
_OUTAGES = {what.name: what for what in (*outages(pending=500), twelve(pending=40))}


def _missed(parts: Sequence[Part]) -> list[str]:
    return [str(part) for part in parts if not part.ok]


@pytest.fixture(scope="module")
def usual() -> float:
    """Return how long first pushes take without an outage (s, p99)."""
    return in_virtual_time(baseline(_SCALE, _PARAMETERS, print))


@pytest.fixture(scope="module", params=_OUTAGES)
def played(request: pytest.FixtureRequest) -> Played:
    """Play an outage."""
    return in_virtual_time(outage(_SCALE, _OUTAGES[request.param], _PARAMETERS, print))


def test_a_partner_that_fails_is_tried_every_10_s_until_it_takes_the_sms() -> None:
    scale = CadenceScale(messages=40, arriving=3, failing=24, after=12)
    assert _missed(in_virtual_time(cadence(scale, _PARAMETERS, print))) == []


def test_an_outage_delays_no_other_partner(played: Played, usual: float) -> None:
    assert _missed(played.beside(usual)) == []


def test_a_partner_that_is_back_gets_everything_soon_and_once(played: Played) -> None:
    assert _missed(played.back) == []
    assert bool(played.back) is played.what.never_answers
