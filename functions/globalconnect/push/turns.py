"""How the bytes of answers come to the HTTP library: heads of bounded length, long answers piece by piece.

What the library does with them it does on the event loop, at once. Lines of a head, chunks of a byte, interim answers:
many of them cost it milliseconds, and a hundred connections of one partner would hold up everybody's pushes.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from aiohttp import ClientConnectionError, ClientPayloadError
from aiohttp.client_proto import ResponseHandler

_FIRST_STATUS_OF_AN_ANSWER = 200
_SWITCHING_PROTOCOLS = 101
_HEAD_END = b"\r\n\r\n"

MAX_HEAD_BYTES = 64 * 1024
_FIRST_BYTES = 1024
_PIECE_BYTES = 16 * 1024


class Turns:
    """Lets one of those who ask go on at each round of the event loop, in the order in which they asked."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[Callable[[], None]] = deque()
        self._is_going = False

    def ask(self, go_on: Callable[[], None]) -> None:
        self._waiting.append(go_on)
        if not self._is_going:
            self._is_going = True
            self._loop.call_soon(self._next)

    def leave(self, go_on: Callable[[], None]) -> None:
        self._waiting.remove(go_on)

    def _next(self) -> None:
        if not self._waiting:
            self._is_going = False
            return
        self._loop.call_soon(self._next)
        self._waiting.popleft()()


class PiecewiseHandler(ResponseHandler):
    """A connection that reads the start of an answer at once and the rest in turns.

    A head is read by itself, so that what is wrong with the body doesn't take the status along. One that is longer than
    MAX_HEAD_BYTES ends the connection.
    """

    def __init__(self, turns: Turns, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._turns = turns
        self._held = b""
        self._is_waiting = False
        self._is_long = False
        self._head_bytes: int | None = 0

    @property
    def should_close(self) -> bool:
        """Return whether the connection can't be used again: not when something came after the answer, either."""
        return bool(self._held) or super().should_close

    def set_response_params(self, **params: Any) -> None:
        self._is_long = False
        self._head_bytes = 0
        super().set_response_params(**params)

    def feed_data(self, data: Any, size: int = 0) -> None:
        """Take note that a head has been read, perhaps one of an interim answer."""
        message, _ = data
        is_last = message.code >= _FIRST_STATUS_OF_AN_ANSWER or message.code == _SWITCHING_PROTOCOLS
        self._head_bytes = None if is_last else 0
        super().feed_data(data, size)

    def data_received(self, data: bytes) -> None:
        """Read the first bytes of an answer; have the others wait for their turns."""
        if not data:
            # The library resumes its parser.
            super().data_received(data)
            return
        self._held += data
        if self._is_waiting:
            return
        if not self._is_long:
            self._read(_FIRST_BYTES)
        if self._held:
            self._is_long = True
            self._wait()

    def resume_reading(self, resume_parser: bool = True) -> None:  # noqa: FBT001, FBT002 - the library's
        """Go on if reading was paused: the library calls this for every chunk that is taken, which costs a system call."""
        if self._reading_paused:
            super().resume_reading(resume_parser)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Read what is still held, then end."""
        if self._is_waiting:
            self._is_waiting = False
            self._turns.leave(self._take_turn)
        while self._held and self.transport is not None:
            self._read(len(self._held))
        self._held = b""
        super().connection_lost(exc)

    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:
        """End the answer, also one whose head was read; what came of its body is read first."""
        super().set_exception(exc, *([] if exc_cause is None else [exc_cause]))
        if self._payload is not None and not self._payload.is_eof():
            self._loop.call_soon(self._payload.set_exception, ClientPayloadError("the body is malformed"))

    def _wait(self) -> None:
        self._is_waiting = True
        self._pause_reading_for_buffer()
        self._turns.ask(self._take_turn)

    def _take_turn(self) -> None:
        self._is_waiting = False
        self._read(_PIECE_BYTES)
        if self._held:
            self._wait()
        else:
            self._resume_reading_for_buffer()

    def _read(self, most: int) -> None:
        """Read up to so many bytes, and no more than one head that isn't the last."""
        while most > 0 and self._held:
            end = self._held.find(_HEAD_END, 0, most) if self._head_bytes is not None else -1
            size = most if end < 0 else end + len(_HEAD_END)
            piece, self._held = self._held[:size], self._held[size:]
            most -= size
            self._read_piece(piece)
            if self.transport is None or self.exception() is not None:
                self._held = b""
            elif end >= 0 and self._head_bytes is not None:
                # That was an interim answer, of which there may be any number.
                return

    def _read_piece(self, piece: bytes) -> None:
        if self._head_bytes is not None:
            self._head_bytes += len(piece)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.set_exception(ClientConnectionError("the head is too long"))
                if self.transport is not None:
                    self.transport.close()
                return
        super().data_received(piece)
