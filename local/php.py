"""The PHP for the samples: the one on the path, or Debian's, unpacked into .tools/php and not installed.

    python -m local.php

It is started before it counts. What the tests then start is `PHP`, a script. Without one they are skipped: a PHP is no
condition for the rest.
"""

import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local.browser import Unavailable, run, write_script
from local.place import PHP, REPOSITORY
from local.progress import Progress

PACKAGE = "php-cli"
# What the samples use that not every build has.
WORKS = "exit(function_exists('fsync') && function_exists('hash_hmac') && json_encode([]) === '[]' ? 0 : 1);"
_INSTALLED = re.compile(r"^Inst (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Machine:
    """What a PHP is found and fetched with, and the folder to fetch it into."""

    folder: Path = PHP.parent
    which: Callable[[str], str | None] = shutil.which
    run: Callable[..., str] = run


def provide(machine: Machine, progress: Progress) -> Path:
    """Return a script that starts a PHP. Raises Unavailable."""
    script = machine.folder / PHP.name
    if script.exists() and _starts(machine, script):
        return script
    shutil.rmtree(machine.folder, ignore_errors=True)
    machine.folder.mkdir(parents=True)
    found = machine.which("php")
    if found:
        write_script(script, Path(found))
    else:
        _fetch(machine, progress, script)
    # Raises what is wrong with it.
    machine.run([str(script), "-r", WORKS])
    return script


def _starts(machine: Machine, script: Path) -> bool:
    try:
        machine.run([str(script), "-r", WORKS])
    except Unavailable:
        return False
    return True


def _fetch(machine: Machine, progress: Progress, script: Path) -> None:
    if machine.which("apt-get") is None or machine.which("dpkg") is None:
        raise Unavailable("there is none on the path, and no apt to fetch it with")
    with progress.step(f"fetching Debian's package {PACKAGE} into .tools/php"):
        # No root is needed to ask what would be installed, to download it, and to unpack it.
        asked = machine.run(["apt-get", "install", "--simulate", "--no-install-recommends", PACKAGE])
        machine.run(["apt-get", "download", "--quiet", *_INSTALLED.findall(asked)], folder=machine.folder)
        root = machine.folder / "root"
        for package in machine.folder.glob("*.deb"):
            machine.run(["dpkg", "--extract", str(package), str(root)])
            package.unlink()
    executables = sorted(root.glob("usr/bin/php[0-9]*"))
    if not executables:
        raise Unavailable(f"{PACKAGE} holds no program")
    libraries = ":".join(str(path) for path in root.glob("usr/lib/*-linux-*"))
    # Without a php.ini: it would name extensions where they are installed.
    write_script(script, executables[-1], {"LD_LIBRARY_PATH": libraries} if libraries else {}, "-n")


def main() -> int:
    """Have a PHP behind `PHP` if there is one to be had; returns 0 in any case."""
    try:
        print(f"   {provide(Machine(), Progress()).relative_to(REPOSITORY)}")
    except Unavailable as reason:
        PHP.unlink(missing_ok=True)
        print(f"   no PHP, so the samples in PHP are not run: {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
