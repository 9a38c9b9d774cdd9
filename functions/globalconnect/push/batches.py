"""Many who ask for the same thing one by one, served by one call.

Each SMS goes through the delivery routine by itself, yet its claim, look and result share calls to AWS with those of
others that happen to be at the same point.
"""

import asyncio
from collections.abc import Callable, Sequence

# How long (s) the first to ask waits for others. Attempts are due to the second, so nobody minds.
_LINGER = 0.01


class Batches[Asked, Given]:
    """Gathers what is asked for during a moment, `size` at most, and does it in one call in a thread.

    `do` gives an answer per request, in order; an Exception among them is raised to that one who asked, and one that
    `do` raises to all of the batch. Belongs to one event loop.
    """

    def __init__(self, do: Callable[[Sequence[Asked]], Sequence[Given | Exception]], size: int) -> None:
        self._do = do
        self._size = size
        self._waiting: list[tuple[Asked, asyncio.Future[Given]]] = []
        self._timer: asyncio.TimerHandle | None = None
        # The event loop itself holds tasks only weakly.
        self._under_way: set[asyncio.Task[None]] = set()

    async def ask(self, one: Asked) -> Given:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Given] = loop.create_future()
        self._waiting.append((one, answer))
        if len(self._waiting) >= self._size:
            self._go()
        elif self._timer is None:
            self._timer = loop.call_later(_LINGER, self._go)
        return await answer

    def _go(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        asked, self._waiting = self._waiting, []
        task = asyncio.get_running_loop().create_task(self._answer(asked))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _answer(self, asked: Sequence[tuple[Asked, asyncio.Future[Given]]]) -> None:
        try:
            given = await asyncio.to_thread(self._do, [one for one, _ in asked])
        except Exception as error:  # noqa: BLE001 - decided: it is for those who asked to deal with
            given = [error] * len(asked)
        for (_, answer), end in zip(asked, given, strict=True):
            if answer.done():
                continue
            if isinstance(end, Exception):
                answer.set_exception(end)
            else:
                answer.set_result(end)
