"""How much of an account's Lambda concurrency pushes may take, so that the partner API always finds some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Of push_retry for its two queues, and how many batches of one shard push_sms works on at a time.
RETRY, SLOW_RETRY, PUSH = 50, 100, 10
# What AWS takes as the least.
RETRY_LEAST, SLOW_RETRY_LEAST, PUSH_LEAST = 2, 2, 1
# A new table on demand starts with four partitions, each with a shard.
SHARDS = 4
FULL = RETRY + SLOW_RETRY + PUSH * SHARDS
# Below it even the least leaves less than half to the rest, or the contract's cadence holds for fewer SMS at once.
ENOUGH = 400
USUAL = 1000


@dataclass(frozen=True)
class Scaling:
    """The concurrency of the pushes."""

    retry: int = RETRY
    slow_retry: int = SLOW_RETRY
    push: int = PUSH

    def but(self, named: Mapping[str, str]) -> Scaling:
        """It with the parameters that somebody named."""
        return Scaling(
            retry=int(named.get("RetryConcurrency", self.retry)),
            slow_retry=int(named.get("SlowRetryConcurrency", self.slow_retry)),
            push=int(named.get("PushParallelization", self.push)),
        )

    @property
    def at_most(self) -> int:
        """How many invocations push at a time, at most."""
        return self.retry + self.slow_retry + self.push * SHARDS

    def parameters(self) -> dict[str, str]:
        """It as parameters of template.yaml."""
        return {
            "RetryConcurrency": str(self.retry),
            "SlowRetryConcurrency": str(self.slow_retry),
            "PushParallelization": str(self.push),
        }


def for_quota(quota: int | None) -> Scaling:
    """The scaling that leaves at least half of ``quota`` to the rest, where the least that AWS takes allows it.

    ``quota`` is the account's concurrent executions in the region; None when nobody may know.
    """
    if quota is None:
        return Scaling()
    room = min(FULL, quota // 2)
    push = max(PUSH_LEAST, PUSH * room // FULL)
    left = room - push * SHARDS
    return Scaling(
        retry=max(RETRY_LEAST, left * RETRY // (RETRY + SLOW_RETRY)),
        slow_retry=max(SLOW_RETRY_LEAST, left * SLOW_RETRY // (RETRY + SLOW_RETRY)),
        push=push,
    )


def lines(quota: int | None, scaling: Scaling, region: str) -> list[str]:
    """What is to be said of the quota; where it is small, what that means and how to ask for more."""
    if quota is None:
        return [
            "  quota     unknown: these credentials may not ask for it (lambda:GetAccountSettings). Scaled for the",
            f"            usual {USUAL}; with less, name RETRY_CONCURRENCY, SLOW_RETRY_CONCURRENCY, PUSH_PARALLELIZATION",
        ]
    rest = max(0, quota - scaling.at_most)
    said = [
        f"  quota     {quota} Lambda invocations at a time: {scaling.at_most} at most for pushes, {rest} for the rest"
    ]
    if quota < ENOUGH:
        said += [
            "            That is little. When many SMS wait, retries come later than every 10 s, and when many call,",
            f"            partners get errors. Ask AWS for {USUAL}, which costs nothing; once it is granted: make deploy",
            "              aws service-quotas request-service-quota-increase --service-code lambda \\",
            f"                --quota-code L-B99A9384 --desired-value {USUAL} --region {region}",
        ]
    return said
