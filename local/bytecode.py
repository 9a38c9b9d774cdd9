"""Puts compiled modules into built functions, so that a cold start has nothing to compile (docs/adr/0023).

    python3.13 -m local.bytecode .aws-sam/build

Needs nothing but Python itself, of the version that the functions run on.
"""

import subprocess
import sys
from pathlib import Path


def add_to_all(built: Path) -> None:
    """Compile what `sam build` made: a directory that holds one directory per function. Raises CalledProcessError."""
    for function in sorted(path for path in built.iterdir() if path.is_dir()):
        add(function)


def add(function: Path) -> None:
    """Compile the modules of one built function. Raises CalledProcessError when one of them can't be compiled.

    What comes out depends on the modules only, not on where they are: equal functions stay equal zips, and those are
    uploaded once.
    """
    # By hash: in the zips of SAM every file is from 1980, and a module must never be run in an earlier form.
    options = ["-q", "-f", "--invalidation-mode", "checked-hash", "-s", str(function)]
    # A process each: what was compiled before shows in what is compiled later.
    subprocess.run([sys.executable, "-m", "compileall", *options, str(function)], check=True)  # noqa: S603 - our own


if __name__ == "__main__":
    add_to_all(Path(sys.argv[1]))
