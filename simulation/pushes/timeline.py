"""Virtual time: an event loop whose clock goes on only when everything waits, and plain functions that wait in it.

The delivery code calls AWS in threads. Here such a function is a strand: it runs in the loop's own thread, and gives way
only where it waits for something of the loop. So the order of everything follows from the seeds, and what fails fails
again.
"""

import asyncio
import contextvars
import math
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Executor
from functools import partial
from typing import Any, Never

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

from simulation.aws import START


class Life:
    """What runs on behalf of one environment: all of it can be ended at once, as by a crash."""

    def __init__(self) -> None:
        self.over = False
        # A dict, since it keeps their order.
        self._tasks: dict[asyncio.Task[Any], None] = {}

    def end(self) -> None:
        """Let nothing of it do anything more. What was sent has been sent."""
        self.over = True
        self.freeze()

    def freeze(self) -> None:
        """Let what is still running of it not go on."""
        for task in list(self._tasks):
            task.cancel()

    def own(self, task: asyncio.Task[Any]) -> None:
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)
        if self.over:
            task.cancel()


LIFE: contextvars.ContextVar[Life | None] = contextvars.ContextVar("LIFE", default=None)


async def crash() -> Never:
    """End the life that this runs in, here and now."""
    life = LIFE.get()
    assert life is not None, "nothing that could crash"
    life.end()
    await asyncio.get_running_loop().create_future()
    raise AssertionError("the dead go on")


class Timeline(asyncio.SelectorEventLoop):
    """An event loop on a clock of its own; it starts functions "in a thread" as strands."""

    def __init__(self) -> None:
        self._at = 0
        super().__init__(_NoWaiting(self._advance))
        # Times are whole ms: less than that apart is the same time.
        self._clock_resolution = 0.0005
        self.set_task_factory(_task)

    def time(self) -> float:
        """Return the time since the beginning (s)."""
        return self._at / 1_000

    def now(self) -> int:
        """Return the time (ms since the epoch)."""
        return START + self._at

    def _advance(self, ms: int) -> None:
        self._at += ms

    def run_in_executor[*A, R](
        self, executor: Executor | None, func: Callable[[*A], R], *args: *A
    ) -> asyncio.Future[R]:
        return self.create_task(in_strand(partial(func, *args)))


class _NoWaiting(selectors.SelectSelector):
    """Moves the clock instead of waiting. There are no sockets to look at but the loop's own."""

    def __init__(self, advance: Callable[[int], None]) -> None:
        super().__init__()
        self._advance = advance

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "everything waits for something that will never come"
        if timeout > 0:
            self._advance(max(1, math.ceil(timeout * 1_000 - 0.01)))
        return []


def _task[T](loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T], **options: Any) -> asyncio.Task[T]:
    task: asyncio.Task[T] = asyncio.Task(coroutine, loop=loop, **options)
    life = task.get_context().get(LIFE)
    if life is not None:
        life.own(task)
    return task


def timeline() -> Timeline:
    """Return the running loop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, Timeline)
    return loop


async def in_strand[T](do: Callable[[], T]) -> T:
    """Run a plain function that may `wait`. Cancelled, it is cancelled where it waits."""
    strand = greenlet(do)
    strand.gr_context = contextvars.copy_context()
    came = strand.switch()
    while not strand.dead:
        try:
            given = await came
        except BaseException as error:  # noqa: BLE001 - decided: it is for the function, a cancellation too
            came = strand.throw(error)
        else:
            came = strand.switch(given)
    ended: T = came
    return ended


def wait[T](asked: Awaitable[T]) -> T:
    """Wait for something of the loop, in a strand."""
    loop = getcurrent().parent
    assert loop is not None, "not in a strand"
    came: T = loop.switch(asked)
    return came
