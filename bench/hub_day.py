"""Row hubs.8: a day of sales in virtual time, on the real handlers and DynamoDB in memory, and the account of it.

`python -m simulation.day --sales 100000 --numbers 15000` plays a larger one.
"""

import time
from collections.abc import Collection, Iterator

from bench.row import Row, Say
from simulation.day.play import Settings, play

IDS = ("hubs.8",)

SALES = 20_000
MOST_SECONDS = 600
# Requests come at random, and some find nothing.
_ASKED = 1.03


def rows(progress: Say, wanted: Collection[str] = IDS) -> Iterator[Row]:
    """Play a day. Its time is that of the processor, as it would take on a machine that does nothing else."""
    if not set(IDS).intersection(wanted):
        return
    began = time.process_time()
    settings = Settings(sales=round(_ASKED * SALES))
    day = play(settings, lambda text: progress(f"hubs.8: {text}"))
    seconds = time.process_time() - began
    progress(f"hubs.8: {day}")
    for line in day.differences[:20]:
        progress(f"hubs.8: {line}")
    claim = (
        f"a simulated day of {SALES:,} sales or more (now {day.sold:,}) by {settings.partners} partners of all dialects on one "
        f"stock, with lost answers, repeats, refused pushes and a hub that is down for an hour, has no differences in the account "
        f"and takes at most {MOST_SECONDS} s of processor time (now {seconds:.0f} s, {1_000 * seconds / day.sold:.1f} ms a sale)"
    )
    is_whole = day.sold >= SALES and seconds <= MOST_SECONDS
    yield Row("hubs.8", claim, len(day.differences), "differences", 0, is_whole and not day.differences)
