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

    cold_start: float = 0.0
    """What a new environment takes besides the fork of a process that has imported everything."""
    invocation_timeout: float = 30.0
    concurrency: int = 1_000
    retry_niceness: int = 10
    sweep_every: float = 60.0
    seed: int = 1

    def lines(self) -> list[str]:
        """Return them in words, a line each."""
        low, high = (round(1000 * seconds) for seconds in self.call)
        twice = f"1 in {round(1 / self.delivered_twice)}" if self.delivered_twice else "none"
        cold = f" and {self.cold_start:g} s" if self.cold_start else ""
        niceness = f"niceness {self.retry_niceness}" if self.retry_niceness else "no other priority"
        return [
            f"tables and queues in memory; a call takes {low} to {high} ms",
            (
                f"queues: {twice} delivered again within {self.twice_within:g} s, whole-second delays, visibility "
                f"{self.visibility:g} s, set aside after {self.receives} receives; nothing is gained from fair queues"
            ),
            (
                f"their pollers: {self.pollers} at first, {self.pollers_per_second:g} more per second while messages "
                f"wait, {self.retry_concurrency} (RetryQueue) and {self.slow_concurrency} (SlowRetryQueue) at most"
            ),
            (
                f"pick-up 0 to {1000 * self.pick_up:g} ms late, so in shuffled order; batches of {self.queue_batch}, or "
                f"what came within {self.window:g} s"
            ),
            (
                f"stream: {self.stream_lanes} lanes by activation id, looked at every {1000 * self.stream_poll:g} ms, in "
                f"order, batches of {self.stream_batch} at most"
            ),
            (
                "functions: a process per environment, one invocation at a time, frozen in between, "
                f"{self.invocation_timeout:g} s at most; a cold start takes a fork{cold}"
            ),
            f"processors: all processes share this machine's, push_retry with {niceness} (on Lambda each has its own)",
        ]
