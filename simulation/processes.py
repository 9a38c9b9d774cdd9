"""Processes of the simulation: fresh ones, which know nothing of what this one has loaded."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

type Link = Connection[Any, Any]

SPAWNED = multiprocessing.get_context("spawn")


@contextmanager
def serving(serve: Callable[[Link], None]) -> Iterator[Link]:
    """Run `serve` in a process of its own, with the other end of the pipe that is given; it ends when that closes."""
    ours, theirs = SPAWNED.Pipe()
    process = SPAWNED.Process(target=serve, args=(theirs,))
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        process.join()


def in_a_process[**P, T](do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do something in a process of its own; return what it returns."""
    with ProcessPoolExecutor(1, mp_context=SPAWNED) as process:
        return process.submit(do, *args, **kwargs).result()
