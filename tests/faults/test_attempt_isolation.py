"""Contract 3: no answers of one partner delay another's push, whatever our work on them costs.

The situation of the benchmark's row push.12, and answers that cost the HTTP library most. The best of some runs counts and
limits are wide: other things run on the machine, and what must not come back takes much longer every time.
"""

from collections.abc import Iterator

import pytest

from simulation.attempts.isolation import COSTLY, MANY, Batch, Ports, compare, costly_partners

LATER_LIMIT_MS = 400
HELD_LIMIT_MS = 2
RUNS = 4


@pytest.fixture(scope="module")
def ports() -> Iterator[Ports]:
    """Return the partners' servers, once all that happens once has happened."""
    with costly_partners() as ports:
        compare(ports, "array")
        yield ports


def _runs(ports: Ports, costly: str) -> Iterator[tuple[Batch, Batch]]:
    return (compare(ports, costly) for _ in range(RUNS))


@pytest.mark.parametrize("costly", COSTLY)
def test_costly_answers_of_one_partner_do_not_delay_another(ports: Ports, costly: str) -> None:
    assert any(much.other_after - few.other_after < LATER_LIMIT_MS for few, much in _runs(ports, costly))


def test_reading_and_masking_do_not_hold_the_loop(ports: Ports) -> None:
    assert any((much.worked - few.worked) / MANY < HELD_LIMIT_MS for few, much in _runs(ports, "codes"))
