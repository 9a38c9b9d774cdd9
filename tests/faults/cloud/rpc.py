"""Messages between the processes of the simulated cloud, over unix sockets: a length, then a pickle."""

import pickle
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

_LENGTH = struct.Struct("!I")
_PIECE = 1 << 18


def pack(message: object) -> bytes:
    """Return a message as it is sent."""
    content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(content)) + content


class Unpacker:
    """Puts messages together from what arrives."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, data: bytes) -> Iterator[Any]:
        """Take what arrived; return the messages that are whole."""
        self._waiting += data
        while len(self._waiting) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._waiting)
            end = _LENGTH.size + length
            if len(self._waiting) < end:
                return
            content = bytes(self._waiting[_LENGTH.size : end])
            del self._waiting[:end]
            yield pickle.loads(content)  # noqa: S301 - from our own processes, over a socket in our own folder


class Channel:
    """One end of a connection for blocking use, by one thread at a time."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._unpacker = Unpacker()
        self._ready: list[Any] = []

    @classmethod
    def to(cls, path: Path) -> Self:
        """Connect to the socket at `path`."""
        connected = socket.socket(socket.AF_UNIX)
        try:
            connected.connect(str(path))
        except OSError:
            connected.close()
            raise
        return cls(connected)

    def send(self, message: object) -> None:
        """Send a message."""
        self._socket.sendall(pack(message))

    def receive(self) -> Any:
        """Wait for the next message. Raises EOFError when the other end has closed."""
        while not self._ready:
            data = self._socket.recv(_PIECE)
            if not data:
                raise EOFError
            self._ready.extend(self._unpacker.feed(data))
        return self._ready.pop(0)

    def ask(self, question: object) -> Any:
        """Send a message and wait for the one that answers it."""
        self.send(question)
        return self.receive()

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()
