"""The emulator's process: start, readiness, stop.

It keeps its data in memory and writes it down when it is stopped by SIGTERM, and only then. What happened since the
last clean stop is lost when it is killed otherwise; the next start then begins where the last clean stop left off.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from local.aws import ACCESS_KEY, REGION, SECRET_KEY
from local.failure import LocalError
from local.place import EMULATOR, EMULATOR_PYTHON, Place, read_private, write_private

HOST = "127.0.0.1"
START_SECONDS = 60.0
STOP_SECONDS = 60.0
PORT_SECONDS = 2.0
POLL_SECONDS = 0.1
QUEUE_URL = re.compile(r"(http://localhost:)\d+(/\d{12}/)")
# All the functions may see of the user's environment: nothing that could lead them to a proxy or another account.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True)
class Emulator:
    pid: int
    port: int

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"


def started(place: Place) -> Emulator | None:
    """The emulator of ``place`` if it runs, be it that it answers or not."""
    known = _known(place)
    return known if known and _is_alive(known, place) else None


def running(place: Place) -> Emulator | None:
    """The emulator of ``place`` if it runs and answers, None if it does not run.

    Raises LocalError when it runs and does not answer.
    """
    found = started(place)
    return found if found and _is_ready(found, place) else None


def last_port(place: Place) -> int | None:
    """The port used last, None before the first start."""
    known = _known(place)
    return known.port if known else None


def has_data(place: Place) -> bool:
    """Whether the emulator of ``place`` has been stopped before, and will find what it saved."""
    return (place.state / "dynamodb.json").is_file()


def start(place: Place, port: int, variables: Mapping[str, str] | None = None) -> Emulator:
    """Start the emulator of ``place`` on ``port`` and wait until it answers; raises LocalError when it can't.

    ``variables`` come into its environment.
    """
    if not EMULATOR_PYTHON.exists():
        raise LocalError(f"The emulator is not installed ({EMULATOR_PYTHON} is missing).", how="Run: make up")
    _require_free(port)
    # Left by one that was killed: functions that still run, and what was unpacked for them.
    for pid in _functions(place):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(place.temporary, ignore_errors=True)
    for directory in (place.state, place.objects, place.temporary):
        directory.mkdir(parents=True, exist_ok=True)
    _take_queues_along(place, port)
    _read_streams_from_their_beginning(place)
    with place.emulator_log.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
            _command(place),
            env=_environment(place, port) | dict(variables or {}),
            cwd=place.temporary,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=0o077,
        )
    # It goes on when this process ends, which is no mistake that anybody needs to be warned of.
    process.returncode = 0
    emulator = Emulator(process.pid, port)
    write_private(place.process_file, {"pid": emulator.pid, "port": emulator.port})
    if not _is_ready(emulator, place):
        raise LocalError("The emulator ended before it was ready.", log=place.emulator_log)
    return emulator


def stop(place: Place) -> bool:
    """Stop the emulator of ``place`` so that it saves its data; False when it was not running.

    Raises LocalError when it has not ended after a minute; it is not killed, since that would lose data.
    """
    found = started(place)
    if found is None:
        return False
    os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while _is_alive(found, place):
        if time.monotonic() > deadline:
            raise LocalError(
                f"The emulator (pid {found.pid}) is still saving its data after {STOP_SECONDS:.0f} s.",
                how=f"Wait and try again, or give up what it has not saved: kill -9 {found.pid}",
                log=place.emulator_log,
            )
        time.sleep(POLL_SECONDS)
    return True


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])


def _command(place: Place) -> list[str]:
    # The option means nothing to Python; it makes this stack's process recognisable in any process list.
    return [str(EMULATOR_PYTHON), "-X", f"stack={place.root}", str(EMULATOR)]


def _environment(place: Place, port: int) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return inherited | {
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "PERSIST_STATE": "1",
        "STATE_DIR": str(place.state),
        "S3_DATA_DIR": str(place.objects),
        "TMPDIR": str(place.temporary),
        # Doors this product has no use for; each would open a port of its own.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONUNBUFFERED": "1",
    }


def _take_queues_along(place: Place, port: int) -> None:
    """Make saved queues be found on ``port``: the emulator keeps them by their URL, and so by the port they had."""
    _change_saved(place.state / "sqs.json", lambda saved: QUEUE_URL.sub(rf"\g<1>{port}\g<2>", saved))


def _read_streams_from_their_beginning(place: Place) -> None:
    """Forget how far the functions had read the tables' streams.

    The emulator saves that and not the streams, so after a start it would skip as many records as there were before.
    """

    def forget(saved: str) -> str:
        content = json.loads(saved)
        content["payload"].pop("dynamodb_stream_positions", None)
        return json.dumps(content)

    _change_saved(place.state / "lambda.json", forget)


def _change_saved(saved: Path, change: Callable[[str], str]) -> None:
    if saved.is_file():
        changed = saved.with_suffix(".changed")
        changed.write_text(change(saved.read_text(encoding="utf-8")), encoding="utf-8")
        changed.replace(saved)


def _known(place: Place) -> Emulator | None:
    match read_private(place.process_file):
        case {"pid": int(pid), "port": int(port)}:
            return Emulator(pid, port)
        case _:
            return None


def _require_free(port: int) -> None:
    # A killed emulator has its port for a moment longer than its name.
    deadline = time.monotonic() + PORT_SECONDS
    while problem := _problem(port):
        if time.monotonic() > deadline:
            raise LocalError(
                f"Port {port} on {HOST} can't be used: {problem}.",
                how=f"Stop what uses it, or take another: make up PORT={free_port()}",
            )
        time.sleep(POLL_SECONDS)


def _problem(port: int) -> str | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            return error.strerror or str(error)
    return None


def _is_ready(emulator: Emulator, place: Place) -> bool:
    """Whether it answers, which is waited for; False once it has ended. Raises LocalError when it stays silent."""
    deadline = time.monotonic() + START_SECONDS
    while not _answers(emulator):
        if not _is_alive(emulator, place):
            return False
        if time.monotonic() > deadline:
            raise LocalError(
                f"The emulator (pid {emulator.pid}) does not answer on port {emulator.port}.",
                how="Stop it (make down) and try again.",
                log=place.emulator_log,
            )
        time.sleep(POLL_SECONDS)
    return True


def _answers(emulator: Emulator) -> bool:
    # Without urllib's proxies: what a user's settings name can't reach this machine's 127.0.0.1.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{emulator.endpoint}/_ministack/ready", timeout=5) as answer:
            return bool(answer.status == HTTPStatus.OK)
    except OSError:
        return False


def _is_alive(emulator: Emulator, place: Place) -> bool:
    """Whether its pid is this stack's emulator, and not a stranger that got the number since; what ended has no name."""
    return f"stack={place.root} {EMULATOR}" in _command_lines().get(emulator.pid, "")


def _functions(place: Place) -> list[int]:
    """The processes that run functions of ``place``."""
    return [pid for pid, line in _command_lines().items() if f" {place.temporary}/ministack-lambda-" in line]


def _command_lines() -> dict[int, str]:
    """The command line of each process by its pid."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            line = (process / "cmdline").read_bytes()
            found[int(process.name)] = line.replace(b"\0", b" ").decode(errors="replace")
    if found:
        return found
    listing = subprocess.run(
        ["ps", "-ww", "-ax", "-o", "pid=,command="],  # noqa: S607 - where ps is differs between systems
        capture_output=True,
        text=True,
        check=False,
    )
    lines = (line.strip().partition(" ") for line in listing.stdout.splitlines())
    return {int(pid): line for pid, _, line in lines}
