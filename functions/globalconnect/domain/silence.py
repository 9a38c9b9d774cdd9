"""How long a source may be silent before that is worth a look (contract 5)."""

from globalconnect.domain.statistics import Histogram, quantile
from globalconnect.domain.times import MINUTE

LEAST_SILENCE = 15 * MINUTE
FEWEST_SOLD = 5
_FEWEST_SMS = 50
_TIMES = 4
_HALF = 0.5


def quiet_after(gaps: Histogram) -> int | None:
    """Return after how long a silence (ms) a source is quiet whose SMS came so far apart at this hour of the last days.

    None while too few have come for that to be known.
    """
    median = quantile(gaps, _HALF)
    if median is None or sum(gaps.values()) < _FEWEST_SMS:
        return None
    return max(LEAST_SILENCE, _TIMES * median)
