"""The built functions, and each under AWS's Runtime Interface Emulator: Lambda's runtime protocol, without Docker."""

import http.client
import importlib.metadata
import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from local import deploy
from local.aws import environment as emulator_environment
from local.emulator import HOST, INHERITED
from local.failure import LocalError, last_lines
from local.place import REPOSITORY, Place
from local.progress import Progress

# What the Lambda runtime brings; everything else a function uses has to be in its artefact.
BROUGHT = ("boto3", "awslambdaric")

_INVOKE = "/2015-03-31/functions/function/invocations"
_START_SECONDS = 20.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.02
_INIT = re.compile(r"INIT REPORT\(durationMs: ([0-9.]+)\)")
_REQUIRED = re.compile(r"[A-Za-z0-9._-]+")


def build(target: Path) -> Path:
    """Build the functions, or find them built, and return a directory that holds one directory per function.

    Takes a new directory. Others on this machine may build at the same time, each in turn, and what they build later
    leaves `target` as it is. Raises LocalError.
    """
    target.mkdir(parents=True)
    functions = target / "functions"
    with deploy.built(Place(target), {}, Progress()) as built:
        shutil.copytree(built, functions, copy_function=_link)
    return functions


def _link(source: str, target: str) -> None:
    # A build replaces files and never writes into them, so a link keeps what it was.
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


class FunctionFailed(Exception):
    """The function gave no answer: it raised, ended, or took too long."""


@dataclass(frozen=True, slots=True)
class Function:
    """What template.yaml says about a function."""

    logical_id: str
    handler: str
    memory: int
    timeout: int

    @property
    def folder(self) -> str:
        """The folder under functions/ that is this function's own."""
        return self.handler.partition(".")[0]


def functions_of(template: Mapping[str, Any]) -> list[Function]:
    common = template["Globals"]["Function"]
    found = []
    for logical_id, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            stated = common | resource["Properties"]
            found.append(Function(logical_id, stated["Handler"], int(stated["MemorySize"]), int(stated["Timeout"])))
    return found


def rie_binary() -> Path:
    """Return AWS's emulator for this machine, out of the wheel of aws-sam-cli. Raises LocalError saying what to install."""
    machine = {"aarch64": "arm64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    name = f"aws-lambda-rie-{machine}"
    found = next((REPOSITORY / ".tools" / "sam").glob(f"lib/python*/site-packages/samcli/local/rapid/{name}"), None)
    if platform.system() != "Linux":
        raise LocalError(
            "AWS's Runtime Interface Emulator is a Linux program.", how="Run these tests on Linux, or in a container."
        )
    if found is None:
        raise LocalError(
            f"AWS's Runtime Interface Emulator ({name}) is missing.",
            how=f"aws-sam-cli brings it for arm64 and x86_64. Install that: make -C {REPOSITORY} .tools/sam/.done",
        )
    return found


def link_brought_packages(directory: Path) -> Path:
    """Fill a directory with links to what the Lambda runtime brings and nothing else, and return it."""
    directory.mkdir(parents=True, exist_ok=True)
    for distribution in _with_requirements(BROUGHT):
        for name in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
            link = directory / name
            if not link.exists():
                link.symlink_to(Path(str(distribution.locate_file(name))).resolve())
    return directory


def _with_requirements(names: tuple[str, ...]) -> Iterator[importlib.metadata.Distribution]:
    waiting, seen = list(names), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            distribution = importlib.metadata.distribution(name)
            yield distribution
            for requirement in distribution.requires or ():
                required = _REQUIRED.match(requirement)
                if required and "extra ==" not in requirement:
                    waiting.append(required.group())


@dataclass(slots=True)
class LambdaRuntime:
    """One execution environment of a built function; also a context manager.

    Takes the function, the directory it was built into, the variables it is to see, where the AWS APIs are, the
    directory of `link_brought_packages`, and the file for its log.
    """

    function: Function
    task_root: Path
    variables: Mapping[str, str]
    endpoint: str
    packages: Path
    log: Path
    _port: int = field(default=0, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def python(self) -> list[str]:
        """The start of the runtime's command line: without `site`, so that no package of this environment is seen."""
        return [sys.executable, "-S"]

    @property
    def environment(self) -> dict[str, str]:
        """What the function sees of its environment: what Lambda sets, and its own variables."""
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        return (
            emulator_environment(self.endpoint, inherited)
            | {
                "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
                "AWS_LAMBDA_FUNCTION_NAME": self.function.logical_id,
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.function.memory),
                "AWS_LAMBDA_FUNCTION_TIMEOUT": str(self.function.timeout),
                "LAMBDA_TASK_ROOT": str(self.task_root),
                "TZ": ":UTC",
                # The working directory, which is the artefact, comes before it.
                "PYTHONPATH": str(self.packages),
                # On Lambda the artefact can't be written to, so each cold start compiles what comes as source.
                "PYTHONDONTWRITEBYTECODE": "1",
            }
            | dict(self.variables)
        )

    @property
    def init_duration_ms(self) -> float:
        """How long the last INIT took; it comes with the first invocation. Raises IndexError before that."""
        return float(_INIT.findall(self.log.read_text(encoding="utf-8", errors="replace"))[-1])

    def start(self) -> None:
        """Start the emulator and wait until it listens; the function itself starts with its first invocation.

        Raises LocalError when it can't.
        """
        binary = rie_binary()
        self._port, api_port = _free_ports()
        addresses = {"runtime-interface-emulator": self._port, "runtime-api": api_port}
        options = [part for name, port in addresses.items() for part in (f"--{name}-address", f"{HOST}:{port}")]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(binary), *options, *self.python, "-m", "awslambdaric", self.function.handler],
                cwd=self.task_root,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait_until_listening(self._process)
        except LocalError:
            self.stop()
            raise

    def invoke(self, event: object) -> Any:
        """Return what the function answers to an event. Raises FunctionFailed with the end of its log."""
        connection = http.client.HTTPConnection(HOST, self._port, timeout=self.function.timeout + _START_SECONDS)
        try:
            connection.request("POST", _INVOKE, json.dumps(event).encode())
            answered = connection.getresponse()
            status, content = answered.status, answered.read()
        except OSError as error:
            raise self._failed(f"{type(error).__name__}: {error}") from None
        finally:
            connection.close()
        try:
            answer = json.loads(content or b"null")
        except ValueError:
            raise self._failed(content.decode(errors="replace")) from None
        # The emulator answers 200 also for a handler that raised.
        if status != http.HTTPStatus.OK or (
            isinstance(answer, dict) and {"errorType", "errorMessage"} <= answer.keys()
        ):
            raise self._failed(content.decode(errors="replace"))
        return answer

    def stop(self) -> None:
        """End the emulator, which ends the function's process; nothing when it does not run."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            # The function's process then ends by itself: its runtime API is gone.
            self._process.kill()
            self._process.wait()
        self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait_until_listening(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not _listens(self._port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise LocalError(f"The emulator of {self.function.logical_id} did not start.", log=self.log)
            time.sleep(_POLL_SECONDS)

    def _failed(self, what: str) -> FunctionFailed:
        return FunctionFailed("\n".join([f"{self.function.logical_id}: {what}", *last_lines(self.log)]))


def _free_ports() -> tuple[int, int]:
    # Both are held until both are known, so that they differ.
    with socket.socket() as one, socket.socket() as other:
        one.bind((HOST, 0))
        other.bind((HOST, 0))
        return one.getsockname()[1], other.getsockname()[1]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
