"""What a function is made of, made before its first event (docs/adr/0023)."""

import functools
from collections.abc import Callable

from globalconnect.runtime.settings import on_lambda


def at_startup[T](make: Callable[[], T]) -> "functools._lru_cache_wrapper[T]":
    """Return `make`, its result cached; on Lambda it is called at once, during INIT, elsewhere on first use.

    On Lambda it raises what `make` raises: the function does not start.
    """
    made = functools.cache(make)
    if on_lambda():
        made()
    return made
