"""The process of the partners' servers, from the side that tells it what to do."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.faults.cloud.behaviour import Behaviour, Seen
from tests.faults.cloud.rpc import Channel

ROOT = Path(__file__).resolve().parents[3]

_START_SECONDS = 20.0


def program(module: str, *arguments: str) -> list[str]:
    """Return the command line of a process of the cloud."""
    return [sys.executable, "-m", module, *arguments]


def environment() -> dict[str, str]:
    """Return the environment of a process of the cloud, so that it finds the code from anywhere."""
    return {**os.environ, "PYTHONPATH": f"{ROOT / 'functions'}{os.pathsep}{ROOT}"}


class PartnerServers:
    """Partners' servers in a process of their own; a context manager. `folder` is where its socket may be."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "partners"
        self._channel: Channel | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start the process."""
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self._path))
            listener.listen(1)
            listener.settimeout(_START_SECONDS)
            self._process = subprocess.Popen(
                program("tests.faults.cloud.partner_server", str(self._path)), cwd=ROOT, env=environment()
            )
            connected, _ = listener.accept()
        connected.settimeout(None)
        self._channel = Channel(connected)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process; it does so by itself when its connection closes."""
        if self._channel is not None:
            self._channel.close()
        if self._process is not None:
            self._process.wait(_START_SECONDS)

    @property
    def pid(self) -> int:
        """The process."""
        return 0 if self._process is None else self._process.pid

    def open(self, name: str, behaviour: Behaviour) -> str:
        """Open a partner's server; return its Push URL."""
        return f"http://127.0.0.1:{self._ask('open', name, behaviour)}/push"

    def behave(self, name: str, behaviour: Behaviour) -> None:
        """Have a partner answer differently from now on; attempts under way end as they began."""
        self._ask("behave", name, behaviour)

    def served(self, names: Sequence[str]) -> int:
        """Count the SMS that partners answered with SUCCESS."""
        count: int = self._ask("served", list(names))
        return count

    def attempts(self) -> list[Seen]:
        """Return every attempt so far, by time of arrival."""
        attempts: list[Seen] = self._ask("attempts")
        return attempts

    def _ask(self, *command: object) -> Any:
        if self._channel is None:
            raise RuntimeError("the partners' servers are not running")
        return self._channel.ask(command)
