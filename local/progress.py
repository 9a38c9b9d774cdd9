"""Shows what a long step is doing and how long it has taken."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

TICK_SECONDS = 0.5
# Without a terminal nothing can be updated in place, so a sign of life is a line of its own, and rarer.
LINE_EVERY_SECONDS = 2.0


class Progress:
    """Prints steps: one line that updates itself on a terminal, plain lines otherwise."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._live = self._stream.isatty()

    def say(self, text: str) -> None:
        print(text, file=self._stream, flush=True)

    @contextmanager
    def step(self, doing: str) -> Iterator[None]:
        """Show ``doing`` and its time while the body runs; an exception passes through, marked as failed."""
        started = time.monotonic()
        over = threading.Event()
        ticker = threading.Thread(target=self._tick, args=(doing, started, over), daemon=True)
        if not self._live:
            self.say(f"   {doing} ...")
        ticker.start()
        outcome = "FAILED"
        try:
            yield
            outcome = "ok"
        finally:
            over.set()
            ticker.join()
            start_of_line = "\r\033[K" if self._live else ""
            self.say(f"{start_of_line}   {doing}: {outcome}, {time.monotonic() - started:.1f} s")

    def _tick(self, doing: str, started: float, over: threading.Event) -> None:
        while not over.wait(TICK_SECONDS if self._live else LINE_EVERY_SECONDS):
            seconds = time.monotonic() - started
            if self._live:
                print(f"\r\033[K   {doing} ... {seconds:.0f} s", end="", file=self._stream, flush=True)
            else:
                self.say(f"   {doing} ... {seconds:.0f} s")
