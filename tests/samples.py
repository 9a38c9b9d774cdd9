"""The samples of docs/samples, run as partners run them."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.emulator import free_port
from local.place import NODE, PHP, REPOSITORY

SAMPLES = REPOSITORY / "docs" / "samples"
CLIENTS = {"curl": "client.sh", "Python": "client.py", "Node": "client.mjs", "PHP": "client.php"}
RECEIVERS = {"Python": "receiver.py", "Node": "receiver.mjs", "PHP": "receiver.php"}
# How long one may take to start, or to end once all is said (s).
PATIENCE_SECONDS = 60


def _runner(language: str) -> str:
    """Return what runs the samples of a language; skips the test, saying so, where there is no PHP."""
    if language == "PHP" and not PHP.exists():
        pytest.skip("The samples in PHP are not run: `make php` has found none, and apt gave none")
    return {"curl": "sh", "Python": sys.executable, "Node": str(NODE), "PHP": str(PHP)}[language]


def client(language: str, url: str, key: str, *wanted: str) -> subprocess.Popen[str]:
    """Start a client that takes a number: `wanted` are country, operator and service."""
    command = [_runner(language), str(SAMPLES / CLIENTS[language]), *wanted]
    env = {**os.environ, "GLOBALCONNECT_URL": url, "GLOBALCONNECT_KEY": key, "NO_PROXY": "127.0.0.1"}
    return subprocess.Popen(command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver that is running."""

    url: str
    inbox: Path

    def taken(self) -> dict[str, bytes]:
        """Return what it has stored, by file name."""
        return {path.name: path.read_bytes() for path in self.inbox.iterdir()} if self.inbox.exists() else {}


@contextmanager
def receiver(language: str, secret: str, folder: Path, sample: Path | None = None) -> Iterator[Receiver]:
    """Start a receiver of pushes that are signed with a secret, from another file than ours if one is given."""
    port, inbox, file = free_port(), folder / "inbox", str(sample or SAMPLES / RECEIVERS[language])
    runner = _runner(language)
    command = [runner, "-S", f"127.0.0.1:{port}", file] if language == "PHP" else [runner, file, str(port)]
    env = {**os.environ, "GLOBALCONNECT_SECRET": secret, "INBOX": str(inbox)}
    with subprocess.Popen(command, env=env, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        try:
            _wait_for(port)
            yield Receiver(f"http://127.0.0.1:{port}/push", inbox)
        finally:
            run.terminate()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            assert time.monotonic() < deadline, "the receiver does not start"
            time.sleep(0.05)
