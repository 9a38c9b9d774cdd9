"""What the simulated cloud is made like, stated where results are read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parameters:
    """How the cloud behaves; times in seconds, shares in [0, 1].

    The figures of event sources are those of template.yaml or AWS's documentation; where AWS documents none they are
    on the slow side of what is seen there.
    """

    call: tuple[float, float] = (0.003, 0.008)
    """How long a call to a table or a queue takes."""

    delivered_twice: float = 1 / 200
    twice_within: float = 5.0
    pick_up: float = 0.3
    """A queue message that is due reaches a poller up to this late, so messages also change places."""
    window: float = 1.0
    queue_batch: int = 100
    visibility: float = 180.0
    receives: int = 10
    retry_concurrency: int = 50
    slow_concurrency: int = 100
    pollers: int = 5
    pollers_per_second: float = 5.0
    """Lambda reads a queue with 5 pollers, and adds 300 per minute while messages wait."""

    stream_lanes: int = 10
    stream_batch: int = 100
    stream_poll: float = 0.25
    """Lambda looks for new records 4 times a second."""
    stream_tries: int = 11

    invocation_timeout: float = 30.0
    concurrency: int = 1_000
    sweep_every: float = 60.0
    seed: int = 1
