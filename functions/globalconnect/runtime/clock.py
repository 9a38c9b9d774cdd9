"""The real clock and rng, for handlers to pass to the rules."""

import secrets
import time

from globalconnect.domain.ids import Rng

rng: Rng = secrets.randbelow


def now() -> int:
    return time.time_ns() // 1_000_000
