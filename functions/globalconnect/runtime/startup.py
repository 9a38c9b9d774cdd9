"""What a function starts with: the real clock and rng, what its deployment decides, read from the environment, and its
parts, made before its first event (docs/adr/0023).
"""

import functools
import os
import secrets
import time
from collections.abc import Callable, Mapping

from globalconnect.domain.ids import Rng
from globalconnect.domain.times import DAY, HOUR, MINUTE, SECOND

_UNITS = {"DAYS": DAY, "HOURS": HOUR, "MINUTES": MINUTE, "SECONDS": SECOND}


rng: Rng = secrets.randbelow


def clock() -> int:
    """Return the time (ms)."""
    return time.time_ns() // 1_000_000


def service_name() -> str:
    """Return by what name the logs and metrics of this stack are known, as powertools does."""
    return os.environ.get("POWERTOOLS_SERVICE_NAME", "service_undefined")


class BadSettings(RuntimeError):
    """The environment lacks a variable or holds one that can't be read; the function can't start."""


class Environment:
    """The variables of a function. What can't be read raises BadSettings, which names the variable."""

    def __init__(self, variables: Mapping[str, str] = os.environ) -> None:
        self._variables = variables

    def text(self, name: str) -> str:
        value = self._variables.get(name)
        if not value:
            raise BadSettings(f"{name} is not set, or empty")
        return value

    def number(self, name: str) -> int:
        value = self.text(name)
        if not value.isdecimal():
            raise BadSettings(f"{name} must be a whole number")
        return int(value)

    def flag(self, name: str) -> bool:
        value = self.text(name)
        if value not in {"true", "false"}:
            raise BadSettings(f"{name} must be true or false")
        return value == "true"

    def duration(self, name: str) -> int:
        """Return how long a variable says (ms), by the unit that its name ends in."""
        return self.number(name) * _UNITS[name.rpartition("_")[2]]


def at_startup[T](make: Callable[[], T]) -> "functools._lru_cache_wrapper[T]":
    """Return `make`, its result cached; on Lambda it is called at once, during INIT, elsewhere on first use.

    On Lambda it raises what `make` raises: the function does not start.
    """
    made = functools.cache(make)
    # A test or a tool imports the same modules elsewhere.
    if "AWS_LAMBDA_RUNTIME_API" in os.environ:
        made()
    return made
