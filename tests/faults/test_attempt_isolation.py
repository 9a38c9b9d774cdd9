"""Contract 3: no answers of one partner delay another's push, whatever our work on them costs.

The situation of the benchmark's row push.12, and answers that cost the HTTP library most. The best of some runs counts and
limits are wide: other things run on the machine, and what must not come back takes much longer every time.
"""

from collections.abc import Sequence

import pytest

from bench.push_isolation import COSTLY, Batch, measure_isolation

LATER_LIMIT_MS = 400
HELD_LIMIT_MS = 2


def _soonest(batches: Sequence[Batch]) -> float:
    return min(batch.other_after for batch in batches)


@pytest.mark.parametrize("costly", COSTLY)
def test_costly_answers_of_one_partner_do_not_delay_another(costly: str) -> None:
    found = measure_isolation(4, costly)
    assert _soonest(found.much) - _soonest(found.few) < LATER_LIMIT_MS


def test_reading_and_masking_do_not_hold_the_loop() -> None:
    assert measure_isolation(4, "codes").held < HELD_LIMIT_MS
