"""Row deploy.6: whether a fresh clone needs nothing by hand.

The commands of the README run in a clone in an empty folder, with an empty home, so with empty caches, and with no
browser on the path. Registries are found as the user's own settings say.
"""

import os
import re
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.row import Row, Say
from local.browser import NAMES
from local.emulator import free_port
from local.place import REPOSITORY

IDS = ("deploy.6",)

_CLAIM = "in a fresh clone, with empty caches and no browser on the path, make demo and make test need nothing by hand"
# A file of tests for each step of `make test` that runs some.
_TESTS = ("test_ids", "test_memory_store", "test_readme", "test_compiled", "test_services")
_STEPS = 4
_SECONDS = 1_800
_LINES = 15

# What tools take from the environment to find a registry and to trust it, and no more than that.
_KEPT = re.compile(r"PATH|LANG|LC_\w+|(PIP|UV|NPM_CONFIG)_\w+|\w+_PROXY|\w*_CA_\w+|\w*CERT\w*", re.IGNORECASE)
_CACHES = re.compile(r"\w+_CACHE(_DIR)?", re.IGNORECASE)
_SETTINGS = (".npmrc", ".pip/pip.conf", ".config/pip/pip.conf", ".config/uv/uv.toml")


def rows(progress: Say, wanted: Collection[str] = IDS) -> Iterator[Row]:
    """Measure; the value is the number of commands that failed, or that ran no test where one was asked for."""
    if "deploy.6" not in wanted:
        return
    with TemporaryDirectory() as folder:
        clone, home = Path(folder, "clone"), Path(folder, "home")
        subprocess.run(["git", "clone", "--quiet", REPOSITORY, clone], check=True)  # noqa: S603, S607 - the user's git
        bring_settings(Path.home(), home)
        variables = environment(os.environ, home)
        variables["PATH"] = without_browsers(variables.get("PATH", os.defpath), Path(folder, "path"))
        test = f'ARGS=-k "{" or ".join(_TESTS)}"'
        commands = (["make", "demo", f"PORT={free_port()}"], ["make", "down"], ["make", "test", test])
        failed = sum(not _succeeds(command, clone, variables, progress) for command in commands)
    yield Row("deploy.6", _CLAIM, failed, "commands that failed", 0, ok=not failed)


def environment(inherited: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return what is left of an environment in a container that knows where the registries are."""
    kept = {name: value for name, value in inherited.items() if _KEPT.fullmatch(name) and not _CACHES.fullmatch(name)}
    return kept | {"HOME": str(home)}


def bring_settings(old: Path, new: Path) -> None:
    """Have a new home lead to the files of an old one that say where the registries are."""
    new.mkdir()
    for name in _SETTINGS:
        if (old / name).is_file():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).symlink_to(old / name)


def without_browsers(path: str, folder: Path) -> str:
    """Return a PATH to the same programs but for browsers: of a directory that has one, its others are in ``folder``."""
    directories = [Path(directory) for directory in path.split(os.pathsep)]
    for place, directory in enumerate(directories):
        programs = list(directory.glob("*"))
        if any(program.name in NAMES for program in programs):
            directories[place] = folder / str(place)
            directories[place].mkdir(parents=True)
            for program in programs:
                if program.name not in NAMES:
                    (directories[place] / program.name).symlink_to(program)
    return os.pathsep.join(map(str, directories))


def _succeeds(command: Sequence[str], folder: Path, variables: Mapping[str, str], progress: Say) -> bool:
    said = " ".join(command)
    progress(f"{said} ...")
    started = time.monotonic()
    ran = subprocess.run(  # noqa: S603 - our own commands
        command,
        cwd=folder,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    tested = "test" not in command or len(re.findall(r"\d+ passed", ran.stdout)) == _STEPS
    ok = ran.returncode == 0 and tested
    outcome = "ok" if ok else f"FAILED with {ran.returncode}"
    last = [] if ok else ran.stdout.splitlines()[-_LINES:]
    progress("\n  | ".join([f"{said}: {outcome}, {time.monotonic() - started:.0f} s", *last]))
    return ok
