"""How long a source may be silent (contract 5)."""

import pytest

from globalconnect.domain.silence import quiet_after
from globalconnect.domain.statistics import histogram
from globalconnect.domain.times import MINUTE


@pytest.mark.parametrize(
    ("gaps", "after"),
    [
        ([20_000] * 49, None),
        ([20_000] * 50, 15 * MINUTE),
        # Half of them are long.
        ([20_000] * 30 + [10 * MINUTE] * 30, 15 * MINUTE),
        ([20_000] * 29 + [10 * MINUTE] * 31, 40 * MINUTE),
        ([], None),
    ],
)
def test_a_source_is_quiet_after_four_times_its_median_gap_and_a_quarter_of_an_hour(
    gaps: list[int], after: int | None
) -> None:
    found = quiet_after(histogram(gaps))
    if after is None or found is None:
        assert found is after
    else:
        # Gaps are counted in spans, each a quarter longer than the one before.
        assert after <= found < after * 1.25
