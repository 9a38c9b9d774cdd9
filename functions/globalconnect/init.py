"""What a function is made of, made before its first event (docs/adr/0023)."""

import functools
from collections.abc import Callable

from globalconnect.settings import on_lambda


def made_in_init[T](make: Callable[[], T]) -> Callable[[], T]:
    """Have what `make` gives made once: on Lambda at once, that is in INIT, elsewhere when it is first asked for.

    On Lambda it raises what `make` raises: the function does not start.
    """
    made = functools.cache(make)
    if on_lambda():
        made()
    return made
