"""The functions' processes: one that has imported everything, and the environments forked from it.

Run as `python -m simulation.pushes.worker SOCKET` by `simulation.pushes.processes`. Each line of its input,
`FUNCTION NUMBER NICENESS`, is an environment to fork; at the end of its input it kills its process group.
"""

import gc
import importlib
import io
import json
import os
import signal
import sys
import threading
import traceback
from multiprocessing.connection import Client, Connection
from typing import Any

from globalconnect.runtime.metrics import PushMeter
from simulation.pushes.functions import Remote, install, new_pusher, new_sweep, queues_of


class Cloud:
    """Calls to the simulated cloud; each thread has a connection of its own, as a client of AWS has a pool of them."""

    def __init__(self, path: str, number: int) -> None:
        self._path = path
        self._number = number
        self._of_thread = threading.local()

    def call(self, name: str, *arguments: object, **named: object) -> Any:
        """Make a call and return its result. Raises what the call raised there."""
        link: Connection[Any, Any] | None = getattr(self._of_thread, "link", None)
        if link is None:
            link = self._of_thread.link = Client(self._path, "AF_UNIX")
            link.send(("calls", self._number))
        link.send(("call", name, arguments, named))
        well, result = link.recv()
        if not well:
            raise result
        return result


def _serve(path: str, function: str, number: int) -> None:
    """Deal with invocations until the cloud is gone."""
    cloud = Remote(Cloud(path, number).call)
    queues = queues_of(cloud)
    pusher = new_pusher(cloud, queues, meter=PushMeter())
    handler = install(lambda: pusher, lambda: new_sweep(cloud, queues))[function]
    with Client(path, "AF_UNIX") as link:
        link.send(("ready", number, os.getpid()))
        while True:
            event = link.recv()
            try:
                answer = (True, handler(json.loads(event), None))
            except Exception:  # noqa: BLE001 - reported, as Lambda's runtime does
                answer = (False, traceback.format_exc())
            link.send(("answer", *answer))


def _fork(path: str, function: str, number: int, niceness: int) -> None:
    if os.fork() != 0:
        return
    status = 0
    try:
        os.close(sys.stdin.fileno())
        os.nice(niceness)
        _serve(path, function, number)
    except (EOFError, ConnectionError):
        # The cloud has closed.
        pass
    except BaseException:  # noqa: BLE001 - a forked process must never return into its parent's code
        traceback.print_exc()
        status = 1
    finally:
        os._exit(status)


def main(path: str) -> None:
    """Fork what is asked for."""
    # aiohttp loads some of itself when first used.
    importlib.import_module("aiohttp.connector")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # Nothing of what is loaded is ever garbage, and forks share what they don't touch.
    gc.collect()
    gc.freeze()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Whole lines, since all environments write to one log.
        sys.stdout.reconfigure(line_buffering=True)
    for command in sys.stdin.buffer:
        function, number, niceness = command.decode().split()
        _fork(path, function, int(number), int(niceness))
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1])
