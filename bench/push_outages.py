"""Rows push.1 to push.4: what partners' outages do to their own pushes and to others'.

The real delivery code runs on the simulated cloud of tests/faults; the situations are those of tests/faults/outages.py.
"""

import asyncio
from collections.abc import Collection, Iterator, Sequence

from bench.row import Row, Say
from tests.faults.cloud.parameters import Parameters
from tests.faults.measures import Part
from tests.faults.outages import CadenceScale, OutageScale, baseline, cadence, outage, outages, twelve

IDS = ("push.1", "push.2", "push.3", "push.4")

_CLAIMS = {
    "push.1": "a partner fails for 3 min: attempts start 10 s apart, p50 +-0.5 s, p99 +-1 s, until the first SUCCESS",
    "push.2": "an outage with 5,000 SMS pending delays another partner's first pushes by 200 ms at most, its retries not",
    "push.3": "when that partner comes back, all 5,000 are delivered within 20 s, each once",
    "push.4": "twelve outages with 400 SMS pending each delay another partner's pushes no more than one does",
}

_CADENCE = CadenceScale(messages=200, arriving=10, failing=180, after=20)
_OUTAGE = OutageScale(baseline=40, watched=40)
_PENDING = 5_000
_PENDING_OF_TWELVE = 400


def rows(progress: Say, wanted: Collection[str] = IDS) -> Iterator[Row]:
    """Measure; each row's value is how much of its limit the worst of its parts uses."""
    parameters = Parameters()
    for line in parameters.lines():
        progress(line)
    if "push.1" in wanted:
        yield _row("push.1", asyncio.run(cadence(_CADENCE, parameters, progress)), progress)
    if not {"push.2", "push.3", "push.4"}.intersection(wanted):
        return
    usual = asyncio.run(baseline(_OUTAGE, parameters, progress))
    progress(f"without an outage: healthy first push, p99: {1000 * usual:.0f} ms")
    # Row 3 is the end of the first outage of row 2.
    situations = outages(_PENDING) if "push.2" in wanted else outages(_PENDING)[:1] if "push.3" in wanted else []
    played = [asyncio.run(outage(_OUTAGE, what, parameters, progress)) for what in situations]
    if "push.2" in wanted:
        yield _row("push.2", [part for one in played for part in one.beside(usual)], progress)
    if "push.3" in wanted:
        yield _row("push.3", played[0].back, progress)
    if "push.4" in wanted:
        many = asyncio.run(outage(_OUTAGE, twelve(_PENDING_OF_TWELVE), parameters, progress))
        yield _row("push.4", [*many.beside(usual), *many.back], progress)


def _row(row_id: str, parts: Sequence[Part], progress: Say) -> Row:
    for part in parts:
        progress(str(part))
    used = max(part.used for part in parts)
    return Row(row_id, _CLAIMS[row_id], round(used, 3), "of the limit", 1.0, all(part.ok for part in parts))
