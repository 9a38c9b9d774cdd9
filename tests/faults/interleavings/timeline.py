"""Virtual time: an event loop whose clock goes on only when everything waits, and plain functions that wait in it.

The delivery code calls AWS in threads. Here such a function is a strand: it has a thread, but only one thread of all runs
at a time, and it gives way only where it waits for something of the loop. So the order of everything follows from what
was drawn, and a failing example fails again.
"""

import asyncio
import contextvars
import math
import selectors
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Executor
from functools import partial
from typing import Any, Never

from simulation.aws import START, Clock


class Life:
    """What runs on behalf of one environment: all of it can be ended at once, as by a crash."""

    def __init__(self) -> None:
        self.over = False
        # A dict, since it keeps their order.
        self._tasks: dict[asyncio.Task[Any], None] = {}

    def end(self) -> None:
        """Let nothing of it do anything more. What was sent has been sent."""
        self.over = True
        for task in list(self._tasks):
            task.cancel()

    def own(self, task: asyncio.Task[Any]) -> None:
        """Count a task as part of this."""
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
    """An event loop on a clock of ours; it starts functions "in a thread" as strands."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(_NoWaiting(clock))
        self._clock = clock
        # Times are whole ms: less than that apart is the same time.
        self._clock_resolution = 0.0005
        self.set_task_factory(_task)

    def time(self) -> float:
        """Return the time (s)."""
        return (self._clock.at - START) / 1_000

    def run_in_executor[*A, R](
        self, executor: Executor | None, func: Callable[[*A], R], *args: *A
    ) -> asyncio.Future[R]:
        """Run a function as a strand."""
        return self.create_task(in_strand(partial(func, *args)))


class _NoWaiting(selectors.SelectSelector):
    """Moves the clock instead of waiting. There are no sockets to look at but the loop's own."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "everything waits for something that will never come"
        if timeout > 0:
            self._clock.advance(ms=max(1, math.ceil(timeout * 1_000 - 0.01)))
        return []


def _task[T](loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T], **options: Any) -> asyncio.Task[T]:
    task: asyncio.Task[T] = asyncio.Task(coroutine, loop=loop, **options)
    life = task.get_context().get(LIFE)
    if life is not None:
        life.own(task)
    return task


class _Strand:
    """A function with a thread that runs only between `go_on` and the next thing it waits for."""

    def __init__(self, do: Callable[[], Any]) -> None:
        self._do = do
        self._turn = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self._asked: Awaitable[Any] | None = None
        self._given: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=contextvars.copy_context().run, args=(self._run,), daemon=True)
        self._thread.start()

    def go_on(self, given: Any = None, error: BaseException | None = None) -> Awaitable[Any] | None:
        """Let it go on with what it waited for; return what it waits for next, None when it has ended."""
        self._given, self._error, self._asked = given, error, None
        self._turn.release()
        self._back.acquire()
        return self._asked

    def end(self) -> Any:
        """Return what the function gave, or raise what it raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._given

    def wait(self, asked: Awaitable[Any]) -> Any:
        """Return way until something has come (called by the function)."""
        self._asked = asked
        self._back.release()
        self._turn.acquire()
        if self._error is not None:
            raise self._error
        return self._given

    def _run(self) -> None:
        _here.strand = self
        self._turn.acquire()
        given: Any = None
        error: BaseException | None = None
        try:
            given = self._do()
        except BaseException as raised:  # noqa: BLE001 - decided: whatever it is, it is for the one who waits
            error = raised
        self._given, self._error = given, error
        self._back.release()


class _Here(threading.local):
    strand: _Strand | None = None


_here = _Here()


async def in_strand[T](do: Callable[[], T]) -> T:
    """Run a plain function that may `wait`. Cancelled, it is cancelled where it waits."""
    strand = _Strand(do)
    asked = strand.go_on()
    while asked is not None:
        try:
            given = await asked
        except BaseException as error:  # noqa: BLE001 - decided: it is for the function, a cancellation too
            asked = strand.go_on(error=error)
        else:
            asked = strand.go_on(given)
    ended: T = strand.end()
    return ended


def is_in_strand() -> bool:
    """Return whether the caller may `wait`."""
    return _here.strand is not None


def wait[T](asked: Awaitable[T]) -> T:
    """Wait for something of the loop, in a strand."""
    assert _here.strand is not None, "not in a strand"
    came: T = _here.strand.wait(asked)
    return came


def pause(seconds: float) -> None:
    """Let time pass for the strand that calls (s)."""
    wait(asyncio.sleep(seconds))
