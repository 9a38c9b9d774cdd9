"""Contract 3: no answers of one partner delay another's push, whatever our work on them costs.

The situation of the benchmark's row push.12, and answers that cost the HTTP library most. Limits are wide: other things
run on the machine, and what must not come back takes seconds.
"""

import pytest

from bench.push_isolation import COSTLY, measure_isolation

LATER_LIMIT_MS = 500


@pytest.mark.parametrize("costly", COSTLY)
def test_costly_answers_of_one_partner_do_not_delay_another(costly: str) -> None:
    assert measure_isolation(3, costly).later < LATER_LIMIT_MS


def test_reading_and_masking_do_not_hold_the_loop() -> None:
    assert measure_isolation(3, "codes").held < 2
