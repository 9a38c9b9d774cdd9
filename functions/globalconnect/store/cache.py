"""What a warm function remembers for a while."""

from collections.abc import Callable
from typing import Any


class Cache[V]:
    """Remembers values for `seconds`; 0 remembers nothing. `now` gives the time in ms."""

    def __init__(self, seconds: float, now: Callable[[], int]) -> None:
        self._lifetime = round(seconds * 1000)
        self._now = now
        self._kept: dict[Any, tuple[int, V]] = {}

    def get(self, key: object, load: Callable[[], V | None], oldest: int | None = None) -> V | None:
        """Return what is remembered for `key`, else what `load` gives. None is never remembered: it may soon exist.

        What has been remembered for `oldest` ms is loaded again, too.
        """
        now = self._now()
        kept = self._kept.get(key)
        lifetime = self._lifetime if oldest is None else min(oldest, self._lifetime)
        if kept is not None and now - kept[0] < lifetime:
            return kept[1]
        value = load()
        if value is None:
            self._kept.pop(key, None)
        elif self._lifetime:
            self._kept[key] = (now, value)
        return value

    def forget(self, key: object) -> None:
        self._kept.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
