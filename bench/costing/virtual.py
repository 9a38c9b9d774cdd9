"""Time that passes only in thought: an event loop that never waits, so that an hour of pushes takes seconds.

The delivery routine runs on it unchanged. Everything happens in one thread and in the same order each time, so that the
same code always gives the same figures.
"""

import asyncio
import selectors
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any


class Moment:
    """The time of everything that runs, `at` in s; it is set to when an invocation begins and goes on while it waits."""

    # Small numbers: at seconds since 1970 a float no longer tells apart what an event loop has to.
    def __init__(self, epoch: int) -> None:
        self._epoch = epoch
        self.at = 0.0

    def ms(self) -> int:
        """Return the time in ms, as the product's clock does; it began at `epoch` (ms)."""
        return self._epoch + round(self.at * 1_000)


class _NeverWaits(selectors.SelectSelector):
    """Lets the time pass instead of waiting for it."""

    def __init__(self, moment: Moment) -> None:
        super().__init__()
        self._moment = moment

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready at once; when nothing is, it is later."""
        if timeout is None:
            raise RuntimeError("everything waits for something that never happens")
        self._moment.at += max(0.0, timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on a moment's time. What is given to a thread is done at once, and takes `call_seconds`."""

    def __init__(self, moment: Moment, call_seconds: float) -> None:
        super().__init__(_NeverWaits(moment))
        self._moment = moment
        self._call_seconds = call_seconds

    def time(self) -> float:
        """Return the moment."""
        return self._moment.at

    def run_in_executor[T](  # type: ignore[override]  # a future is all that to_thread needs
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Do it now, and return what came of it when a call to AWS would be over."""
        del executor
        answer: asyncio.Future[T] = self.create_future()
        try:
            given = func(*args)
        except Exception as error:  # noqa: BLE001 - it belongs to the one who asked
            self.call_later(self._call_seconds, answer.set_exception, error)
        else:
            self.call_later(self._call_seconds, answer.set_result, given)
        return answer


class _VirtualLoops(asyncio.DefaultEventLoopPolicy):
    def __init__(self, moment: Moment, call_seconds: float) -> None:
        super().__init__()
        self._moment = moment
        self._call_seconds = call_seconds

    def new_event_loop(self) -> VirtualLoop:
        return VirtualLoop(self._moment, self._call_seconds)


@contextmanager
def virtual_time(moment: Moment, call_seconds: float) -> Iterator[None]:
    """Have event loops that are made meanwhile run on the moment's time."""
    before = asyncio.get_event_loop_policy()
    asyncio.set_event_loop_policy(_VirtualLoops(moment, call_seconds))
    try:
        yield
    finally:
        asyncio.set_event_loop_policy(before)
