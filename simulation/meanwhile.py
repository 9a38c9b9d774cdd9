"""What happens between a reading and the writing that follows from it."""

import copy
from collections.abc import Callable
from typing import Any


def crossed[T](store: T, method: str, meddle: Callable[[], object]) -> T:
    """Return a copy of a store after whose first call of a method something else happens, once."""
    copied, read, waiting = copy.copy(store), getattr(store, method), [meddle]

    def read_and_meddle(*asked: Any, **named: Any) -> Any:
        found = read(*asked, **named)
        while waiting:
            waiting.pop()()
        return found

    setattr(copied, method, read_and_meddle)
    return copied
