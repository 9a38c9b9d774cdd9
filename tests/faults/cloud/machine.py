"""How busy the machine is, with the simulated cloud and with everything else: a loaded machine makes everybody late."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Busy:
    """Processor time in seconds: what has passed on all processors, and what of it was used, by whom."""

    passed: float
    used: float
    by_us: float

    @classmethod
    def of(cls, processes: Iterable[int]) -> Self:
        """Read it off, counting these processes' own time as ours; zeros where the system doesn't tell (not Linux)."""
        try:
            ticks = [int(field) for field in (_PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]]
        except OSError:
            return cls(0, 0, 0)
        second = os.sysconf("SC_CLK_TCK")
        idle = ticks[3] + ticks[4]
        ours = sum(_ticks_of(process) for process in processes)
        return cls(sum(ticks) / second, (sum(ticks) - idle) / second, ours / second)

    def since(self, before: Self) -> str:
        """Say how busy it was between `before` and this."""
        passed = self.passed - before.passed
        if not passed:
            return "not known how busy the machine was"
        ours = (self.by_us - before.by_us) / passed
        others = max(0.0, (self.used - before.used) / passed - ours)
        return f"{os.cpu_count()} processors, {ours:.0%} busy with this and {others:.0%} with other things"


def _ticks_of(process: int) -> int:
    try:
        fields = (_PROC / str(process) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])
