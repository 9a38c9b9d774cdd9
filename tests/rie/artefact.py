"""What `sam build` makes of the functions, kept apart from later builds."""

import os
import shutil
from pathlib import Path

from local import deploy
from local.place import Place
from local.progress import Progress


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
