"""Rows push.1 to push.8: what outages and failures do to pushes, on the simulated cloud in virtual time.

The situations are those of simulation/pushes, which the tests play small. They are in virtual time: what pushes take of
the processor is measured by rows push.11 and push.12.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache

from bench.row import Row, Say
from simulation.pushes.failures import finished, killed_after_sending, killed_in_the_middle, lost_messages, repeated
from simulation.pushes.measures import Part
from simulation.pushes.outages import Outage, Played, cadence, outages, play_outage, twelve
from simulation.pushes.parameters import Parameters

_CLAIMS = {
    "push.1": "in virtual time, our own code at no cost (that is push.11 and push.12): a partner fails for 3 min: attempts start 10 s apart, p50 +-0.5 s, p99 +-1 s, until the first SUCCESS",
    "push.2": "an outage with 5,000 SMS pending delays another partner's first pushes by 200 ms at most, its retries not",
    "push.3": "when that partner comes back, all 5,000 are delivered within 20 s, each once",
    "push.4": "twelve outages with 400 SMS pending each delay another partner's pushes no more than one does",
    "push.5": "functions killed in a batch, or between re-send and delete: nothing lost, pushes go on within 3 min",
    "push.6": "every stream batch and queue message delivered twice: no push after a recorded SUCCESS, never two at once",
    "push.7": "FINISH_ACTIVATION while retrying: no attempt starts more than 0.5 s after it was answered",
    "push.8": "30 % of queue sends fail, then the queues are purged: nothing lost, pushes go on within 3 min",
}
IDS = tuple(_CLAIMS)

_PARAMETERS = Parameters()
_OUTAGES = outages(pending=5_000)


def rows(progress: Say, wanted: Collection[str] = IDS) -> Iterator[Row]:
    """Measure; each row's value is how much of its limit the worst of its parts uses."""
    progress(str(_PARAMETERS))
    for row_id in IDS:
        if row_id in wanted:
            parts = _SITUATIONS[row_id]()
            for part in parts:
                progress(f"{row_id}: {part}")
            used = max(part.used for part in parts)
            yield Row(row_id, _CLAIMS[row_id], round(used, 3), "of the limit", 1.0, all(part.ok for part in parts))


@cache
def _played(what: Outage) -> Played:
    return play_outage(what, _PARAMETERS, watch=40)


def _killed() -> list[Part]:
    # What was received until 15 s comes again while partners still fail, the rest after that.
    plays = (killed_in_the_middle, killed_after_sending)
    return [part for play in plays for part in play(_PARAMETERS, messages=100, killing=30, pause=1.5, failing=165)]


def _twelve() -> list[Part]:
    played = _played(twelve(pending=400))
    return [*played.beside, *played.back]


_SITUATIONS: Mapping[str, Callable[[], list[Part]]] = {
    "push.1": lambda: cadence(_PARAMETERS, messages=200, arrive=10, failing=180),
    "push.2": lambda: [part for what in _OUTAGES for part in _played(what).beside],
    "push.3": lambda: [*_played(_OUTAGES[0]).back],
    "push.4": _twelve,
    "push.5": _killed,
    "push.6": lambda: repeated(_PARAMETERS, messages=100, arrive=10, failing=25),
    "push.7": lambda: finished(_PARAMETERS, messages=250, arrive=5, finishing=20),
    # One sweep runs while sends fail.
    "push.8": lambda: lost_messages(_PARAMETERS, messages=200, arrive=5, failing_sends=65, failing=125),
}
