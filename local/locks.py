"""Checks that every requirements .txt is what its .in says: the versions, not the hashes, which registries add to.

A .txt that is up to date satisfies its .in, so resolving it again with its own versions preferred changes nothing.
A package-lock.json repeats what package.json asked for when it was written, so that can be compared.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from local.failure import LocalError
from local.place import NPM_PROJECTS, REPOSITORY

UV = REPOSITORY / ".tools" / "uv" / "bin" / "uv"
LOCKED = ("functions/requirements", *(f"requirements/{name}" for name in ("uv", "dev", "sam", "emulator", "node")))
COMPILE = ("--quiet", "--universal", "--python-version", "3.13", "--no-annotate", "--no-header", "--no-emit-index-url")


def stale() -> list[str]:
    """The .txt files that say something else than their .in, each with what differs. Raises LocalError."""
    found = []
    for name in LOCKED:
        locked = REPOSITORY / f"{name}.txt"
        before = pins(locked.read_text(encoding="utf-8"))
        after = pins(_resolve(REPOSITORY / f"{name}.in", locked))
        if before != after:
            found.append(f"{name}.txt: {', '.join(sorted(before ^ after))}")
    return found


def stale_npm(project: Path) -> list[str]:
    """What is wrong with a lock of npm's: other requirements than package.json's, or a registry's address in it."""
    asked = json.loads((project / "package.json").read_text(encoding="utf-8"))
    packages = json.loads((project / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    differ = [kind for kind in ("dependencies", "devDependencies") if packages[""].get(kind) != asked.get(kind)]
    bound = [name for name, package in packages.items() if "resolved" in package]
    lock = f"{project.name}/package-lock.json"
    # Whoever installs has a registry of their own; the hashes say that it gives the same.
    return [
        *(f"{lock}: {kind} of package.json" for kind in differ),
        *(f"{lock}: {name} says where it came from" for name in bound),
    ]


def pins(text: str) -> set[str]:
    """The pinned versions in a requirements .txt, with their markers."""
    lines = (line.strip().removesuffix("\\").strip() for line in text.splitlines())
    return {line for line in lines if line and not line.startswith(("#", "--"))}


def _resolve(source: Path, locked: Path) -> str:
    with tempfile.TemporaryDirectory() as directory:
        # uv prefers the versions it finds in the output, so it gets a copy of what we have.
        output = Path(directory) / locked.name
        output.write_bytes(locked.read_bytes())
        command = [str(UV), "pip", "compile", *COMPILE, str(source), "--output-file", str(output)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own tool
        if done.returncode != 0:
            raise LocalError(f"{source}: {done.stderr.strip()}")
        return output.read_text(encoding="utf-8")


def main() -> int:
    """Print what is stale; returns the exit status."""
    try:
        found = [*stale(), *(line for project in NPM_PROJECTS for line in stale_npm(project))]
    except LocalError as error:
        print(f"Could not be checked, is the package registry in reach? {error}")
        return 1
    if found:
        print(*(f"Stale: {difference}" for difference in found), "Bring them up to date with: make lock", sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
